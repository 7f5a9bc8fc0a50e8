"""Is the monitor well, and if not, what is to be done? Pure: facts in, problems out, worst first.

Every surface tells the same list: `trust-monitor status` in words, /healthz as JSON, /metrics as
gauges, the heartbeat as one bit. A sentence says what is wrong, and then what to do, to somebody who
was woken by it and has never read our code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field

from monitor.domain import DeliveryKind, SourceHealth
from monitor.domain.health import (
    CanaryStanding,
    Disk,
    Health,
    HeartbeatStanding,
    Jump,
    Problem,
    Queue,
    Queues,
    Reason,
)
from monitor.errors import StorageFault
from monitor.policy.sources.coverage import is_stale, silence_reason
from monitor.policy.toml import parse

NAMED = 4  # sources told by name; `trust-monitor sources` has all
OFFLINE = 3  # from so many silent sources on, and none that answers, the machine is suspected
LOG = "`journalctl -u trust-monitor -e`"


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CanaryRules(_Table):
    """All in seconds: see health.toml."""

    every_s: float = Field(gt=0)
    patience_s: float = Field(gt=0)
    again_s: float = Field(gt=0)
    late_s: float = Field(gt=0)


class HeartbeatRules(_Table):
    """All in seconds: see health.toml."""

    every_s: float = Field(gt=0)
    repeat_s: float = Field(gt=0)
    timeout_s: float = Field(gt=0, le=60)


class HealthRules(_Table):
    """The whole of health.toml: seconds, megabytes and years as the names say."""

    urgent_wait_s: float = Field(gt=0)
    unread_wait_s: float = Field(gt=0)
    held_wait_s: float = Field(gt=0)
    digest_wait_s: float = Field(gt=0)
    disk_free_mb: int = Field(ge=1)
    clock_jump_s: float = Field(gt=0)
    clock_jump_told_s: float = Field(gt=0)
    clock_first_year: int
    clock_last_year: int
    grace_s: float = Field(ge=0)
    look_s: float = Field(gt=0)
    look_old_s: float = Field(gt=0)
    canary: CanaryRules
    heartbeat: HeartbeatRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The running program. `up_s`: seconds since it started; `ready`: its model is loaded; `stuck`:
    loops and jobs that make no progress; `looked_at`: when the database was last asked (None: not
    yet); `refused`: why the last reload changed nothing. `canary` and `heartbeat` are None where none
    is configured."""

    up_s: float
    ready: bool
    looked_at: datetime | None
    stuck: tuple[str, ...] = ()
    jump: Jump | None = None
    refused: str | None = None
    canary: CanaryStanding | None = None
    heartbeat: HeartbeatStanding | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known at `now` (the wall clock's, in UTC). `program` is None when none runs, or when
    it can't be asked (`runs`); `queues` when the database never answered."""

    now: datetime
    runs: bool
    program: Program | None
    queues: Queues | None
    sources: tuple[SourceHealth, ...] = ()
    disks: tuple[Disk, ...] = ()
    fault: StorageFault | None = None


def load_rules(text: str) -> HealthRules:
    """Read health.toml's text. Raises ConfigError with every fault and its key path."""
    return parse(HealthRules, text, "health.toml")


def judge(facts: Facts, rules: HealthRules) -> Health:
    """Everything that is wrong, the worst first."""
    found = [
        *_program(facts, rules),
        *_database(facts, rules),
        *_queues(facts, rules),
        *_sources(facts, rules),
        *_machine(facts, rules),
        *_canary(facts, rules),
        *_heartbeat(facts),
    ]
    order = list(Reason)
    found.sort(key=lambda problem: (not problem.grave, order.index(problem.reason)))
    return Health(at=facts.now, problems=tuple(found))


def _program(facts: Facts, rules: HealthRules) -> Iterator[Problem]:
    if not facts.runs:
        yield Problem(
            reason=Reason.NOT_RUNNING,
            grave=True,
            says="The monitor is not running: nothing is watched, and no alert goes out.",
            do="Start it: `systemctl start trust-monitor`. If it does not stay up, the end of "
            f"{LOG} says why. What was due is still in the database and goes out at the start.",
        )
        return
    program = facts.program
    if program is None:
        yield Problem(
            reason=Reason.NO_HEALTH_PORT,
            grave=False,
            says="It runs, but could not be asked how its parts do: this is from the database alone.",
            do="Add a [health] table to the configuration, or see in "
            f"{LOG} why its port is not served.",
        )
        return
    if program.stuck:
        yield Problem(
            reason=Reason.STUCK,
            grave=True,
            says=f"Parts of the monitor make no progress: {', '.join(program.stuck)}.",
            do="systemd restarts it within a minute. If it is not run by systemd, restart it "
            "yourself; if it happens again, keep the log and report it.",
        )
    if not program.ready:
        late = program.up_s > rules.grace_s
        yield Problem(
            reason=Reason.STARTING,
            grave=late,
            says=f"It started {duration(program.up_s)} ago and is still loading its model: posts "
            "are stored and not assessed yet.",
            do=f"Look at {LOG}: the model's files may be missing." if late else "Wait a moment.",
        )
    if program.refused:
        yield Problem(
            reason=Reason.RELOAD_REFUSED,
            grave=False,
            says="The configuration was read again and refused, and the one before runs on: "
            f"{program.refused.splitlines()[0]}",
            do="`trust-monitor check` names every fault; mend them, then "
            "`systemctl reload trust-monitor`.",
        )


def _database(facts: Facts, rules: HealthRules) -> Iterator[Problem]:
    if facts.fault is not None:
        what, closing, remedy = str(facts.fault).partition("). ")
        yield Problem(
            reason=Reason.DATABASE,
            grave=True,
            says=f"{what[:1].upper()}{what[1:]}{closing.rstrip()}",
            do=remedy or "`trust-monitor check` tries it.",
        )
        return
    program = facts.program
    if program is None:
        return
    old = (facts.now - program.looked_at).total_seconds() if program.looked_at else program.up_s
    if old > rules.look_old_s:
        yield Problem(
            reason=Reason.DATABASE,
            grave=True,
            says=f"The database has not answered for {duration(old)}.",
            do="Check that it is up and not locked: `trust-monitor check` tries it.",
            since=program.looked_at,
        )


def _queues(facts: Facts, rules: HealthRules) -> Iterator[Problem]:
    queues = facts.queues
    if queues is None:
        return
    if not _just_started(facts, rules):
        yield from _late(facts, queues, rules)
    alerts = queues.dead.get(DeliveryKind.ALERT, 0) + queues.dead.get(DeliveryKind.OTHER, 0)
    if alerts:
        yield Problem(
            reason=Reason.ALERTS_DEAD,
            grave=False,
            says=f"{_count(alerts, 'urgent alert')} could not be delivered for good in the last 24 "
            "hours; the next person in line was told instead.",
            do="`trust-monitor deliveries` names them: most often an address in [[people]] is wrong.",
        )
    if queues.dead.get(DeliveryKind.DIGEST):
        count = _count(queues.dead[DeliveryKind.DIGEST], "digest")
        yield Problem(
            reason=Reason.DIGESTS_DEAD,
            grave=False,
            says=f"{count} could not be delivered for good in the last 24 hours.",
            do="`trust-monitor deliveries` says why. The next digest tells its readers.",
        )
    if queues.parked:
        yield Problem(
            reason=Reason.PARKED,
            grave=False,
            says=f"{_count(queues.parked, 'post')} put aside, because every try to judge it failed. "
            "It may be anything, an urgent one too.",
            do="The next digest has the link: let somebody read it where it stands. A restart tries "
            f"again; {LOG} says what failed (mention_failed).",
        )
    if queues.unscored:
        yield Problem(
            reason=Reason.UNSCORED,
            grave=False,
            says=f"{_count(queues.unscored, 'post')} of the last 24 hours could not be read by the "
            "model. A person has been asked to read them.",
            do="`trust-monitor concerns list` has them; if it goes on, report it.",
        )


def _late(facts: Facts, queues: Queues, rules: HealthRules) -> Iterator[Problem]:
    waits = _waits(queues.urgent, facts.now)
    if waits > rules.urgent_wait_s:
        answer = f" The last answer: {queues.urgent_answer}." if queues.urgent_answer else ""
        yield Problem(
            reason=Reason.URGENT_WAITS,
            grave=True,
            says=f"{_count(queues.urgent.waiting, 'urgent alert')} not accepted yet, the oldest for "
            f"{duration(waits)}.{answer}",
            do="See whether the mail server is up and can be reached (`trust-monitor check` tries "
            "it). They go out by themselves as soon as it is. Until then, look at "
            "`trust-monitor concerns list` and tell people by telephone.",
            since=queues.urgent.oldest_at,
        )
    waits = _waits(queues.unread, facts.now)
    if waits > rules.unread_wait_s:
        yield Problem(
            reason=Reason.UNREAD_WAITS,
            grave=True,
            says=f"{_count(queues.unread.waiting, 'post')} fetched but not assessed, the oldest for "
            f"{duration(waits)}.",
            do=f"See in {LOG} what the assessing says. If the machine is short of processor time, "
            "give it some; if nothing is logged, restart the monitor.",
            since=queues.unread.oldest_at,
        )
    waits = _waits(queues.held, facts.now)
    if waits > rules.held_wait_s:
        yield Problem(
            reason=Reason.HELD_WAITS,
            grave=True,
            says=f"{_count(queues.held.waiting, 'alert')} held back to go out in one letter, the "
            f"oldest for {duration(waits)}: that is too long.",
            do=f"`trust-monitor deliveries` shows them, {LOG} why. Restart the monitor.",
            since=queues.held.oldest_at,
        )
    waits = _waits(queues.digests, facts.now)
    if waits > rules.digest_wait_s:
        yield Problem(
            reason=Reason.DIGESTS_LATE,
            grave=False,
            says=f"{_count(queues.digests.waiting, 'digest')} not accepted for {duration(waits)}.",
            do="It is offered for 24 hours. `trust-monitor deliveries` has the last answer.",
            since=queues.digests.oldest_at,
        )


def _sources(facts: Facts, rules: HealthRules) -> Iterator[Problem]:
    stale = [source for source in facts.sources if is_stale(source, facts.now)]
    if not stale or not facts.runs or _just_started(facts, rules):
        return
    stale.sort(key=lambda source: _seen(source) or facts.now)
    named = "; ".join(_stale(source, facts.now) for source in stale[:NAMED])
    more = f"; and {len(stale) - NAMED} more" if len(stale) > NAMED else ""
    rejected = [source.source for source in stale if source.rejected]
    if len(stale) == len(facts.sources) >= OFFLINE:
        do = "None answers: see first whether this machine reaches the internet."
    elif rejected:
        do = (
            f"{_listed(rejected)} will not heal without a person: `trust-monitor check` says what is "
            f"missing; then `trust-monitor sources --again {rejected[0]}`."
        )
    else:
        do = "They are tried again by themselves; `trust-monitor check` tries each one now."
    yield Problem(
        reason=Reason.SOURCES_STALE,
        grave=True,
        says=f"{len(stale)} of {_count(len(facts.sources), 'source')} not seen for over three "
        f"intervals: {named}{more}.",
        do=do,
        since=_seen(stale[0]),
    )


def _machine(facts: Facts, rules: HealthRules) -> Iterator[Problem]:
    for disk in facts.disks:
        if disk.free < rules.disk_free_mb * 1_000_000:
            yield Problem(
                reason=Reason.DISK_LOW,
                grave=True,
                says=f"Only {size(disk.free)} free at {disk.path}; {rules.disk_free_mb} MB are needed.",
                do="Free some space there. When none is left nothing new can be stored; what is "
                "stored is safe.",
            )
    if not rules.clock_first_year <= facts.now.year <= rules.clock_last_year:
        yield Problem(
            reason=Reason.CLOCK_WRONG,
            grave=True,
            says=f"This machine's clock says {facts.now:%d %B %Y}: deadlines and digests go by it.",
            do="Set it, and keep it set: `timedatectl set-ntp true`.",
        )
    else:
        yield from _behind(facts, rules)
    jump = facts.program.jump if facts.program else None
    if jump and facts.now - jump.at <= timedelta(seconds=rules.clock_jump_told_s):
        way = "forward" if jump.seconds > 0 else "back"
        yield Problem(
            reason=Reason.CLOCK_JUMPED,
            grave=True,
            says=f"This machine's clock was set {way} by {duration(abs(jump.seconds))}, or it slept.",
            do="See whether its time is right now (`timedatectl`). Urgent alerts go out all the "
            "same; this is told for a quarter of an hour.",
            since=jump.at,
        )


def _behind(facts: Facts, rules: HealthRules) -> Iterator[Problem]:
    """A clock that was set back while nothing ran shows in what was written before."""
    last = max((s.last_attempt_at for s in facts.sources if s.last_attempt_at), default=facts.now)
    behind = (last - facts.now).total_seconds()
    if behind > rules.clock_jump_s:
        yield Problem(
            reason=Reason.CLOCK_WRONG,
            grave=True,
            says=f"This machine's clock is {duration(behind)} behind what it said before: the last "
            "poll lies in the future.",
            do="See whether its time is right now: `timedatectl`.",
        )


def _canary(facts: Facts, rules: HealthRules) -> Iterator[Problem]:
    program = facts.program
    if program is None or program.canary is None:
        return
    canary = program.canary
    if canary.failure:
        yield Problem(
            reason=Reason.CANARY_FAILED,
            grave=True,
            says=f"The canary, a test alert that flies every hour, did not arrive: {canary.failure}.",
            do="A real alert would take the same way: mend this now. It flies again by itself every "
            "few minutes, and this goes away when it arrives.",
            since=canary.passed_at,
        )
        return
    old = (facts.now - canary.passed_at).total_seconds() if canary.passed_at else program.up_s
    if old > rules.canary.late_s and program.up_s > rules.canary.late_s:
        yield Problem(
            reason=Reason.CANARY_LATE,
            grave=True,
            says=f"No canary, the hourly test alert, has arrived for {duration(old)}.",
            do=f"See in {LOG} what the canary says, and restart the monitor.",
            since=canary.passed_at,
        )


def _heartbeat(facts: Facts) -> Iterator[Problem]:
    program = facts.program
    if program is None:
        return
    if program.heartbeat is None:
        yield Problem(
            reason=Reason.NO_HEARTBEAT,
            grave=False,
            says="Nobody outside would notice if this machine stopped.",
            do="Give it a [heartbeat]: config.example.toml says how.",
        )
    elif program.heartbeat.failure:
        yield Problem(
            reason=Reason.HEARTBEAT_FAILS,
            grave=False,
            says=f"The heartbeat could not be told how we are: {program.heartbeat.failure}.",
            do="See whether its address is right and whether this machine may reach it.",
            since=program.heartbeat.told_at,
        )


def _just_started(facts: Facts, rules: HealthRules) -> bool:
    return facts.program is not None and facts.program.up_s < rules.grace_s


def _stale(source: SourceHealth, now: datetime) -> str:
    seen = _seen(source)
    since = f" for {duration((now - seen).total_seconds())}" if seen else ""
    return f"{source.source}{since} ({silence_reason(source)})"


def _seen(source: SourceHealth) -> datetime | None:
    return source.last_success_at or source.registered_at


def _waits(queue: Queue, now: datetime) -> float:
    return (now - queue.oldest_at).total_seconds() if queue.oldest_at else 0.0


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)


def duration(seconds: float) -> str:
    """ "12 minutes", "3 h 20 min", "2 days": as people say it, rounded down."""
    minutes = int(seconds // 60)
    if minutes < 2:
        return f"{int(seconds)} seconds"
    if minutes < 120:
        return f"{minutes} minutes"
    hours = minutes // 60
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{hours // 24} days"


def size(free: int) -> str:
    """Bytes as "312 MB" or "12.4 GB"."""
    return f"{free / 1e9:.1f} GB" if free >= 1_000_000_000 else f"{free // 1_000_000} MB"
