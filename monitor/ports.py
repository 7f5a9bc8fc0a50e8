"""What the pipeline needs of the rooms beside it. Their makers import this; nobody else's types."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from classifiers.verdict import Sentiment
from connectors.post import Post
from monitor.domain import (
    AlertSilence,
    AuthorRole,
    Call,
    Candidate,
    Concern,
    ConcernEvent,
    ConcernState,
    CoverageGap,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Digest,
    HeldLetter,
    Letter,
    Match,
    Mention,
    Notice,
    Outage,
    Outline,
    Parked,
    Person,
    Posted,
    Rally,
    Recent,
    Reply,
    RoutineMention,
    Sent,
    Settled,
    SilenceScope,
    SourceHealth,
    Suggestion,
    Suppression,
    SuppressionKind,
    Triage,
    Voice,
    Waiting,
)
from monitor.domain.health import Queues


class Mailer(Protocol):
    """One channel out of the house."""

    channel: str

    def send(self, recipient: str, message: bytes, *, attempt: int) -> Sent:
        """Offer frozen RFC 5322 bytes to one recipient, once, within a hard deadline.

        Never raises for what a relay or network does: that is the `Outcome`. `attempt` counts from
        0 and lets a mailer with a second relay take it after two failures.
        """
        ...


class Letters(Protocol):
    """Turns what was decided into frozen RFC 5322 bytes: words, Message-ID, Date and all."""

    def alert(self, concern: Concern, notice: Notice, *, key: str, now: datetime) -> bytes: ...
    def campaign(self, rally: Rally, notice: Notice, *, key: str, now: datetime) -> bytes: ...
    def digest(self, digest: Digest, person: Person, *, key: str, now: datetime) -> bytes: ...
    def outage(self, outage: Outage, person: Person, *, key: str, now: datetime) -> bytes: ...
    def canary(self, recipient: str, *, key: str, now: datetime) -> bytes: ...
    def bundle(
        self,
        letters: Sequence[bytes],
        recipient: str,
        *,
        per_hour: int,
        key: str,
        now: datetime,
    ) -> bytes: ...


class Calls(Protocol):
    """Turns a call into the frozen bytes of a few words."""

    def call(self, call: Call, *, key: str, now: datetime) -> bytes: ...


class Matcher(Protocol):
    """Says which organisations a post is about: none, for most posts."""

    def match(self, post: Post) -> tuple[Match, ...]: ...
    def match_many(self, posts: Sequence[Post]) -> list[tuple[Match, ...]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSpec:
    """A configured source, as the store knows it. A new `fingerprint` starts a new cursor."""

    id: str
    kind: str
    interval_s: float
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A mention taken for assessment. `attempts` counts the claims of this revision, from 1.

    `concern` is the concern that an earlier revision of the same post belongs to.
    """

    mention: Mention
    attempts: int
    concern: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcernDraft:
    """Everything of a concern that a decision sets; the store adds identity and history.

    None leaves on a standing concern what it has: a person may have said who the author is.
    """

    triage: Triage
    organisations: tuple[str, ...]
    suggestion: Suggestion
    confidential: bool
    ladder: str | None = None
    own_account: bool | None = None
    author: AuthorRole | None = None
    about_head: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A post whose text is kept, to be asked about at its source. `missing_at` is when it was first
    not found there; one that was found again has none."""

    mention: int
    native_id: str
    platform: str
    url: str | None
    missing_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    """A message to queue. (key, recipient, channel) is unique: queueing it again changes nothing."""

    key: str
    kind: DeliveryKind
    concern: int | None
    recipient: str
    channel: str
    message: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryRow:
    """Where a canary is: its post waits to be assessed (`unread`), or its mail stands in `mail`, with
    the mail server's last answer in `detail`. Neither: it was assessed and not found urgent."""

    unread: bool
    mail: DeliveryState | None
    detail: str | None


class Sources(Protocol):
    """Where each source got to, and when it was not seen."""

    def register(self, specs: Sequence[SourceSpec], *, now: datetime) -> None: ...
    def cursor(self, source: str) -> Mapping[str, Any]: ...
    def advance(
        self, source: str, cursor: Mapping[str, Any], *, fingerprint: str | None = None
    ) -> None: ...
    def succeeded(
        self, source: str, *, now: datetime, next_poll_at: datetime, note: str | None = None
    ) -> None: ...
    def failed(
        self,
        source: str,
        *,
        now: datetime,
        error: str,
        next_poll_at: datetime,
        rejected: bool = False,
    ) -> None: ...
    def record_gap(self, source: str, *, since: datetime, until: datetime, reason: str) -> None: ...
    def made_up_for(self, source: str) -> None: ...
    def again(self, source: str) -> bool: ...
    def silent(self, source: str, *, since: datetime, reason: str) -> bool: ...
    def told(self, gaps: Sequence[int], *, now: datetime) -> None: ...
    def last_told(self) -> Mapping[str, datetime]: ...
    def health(self) -> tuple[SourceHealth, ...]: ...
    def gaps(self, *, since: datetime, until: datetime) -> tuple[CoverageGap, ...]: ...


