"""Verdicts, triages and people to talk about, each with sensible defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.resources import files

from hypothesis import strategies as st

from classifiers.verdict import Label, Sentiment, Severity, Verdict
from monitor.domain import Person, Role, Triage

labels_sets = st.frozensets(st.sampled_from(Label))
scores = st.floats(0, 1, allow_nan=False)


def packaged(name: str) -> str:
    """The text of a data file as shipped."""
    return (files("monitor") / "data" / name).read_text(encoding="utf-8")


def verdict(
    labels: Mapping[Label, float] | None = None,
    *,
    head: Mapping[Severity, float] | None = None,
    sentiment: Sentiment = Sentiment.NEUTRAL,
) -> Verdict:
    """A verdict with the scores given, the rest 0."""
    return Verdict(
        labels=dict.fromkeys(Label, 0.0) | dict(labels or {}),
        sentiment={each: float(each is sentiment) for each in Sentiment},
        severity=dict.fromkeys(Severity, 0.0) | dict(head) if head is not None else None,
        model="test",
        version="1",
    )


def triaged(
    labels: Iterable[Label] = (),
    severity: Severity = Severity.CONCERN,
    *,
    hints: Mapping[Label, float] | None = None,
    needs_review: bool = False,
) -> Triage:
    """A triage in which `labels` count for certain and `hints` are the other scores."""
    counted = frozenset(labels)
    return Triage(
        severity=severity,
        labels=counted,
        sentiment=Sentiment.NEUTRAL,
        scores=dict.fromkeys(Label, 0.0) | dict(hints or {}) | dict.fromkeys(counted, 0.9),
        reasons=("because the test says so",),
        needs_review=needs_review,
    )


def person(name: str, *roles: Role, schools: Iterable[str] = ()) -> Person:
    """Somebody whose id is their name."""
    return Person(
        id=name,
        name=name.title(),
        email=f"{name}@trust.example",
        roles=frozenset(roles),
        schools=frozenset(schools),
    )
