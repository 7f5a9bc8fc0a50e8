"""Letters in one: nothing of them is left out, and what posts say stays inert."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from monitor.delivery.letters import Letters
from monitor.delivery.message import freeze
from monitor.delivery.render import BUNDLE_TEXTS, Rendered
from monitor.delivery.thaw import thaw
from monitor.domain import Disclosure, Notice
from tests.delivery.samples import SLT, THREAT, renderer
from tests.delivery.test_render import HOSTILE, assert_safe, saying

NOW = datetime(2026, 3, 10, 9, 15, tzinfo=UTC)
LETTERS = Letters(renderer(excerpt="full"), "monitor@lantern.example")
NOTICE = Notice(person=SLT, disclosure=Disclosure.FULL, because="urgent")


def alert(number: int, text: str = "They hid the zebra.") -> bytes:
    concern = replace(saying(text), reference=f"2026-{number:04}")
    return LETTERS.alert(concern, NOTICE, key=f"alert:2026-{number:04}:1", now=NOW)


def bundle(*letters: bytes) -> Rendered:
    """The bundle's parts as its reader's program sees them."""
    made = LETTERS.bundle(letters, SLT.email, per_hour=10, key="bundle:7", now=NOW)
    message = message_from_bytes(made, policy=policy.default)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    return Rendered(
        subject=str(message["Subject"]),
        text=text.get_content().replace("\r\n", "\n"),
        html=html.get_content(),
        urgent=message["Importance"] == "high",
    )


def test_a_letter_read_again_is_what_it_was() -> None:
    """Subject, words, urgency, case and link of a frozen alert are found again."""
    rendered = renderer(excerpt="full").alert(THREAT, NOTICE)
    frozen = freeze(
        rendered,
        sender="monitor@lantern.example",
        recipient=SLT.email,
        now=NOW,
        key=f"alert:{THREAT.reference}:1",
    )
    again = thaw(frozen)
    assert (again.subject, again.urgent, again.case) == (
        rendered.subject,
        True,
        THREAT.reference,
    )
    assert again.text == rendered.text.strip()
    assert again.acknowledge is not None
    assert again.acknowledge.endswith(f"{THREAT.reference}-{SLT.id}")


def test_every_letter_stands_in_it_with_its_link() -> None:
    """The list at the top has each subject with its reader's own link; each letter follows in full."""
    letters = [alert(number, f"They hid zebra {number}.") for number in range(1, 6)]
    made = bundle(*letters)
    assert made.subject.startswith("5 urgent alerts in one letter: 2026-0001, 2026-0002")
    assert len(made.subject) <= 80
    assert made.urgent
    top, _, rest = made.text.partition("-----")
    for number, letter in enumerate(letters, start=1):
        link = f"https://monitor.lantern.example/a/2026-{number:04}-{SLT.id}"
        assert thaw(letter).subject in top
        assert f"   Acknowledge: {link}\n" in top
        assert thaw(letter).text in rest
        assert f'href="{link}"' in made.html
        assert f"zebra {number}" in made.html
    assert_safe(made.html)


def test_very_many_letters_stay_a_letter() -> None:
    """Of very many letters every subject is listed, and the words of the first ones are quoted."""
    number = BUNDLE_TEXTS + 50
    made = bundle(*([alert(1)] * (number - 1)), alert(2, "the very last"))
    assert made.text.count("URGENT threat") >= number
    assert f"\n{number}. " in made.text
    assert "the very last" not in made.text
    assert "trust-monitor concerns list" in made.text


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_posts_stay_inert(text: str) -> None:
    """Whatever a post holds, the bundle's subject, list and page stay ours."""
    made, tame = bundle(alert(1, text), alert(2)), bundle(alert(1, "tame"), alert(2))
    assert made.subject == tame.subject
    assert made.text.partition("-----")[0] == tame.text.partition("-----")[0]
    assert_safe(made.html)


def test_notices_that_are_not_urgent_are_not_called_so() -> None:
    """A bundle says how many of its alerts are urgent, and is not important when none is."""
    plain = Rendered(subject="Not being seen: gazette", text="x\n", html="<p>x</p>", urgent=False)
    stale = freeze(
        plain, sender="monitor@lantern.example", recipient=SLT.email, now=NOW, key="stale:gazette:1"
    )
    assert bundle(stale, alert(1)).subject == "2 alerts in one letter, 1 urgent: 2026-0001"
    quiet = bundle(stale, stale)
    assert (quiet.subject, quiet.urgent) == ("2 alerts in one letter", False)
