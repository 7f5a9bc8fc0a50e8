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

log = structlog.get_logger("monitor.engine")

UNSTICK_AFTER = 2.0  # intervals without a run before a job is started by hand: a clock was set back


@dataclass(slots=True)
class _Loop:
    name: str
    handler: Callable[[], bool]
    every_s: float
    allowance_s: float
    workers: int
    wake: threading.Event = field(default_factory=threading.Event)
    progress: dict[int, float] = field(default_factory=dict)


@dataclass(slots=True)
class _Job:
    every_s: float
    last_end: float
    running: bool = False


class EmbeddedEngine:
    """Runs handlers until stopped. Handlers take nothing, may be run again at any time, and their
    exceptions are logged and end only that run."""

    def __init__(self, timezone: ZoneInfo) -> None:
        self._stopping = threading.Event()
        self._loops: dict[str, _Loop] = {}
        self._threads: list[threading.Thread] = []
        self._jobs: dict[str, _Job] = {}
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
                loop.wake.set()

    def start(self) -> None:
        """Start loops first, then jobs: what is due from before goes out before anything new."""
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

    def stop(self, timeout_s: float) -> bool:
        """Start nothing new, and wait for what is in hand; False when it took longer."""
        deadline = time.monotonic() + timeout_s
        self._stopping.set()
        self._scheduler.pause()
        for loop in self._loops.values():
            loop.wake.set()
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        while any(job.running for job in self._jobs.values()) and time.monotonic() < deadline:
            time.sleep(0.05)
        done = not any(thread.is_alive() for thread in self._threads)
        done = done and not any(job.running for job in self._jobs.values())
        self._scheduler.shutdown(wait=False)
        return done

    def is_running(self) -> bool:
        """False from the moment that it is being stopped: long work asks before its next step."""
        return not self._stopping.is_set()

    def stuck(self) -> Mapping[str, float]:
        """Loops that made no progress within their allowance, and for how many seconds."""
        now = time.monotonic()
        return {
            f"{loop.name}-{worker}": now - since
            for loop in self._loops.values()
            for worker, since in loop.progress.items()
            if now - since > loop.every_s + loop.allowance_s
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
        while not self._stopping.is_set():
            loop.progress[worker] = time.monotonic()
            if self._guarded(loop.name, loop.handler):
                continue
            loop.wake.wait(loop.every_s)
            loop.wake.clear()

    def _run_job(self, name: str, handler: Callable[[], object]) -> None:
        job = self._jobs[name]
        job.running = True
        try:
            if not self._stopping.is_set():
                self._guarded(name, handler)
        finally:
            job.running, job.last_end = False, time.monotonic()

    def _guarded(self, name: str, handler: Callable[[], object]) -> bool:
        try:
            return bool(handler())
        except Exception:
            log.exception("handler_failed", handler=name)
            return False
