"""Looks at everything every few seconds, and keeps what it saw. Whoever asks how we are gets the last
look, judged anew: an answer never waits for a database that hangs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from monitor.domain import SourceHealth
from monitor.domain.health import CanaryStanding, Health, HeartbeatStanding, Queues
from monitor.errors import StorageFault
from monitor.health.machine import ClockWatch, disks, wall
from monitor.policy import health
from monitor.policy.health import Facts, HealthRules, Program
from monitor.ports import Store


class Engine(Protocol):
    """What the engine tells of itself."""

    def stuck(self) -> Mapping[str, float]: ...
    def progress(self) -> Mapping[str, float]: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What the database said at `at`."""

    at: datetime
    queues: Queues
    sources: tuple[SourceHealth, ...]


class Watcher:
    """`trouble` is the fault that the engine's handlers met lately, `ready` whether the model is
    loaded; `canary` and `heartbeat` are None where none is configured; `folders` are those that we
    write into; `started` (monotonic) is when the program did, if that was before this was made."""

    def __init__(
        self,
        *,
        store: Store,
        rules: HealthRules,
        engine: Engine,
        trouble: Callable[[], StorageFault | None],
        ready: Callable[[], bool],
        canary: Callable[[], CanaryStanding] | None,
        folders: Sequence[Path],
        clock: ClockWatch,
        started: float | None = None,
    ) -> None:
        self.rules, self.engine, self.clock = rules, engine, clock
        self.heartbeat: Callable[[], HeartbeatStanding] | None = None
        self.canary = canary
        self.refused: str | None = None  # why the last reload changed nothing
        self._store, self._trouble, self._ready = store, trouble, ready
        self._folders = folders
        self.started = time.monotonic() if started is None else started
        self._seen: Seen | None = None
        self._fault: StorageFault | None = None
        self._lock = threading.Lock()

    def look(self) -> bool:
        """Ask the database and the clock. False always. Raises StorageFault, which is kept too."""
        self.clock.look()
        now = wall()
        try:
            with self._store.read() as rows:
                seen = Seen(now, rows.health.queues(now=now), rows.sources.health())
        except StorageFault as fault:
            with self._lock:
                self._fault = fault
            raise
        with self._lock:
            self._seen, self._fault = seen, None
        return False

    def facts(self) -> Facts:
        """What is known now. Never waits for anything."""
        with self._lock:
            seen, fault = self._seen, self._fault
        return Facts(
            now=wall(),
            runs=True,
            program=Program(
                up_s=time.monotonic() - self.started,
                ready=self._ready(),
                looked_at=seen.at if seen else None,
                stuck=tuple(sorted(self.engine.stuck())),
                jump=self.clock.last,
                refused=self.refused,
                canary=self.canary() if self.canary else None,
                heartbeat=self.heartbeat() if self.heartbeat else None,
            ),
            queues=seen.queues if seen else None,
            sources=seen.sources if seen else (),
            disks=disks(self._folders),
            fault=fault or self._trouble(),
        )

    def health(self) -> Health:
        """How we are."""
        return health.judge(self.facts(), self.rules)
