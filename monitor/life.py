"""The life of the process: begun once, reloaded by SIGHUP, ended by SIGTERM, whatever hangs.

    begin -> warm -> ready -> (SIGHUP: load -> warm -> hand over)* -> SIGTERM: end within 45 s

Everything that takes time (reading the configuration, loading the model) runs beside the one thread
that listens, so that a signal is always heard at once. A new configuration is built and warmed before
the old one rests; one that is refused changes nothing, and the log says why.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

import structlog

from monitor import health, lock
from monitor.daemon import STOP_WITHIN_S, App
from monitor.errors import MonitorError, StorageFault, Trouble

log = structlog.get_logger("monitor.life")

TRY_AGAIN_S = 5.0  # while the database can't be used at the start
LOOK_UP_S = 1.0  # a signal that the kernel gave to another thread waits no longer


class Wish(Enum):
    """What a signal asks for."""

    STOP = auto()
    RELOAD = auto()


@dataclass(frozen=True, slots=True)
class Reload:
    """How the last reload went: `refused` says in words why it changed nothing; None: it did."""

    at: datetime
    refused: str | None


@dataclass(frozen=True, slots=True)
class _Prepared:
    """An App that is ready to take over, or why there is none."""

    app: App | None
    error: Exception | None = None


class Life:
    """Runs one App after the other. `load` reads the configuration and builds an App that shares
    what it can with the running one; it raises MonitorError for a configuration that won't do."""

    def __init__(self, load: Callable[[App | None], App]) -> None:
        self._load = load
        # A SimpleQueue may be written to from a signal handler; an Event might hold its own lock then.
        self._heard: queue.SimpleQueue[Wish | _Prepared] = queue.SimpleQueue()
        self._preparing = self._once_more = False
        self._before: list[App] = []  # have handed over, and may have something in hand
        self.reloaded: Reload | None = None

    def wish(self, wish: Wish) -> None:
        """Ask for something. Safe in a signal handler and from any thread."""
        self._heard.put(wish)

    def run(self) -> bool:
        """Run until a stop is wished for; False when mail in hand took too long to end: it is still
        due. Raises MonitorError when another instance runs, or database or model can't be used."""
        app = self._load(None)
        with lock.only_instance(app.config.state_dir):
            try:
                if not self._begin(app):
                    return True
                self._prepare(lambda: app)
                return self._listen(app)
            finally:
                app.database.dispose()

    def _begin(self, app: App) -> bool:
        """Begin as soon as the database lets us; False when a stop was wished for before.

        Ending instead would let the service manager give up after ten tries, while a server that
        starts later, or room on the disk, is only a matter of time.
        """
        told: Trouble | None = None
        while True:
            try:
                app.begin()
            except StorageFault as fault:
                if not _passes(app, fault):
                    raise
                if fault.trouble is not told:
                    log.error(  # noqa: TRY400 - the sentence says it all
                        "storage_failed", kind=fault.trouble.value, reason=str(fault)
                    )
                    health.notify("STATUS=Waits for the database; the journal says what it lacks.")
                told = fault.trouble
            else:
                return True
            health.notify("EXTEND_TIMEOUT_USEC=60000000")
            if self._stop_within(TRY_AGAIN_S):
                return False

    def _stop_within(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            with suppress(queue.Empty):
                if self._heard.get(timeout=left) is Wish.STOP:
                    return True
                self._once_more = True
        return False

    def _listen(self, app: App) -> bool:
        ready = False
        while True:
            heard = self._next()
            if heard is Wish.STOP:
                return self._end(app)
            if heard is Wish.RELOAD:
                self._reload(app)
            elif isinstance(heard, _Prepared):
                self._preparing = False
                if ready:
                    app = self._hand_over(app, heard)
                else:
                    self._first(app, heard)
                    ready = True
                if self._once_more:
                    self._once_more = False
                    self._reload(app)

    def _next(self) -> Wish | _Prepared:
        """The next thing heard. Python runs signal handlers in this thread only, and a signal that the
        kernel gives to another one doesn't wake it: so it looks up every second."""
        while True:
            with suppress(queue.Empty):
                return self._heard.get(timeout=LOOK_UP_S)

    def _first(self, app: App, prepared: _Prepared) -> None:
        if prepared.error is not None:
            self._end(app)
            raise prepared.error
        app.say_ready()

    def _reload(self, app: App) -> None:
        if self._preparing:
            self._once_more = True
            return
        health.notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        self._prepare(lambda: _fitting(app, self._load(app)))

    def _prepare(self, build: Callable[[], App]) -> None:
        """Build and warm an App in a thread of its own. A stop does not wait for it: nothing is
        held meanwhile."""
        self._preparing = True

        def work() -> None:
            try:
                app = build()
                app.warm()
            except Exception as error:  # noqa: BLE001 - whoever listens deals with it
                self._heard.put(_Prepared(None, error))
            else:
                self._heard.put(_Prepared(app))

        threading.Thread(target=work, name="prepare", daemon=True).start()

    def _hand_over(self, app: App, prepared: _Prepared) -> App:
        """The App that runs from now on: the new one, or the old one when there is no new one."""
        after, error = prepared.app, prepared.error
        if after is not None:
            try:
                after.register()
            except Exception as failed:  # noqa: BLE001 - the old one runs on
                error = failed
        if after is None or error is not None:
            app.health.watcher.refused = self._refuse(error, at=app.clock())
            return app
        after.succeed(app)
        self._before = [each for each in (*self._before, app) if each.engine.is_busy()]
        after.say_ready("reloaded")
        health.notify("STATUS=")
        self.reloaded = Reload(app.clock(), None)
        return after

    def _refuse(self, error: Exception | None, *, at: datetime) -> str:
        told = (
            str(error) if isinstance(error, MonitorError) else f"unexpected {type(error).__name__}"
        )
        surprise = None if isinstance(error, MonitorError) else error
        log.error("reload_refused", reason=told, exc_info=surprise)
        health.notify("READY=1\nSTATUS=The new configuration was refused; the old one runs on.")
        self.reloaded = Reload(at, told)
        return told

    def _end(self, app: App) -> bool:
        until = time.monotonic() + STOP_WITHIN_S
        for each in self._before:
            each.engine.rest()
        finished = app.end(STOP_WITHIN_S)
        for each in self._before:
            finished &= each.engine.stop(max(0.0, until - time.monotonic()))
        log.info("stopped", finished=finished)
        return finished


def _passes(app: App, fault: StorageFault) -> bool:
    """Whether waiting may help. A file that can't be opened is a slip in the configuration."""
    server = app.database.dialect.name != "sqlite"
    return fault.trouble in {Trouble.FULL, Trouble.LOCKED} or (
        server and fault.trouble is Trouble.UNREACHABLE
    )


def _fitting(before: App, after: App) -> App:
    """Return `after`. Raises MonitorError for what only a restart can change."""
    for key, old, new in (
        ("state_dir", before.config.state_dir, after.config.state_dir),
        ("database.url", before.config.database_url, after.config.database_url),
        ("timezone", before.config.timezone.key, after.config.timezone.key),
    ):
        if old != new:
            raise MonitorError(
                f"{after.config.path}: {key} can't be changed by a reload. Restart the monitor."
            )
    return after
