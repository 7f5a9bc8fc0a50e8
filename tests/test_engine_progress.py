"""The watchdog hears of jobs as well: one that hangs, and one that nothing starts any more."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest

from monitor.engine import embedded
from monitor.engine.embedded import EmbeddedEngine
from tests.test_engine import until


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedEngine]:
    monkeypatch.setattr(embedded, "JOB_ALLOWANCE_S", 0.3)
    engine = EmbeddedEngine(ZoneInfo("Europe/London"))
    yield engine
    engine.stop(1)


def test_a_job_that_hangs_is_stuck(engine: EmbeddedEngine) -> None:
    """A run that takes longer than any may starves the watchdog, by name; its end ends that."""
    over = threading.Event()
    engine.every("collect:feed", 60, lambda: over.wait(20))
    engine.every("tidy", 60, lambda: None)
    engine.start()
    assert until(lambda: list(engine.stuck()) == ["collect:feed"])
    over.set()
    assert until(lambda: not engine.stuck())


def test_jobs_that_nothing_starts_are_stuck(engine: EmbeddedEngine) -> None:
    """When the scheduler itself stands still, so do the jobs, and that is seen."""
    engine.every("collect:feed", 0.2, lambda: None)
    engine.start()
    time.sleep(0.5)
    assert not engine.stuck()
    engine._scheduler.pause()
    assert until(lambda: "collect:feed" in engine.stuck())


def test_no_job_is_stuck_before_its_first_run(engine: EmbeddedEngine) -> None:
    """A loop that looks at once, while jobs are not started yet, sees none of them stuck."""
    seen: list[object] = []
    engine.every("collect:feed", 60, lambda: None)
    time.sleep(0.4)
    engine.loop(
        "health", lambda: bool(seen.append(dict(engine.stuck()))), every_s=60, allowance_s=1
    )
    engine.start()
    assert until(lambda: bool(seen))
    assert seen[0] == {}


def test_progress_of_loops(engine: EmbeddedEngine) -> None:
    """Each loop tells for how long it has been at its turn."""
    engine.loop("assess", lambda: False, every_s=60, allowance_s=60)
    engine.start()
    time.sleep(0.1)
    assert 0.1 <= engine.progress()["assess"] < 5
