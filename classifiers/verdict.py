"""What a classifier says of a text. Probabilities, never decisions: triage decides.

The labels and their edges are those of the trusts' own social media policies; each label's meaning
stands in `LABELS`' order in the model card and the label guide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Label(StrEnum):
    """Twelve labels; a post carries any number of them, or none."""

    THREAT = "threat"
    HATE = "hate"
    ABUSE = "abuse"
    SAFEGUARDING = "safeguarding"
    ALLEGATION = "allegation"
    IDENTIFIES_CHILD = "identifies_child"
    COMPLAINT = "complaint"
    CAMPAIGN = "campaign"
    QUERY = "query"
    MEDIA = "media"
    SECURITY = "security"
    PRAISE = "praise"


class Sentiment(StrEnum):
    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


class Severity(StrEnum):
    """What a careful head of communications would decide. Ordered by `rank`."""

    ROUTINE = "routine"
    CONCERN = "concern"
    URGENT = "urgent"

    @property
    def rank(self) -> int:
        """0 (routine) to 2 (urgent)."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a label: the span (start, end: character offsets into the text as given) and the rule that
    fired. Holds no text, so that it may be logged and mailed."""

    label: Label
    start: int
    end: int
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One text's scores. `labels` and `sentiment` hold every member, each in 0..1, calibrated so that
    0.5 is where a label counts; sentiment sums to 1. `severity` is a model's own severity head (sums
    to 1), None from classifiers that have none."""

    labels: Mapping[Label, float]
    sentiment: Mapping[Sentiment, float]
    severity: Mapping[Severity, float] | None = None
    evidence: tuple[Evidence, ...] = ()
    model: str
    version: str


class Classifier(Protocol):
    """Scores texts. Safe to call from one thread at a time; loads its weights on the first call or
    in `warm()`, never on construction."""

    @property
    def model(self) -> str:
        """Its name, for the log and the digest."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever its verdicts may."""
        ...

    def warm(self) -> None:
        """Load what is needed. Raises `ClassifierError` naming the file and what to do."""
        ...

    def classify(self, texts: Sequence[str]) -> list[Verdict]:
        """One verdict per text, in the order given, whatever batches were used inside."""
        ...
