"""The values that walk through the house, from a match to a notice. Plain, frozen, and pure.

Posts and verdicts are owned by their leaves (`connectors.post`, `classifiers.verdict`); everything
that the monitor itself decides or stores is here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
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


class Role(StrEnum):
    """Who somebody is for the monitor. The head is per school; the rest may be trust-wide."""

    COMMS = "comms"
    SLT = "slt"
    DSL = "dsl"
    DEPUTY_DSL = "deputy_dsl"
    HEAD = "head"
    CHAIR = "chair"
    MEDIA = "media"
    HR = "hr"
    DPO = "dpo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who gets mail. `schools` empty: trust-wide."""

    id: str
    name: str
    email: str
    roles: frozenset[Role]
    schools: frozenset[str] = frozenset()

    def covers(self, organisations: tuple[str, ...]) -> bool:
        """True when trust-wide, or when one of `organisations` is theirs."""
        return not self.schools or bool(self.schools.intersection(organisations))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One step of the parent-escalation ladder, as the trust's ladder file gives it.

    `public` and `private` are drafts with placeholders such as {school} and {contact}. `stop` says
    why no reply may be suggested at all. `source` is the clause that the rung comes from.
    """

    id: str
    name: str
    who: str
    approver: str
    clock: str
    public: str | None
    private: str | None
    stop: str | None
    do: tuple[str, ...]
    dont: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """What the ladder suggests for one concern. `reply` is the public draft with its placeholders
    filled in, or None: then `no_reply_because` says why not (a hard stop, or nothing to answer)."""

    rung: str
    rung_name: str
    who: str
    approver: str
    reply: str | None
    private_reply: str | None
    no_reply_because: str | None
    do: tuple[str, ...]
    dont: tuple[str, ...]
    due_at: datetime | None
    source: str


class ConcernState(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcernEvent:
    """One line of a concern's append-only history. `who` is a person's id or "monitor"."""

    at: datetime
    who: str
    action: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """One incident: one or more mentions that belong together.

    `reference` is the case number that people quote ("2026-0042"). `confidential` means that only
    the safeguarding lead sees more than "with DSL".
    """

    id: int
    reference: str
    state: ConcernState
    severity: Severity
    labels: frozenset[Label]
    sentiment: Sentiment
    organisations: tuple[str, ...]
    suggestion: Suggestion
    reasons: tuple[str, ...]
    confidential: bool
    needs_review: bool
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    mentions: tuple[Mention, ...] = ()
    history: tuple[ConcernEvent, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An open concern that a mention might belong to. `threads` are `identity.thread_keys` of its
    mentions; `texts` are its mentions' `identity.normalise`d texts, newest first."""

    concern_id: int
    threads: frozenset[str]
    texts: tuple[str, ...]
    organisations: frozenset[str]
    last_seen: datetime


class Disclosure(StrEnum):
    """How much of a concern a notice may tell its reader."""

    FULL = "full"  # category, place, reason, excerpt as configured
    WITHHELD = "withheld"  # that it exists, and who has it


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One person to be told now of one concern."""

    person: Person
    disclosure: Disclosure
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """An assessed mention as retention sees it. `state` and `closed_at` are its concern's, if any."""

    mention: int
    severity: Severity
    labels: frozenset[Label]
    state: ConcernState | None
    closed_at: datetime | None
    seen_at: datetime


class DeliveryKind(StrEnum):
    ALERT = "alert"
    DIGEST = "digest"


class DeliveryState(StrEnum):
    PENDING = "pending"
    AMBIGUOUS = "ambiguous"  # sent to the final dot, no answer: waits before it may be repeated
    SENT = "sent"
    DEAD = "dead"  # given up, shown in the digest and by `trust-monitor check`


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One recipient, one channel, frozen RFC 5322 bytes (Message-ID and Date included).

    `key` names the occasion ("alert:2026-0042:1", "digest:2026-11-21"); (key, recipient, channel)
    is unique, so the same occasion never queues twice. `attempts` counts tries begun, from 0.
    """

    id: int
    key: str
    kind: DeliveryKind
    recipient: str
    channel: str
    message: bytes
    state: DeliveryState
    attempts: int
    ambiguous_attempts: int
    created_at: datetime
    due_at: datetime


class Outcome(StrEnum):
    """What the relay did. AMBIGUOUS: the connection was lost after the final dot."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"  # refused for now, or not reachable: certainly not accepted
    REJECTED = "rejected"  # refused for good
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One attempt's result. `detail` is the relay's code and our words, without addresses."""

    outcome: Outcome
    detail: str
    relay: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageGap:
    """A stretch in which a source was not seen. `ended_at` None: it still isn't. `lost`: the source
    itself says that posts may have been missed; otherwise what was late came with the next poll."""

    source: str
    started_at: datetime
    ended_at: datetime | None
    reason: str
    lost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """How one source stands. `interval_s` is its configured poll interval in seconds."""

    source: str
    kind: str
    interval_s: float
    last_success_at: datetime | None
    last_attempt_at: datetime | None
    failures: int
    last_error: str | None
    next_poll_at: datetime | None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """One day's digest, composed and ordered: rendering adds words and style, never decides.

    Concerns appear in exactly one of the first three groups. Confidential ones carry no detail.
    """

    day: date
    since: datetime
    until: datetime
    needs_you: tuple[Concern, ...]
    overdue: tuple[Concern, ...]
    in_hand: tuple[Concern, ...]
    with_dsl: tuple[Concern, ...]
    counts_by_organisation: Mapping[str, Mapping[Sentiment, int]]
    routine: tuple[RoutineMention, ...]
    praise: tuple[RoutineMention, ...]
    sources: tuple[SourceHealth, ...]
    gaps: tuple[CoverageGap, ...]
    undelivered: int
