"""The acknowledgement page: a real server, asked over real HTTP."""

from __future__ import annotations

import socket
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from monitor.web.links import Invitation, Links, key_in
from monitor.web.pages import Case, application
from monitor.web.server import Listen, WebServer

NOW = datetime(2026, 3, 10, 9, 15, tzinfo=UTC)


@dataclass
class FakeCases:
    """A log with one case, which only `slt-1` may see."""

    case: Case = field(
        default_factory=lambda: Case(
            reference="2026-0042",
            title="Urgent: case 2026-0042, Fellgate <High> School",
            reader="Rowan Ashby",
            due_at=NOW,
            taken_by=None,
            taken_at=None,
        )
    )

    def look(self, invitation: Invitation) -> Case | None:
        return self.case if invitation == Invitation("2026-0042", "slt-1") else None

    def acknowledge(self, invitation: Invitation) -> Case | None:
        if self.look(invitation) and self.case.taken_by is None:
            self.case = replace(self.case, taken_by=self.case.reader, taken_at=NOW)
        return self.look(invitation)


@pytest.fixture
def cases() -> FakeCases:
    """The log behind the page."""
    return FakeCases()


@pytest.fixture
def links(cases: FakeCases) -> Iterator[Links]:
    """Links into a running server."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    links = Links(f"http://127.0.0.1:{port}/", b"k" * 32)
    server = WebServer(
        application(links, cases, lambda at: at.strftime("%H:%M")),
        Listen(host="127.0.0.1", port=port),
    )
    assert server.start()
    yield links
    server.stop()


def test_looking_changes_nothing(links: Links, cases: FakeCases) -> None:
    """A GET, which every mail scanner makes, shows the case and leaves it untaken."""
    shown = httpx2.get(links.link("2026-0042", "slt-1"))
    assert shown.status_code == 200
    assert "I have it" in shown.text
    assert "Fellgate &lt;High&gt; School" in shown.text
    assert cases.case.taken_by is None


def test_a_press_of_the_button_takes_the_case(links: Links, cases: FakeCases) -> None:
    """A POST gives the case to the reader, and says so."""
    done = httpx2.post(links.link("2026-0042", "slt-1"))
    assert "Thank you, Rowan Ashby." in done.text
    assert cases.case.taken_by == "Rowan Ashby"


def test_who_comes_second_is_told_who_was_first(links: Links, cases: FakeCases) -> None:
    """A case that somebody has offers no button, and thanks nobody."""
    cases.case = replace(cases.case, taken_by="Ola Merrick", taken_at=NOW)
    for answer in (
        httpx2.get(links.link("2026-0042", "slt-1")),
        httpx2.post(links.link("2026-0042", "slt-1")),
    ):
        assert "is with <strong>Ola Merrick</strong>" in answer.text
        assert "<button" not in answer.text
        assert "Thank you" not in answer.text


def test_another_person_s_case_is_not_there(links: Links, cases: FakeCases) -> None:
    """A link for somebody who may not see the case opens nothing."""
    answer = httpx2.post(links.link("2026-0042", "comms"))
    assert answer.status_code == 404
    assert "Fellgate" not in answer.text
    assert cases.case.taken_by is None


@pytest.mark.parametrize(
    "token", ["x", "WyIyMDI2LTAwNDIiLCJzbHQtMSJd.aaaa.bbbb", "%00", "a" * 5000]
)
def test_a_forged_link_is_refused(links: Links, cases: FakeCases, token: str) -> None:
    """What we did not sign does nothing."""
    genuine = links.link("2026-0042", "slt-1")
    answer = httpx2.post(f"{genuine.rpartition('/')[0]}/{token}")
    assert answer.status_code == 410
    assert cases.case.taken_by is None


def test_a_link_of_another_key_is_refused(links: Links) -> None:
    """A link signed with another key does nothing."""
    other = Links("http://127.0.0.1", b"o" * 32).link("2026-0042", "slt-1")
    assert isinstance(links.read(other.rpartition("/")[2]), str)


def test_every_answer_forbids_framing_caching_and_referrers(links: Links) -> None:
    """The headers that keep a link to its reader stand on every answer."""
    for url in (links.link("2026-0042", "slt-1"), links.link("2026-0042", "slt-1")[:-3]):
        headers = httpx2.get(url).headers
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "set-cookie" not in headers


def test_a_taken_port_is_said_and_kills_nothing() -> None:
    """When the port is taken, `start` says False and the process lives on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        links = Links("http://127.0.0.1", b"k" * 32)
        pages = application(links, FakeCases(), str)
        assert not WebServer(pages, Listen(host="127.0.0.1", port=port)).start()


def test_the_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    """The key outlives a restart, and only its owner may read it."""
    first = key_in(tmp_path / "state")
    assert key_in(tmp_path / "state") == first
    assert len(first) == 32
    mode = stat.S_IMODE((tmp_path / "state" / "acknowledge.key").stat().st_mode)
    assert mode == 0o600
