"""One process runs everything: APScheduler for what has an hour, own threads for what may not wait.

Loops (assess, deliver, sweep) live on the monotonic clock and an event: no clock change, full pool or
slow poll delays them. Jobs (polls, digest, housekeeping) are APScheduler's. Rows are the truth, so a
lost wake-up or job costs at most one sweep.

APScheduler's settings are chosen, not default (https://apscheduler.readthedocs.io/en/3.x/userguide.html):
misfire_grace_time=None (1 s late would silently drop a poll), coalesce and max_instances=1; and each run
has a thread of its own, so that any number of hung polls holds up no other.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from datetime import time as time_of_day
from zoneinfo import ZoneInfo

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from monitor.engine.threads import ThreadEach
from monitor.engine.trouble import StorageTrouble
from monitor.errors import StorageFault

log = structlog.get_logger("monitor.engine")

JOBS_END_WITHIN_S = (
    5.0  # at the stop; a poll or a sweep may be cut off anywhere between two commits
)
JOB_ALLOWANCE_S = 3_600.0  # no poll or sweep takes that long: their own deadlines end them
UNSTICK_AFTER = 2.0  # intervals without a run before a job is started by hand: a clock was set back


@dataclass(slots=True)
class _Loop:
    name: str
    handler: Callable[[], bool]
    every_s: float
    allowance_s: float
    workers: int
    progress: dict[int, float] = field(default_factory=dict)
    wakes: int = 0
    woken: threading.Condition = field(default_factory=threading.Condition)

    def wake(self) -> None:
        """Every worker looks again: also one that is at work just now, and asks only afterwards."""
        with self.woken:
            self.wakes += 1
            self.woken.notify_all()

    def pause(self, seen: int) -> None:
        """Wait until there was a wake-up after the `seen` first ones, or until `every_s` has passed."""
        with self.woken:
            self.woken.wait_for(lambda: self.wakes != seen, self.every_s)


@dataclass(slots=True)
class _Job:
    every_s: float
    last_end: float
    running: bool = False
    progress: float = field(default_factory=time.monotonic)


class EmbeddedEngine:
    """Runs handlers until stopped. Handlers take nothing, may be run again at any time, and their
    exceptions are logged and end only that run."""

    def __init__(self, timezone: ZoneInfo) -> None:
        self._stopping = threading.Event()
        self._loops: dict[str, _Loop] = {}
        self._threads: list[threading.Thread] = []
        self._jobs: dict[str, _Job] = {}
        self.storage = StorageTrouble()
        self._scheduler = BackgroundScheduler(
            timezone=timezone,
            executors={"default": ThreadEach()},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def loop(
        self,
        name: str,
        handler: Callable[[], bool],
        *,
        every_s: float,
        allowance_s: float,
        workers: int = 1,
    ) -> None:
        """Run `handler` at once, again as long as it returns True, and then whenever it is woken or
        `every_s` seconds have passed. One run may take `allowance_s` before the watchdog bites."""
        self._loops[name] = _Loop(name, handler, every_s, allowance_s, workers)

    def every(self, name: str, seconds: float, handler: Callable[[], object]) -> None:
        """Run `handler` at start and then every `seconds`, spread by a tenth."""
        self._jobs[name] = _Job(seconds, time.monotonic())
        self._scheduler.add_job(
            lambda: self._run_job(name, handler),
            "interval",
            seconds=seconds,
            jitter=seconds / 10,
            id=name,
            next_run_time=datetime.now(UTC),
        )

    def daily(self, name: str, at: time_of_day, handler: Callable[[], object]) -> None:
        """Run `handler` once a day at `at` in the engine's time zone."""
        self._scheduler.add_job(
            lambda: self._guarded(name, handler),
            "cron",
            hour=at.hour,
            minute=at.minute,
            second=at.second,
            id=name,
        )

    def wake(self, name: str) -> None:
        """Tell every loop whose name begins with `name` that there is work. Safe from any thread."""
        for loop in self._loops.values():
            if loop.name.startswith(name):
                loop.wake()

    def start(self) -> None:
        """Start loops first, then jobs: what is due from before goes out before anything new."""
        for job in self._jobs.values():
            job.progress = time.monotonic()
        for loop in self._loops.values():
            for worker in range(loop.workers):
                loop.progress[worker] = time.monotonic()
                thread = threading.Thread(
                    target=self._run_loop, args=(loop, worker), name=f"{loop.name}-{worker}"
                )
                thread.daemon = True  # a hang in the very last exchange must not outlive SIGTERM
                thread.start()
                self._threads.append(thread)
        self._scheduler.start()

    def rest(self) -> None:
        """Start nothing new; what is in hand goes on."""
        self._stopping.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        for loop in self._loops.values():
            loop.wake()

    def stop(self, timeout_s: float) -> bool:
        """Start nothing new, and wait for what loops have in hand; False when it took longer.

        Jobs get a few seconds: one that hangs has committed nothing, and is done again at the next
        start.
        """
        deadline = time.monotonic() + timeout_s
        jobs_until = time.monotonic() + min(timeout_s, JOBS_END_WITHIN_S)
        self.rest()
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        while self._running_jobs() and time.monotonic() < jobs_until:
            time.sleep(0.05)
        if jobs := self._running_jobs():
            log.warning("jobs_cut_off", stuck=jobs)
        return not self._running_loops()

    def is_busy(self) -> bool:
        """Whether anything is still in hand, once it rests."""
        return self._running_loops() or bool(self._running_jobs())

    def _running_loops(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def _running_jobs(self) -> list[str]:
        return sorted(name for name, job in self._jobs.items() if job.running)

    def is_running(self) -> bool:
        """False from the moment that it is being stopped: long work asks before its next step."""
        return not self._stopping.is_set()

    def stuck(self) -> Mapping[str, float]:
        """Loops that made no progress within their allowance, jobs that run for over an hour or that
        nothing starts any more, and for how many seconds."""
        now = time.monotonic()
        loops = {
            f"{loop.name}-{worker}": now - since
            for loop in self._loops.values()
            for worker, since in loop.progress.items()
            if now - since > loop.every_s + loop.allowance_s
        }
        return loops | {
            name: now - job.progress
            for name, job in self._jobs.items()
            if now - job.progress
            > JOB_ALLOWANCE_S + (0 if job.running else UNSTICK_AFTER * job.every_s)
        }

    def progress(self) -> Mapping[str, float]:
        """For how many seconds each loop has been at its present run or its present rest; of several
        workers, the longest."""
        now = time.monotonic()
        return {
            loop.name: max((now - since for since in loop.progress.values()), default=0.0)
            for loop in self._loops.values()
        }

    def unstick(self) -> None:
        """Start interval jobs that the wall clock forgot: APScheduler waits for wall time, so a clock
        set back by an hour would silence every source for that hour."""
        now = time.monotonic()
        for name, job in self._jobs.items():
            if not job.running and now - job.last_end > UNSTICK_AFTER * job.every_s + 30:
                log.warning("job_unstuck", job=name, seconds=round(now - job.last_end))
                job.last_end = now
                self._scheduler.modify_job(name, next_run_time=datetime.now(UTC))

    def _run_loop(self, loop: _Loop, worker: int) -> None:
        while True:
            seen = loop.wakes  # before the look at `_stopping`, whose setter wakes us afterwards
            if self._stopping.is_set():
                return
            loop.progress[worker] = time.monotonic()
            if not self._guarded(loop.name, loop.handler):
                loop.pause(seen)

    def _run_job(self, name: str, handler: Callable[[], object]) -> None:
        job = self._jobs[name]
        job.running, job.progress = True, time.monotonic()
        try:
            if not self._stopping.is_set():
                self._guarded(name, handler)
        finally:
            job.running = False
            job.progress = job.last_end = time.monotonic()

    def _guarded(self, name: str, handler: Callable[[], object]) -> bool:
        try:
            more = bool(handler())
        except StorageFault as fault:
            self.storage.failed(name, fault)
            return False
        except Exception:
            log.exception("handler_failed", handler=name)
            return False
        self.storage.worked()
        return more
