"""Values that the store's tests put in. Everything is made up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from classifiers.verdict import Evidence, Label, Sentiment, Severity
from connectors.post import Post
from monitor.domain import ConcernEvent, ConcernState, Match, Strength, Suggestion, Triage
from monitor.policy.life import Move
from monitor.ports import ConcernDraft, Transaction

NOW = datetime(2026, 3, 10, 9, 15, tzinfo=UTC)
MATCH = Match(
    organisation="larch",
    term="Larch Hill Primary",
    field="text",
    span=(0, 18),
    strength=Strength.DISTINCTIVE,
    reason="the full name",
)


def post(native_id: str = "a1", text: str = "Larch Hill Primary is shut", **more: Any) -> Post:
    return Post(platform="rss", native_id=native_id, text=text, **more)


def triage(severity: Severity = Severity.CONCERN, *labels: Label) -> Triage:
    return Triage(
        severity=severity,
        labels=frozenset(labels),
        sentiment=Sentiment.NEGATIVE,
        scores={label: 0.9 if label in labels else 0.1 for label in Label},
        reasons=("because",),
        evidence=tuple(Evidence(label, 0, 4, "rule") for label in labels),
    )


def draft(severity: Severity = Severity.CONCERN, *labels: Label) -> ConcernDraft:
    return ConcernDraft(
        triage=triage(severity, *labels),
        organisations=("larch",),
        suggestion=Suggestion(
            rung="L1",
            rung_name="Acknowledge",
            who="comms",
            approver="slt",
            reply="Hello",
            private_reply=None,
            no_reply_because=None,
            do=("Reply",),
            dont=("Argue",),
            due_at=NOW,
            source="a clause",
        ),
        confidential=False,
    )


def leave(rows: Transaction, concern: int, move: Move, *, who: str, now: datetime) -> None:
    """Store a concern as `who` left it by acknowledging or closing it, for a test of what comes after.
    The desk, which asks the rules, has tests of its own."""
    closing = move is Move.CLOSE
    rows.concerns.save(
        replace(
            rows.concerns.get(concern),
            state=ConcernState.CLOSED if closing else ConcernState.ACKNOWLEDGED,
            owner=who,
            updated_at=now,
            closed_at=now if closing else None,
        ),
        ConcernEvent(at=now, who=who, action=move.value, why=""),
    )