class Mentions(Protocol):
    """Posts that matched, from first sight to assessment."""

    def record(
        self, source: str, hits: Sequence[tuple[Post, tuple[Match, ...]]], *, now: datetime
    ) -> int: ...
    def erase_ids(self, ids: Sequence[int], *, now: datetime) -> int: ...
    def settled(self) -> tuple[Settled, ...]: ...
    def claim(
        self, *, owner: str, lease_s: float, limit: int, now: datetime
    ) -> tuple[Claimed, ...]: ...
    def assessed(self, claimed: Claimed, triage: Triage, *, model: str, now: datetime) -> bool: ...
    def give_back(self, ids: Sequence[int], *, owner: str) -> None: ...
    def park(self, mention: int, *, owner: str) -> None: ...
    def parked(self) -> tuple[Parked, ...]: ...
    def belongs_to(self, mention: int, concern: int) -> None: ...
    def triages(self, ids: Sequence[int]) -> tuple[Triage, ...]: ...
    def concern_of(self, platform: str, native_id: str) -> str | None: ...
    def routine(self, *, since: datetime, until: datetime) -> tuple[RoutineMention, ...]: ...


class Deletions(Protocol):
    """What is no longer there at its source."""

    def gone(
        self,
        platform: str,
        native_ids: Sequence[str] = (),
        accounts: Sequence[str] = (),
        *,
        now: datetime,
    ) -> int: ...
    def forget(self, *, now: datetime) -> int: ...
    def due(
        self, source: str, *, before: datetime, missing_before: datetime, limit: int
    ) -> tuple[Stored, ...]: ...
    def asked(
        self, mentions: Sequence[int], *, missing: Sequence[int] = (), now: datetime
    ) -> None: ...


class Concerns(Protocol):
    """The concern log."""

    def candidates(
        self, *, since: datetime, closed_since: datetime | None = None
    ) -> tuple[Candidate, ...]: ...
    def open(self, draft: ConcernDraft, *, why: str, now: datetime) -> Concern: ...
    def update(self, concern: int, draft: ConcernDraft, *, why: str, now: datetime) -> None: ...
    def standing(self, concern: int) -> Concern: ...
    def unanswered(self) -> tuple[Concern, ...]: ...
    def alerted(self, concern: int) -> int: ...
    def get(self, concern: int) -> Concern: ...
    def by_reference(self, reference: str) -> Concern | None: ...
    def take(self, reference: str) -> Concern | None: ...
    def save(self, after: Concern, *events: ConcernEvent) -> None: ...
    def reopen(self, concern: int, *, why: str, now: datetime) -> None: ...
    def outlines(self, *, states: Sequence[ConcernState]) -> tuple[Outline, ...]: ...
    def register(self) -> tuple[tuple[Concern, ConcernEvent], ...]: ...
    def listed(self, *, states: Sequence[ConcernState]) -> tuple[Concern, ...]: ...
    def current(self, *, since: datetime) -> tuple[Concern, ...]: ...
    def note(
        self,
        concern: int,
        *,
        who: str,
        action: str,
        why: str,
        now: datetime,
        details: Mapping[str, str] | None = None,
    ) -> None: ...


class Replies(Protocol):
    """What people want to answer, and answered."""

    def put(self, concern: int, replies: Sequence[Reply]) -> None: ...


class Outbox(Protocol):
    """Deliveries, offered until accepted or given up aloud."""

    def enqueue(self, deliveries: Sequence[NewDelivery], *, now: datetime) -> int: ...
    def claim(
        self,
        kinds: Sequence[DeliveryKind],
        *,
        owner: str,
        lease_s: float,
        now: datetime,
        besides: Collection[int] = (),
    ) -> Delivery | None: ...
    def renew(self, delivery: Delivery, *, lease_s: float, now: datetime) -> bool: ...
    def mark(
        self,
        delivery: Delivery,
        state: DeliveryState,
        *,
        detail: str,
        due_at: datetime,
        ambiguous: bool,
        now: datetime,
    ) -> bool: ...
    def undelivered(self, *, since: datetime, now: datetime) -> int: ...
    def dead(self, concerns: Sequence[int]) -> frozenset[str]: ...
    def listed(
        self, *, case: str | None = None, since: datetime | None = None
    ) -> tuple[Posted, ...]: ...
    def forget(self, *, before: datetime) -> int: ...


