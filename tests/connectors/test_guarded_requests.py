"""The session that client libraries built on requests are given."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.errors import SourceRejected, SourceUnavailable
from connectors.guarded_requests import guarded_session
from tests.connectors.api_server import Answer, ApiServer, Call

WHOLE = {"say": "hello"}


class Echo(ApiServer):
    """Answers everything alike."""

    def respond(self, call: Call) -> Answer:
        return Answer(content=WHOLE, headers={"Set-Cookie": "id=1"})


@pytest.fixture
def server() -> Iterator[Echo]:
    echo = Echo()
    yield echo
    echo.stop()


def test_an_answer_is_as_requests_gives_it(server: Echo) -> None:
    """Status, headers, JSON, form and query are all there; a cookie is not kept."""
    session = guarded_session([server.url], timeout_s=5, max_bytes=1000, allow_private=True)
    response = session.post(f"{server.url}/form?a=1", data={"b": "é"}, auth=("me", "pass"))
    assert (response.status_code, response.json()) == (200, WHOLE)
    assert response.headers["CONTENT-TYPE"].startswith("application/json")
    (call,) = server.calls
    assert (call.method, call.path, call.query, call.body) == (
        "POST",
        "/form",
        {"a": ["1"]},
        "b=%C3%A9",
    )
    assert call.headers["authorization"].startswith("Basic ")
    session.get(server.url)
    assert "cookie" not in server.calls[-1].headers


def test_private_addresses_are_refused(server: Echo) -> None:
    """Without allow_private nothing is sent to this machine."""
    session = guarded_session([server.url], timeout_s=5, max_bytes=1000)
    with pytest.raises(SourceRejected, match="allow_private"):
        session.get(server.url)
    assert server.calls == []


def test_other_hosts_are_refused(server: Echo) -> None:
    """Whatever a library is told by a server, it talks to the configured hosts only."""
    session = guarded_session(
        ["http://source.example"], timeout_s=5, max_bytes=1000, allow_private=True
    )
    with pytest.raises(SourceRejected, match="not a host of this source"):
        session.get(server.url)
    assert server.calls == []


@pytest.mark.parametrize("allow_redirects", [True, False])
def test_redirects_are_answers(server: Echo, allow_redirects: bool) -> None:
    """A redirect is returned and not followed, whatever a library asks for."""
    server.fault = Answer(status=302, headers={"Location": "/elsewhere"})
    session = guarded_session([server.url], timeout_s=5, max_bytes=1000, allow_private=True)
    response = session.get(server.url, allow_redirects=allow_redirects)
    assert response.status_code == 302
    assert len(server.calls) == 1


def test_the_deadline_is_the_session_s(server: Echo) -> None:
    """A drip, and a later request, end with the session's time, whatever timeout a library gives."""
    server.drip = 0.05
    session = guarded_session([server.url], timeout_s=0.4, max_bytes=1000, allow_private=True)
    started = time.monotonic()
    for _ in range(2):
        with pytest.raises(SourceUnavailable, match="deadline"):
            session.get(server.url, timeout=60)
    assert time.monotonic() - started < 1


def test_a_body_is_bounded_also_when_it_is_compressed(server: Echo) -> None:
    """10 MB in 10 KB of gzip is refused without being inflated; what fits is inflated."""
    packed = {"Content-Encoding": "gzip"}
    session = guarded_session([server.url], timeout_s=5, max_bytes=1000, allow_private=True)
    server.fault = Answer(content=gzip.compress(b"x" * 10_000_000), headers=packed)
    with pytest.raises(SourceUnavailable, match="longer than 1,000 bytes"):
        session.get(server.url)
    server.fault = Answer(content=gzip.compress(b"x" * 1000), headers=packed)
    assert session.get(server.url).content == b"x" * 1000


def test_the_environment_changes_nothing(
    server: Echo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither a proxy variable nor a .netrc is heeded."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password pass\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    session = guarded_session([server.url], timeout_s=5, max_bytes=1000, allow_private=True)
    assert session.get(server.url).json() == WHOLE
    assert "authorization" not in server.calls[0].headers
