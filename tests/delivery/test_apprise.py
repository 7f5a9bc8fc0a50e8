"""The other channels through the real Apprise, against real servers: good ones and bad ones."""

from __future__ import annotations

import socket
import time
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from monitor.delivery.apprise import AppriseMailer
from monitor.delivery.other import CallWriter, words_of
from monitor.domain import Call, Case, Channel, Outcome, Sent
from monitor.errors import MonitorError
from tests.delivery.webhook import Mood, Webhook
from tests.policy.test_escalation import concern

pytest.importorskip("apprise", reason="NOT TESTED: the extra `channels` (Apprise) is not installed")

NOW = datetime(2026, 3, 10, 9, 20, tzinfo=UTC)
ROOM = Channel(id="room", people=("amara", "bruno"))
WRITER = CallWriter(trust_name="Larkmoor Trust", organisations={"hill": "Hill School"})
MESSAGE = WRITER.call(
    Call(
        channel=ROOM,
        letters=(),
        cases=(Case(concern=concern(), may_answer=True),),
        reader=None,
        because="it can't be mailed",
    ),
    key="alert:2026-0001:1",
    now=NOW,
)


def send(url: str, *, answer_s: float = 10) -> Sent:
    mailer = AppriseMailer({"room": SecretStr(url)}, answer_s=answer_s)
    sent = mailer.send("room", MESSAGE, attempt=0)
    assert sent.relay == "room"
    assert "t0ken" not in sent.detail + repr(mailer)
    return sent


def test_a_webhook_gets_exactly_these_words() -> None:
    """Title and text arrive once, as they were frozen, at the path that the URL names."""
    with Webhook() as hook:
        assert send(hook.url).outcome is Outcome.ACCEPTED
        (got,) = hook.got
        assert (got["title"], got["message"]) == words_of(MESSAGE)
        assert hook.paths[0].startswith("/hook/t0ken")


def test_a_teams_workflow_gets_a_card() -> None:
    """The same words, by TLS, as the adaptive card that a Teams workflow posts."""
    with Webhook(tls=True) as hook:
        sent = send(f"workflows://127.0.0.1:{hook.port}/{'a' * 32}/{'b' * 43}/?verify=no")
        assert sent.outcome is Outcome.ACCEPTED
        card = str(hook.got[0]["attachments"])
        assert "Case 2026-0001" in card or "case 2026-0001" in card
        assert "AdaptiveCard" in card


@pytest.mark.parametrize(
    ("mood", "outcome", "detail"),
    [
        (Mood.LATE, Outcome.ACCEPTED, "success"),
        (Mood.BROKEN, Outcome.DEFERRED, "not accepted"),
        (Mood.GONE, Outcome.DEFERRED, "not accepted"),
        (Mood.DROPS, Outcome.DEFERRED, "not accepted"),
        (Mood.HANGS, Outcome.AMBIGUOUS, "no answer in time"),
        (Mood.DRIPS, Outcome.AMBIGUOUS, "no answer in time"),
    ],
)
def test_what_goes_wrong_becomes_an_outcome(mood: Mood, outcome: Outcome, detail: str) -> None:
    """Yes, no, or no answer in time, which may mean that it arrived; one request each, and an end
    to it however long the gateway would take."""
    with Webhook(mood) as hook:
        begun = time.monotonic()
        sent = send(hook.url, answer_s=2)
        assert (sent.outcome, sent.detail) == (outcome, detail)
        assert time.monotonic() - begun < 8
        assert len(hook.got) == 1


def test_nobody_there_and_no_sense() -> None:
    """A closed port, a URL that Apprise doesn't know, and a channel that was taken out."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert send(f"json://127.0.0.1:{port}/t0ken").outcome is Outcome.DEFERRED
    assert send("carrierpigeon://t0ken").detail == "not a URL that Apprise can use"
    gone = AppriseMailer({}).send("room", MESSAGE, attempt=0)
    assert gone.outcome is Outcome.REJECTED
    assert "no channel of this name" in gone.detail


def test_check_says_whether_the_url_makes_sense_and_sends_nothing() -> None:
    """`trust-monitor check` asks Apprise, and never the gateway; a bad URL is not repeated."""
    with Webhook() as hook:
        assert "nothing was sent" in AppriseMailer({"room": SecretStr(hook.url)}).check("room")
        assert hook.got == []
    with pytest.raises(MonitorError, match="channel room: Apprise doesn't understand") as raised:
        AppriseMailer({"room": SecretStr("carrierpigeon://t0ken")}).check("room")
    assert "t0ken" not in str(raised.value)


def test_a_long_list_arrives_whole() -> None:
    """Of twelve cases five are named, the others counted."""
    cases = tuple(
        Case(concern=concern(id=n, reference=f"2026-{n:04}"), may_answer=True) for n in range(1, 13)
    )
    call = Call(channel=ROOM, letters=(), cases=cases, reader=None, because="x")
    title, body = words_of(WRITER.call(call, key="other:1", now=NOW))
    assert title == "12 cases wait for somebody"
    assert body.count("--who YOUR-ID") == 5
    assert "and 7 more" in body
