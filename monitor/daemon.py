"""The built monitor, and what it runs when."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib import metadata

import sqlalchemy as sa
import structlog

from classifiers.errors import ClassifierError
from monitor import health, lock
from monitor.config import Config
from monitor.domain import DeliveryKind
from monitor.engine.embedded import EmbeddedEngine
from monitor.errors import MonitorError
from monitor.pipeline import (
    Assessor,
    Campaigns,
    Collector,
    Day,
    Deliverer,
    Desk,
    Escalator,
    SourceWatch,
    Sweeper,
)
from monitor.ports import SourceSpec
from monitor.store.migrate import migrate
from monitor.store.store import SqlStore
from monitor.web.server import WebServer

log = structlog.get_logger("monitor.daemon")

STOP_WITHIN_S = 45.0
URGENT_WORKERS = 4
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
    day: Day
    desk: Desk
    web: WebServer | None

    def run(self, stopping: threading.Event) -> bool:
        """Run until `stopping` is set, then finish what is in hand.

        False when something in hand took longer than 45 s: it is still due in the database, and
        nothing is lost. Raises MonitorError when another instance runs, or the database or the
        model can't be used.
        """
        with lock.only_instance(self.config.state_dir):
            migrate(self.database)
            self._take_over()
            self._plan()
            if self.web:
                self.web.start()  # first: an alert's link must work by the time that it is read
            self.engine.start()
            try:
                # What was due from before is on its way already while the model loads.
                self.assessor.classifier.warm()
            except ClassifierError as error:
                self._stop()
                raise MonitorError(str(error)) from error
            self._say_ready(stopping)
            stopping.wait()
            health.notify("STOPPING=1")
            finished = self._stop()
            log.info("stopped", finished=finished)
            self.database.dispose()
            return finished

    def _stop(self) -> bool:
        if self.web:
            self.web.stop()
        return self.engine.stop(STOP_WITHIN_S)

    def _take_over(self) -> None:
        """Free what a killed predecessor held, and make the table of sources the configured one."""
        self.store.release(now=self.clock())
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

    def _plan(self) -> None:
        """What runs when. Loops wait for nothing but their own work; the sweep finds what was missed."""
        engine = self.engine
        engine.loop(
            "deliver-urgent",
            partial(self.deliverer.deliver, [DeliveryKind.ALERT]),
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
        engine.loop("assess", self.assessor.assess, every_s=30, allowance_s=300)
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

    def _sweep(self) -> bool:
        self.engine.unstick()
        self.watch.look()
        self.day.digest()
        return False

    def _say_ready(self, stopping: threading.Event) -> None:
        health.notify("READY=1")
        log.info(
            "started",
            version=metadata.version("trust-monitor"),
            model=self.assessor.classifier.model,
            sources=len(self.config.sources),
            schools=len(self.config.watchlist.schools),
            people=len(self.config.people),
        )
        interval_s = health.watchdog_interval_s()
        if interval_s:
            threading.Thread(
                target=health.keep_watchdog_fed,
                args=(self.engine.stuck, stopping, interval_s),
                name="watchdog",
                daemon=True,
            ).start()
