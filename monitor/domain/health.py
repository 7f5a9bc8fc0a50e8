"""How the monitor itself is: what waits, what the machine has left, and what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from monitor.domain.mail import DeliveryKind, DeliveryState

CANARY = ":canary"  # source and platform of the canary's post: no source can be configured so


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """So many wait, the oldest of them since `oldest_at`."""

    waiting: int = 0
    oldest_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Queues:
    """What the database says is due. The canary's own mail is in none of the figures but
    `deliveries`.

    `urgent` are alerts that no channel has accepted yet, and `urgent_answer` what the mail server
    said of the oldest; `held` wait for a letter of letters; `unread` are posts not assessed yet,
    `parked` those put aside because every try to judge them failed, `unscored` those of the last 24
    hours that the model could not read; `sent` and `dead` count the
    last 24 hours.
    """

    urgent: Queue = field(default_factory=Queue)
    urgent_answer: str | None = None
    digests: Queue = field(default_factory=Queue)
    held: Queue = field(default_factory=Queue)
    unread: Queue = field(default_factory=Queue)
    parked: int = 0
    unscored: int = 0
    sent: Mapping[DeliveryKind, int] = field(default_factory=dict)
    dead: Mapping[DeliveryKind, int] = field(default_factory=dict)
    deliveries: Mapping[tuple[DeliveryKind, DeliveryState], int] = field(default_factory=dict)
    leases: Mapping[str, int] = field(default_factory=dict)
    suppressed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A folder that we write into, and how many bytes are free there."""

    path: str
    free: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump:
    """The wall clock was set by so many seconds (below 0: back) at `at`."""

    at: datetime
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryStanding:
    """How the canary fares. `failure` says where the last one stopped; None: it passed, or none has
    ended yet. `took_s` is from the feed to the mail server's acceptance, in seconds."""

    passed_at: datetime | None = None
    took_s: float | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatStanding:
    """When the outside was last told that all is well, and why it can't be told (None: it can)."""

    told_at: datetime | None = None
    failure: str | None = None


class Reason(StrEnum):
    """What can be wrong, in the order in which it is told."""

    NOT_RUNNING = "not_running"
    DATABASE = "database"
    STUCK = "stuck"
    DISK_LOW = "disk_low"
    URGENT_WAITS = "urgent_waits"
    UNREAD_WAITS = "unread_waits"
    HELD_WAITS = "held_waits"
    SOURCES_STALE = "sources_stale"
    CLOCK_WRONG = "clock_wrong"
    CLOCK_JUMPED = "clock_jumped"
    CANARY_FAILED = "canary_failed"
    CANARY_LATE = "canary_late"
    # From here on: worth knowing, and no reason to get up.
    STARTING = "starting"
    RELOAD_REFUSED = "reload_refused"
    ALERTS_DEAD = "alerts_dead"
    DIGESTS_LATE = "digests_late"
    DIGESTS_DEAD = "digests_dead"
    PARKED = "parked"
    UNSCORED = "unscored"
    HEARTBEAT_FAILS = "heartbeat_fails"
    NO_HEARTBEAT = "no_heartbeat"
    NO_HEALTH_PORT = "no_health_port"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing to know: what is wrong (`says`), and what to do about it. `grave`: somebody has to
    see to it. Neither sentence holds anything of a post or a person."""

    reason: Reason
    grave: bool
    says: str
    do: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Everything that one look found, worst first."""

    at: datetime
    problems: tuple[Problem, ...]

    @property
    def well(self) -> bool:
        return not any(problem.grave for problem in self.problems)
