"""Is it well? Facts in, what is wrong and what to do out."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain import DeliveryKind, SourceHealth
from monitor.domain.health import (
    CanaryStanding,
    Disk,
    HeartbeatStanding,
    Jump,
    Queue,
    Queues,
    Reason,
)
from monitor.errors import StorageFault, Trouble
from monitor.policy import health
from monitor.policy.health import Facts, Program
from tests.store.samples import NOW

RULES = health.load_rules(
    resources.files("monitor").joinpath("data", "health.toml").read_text(encoding="utf-8")
)
HOUR = 3_600.0


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def source(name: str, seen_s: float, **more: object) -> SourceHealth:
    known = {
        "kind": "rss",
        "interval_s": 300.0,
        "last_success_at": ago(seen_s),
        "last_attempt_at": ago(1),
        "failures": 0,
        "last_error": None,
        "next_poll_at": None,
    }
    return SourceHealth(source=name, **(known | more))  # type: ignore[arg-type]


PROGRAM = Program(
    up_s=5 * HOUR,
    ready=True,
    looked_at=ago(3),
    canary=CanaryStanding(passed_at=ago(600), took_s=2.5),
    heartbeat=HeartbeatStanding(told_at=ago(600)),
)
WELL = Facts(
    now=NOW,
    runs=True,
    program=PROGRAM,
    queues=Queues(),
    sources=(source("gazette", 60), source("forum", 100)),
    disks=(Disk(path="/srv", free=20_000_000_000),),
)


def program(**changes: object) -> Facts:
    return replace(WELL, program=replace(PROGRAM, **changes))


def queues(**changes: object) -> Facts:
    return replace(WELL, queues=replace(Queues(), **changes))


def waits(number: int, seconds: float) -> Queue:
    return Queue(waiting=number, oldest_at=ago(seconds))


def test_nothing_is_wrong() -> None:
    """A monitor that does its work has nothing to say."""
    judged = health.judge(WELL, RULES)
    assert judged.well
    assert judged.problems == ()


FULL = StorageFault(Trouble.FULL, "database /srv/monitor.db: the disk is full (full). Free space.")
GRAVE = [
    (replace(WELL, runs=False, program=None), Reason.NOT_RUNNING, "not running"),
    (replace(WELL, fault=FULL), Reason.DATABASE, "disk is full (full)"),
    (program(looked_at=ago(90)), Reason.DATABASE, "not answered for 90 seconds"),
    (program(looked_at=None, up_s=61.0), Reason.DATABASE, "not answered for 61 seconds"),
    (program(stuck=("assess-0", "collect:forum")), Reason.STUCK, "assess-0, collect:forum"),
    (program(ready=False), Reason.STARTING, "still loading its model"),
    (
        queues(urgent=waits(3, 720), urgent_answer="451 at DATA"),
        Reason.URGENT_WAITS,
        "3 urgent alerts not accepted yet, the oldest for 12 minutes. The last answer: 451 at DATA.",
    ),
    (queues(unread=waits(1, 301)), Reason.UNREAD_WAITS, "1 post fetched but not assessed"),
    (queues(held=waits(12, 1_201)), Reason.HELD_WAITS, "12 alerts held back"),
    (
        replace(WELL, sources=(source("gazette", 6_000, last_error="HTTP 503"), source("b", 1))),
        Reason.SOURCES_STALE,
        "1 of 2 sources not seen for over three intervals: gazette for 100 minutes (HTTP 503).",
    ),
    (
        replace(WELL, disks=(Disk(path="/srv", free=312_000_000),)),
        Reason.DISK_LOW,
        "Only 312 MB free at /srv; 500 MB are needed.",
    ),
    (program(jump=Jump(at=ago(60), seconds=-HOUR)), Reason.CLOCK_JUMPED, "back by 60 minutes"),
    (program(jump=Jump(at=ago(60), seconds=61)), Reason.CLOCK_JUMPED, "forward by 61 seconds"),
    (
        replace(WELL, sources=(source("gazette", -HOUR, last_attempt_at=ago(-HOUR)),)),
        Reason.CLOCK_WRONG,
        "60 minutes behind",
    ),
    (
        program(canary=CanaryStanding(failure="the mail server did not take it (451 at DATA)")),
        Reason.CANARY_FAILED,
        "the mail server did not take it (451 at DATA)",
    ),
    (
        program(canary=CanaryStanding(passed_at=ago(3 * HOUR))),
        Reason.CANARY_LATE,
        "arrived for 3 h 0 min",
    ),
]


@pytest.mark.parametrize(("facts", "reason", "words"), GRAVE, ids=lambda each: str(each)[:30])
def test_somebody_is_needed(facts: Facts, reason: Reason, words: str) -> None:
    """Each thing that can go wrong has its own reason, its own words and a way out."""
    judged = health.judge(facts, RULES)
    assert not judged.well
    (problem,) = [each for each in judged.problems if each.grave]
    assert problem.reason is reason
    assert words in problem.says
    assert problem.do


BOUNDS = [
    queues(urgent=waits(1, 300)),
    queues(unread=waits(900, 300)),
    queues(held=waits(3, 1_200)),
    replace(WELL, sources=(source("gazette", 900),)),
    replace(WELL, disks=(Disk(path="/srv", free=500_000_000),)),
    program(jump=Jump(at=ago(901), seconds=-HOUR)),
    program(up_s=60.0, looked_at=None, canary=CanaryStanding()),
    # Just started: sources are being polled, and what waited goes out.
    replace(program(up_s=30.0), sources=(source("gazette", 9 * HOUR),)),
    replace(program(up_s=30.0), queues=Queues(urgent=waits(2, 9 * HOUR))),
]


@pytest.mark.parametrize("facts", BOUNDS)
def test_not_yet(facts: Facts) -> None:
    """At its bound, or just after a start, nothing is wrong yet."""
    assert health.judge(facts, RULES).well


NOTES = [
    (queues(dead={DeliveryKind.ALERT: 1}), Reason.ALERTS_DEAD),
    (queues(dead={DeliveryKind.DIGEST: 2}), Reason.DIGESTS_DEAD),
    (queues(digests=waits(1, HOUR + 1)), Reason.DIGESTS_LATE),
    (queues(unscored=1), Reason.UNSCORED),
    (queues(parked=2), Reason.PARKED),
    (program(ready=False, up_s=10.0), Reason.STARTING),
    (program(refused="config.toml: mail: missing.\nmore"), Reason.RELOAD_REFUSED),
    (program(heartbeat=None), Reason.NO_HEARTBEAT),
    (program(heartbeat=HeartbeatStanding(failure="timed out")), Reason.HEARTBEAT_FAILS),
    (replace(WELL, program=None), Reason.NO_HEALTH_PORT),
]


@pytest.mark.parametrize(("facts", "reason"), NOTES, ids=lambda each: str(each)[:30])
def test_worth_knowing(facts: Facts, reason: Reason) -> None:
    """What nobody has to get up for is told, and the monitor is well all the same."""
    judged = health.judge(facts, RULES)
    assert judged.well
    assert [problem.reason for problem in judged.problems] == [reason]


def test_all_sources_silent_is_the_machine() -> None:
    """When none of three sources answers, the first thing to do is to look at the network."""
    silent = tuple(source(name, 2 * HOUR) for name in ("a", "b", "c"))
    (problem,) = health.judge(replace(WELL, sources=silent), RULES).problems
    assert "internet" in problem.do


def test_a_refused_source_needs_a_person() -> None:
    """A source that will not heal by itself says how it is asked again."""
    refused = source("gazette", 2 * HOUR, rejected=True, last_error="HTTP 401")
    (problem,) = health.judge(replace(WELL, sources=(refused, source("b", 1))), RULES).problems
    assert "trust-monitor sources --again gazette" in problem.do


def test_a_year_that_cannot_be() -> None:
    """A clock that was never set is told, and nothing else is concluded from it."""
    early = NOW.replace(year=1970)
    facts = Facts(now=early, runs=True, program=None, queues=None)
    assert Reason.CLOCK_WRONG in [each.reason for each in health.judge(facts, RULES).problems]


def facts_of() -> st.SearchStrategy[Facts]:
    return st.builds(
        lambda one, other: replace(
            one,
            queues=other.queues or one.queues,
            disks=other.disks,
            fault=one.fault or other.fault,
        ),
        st.sampled_from([each for each, *_ in GRAVE + NOTES]),  # type: ignore[operator]
        st.sampled_from([each for each, *_ in GRAVE + NOTES]),  # type: ignore[operator]
    )


@given(facts_of())
def test_the_worst_first(facts: Facts) -> None:
    """Whatever comes together: grave problems stand before others, each in the told order, and each
    says what to do."""
    problems = health.judge(facts, RULES).problems
    order = list(Reason)
    keys = [(not each.grave, order.index(each.reason)) for each in problems]
    assert keys == sorted(keys)
    assert all(each.says and each.do for each in problems)


@given(st.floats(min_value=0, max_value=10**8))
def test_durations_are_words(seconds: float) -> None:
    """Any duration is a few words, without a figure that nobody reads."""
    words = health.duration(seconds)
    assert words.split()[0].isdigit()
    assert len(words) <= 14
