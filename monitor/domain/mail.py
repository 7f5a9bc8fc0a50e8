"""What leaves the house, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from classifiers.verdict import Sentiment
from monitor.domain.campaigns import Rally
from monitor.domain.concerns import Concern
from monitor.domain.coverage import CoverageGap, SourceHealth
from monitor.domain.mentions import RoutineMention


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
class Week:
    """What was said of one organisation in seven days, and in the seven before."""

    this: Mapping[Sentiment, int]
    last: Mapping[Sentiment, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """One day's digest, composed and ordered: rendering adds words and style, never decides.

    A concern appears in exactly one of the groups (`overdue` takes late ones of any state), in
    `with_dsl`, or as a campaign's own case in `campaigns`; those folded into a campaign appear in
    none. Confidential ones carry no detail.
    """

    day: date
    since: datetime
    until: datetime
    overdue: tuple[Concern, ...]
    needs_you: tuple[Concern, ...]
    ready: tuple[Concern, ...]
    for_approval: tuple[Concern, ...]
    second_opinion: tuple[Concern, ...]
    in_hand: tuple[Concern, ...]
    waiting: tuple[Concern, ...]
    campaigns: tuple[Rally, ...]
    late_campaigns: frozenset[str]
    with_dsl: tuple[Concern, ...]
    counts_by_organisation: Mapping[str, Mapping[Sentiment, int]]
    weeks: Mapping[str, Week]
    routine: tuple[RoutineMention, ...]
    praise: tuple[RoutineMention, ...]
    sources: tuple[SourceHealth, ...]
    gaps: tuple[CoverageGap, ...]
    undelivered: int