class Bundles(Protocol):
    """Letters held back for one who had enough of them, and the letters made of those."""

    def letters(self, delivery: Delivery, *, since: datetime) -> int: ...
    def hold(self, delivery: Delivery, *, why: str, now: datetime) -> int: ...
    def waiting(self, *, now: datetime, since: datetime) -> tuple[Waiting, ...]: ...
    def held(self, recipient: str, channel: str, *, now: datetime) -> tuple[HeldLetter, ...]: ...
    def put(self, bundle: NewDelivery, letters: Sequence[HeldLetter], *, now: datetime) -> int: ...


class Suppressions(Protocol):
    """What was not sent, or not by itself, counted."""

    def count(
        self,
        key: str,
        kind: SuppressionKind,
        *,
        reason: str,
        now: datetime,
        concern: int | None = None,
        silence: int | None = None,
    ) -> None: ...
    def has(self, key: str) -> bool: ...
    def listed(
        self, *, case: str | None = None, since: datetime | None = None
    ) -> tuple[Suppression, ...]: ...


class Fallbacks(Protocol):
    """Letters that no relay has accepted, and the calls that stand in for them."""

    def letters(self, *, queued_before: datetime, dead_since: datetime) -> tuple[Letter, ...]: ...
    def recent(self, *, since: datetime) -> Mapping[str, Recent]: ...
    def put(self, call: Call, message: bytes, *, key: str, now: datetime) -> bool: ...
    def under_way(self) -> bool: ...
    def withdraw(self, *, now: datetime) -> int: ...


class Silences(Protocol):
    """What somebody asked to be spared for a time."""

    def add(
        self,
        scope: SilenceScope,
        target: str,
        *,
        owner: str,
        reason: str,
        until: datetime,
        now: datetime,
    ) -> AlertSilence: ...
    def end(self, id_: int, *, who: str, now: datetime) -> bool: ...
    def standing(self, *, now: datetime) -> tuple[AlertSilence, ...]: ...
    def listed(self) -> tuple[AlertSilence, ...]: ...
    def sources_of(self, concerns: Sequence[int]) -> Mapping[int, frozenset[str]]: ...


class Digests(Protocol):
    """Which days have their digest."""

    def last_until(self) -> datetime | None: ...
    def exists(self, day: date) -> bool: ...
    def record(self, day: date, *, since: datetime, until: datetime) -> bool: ...


class Tally(Protocol):
    """How much was said about whom, by day."""

    def add(self, day: date, organisations: Sequence[str], sentiment: Sentiment) -> None: ...
    def between(self, first: date, last: date) -> Mapping[str, Mapping[Sentiment, int]]: ...


class Campaigns(Protocol):
    """Posts as voices of a campaign, and which concerns are folded into one."""

    def voices(self, *, since: datetime) -> tuple[Voice, ...]: ...
    def fold(self, concerns: Sequence[int], campaign: str) -> None: ...
    def unfold(self, concerns: Sequence[int]) -> None: ...
    def head(self, concern: int) -> None: ...


class HealthFigures(Protocol):
    """What waits, counted."""

    def queues(self, *, now: datetime) -> Queues: ...


class Canaries(Protocol):
    """The canary's own rows, and no others."""

    def remove(self, mention_id: int) -> None: ...
    def standing(self, key: str) -> CanaryRow: ...
    def last_passed(self) -> datetime | None: ...
    def forget(self, *, mail_before: datetime) -> None: ...


class Transaction(Protocol):
    """One unit of work: all of it is stored, or none."""

    @property
    def sources(self) -> Sources: ...
    @property
    def mentions(self) -> Mentions: ...
    @property
    def deletions(self) -> Deletions: ...
    @property
    def concerns(self) -> Concerns: ...
    @property
    def replies(self) -> Replies: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def bundles(self) -> Bundles: ...
    @property
    def suppressions(self) -> Suppressions: ...
    @property
    def fallbacks(self) -> Fallbacks: ...
    @property
    def silences(self) -> Silences: ...
    @property
    def digests(self) -> Digests: ...
    @property
    def tally(self) -> Tally: ...
    @property
    def campaigns(self) -> Campaigns: ...
    @property
    def health(self) -> HealthFigures: ...
    @property
    def canaries(self) -> Canaries: ...


class Store(Protocol):
    """The database, entered one transaction at a time."""

    def begin(self) -> AbstractContextManager[Transaction]:
        """A writing transaction: commits at the end of the block, rolls back when it raises."""
        ...

    def read(self) -> AbstractContextManager[Transaction]:
        """A consistent view; it never waits for a writer."""
        ...

    def release(self, *, now: datetime) -> None:
        """Free whatever a dead predecessor held. Only for the one process that may run."""
        ...
