"""Two concerns become one, or one becomes two: what each of them then is. Nothing is ever softened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from classifiers.verdict import Label, Sentiment
from monitor.domain import AuthorRole, Concern, Mention, Suggestion, Triage

MOST_REASONS = 6


def joined(into: Concern, added: Concern) -> Concern:
    """`into` after it took `added` in: all mentions and labels, the gravest severity, the earlier
    deadline."""
    return replace(
        into,
        severity=max(into.severity, added.severity, key=lambda severity: severity.rank),
        labels=into.labels | added.labels,
        sentiment=_worse(into.sentiment, added.sentiment),
        scores=highest(into.scores, added.scores),
        organisations=_each_once((*into.organisations, *added.organisations)),
        reasons=_each_once((*into.reasons, *added.reasons))[:MOST_REASONS],
        needs_review=into.needs_review or added.needs_review,
        author=into.author if into.author is not AuthorRole.UNKNOWN else added.author,
        flags=into.flags | added.flags,
        own_account=into.own_account or added.own_account,
        campaign=into.campaign or added.campaign,
        mentions=tuple(sorted((*into.mentions, *added.mentions), key=lambda m: m.id)),
        suggestion=_earlier(into.suggestion, added.suggestion),
    )


def judged_together(triages: Sequence[Triage]) -> Triage:
    """Several mentions' triages as one concern's. `triages` must not be empty."""
    scores: Mapping[Label, float] = {}
    for triage in triages:
        scores = highest(scores, triage.scores)
    return Triage(
        severity=max((t.severity for t in triages), key=lambda severity: severity.rank),
        labels=frozenset().union(*(t.labels for t in triages)),
        sentiment=min((t.sentiment for t in triages), key=list(Sentiment).index),
        scores=dict.fromkeys(Label, 0.0) | dict(scores),
        reasons=_each_once([reason for t in triages for reason in t.reasons])[:MOST_REASONS],
        needs_review=any(t.needs_review for t in triages),
    )


def parted(mentions: Sequence[Mention]) -> tuple[str, ...]:
    """The organisations that `mentions` are about, each once."""
    return _each_once([name for mention in mentions for name in mention.organisations])


def highest(one: Mapping[Label, float], other: Mapping[Label, float]) -> dict[Label, float]:
    return {
        label: max(one.get(label, 0.0), other.get(label, 0.0))
        for label in Label
        if label in one or label in other
    }


def _earlier(one: Suggestion, other: Suggestion) -> Suggestion:
    due = [at for at in (one.due_at, other.due_at) if at is not None]
    return replace(one, due_at=min(due, default=None))


def _worse(one: Sentiment, other: Sentiment) -> Sentiment:
    return min(one, other, key=list(Sentiment).index)  # negative, neutral, positive


def _each_once(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
