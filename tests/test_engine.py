"""The embedded engine runs what is due, survives what breaks, and stops when asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor.engine.embedded import EmbeddedEngine

LONDON = ZoneInfo("Europe/London")


@pytest.fixture
def engine() -> Iterator[EmbeddedEngine]:
    engine = EmbeddedEngine(LONDON)
    yield engine
    engine.stop(5)


def until(condition: Callable[[], bool], within_s: float = 5) -> bool:
    deadline = time.monotonic() + within_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def test_loop_runs_at_start_until_nothing_is_left(engine: EmbeddedEngine) -> None:
    """A loop works off what waits from before, without being woken."""
    work = [1, 2, 3]

    def handler() -> bool:
        return bool(work) and bool(work.pop())

    engine.loop("assess", handler, every_s=60, allowance_s=60)
    engine.start()
    assert until(lambda: not work)


def test_wake_is_quick(engine: EmbeddedEngine) -> None:
    """A woken loop does not wait for its interval, also with several workers."""
    runs = []
    engine.loop(
        "deliver-urgent", lambda: bool(runs.append(1)), every_s=60, allowance_s=1, workers=3
    )
    engine.start()
    assert until(lambda: len(runs) == 3)
    engine.wake("deliver")
    assert until(lambda: len(runs) > 3, within_s=1)


def test_broken_handler_runs_again(engine: EmbeddedEngine) -> None:
    """An exception ends one run of a handler and not its loop."""
    runs = []

    def handler() -> bool:
        runs.append(1)
        raise RuntimeError("once more")

    engine.loop("assess", handler, every_s=0.02, allowance_s=60)
    engine.start()
    assert until(lambda: len(runs) >= 3)


def test_hung_job_delays_no_other(engine: EmbeddedEngine) -> None:
    """One source that hangs does not keep another from being polled."""
    release, other = threading.Event(), []
    engine.every("collect:hung", 0.1, lambda: release.wait(5))
    engine.every("collect:well", 0.1, lambda: other.append(1))
    engine.start()
    try:
        assert until(lambda: len(other) >= 3)
    finally:
        release.set()


def test_stuck_loop_is_named(engine: EmbeddedEngine) -> None:
    """A loop that makes no progress within its allowance is reported, so that the watchdog bites."""
    release = threading.Event()
    engine.loop(
        "deliver-urgent", lambda: bool(release.wait(5)) and False, every_s=0, allowance_s=0.1
    )
    engine.loop("sweep", lambda: False, every_s=0.05, allowance_s=1)
    engine.start()
    try:
        assert until(lambda: "deliver-urgent-0" in engine.stuck(), within_s=2)
        assert "sweep-0" not in engine.stuck()
    finally:
        release.set()


def test_clock_set_back_is_noticed(engine: EmbeddedEngine) -> None:
    """A poll that the wall clock forgot, because it was set back an hour, is started by hand."""
    runs = []
    engine.every("collect:feed", 0.1, lambda: runs.append(1))
    engine.start()
    assert until(lambda: len(runs) >= 1)
    engine._scheduler.modify_job(  # what a clock set back does to an interval job
        "collect:feed", next_run_time=datetime.now(LONDON) + timedelta(hours=1)
    )
    time.sleep(0.3)
    before = len(runs)
    engine._jobs["collect:feed"].last_end -= 31
    engine.unstick()
    assert until(lambda: len(runs) > before)


def test_stop_waits_for_what_is_in_hand() -> None:
    """Stopping lets a running handler finish, and says so."""
    engine = EmbeddedEngine(LONDON)
    started, finished = threading.Event(), threading.Event()

    def exchange() -> bool:
        started.set()
        time.sleep(0.3)
        finished.set()
        return False

    engine.loop("deliver", exchange, every_s=60, allowance_s=60)
    engine.start()
    started.wait(2)
    assert engine.stop(5)
    assert finished.is_set()


def test_stop_is_heard_by_a_worker_that_was_busy() -> None:
    """Of several workers, one that was at work when the stop came rests no more afterwards."""
    engine, busy, release = EmbeddedEngine(LONDON), threading.Event(), threading.Event()
    first = iter([True])

    def handler() -> bool:
        if next(first, False):
            busy.set()
            release.wait(10)
        return False

    engine.loop("deliver-urgent", handler, every_s=60, allowance_s=60, workers=2)
    engine.start()
    assert busy.wait(5)
    engine.rest()
    time.sleep(0.1)  # the other worker has heard it by now, and is gone
    release.set()
    assert until(lambda: not engine.is_busy(), within_s=2)


def test_stop_gives_up_in_time() -> None:
    """A handler that will not end does not hold the stop longer than allowed."""
    engine = EmbeddedEngine(LONDON)
    release = threading.Event()
    engine.loop("deliver", lambda: bool(release.wait(10)), every_s=60, allowance_s=60)
    engine.start()
    began = time.monotonic()
    assert not engine.stop(0.2)
    assert time.monotonic() - began < 2
    release.set()
