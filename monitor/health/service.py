"""The parts of health put together for one configuration, and what of them runs when."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata, resources
from pathlib import Path

import sqlalchemy as sa

import connectors
from connectors.post import Connector
from monitor.config import Config
from monitor.domain.health import CANARY
from monitor.engine.embedded import EmbeddedEngine
from monitor.health import page, told
from monitor.health.heartbeat import Heartbeat
from monitor.health.machine import ClockWatch
from monitor.health.metrics import Metrics
from monitor.health.watcher import Watcher
from monitor.pipeline.canary import SCHOOL, Canary
from monitor.policy import health
from monitor.policy.health import HealthRules
from monitor.policy.matching.organisations import Organisation, Watchlist
from monitor.ports import Matcher, Store
from monitor.web.server import Listen, WebServer

CANARY_STEP_S = 2.0
ALLOWANCE_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthService:
    """Watches, tells, and lets canaries fly. `metrics` is the pipeline's meter."""

    watcher: Watcher
    metrics: Metrics
    canary: Canary | None
    heartbeat: Heartbeat | None
    server: WebServer | None

    def plan(self, engine: EmbeddedEngine) -> None:
        """Give the engine the loops."""
        self.metrics.watcher = self.watcher
        rules = self.watcher.rules
        engine.loop("health", self.watcher.look, every_s=rules.look_s, allowance_s=ALLOWANCE_S)
        if self.canary:
            engine.loop("canary", self.canary.step, every_s=CANARY_STEP_S, allowance_s=ALLOWANCE_S)
        if self.heartbeat:
            engine.loop(
                "heartbeat",
                self.heartbeat.beat,
                every_s=rules.heartbeat.every_s,
                allowance_s=ALLOWANCE_S,
            )

    def start(self) -> None:
        """Serve, where a port is configured. One that is taken is logged, and told by the canary."""
        if self.server:
            self.server.start()

    def stop(self) -> None:
        """Serve no more."""
        if self.server:
            self.server.stop()


def build_health(
    config: Config,
    *,
    store: Store,
    engine: EmbeddedEngine,
    clock: Callable[[], datetime],
    warmed: threading.Event,
    matcher: Callable[[Watchlist], Matcher],
    before: HealthService | None,
) -> HealthService:
    """Health for `config`. `before` is the one that runs: counters go on, and the start is its own."""
    rules = rules_of(config)
    metrics = before.metrics if before else Metrics()
    canary = None
    if config.canary and config.health:
        canary = Canary(
            store=store,
            connector=_feed(config.health.port),
            matcher=matcher(CANARY_WATCHLIST),
            rules=rules.canary,
            clock=clock,
            monotonic=time.monotonic,
            ready=warmed.is_set,
            wake=engine.wake,
            meter=metrics,
        )
    watcher = Watcher(
        store=store,
        rules=rules,
        engine=engine,
        trouble=engine.storage.current,
        ready=warmed.is_set,
        canary=canary.standing if canary else None,
        folders=folders_of(config),
        clock=before.watcher.clock if before else ClockWatch(rules.clock_jump_s),
        started=before.watcher.started if before else None,
    )
    heartbeat = None
    if config.heartbeat_url and canary:
        heartbeat = Heartbeat(
            url=config.heartbeat_url.get_secret_value().rstrip("/"),
            rules=rules.heartbeat,
            health=watcher.health,
            canary=canary.standing,
            fly=canary.ask,
        )
        watcher.heartbeat = heartbeat.standing
    return HealthService(
        watcher=watcher,
        metrics=metrics,
        canary=canary,
        heartbeat=heartbeat,
        server=_server(config, watcher, metrics, canary),
    )


def rules_of(config: Config) -> HealthRules:
    """health.toml, with what the configuration says otherwise."""
    text = resources.files("monitor").joinpath("data", "health.toml").read_text(encoding="utf-8")
    rules = health.load_rules(text)
    own = config.health.disk_free_mb if config.health else None
    return rules.model_copy(update={"disk_free_mb": own}) if own else rules


def folders_of(config: Config) -> tuple[Path, ...]:
    """Where we write: the state directory, the database's folder, and that of mail as files."""
    url = sa.make_url(config.database_url)
    folders = [config.state_dir]
    if url.get_backend_name() == "sqlite" and url.database:
        folders.append(Path(url.database).parent)
    if config.mail.channel == "folder" and config.mail.folder:
        folders.append(config.mail.folder)
    return tuple(folder.resolve() for folder in folders)


CANARY_WATCHLIST = Watchlist(
    trust=Organisation(id="canary-trust", name="Brackwater Fold Learning Trust"),
    schools=(Organisation(id="canary", name=SCHOOL, distinctive=(SCHOOL,)),),
)


def _feed(port: int) -> Connector:
    kind = connectors.load("rss")
    settings = kind.Settings(
        url=f"http://{page.LOOPBACK}:{port}{page.CANARY_PATH}", allow_private=True
    )
    connector: Connector = kind(settings, source=CANARY)
    return connector


def _server(
    config: Config, watcher: Watcher, metrics: Metrics, canary: Canary | None
) -> WebServer | None:
    if config.health is None:
        return None
    state_dir, version = str(config.state_dir.resolve()), metadata.version("trust-monitor")

    def now() -> dict[str, object]:
        facts = watcher.facts()
        return told.document(
            facts, health.judge(facts, watcher.rules), state_dir=state_dir, version=version
        )

    application = page.application(now, metrics.registry, canary.feed if canary else None)
    return WebServer(application, Listen(host=page.LOOPBACK, port=config.health.port))
