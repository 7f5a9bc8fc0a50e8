"""A concern as a row, and a row as a concern."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from classifiers.verdict import Label, Sentiment, Severity
from monitor.domain import (
    AuthorRole,
    Closing,
    Concern,
    ConcernEvent,
    ConcernState,
    Flag,
    Mention,
    Reply,
    Suggestion,
)
from monitor.ports import ConcernDraft

_suggestion: TypeAdapter[Suggestion] = TypeAdapter(Suggestion)


def to_event(row: Any) -> ConcernEvent:
    """A line of the history."""
    return ConcernEvent(
        at=row.at, who=row.who, action=row.action, why=row.why, details=dict(row.details)
    )


def to_concern(
    row: Any,
    mentions: Sequence[Mention],
    history: Sequence[ConcernEvent],
    replies: Sequence[Reply],
) -> Concern:
    """A row of the concern table, with its parts."""
    return Concern(
        id=row.id,
        reference=row.reference,
        state=ConcernState(row.state),
        severity=Severity(row.severity),
        labels=frozenset(Label(label) for label in row.labels),
        sentiment=Sentiment(row.sentiment),
        organisations=tuple(row.organisations),
        suggestion=_suggestion.validate_python(row.suggestion),
        reasons=tuple(row.reasons),
        confidential=row.confidential,
        needs_review=row.needs_review,
        opened_at=row.opened_at,
        updated_at=row.updated_at,
        closed_at=row.closed_at,
        mentions=tuple(mentions),
        history=tuple(history),
        scores={Label(label): score for label, score in row.scores.items()},
        ladder=row.ladder,
        owner=row.owner,
        closing=Closing(row.closing) if row.closing else None,
        author=AuthorRole(row.author),
        flags=frozenset(Flag(flag) for flag in row.flags),
        own_account=row.own_account,
        about_head=row.about_head,
        merged_into=row.merged_into,
        campaign=row.campaign,
        replies=tuple(replies),
    )


def concern_values(concern: Concern) -> dict[str, Any]:
    """Every column that a move may change."""
    return {
        "state": concern.state,
        "severity": concern.severity,
        "sentiment": concern.sentiment,
        "labels": sorted(concern.labels),
        "scores": _scores(concern.scores),
        "organisations": list(concern.organisations),
        "suggestion": _suggestion.dump_python(concern.suggestion, mode="json"),
        "reasons": list(concern.reasons),
        "confidential": concern.confidential,
        "needs_review": concern.needs_review,
        "ladder": concern.ladder,
        "owner": concern.owner,
        "closing": concern.closing,
        "author": concern.author,
        "flags": sorted(concern.flags),
        "own_account": concern.own_account,
        "about_head": concern.about_head,
        "merged_into": concern.merged_into,
        "campaign": concern.campaign,
        "updated_at": concern.updated_at,
        "closed_at": concern.closed_at,
    }


def _scores(scores: Mapping[Label, float]) -> dict[str, float]:
    return {label.value: round(score, 4) for label, score in scores.items()}


def draft_values(draft: ConcernDraft, now: datetime) -> dict[str, Any]:
    """The columns that a decision sets; what it leaves as None stays as it is."""
    further = {
        "ladder": draft.ladder,
        "own_account": draft.own_account,
        "author": draft.author,
        "about_head": draft.about_head,
    }
    return {name: value for name, value in further.items() if value is not None} | {
        "severity": draft.triage.severity,
        "sentiment": draft.triage.sentiment,
        "labels": sorted(draft.triage.labels),
        "organisations": list(draft.organisations),
        "suggestion": _suggestion.dump_python(draft.suggestion, mode="json"),
        "reasons": list(draft.triage.reasons),
        "scores": _scores(draft.triage.scores),
        "confidential": draft.confidential,
        "needs_review": draft.triage.needs_review,
        "updated_at": now,
    }
