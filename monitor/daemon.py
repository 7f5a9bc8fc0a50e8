"""The built monitor, and what it runs when."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from importlib import metadata

import sqlalchemy as sa
import structlog

from classifiers.errors import ClassifierError
from monitor import lock
from monitor.config import Config
from monitor.domain import DeliveryKind
from monitor.engine.embedded import EmbeddedEngine
from monitor.errors import MonitorError
from monitor.health import keep_watchdog_fed, notify, watchdog_interval_s
from monitor.health.service import HealthService
from monitor.pipeline import (
    Assessor,
    Bundler,
    Campaigns,
    Collector,
    Day,
    Deliverer,
    Desk,
    Escalator,
    Fallback,
    SourceWatch,
    Sweeper,
    rehearse,
)
from monitor.ports import SourceSpec
from monitor.store import copies_sqlite
from monitor.store.migrate import migrate
from monitor.store.store import SqlStore
from monitor.web.server import WebServer

log = structlog.get_logger("monitor.daemon")

STOP_WITHIN_S = 40.0  # of the 45 s that SIGTERM may take
URGENT_WORKERS = 4
OTHER_WORKERS = 2
EXCHANGE_S = 700.0  # an exchange may take 60 s to the final dot and 600 s for the answer to it


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A built monitor, ready to run once."""

    config: Config
    database: sa.Engine
    store: SqlStore
    engine: EmbeddedEngine
    clock: Callable[[], datetime]
    collector: Collector
    sweeper: Sweeper
    watch: SourceWatch
    assessor: Assessor
    escalator: Escalator
    campaigns: Campaigns
    deliverer: Deliverer
    caller: Deliverer
    fallback: Fallback
    bundler: Bundler
    day: Day
    desk: Desk
    web: WebServer | None
    health: HealthService
    warmed: threading.Event = field(default_factory=threading.Event)  # the model is loaded
    resting: threading.Event = field(default_factory=threading.Event)  # it is being ended

    def run(self, stopping: threading.Event) -> bool:
        """Run until `stopping` is set, then finish what is in hand. `monitor.life` runs the same
        parts, and listens to signals.

        False when something in hand took too long: it is still due in the database, and nothing is
        lost. Raises MonitorError when another instance runs, or the database or the model can't be
        used.
        """
        with lock.only_instance(self.config.state_dir):
            self.begin()
            try:
                self.warm()
            except MonitorError:
                self.end(STOP_WITHIN_S)
                raise
            self.say_ready()
            while not stopping.wait(1.0):
                pass  # a signal that another thread was given is heard when this one wakes
            finished = self.end(STOP_WITHIN_S)
            log.info("stopped", finished=finished)
            self.database.dispose()
            return finished

    def begin(self) -> None:
        """Take over what a predecessor left, and start. What was due from before is on its way while
        the model still loads. Raises MonitorError when the database can't be used."""
        migrate(self.database)
        if self.database.dialect.name == "sqlite":
            copies_sqlite.look(self.database)
        self.store.release(now=self.clock())
        self.register()
        self.start()

    def register(self) -> None:
        """Make the table of sources the configured one."""
        with self.store.begin() as rows:
            rows.sources.register(
                [
                    SourceSpec(
                        id=source.id,
                        kind=source.kind,
                        interval_s=source.every_s,
                        fingerprint=source.fingerprint,
                    )
                    for source in self.config.sources
                ],
                now=self.clock(),
            )
        self.day.begin()

    def start(self) -> None:
        """Start what serves, then every loop and job."""
        if self.web:
            self.web.start()  # first: an alert's link must work by the time that it is read
        self.health.start()
        self._plan()
        self.engine.start()

    def warm(self) -> None:
        """Load the model, rehearse, and let mentions be assessed from then on. Raises MonitorError when
        the model can't be loaded."""
        try:
            self.assessor.classifier.warm()
        except ClassifierError as error:
            raise MonitorError(str(error)) from error
        self.rehearse()
        self.warmed.set()
        self.engine.wake("assess")

    def rehearse(self) -> None:
        """Compile, with a made-up post, whatever is compiled at its first use."""
        anyone = self.config.watchlist.organisations[0].id
        rehearse(self.assessor.book, self.assessor.letters, anyone, now=self.clock())

    def succeed(self, before: App) -> None:
        """Take over from a running App whose configuration was read anew: it begins nothing more,
        and what it has in hand ends beside us. Sources that both have keep their cursors."""
        if before.web:
            before.web.stop()
        before.health.stop()
        before.resting.set()
        before.engine.rest()
        self.start()

    def end(self, within_s: float) -> bool:
        """Begin nothing new, and wait for what is in hand; False when that took longer."""
        until = time.monotonic() + within_s
        notify("STOPPING=1")
        self.resting.set()
        if self.web:
            self.web.stop()
        self.health.stop()
        return self.engine.stop(max(0.0, until - time.monotonic()))

    def _plan(self) -> None:
        """What runs when. Loops wait for nothing but their own work; the sweep finds what was missed."""
        engine = self.engine
        engine.loop(
            "deliver-urgent",
            partial(self.deliverer.deliver, [DeliveryKind.ALERT, DeliveryKind.CANARY]),
            every_s=5,
            allowance_s=EXCHANGE_S,
            workers=URGENT_WORKERS,
        )
        engine.loop(
            "deliver-digest",
            partial(self.deliverer.deliver, [DeliveryKind.DIGEST]),
            every_s=30,
            allowance_s=EXCHANGE_S,
        )
        # Loops of their own: a mail server that hangs must not hold up what stands in for its mail.
        engine.loop("fallback", self.fallback.look, every_s=15, allowance_s=120)
        engine.loop(
            "deliver-other",
            partial(self.caller.deliver, [DeliveryKind.OTHER]),
            every_s=15,
            allowance_s=120,
            workers=OTHER_WORKERS,
        )
        engine.loop("bundle", self.bundler.look, every_s=5, allowance_s=120)
        engine.loop("assess", self._assess, every_s=30, allowance_s=300)
        engine.loop("escalate", self.escalator.escalate, every_s=15, allowance_s=120)
        engine.loop("sweep", self._sweep, every_s=30, allowance_s=120)
        for source in self.config.sources:
            collect = partial(self.collector.collect, source.id)
            engine.every(f"collect:{source.id}", source.every_s, collect)
            engine.every(f"gone:{source.id}", 3_600, partial(self.sweeper.sweep, source.id))
        engine.daily("digest", self.config.digest.at, self.day.digest)
        engine.every("campaigns", 120, self.campaigns.look)
        engine.every("desk", 600, self.desk.tick)
        engine.every("tidy", 3_600, self.day.tidy)
        self.health.plan(engine)

    def _assess(self) -> bool:
        return self.warmed.is_set() and self.assessor.assess()

    def _sweep(self) -> bool:
        self.engine.unstick()
        self.watch.look()
        self.day.digest()
        return False

    def say_ready(self, event: str = "started") -> None:
        """Tell the log and the service manager that everything runs, and feed its watchdog."""
        notify("READY=1")
        log.info(
            event,
            version=metadata.version("trust-monitor"),
            model=self.assessor.classifier.model,
            sources=len(self.config.sources),
            schools=len(self.config.watchlist.schools),
            people=len(self.config.people),
        )
        interval_s = watchdog_interval_s()
        if interval_s:
            threading.Thread(
                target=keep_watchdog_fed,
                args=(self.engine.stuck, self.resting, interval_s),
                name="watchdog",
                daemon=True,
            ).start()
