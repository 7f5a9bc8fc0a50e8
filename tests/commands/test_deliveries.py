"""The post book, as people see it: what was sent, what waits, what was held, given up or not sent."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from classifiers.verdict import Severity
from monitor.cli import cli
from monitor.domain import DeliveryKind, DeliveryState, SuppressionKind
from monitor.ports import NewDelivery
from tests.commands.log import Log

SLT, COMMS = "slt-1@quillmere.example", "comms@quillmere.example"


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def asked(log: Log, *words: str, status: int = 0) -> str:
    result = log.runner.invoke(
        cli,
        ["deliveries", *words, "-c", str(log.path)],
        env={"COLUMNS": "250", "NO_COLOR": "1"},
    )
    assert result.exit_code == status, result.output + repr(result.exception)
    return result.output


def book(log: Log, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(asked(log, *words, "--json"))
    return found


def queued(log: Log, key: str, to: str, at: datetime, case: str | None = None) -> None:
    with log.store.begin() as rows:
        concern = rows.concerns.by_reference(case) if case else None
        new = NewDelivery(
            key=key,
            kind=DeliveryKind.DIGEST if key.startswith("digest") else DeliveryKind.ALERT,
            concern=concern.id if concern else None,
            recipient=to,
            channel="email",
            message=b"Subject: the zebra in the hall\r\n\r\nzebra\r\n",
        )
        rows.outbox.enqueue([new], now=at)


def ended(log: Log, state: DeliveryState, detail: str, at: datetime, due: datetime) -> None:
    """The delivery that is due longest was tried once, and ended like this."""
    with log.store.begin() as rows:
        claimed = rows.outbox.claim(list(DeliveryKind), owner="t", lease_s=30, now=at)
        assert claimed is not None
        if state is DeliveryState.HELD:
            rows.bundles.hold(claimed, why=detail, now=at)
        else:
            rows.outbox.mark(claimed, state, detail=detail, due_at=due, ambiguous=False, now=at)


@pytest.fixture
def full(log: Log) -> Log:
    """One delivery of each fate, and one suppression."""
    now = datetime.now(UTC)
    case = log.opens(severity=Severity.URGENT)
    fates = [
        ("alert:2026-0001:1", SLT, DeliveryState.SENT, "250"),
        ("escalate:2026-0001:1:1", COMMS, DeliveryState.PENDING, "not accepted yet: 451 at RCPT"),
        ("alert:2026-0001:2", SLT, DeliveryState.DEAD, "refused for good: 550 at RCPT"),
        ("alert:2026-0001:3", SLT, DeliveryState.HELD, "10 letters within the hour"),
        ("stale:feed:1", "gone@quillmere.example", DeliveryState.SENT, "250"),
    ]
    for key, to, state, detail in fates:
        queued(log, key, to, now, case if "2026" in key else None)
        ended(log, state, detail, now, now + timedelta(minutes=5))
    queued(log, "digest:2026-11-20", COMMS, now)
    with log.store.begin() as rows:
        concern = rows.concerns.by_reference(case)
        assert concern is not None
        for _ in range(3):
            rows.suppressions.count(
                f"grouped:{case}:1",
                SuppressionKind.GROUPED,
                reason="joins an incident that was alerted",
                now=now,
                concern=concern.id,
            )
    return log


def test_an_empty_book(log: Log) -> None:
    """Before the first mail the command says that there is none."""
    assert "Nothing was sent, and nothing waits." in asked(log)
    assert book(log) == {"deliveries": [], "suppressed": []}


def test_every_fate_in_words(full: Log) -> None:
    """Each delivery is shown with its reader's id, its attempts, its next try and the last answer."""
    told = asked(full)
    for words in (
        "waits after 1 attempt, next try",
        "not accepted yet: 451 at RCPT",
        "GIVEN UP",
        "refused for good: 550 at RCPT",
        "held since",
        "10 letters within the hour",
        "waits to be sent",
        "slt-1",
        "an address that is nobody's",
        "1 dead, 1 held, 2 pending, 2 sent",
        "joined an incident that was alerted",
    ):
        assert words in told, words
    assert "zebra" not in told
    assert "@" not in told


def test_addresses_are_shown_when_asked_for(full: Log) -> None:
    """Addresses stand beside ids with --addresses alone, in words and as data."""
    assert f"slt-1 <{SLT}>" in asked(full, "--addresses")
    assert book(full, "--addresses")["deliveries"][0]["address"] == SLT
    assert "@" not in json.dumps(book(full))


def test_as_data(full: Log) -> None:
    """The JSON document holds states, times and counts."""
    document = book(full)
    by_key = {each["key"]: each for each in document["deliveries"]}
    assert by_key["alert:2026-0001:1"]["state"] == "sent"
    assert by_key["alert:2026-0001:1"]["next_try_at"] is None
    assert by_key["escalate:2026-0001:1:1"]["attempts"] == 1
    assert by_key["escalate:2026-0001:1:1"]["next_try_at"] is not None
    assert by_key["alert:2026-0001:3"]["held_since"] is not None
    (suppressed,) = document["suppressed"]
    assert (suppressed["kind"], suppressed["count"], suppressed["case"]) == (
        "grouped",
        3,
        "2026-0001",
    )


def test_one_case_alone(full: Log) -> None:
    """With --case only that case's mail is shown; a case that there is not is refused."""
    document = book(full, "--case", "2026-0001")
    assert {each["case"] for each in document["deliveries"]} == {"2026-0001"}
    assert len(document["deliveries"]) == 4
    asked(full, "--case", "2026-9999", status=1)


def test_old_mail_is_shown_when_all_is_asked_for(log: Log) -> None:
    """What went well is shown for a day, what was given up for a week, what waits for ever."""
    now = datetime.now(UTC)
    for key, state, days in [
        ("alert:2026-0001:1", DeliveryState.SENT, 2),
        ("alert:2026-0002:1", DeliveryState.DEAD, 2),
        ("alert:2026-0003:1", DeliveryState.DEAD, 8),
        ("alert:2026-0004:1", DeliveryState.PENDING, 30),
    ]:
        at = now - timedelta(days=days)
        queued(log, key, SLT, at)
        ended(log, state, "x", at, now + timedelta(days=1))
    shown = {each["key"] for each in book(log)["deliveries"]}
    assert shown == {"alert:2026-0002:1", "alert:2026-0004:1"}
    assert len(book(log, "--all")["deliveries"]) == 4
