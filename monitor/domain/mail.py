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
from monitor.domain.mentions import Parked, RoutineMention


class DeliveryKind(StrEnum):
    ALERT = "alert"
    DIGEST = "digest"
    CANARY = "canary"  # the hourly test of the way that an alert takes: see `pipeline.canary`
    OTHER = "other"  # an alert's stand-in by another channel: see `domain.channels`


class DeliveryState(StrEnum):
    PENDING = "pending"
    AMBIGUOUS = "ambiguous"  # sent to the final dot, no answer: waits before it may be repeated
    HELD = "held"  # its reader had enough of them within the hour: it waits for one letter of all
    BUNDLED = "bundled"  # its words went out in another letter, and fare as that one does
    SENT = "sent"
    UNNEEDED = "unneeded"  # a stand-in whose letter got through, or whose case somebody took
    DEAD = "dead"  # given up, shown in the digest and by `trust-monitor deliveries`


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One recipient, one channel, frozen RFC 5322 bytes (Message-ID and Date included), as claimed.

    `key` names the occasion ("alert:2026-0042:1", "digest:2026-11-21"); (key, recipient, channel)
    is unique, so the same occasion never queues twice. `attempts` counts tries begun, from 0.
    `lease_owner` and `lease_token` prove the claim: what they no longer fit can't be marked.
    `instead_of` is the mail that a message by another channel stands in for.
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
    lease_owner: str
    lease_token: int
    instead_of: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLetter:
    """A letter that waits to go out with others, or the whole of one that could not go out yet."""

    id: int
    message: bytes
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Letters held for one reader. `first` (an id) is held longest, since `since`; `bundles` are those
    of the last hour and those under way, the last of which ended at `last_at`; `busy`: one is going
    out now."""

    recipient: str
    channel: str
    first: int
    since: datetime
    bundles: int
    last_at: datetime | None
    busy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """One line of the post book: a delivery without its words. `case` is a concern's reference;
    `ending` is the state that counts: for what was bundled, its bundle's."""

    id: int
    key: str
    kind: DeliveryKind
    case: str | None
    recipient: str
    channel: str
    state: DeliveryState
    ending: DeliveryState
    attempts: int
    created_at: datetime
    due_at: datetime
    finished_at: datetime | None
    detail: str | None
    bundled_in: int | None
    instead_of: int | None


class SuppressionKind(StrEnum):
    """Why something was not sent, or not by itself."""

    GROUPED = "grouped"  # it joined an incident that its readers had been told of
    BUNDLED = "bundled"  # its reader had enough letters within the hour: it goes out with others
    SILENCED = "silenced"  # somebody asked for silence, with a reason and an end


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """What was not sent, `count` times from `since` to `until`. `case` is a concern's reference;
    `silence` and `silenced_by` say whose wish it was."""

    key: str
    kind: SuppressionKind
    case: str | None
    silence: int | None
    silenced_by: str | None
    reason: str
    since: datetime
    until: datetime
    count: int


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
    parked: tuple[Parked, ...] = ()
