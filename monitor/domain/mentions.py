"""Posts that are about us: why they are, and what was judged of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from classifiers.verdict import Evidence, Label, Sentiment, Severity
from connectors.post import Post


class Strength(StrEnum):
    """How a term proves its organisation: alone, or with support from text or context."""

    DISTINCTIVE = "distinctive"
    SUPPORTED = "supported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One organisation found in one post.

    `organisation` is the id of a school or of the trust. `field` names where the term stood ("text",
    "title", "url", "feed_title", ...); `span` is its (start, end) in that field's original text.
    `reason` says in words, fit for the digest, why this is the right organisation.
    """

    organisation: str
    term: str
    field: str
    span: tuple[int, int]
    strength: Strength
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A stored post that matched. `revision` counts the author's edits, from 1."""

    id: int
    source: str
    post: Post
    matches: tuple[Match, ...]
    first_seen_at: datetime
    revision: int

    @property
    def organisations(self) -> tuple[str, ...]:
        """Ids in order of first match, each once."""
        return tuple(dict.fromkeys(match.organisation for match in self.matches))


@dataclass(frozen=True, slots=True, kw_only=True)
class Triage:
    """The decision about one mention. `labels` are those that count (score >= 0.5); `reasons` are
    sentences for a person, strongest first. `needs_review` marks what no classifier could score."""

    severity: Severity
    labels: frozenset[Label]
    sentiment: Sentiment
    scores: Mapping[Label, float]
    reasons: tuple[str, ...]
    evidence: tuple[Evidence, ...] = ()
    needs_review: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """A mention that was put aside, because every try to judge it failed: a person has to read it at
    its source. Its words are left out: they may be what the failing is about."""

    mention: int
    organisations: tuple[str, ...]
    platform: str
    url: str | None
    author: str | None
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutineMention:
    """A mention with nothing to do but to know of it: for the digest's lists."""

    organisations: tuple[str, ...]
    sentiment: Sentiment
    labels: frozenset[Label]
    platform: str
    url: str | None
    text: str
    seen_at: datetime
    author: str | None = None
