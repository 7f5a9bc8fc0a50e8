"""The composition root: the only room that sees the whole configuration. It builds, and decides
nothing."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata, resources
from pathlib import Path

import sqlalchemy as sa
import structlog

import classifiers
import connectors
from classifiers.lexicon import LexiconClassifier
from classifiers.verdict import Classifier
from monitor import health, lock
from monitor.clock import SteadyClock
from monitor.config import ClassifierConfig, Config
from monitor.delivery.email import SmtpMailer
from monitor.delivery.folder import FolderMailer
from monitor.delivery.letters import Letters
from monitor.delivery.render import Renderer
from monitor.domain import DeliveryKind
from monitor.engine.embedded import EmbeddedEngine
from monitor.errors import MonitorError
from monitor.pipeline import Pipeline, Polled
from monitor.policy import ladder, redaction, retention, triage, watchlist
from monitor.policy.assessment import Rulebook
from monitor.policy.organisations import Watchlist
from monitor.ports import Mailer, SourceSpec
from monitor.store.database import open_database, revisions, upgrade
from monitor.store.store import SqlStore
from monitor.watchlist_file import load_senses

log = structlog.get_logger("monitor.app")

STOP_WITHIN_S = 45.0
URGENT_WORKERS = 4
BUILTIN_MODEL = Path(str(resources.files("classifiers"))) / "builtin"


def data(name: str) -> str:
    """The text of a packaged data file, such as "triage.toml"."""
    return resources.files("monitor").joinpath("data", name).read_text(encoding="utf-8")


def build_classifier(config: ClassifierConfig) -> Classifier:
    """The configured classifier. A model always has the lexicon as its safety net."""
    directory = BUILTIN_MODEL if (BUILTIN_MODEL / "config.json").is_file() else None
    model = config.model or (str(directory) if directory else None)
    if config.kind == "lexicon" or (config.kind == "auto" and model is None):
        return LexiconClassifier()
    from classifiers.layered import LayeredClassifier  # noqa: PLC0415 - only for who has a model

    transformer: Classifier = classifiers.load("transformer")(
        model,
        revision=config.revision,
        batch_size=config.batch_size,
        threads=config.threads,
        max_tokens=config.max_tokens,
    )
    return LayeredClassifier(transformer, LexiconClassifier())


def build_matcher(organisations: Watchlist) -> watchlist.Matcher:
    """The matcher over a watchlist, with the packaged general knowledge of words and places."""
    return watchlist.Matcher(organisations, load_senses())


def build_rulebook(config: Config) -> Rulebook:
    """The rules that every decision is made from."""
    return Rulebook(
        triage=triage.load_rules(data("triage.toml")),
        ladder=ladder.load_ladder(data("ladders/base.toml")),
        calendar=config.calendar,
        people=config.people,
        watchlist=config.watchlist,
        contact=config.replies.contact,
        complaints_url=config.replies.complaints_url,
        info_url=config.replies.info_url,
    )


def build_mailer(config: Config) -> SmtpMailer | FolderMailer:
    """The configured way out."""
    if config.mail.channel == "folder" and config.mail.folder:
        return FolderMailer(config.mail.folder)
    return SmtpMailer(config.relays, sender=config.mail.sender)


def build_letters(config: Config) -> Letters:
    """The words and bytes of mail, with the watchlist's own names kept readable in excerpts."""
    organisations = config.watchlist.organisations
    heads = [o.headteacher for o in organisations if o.headteacher]
    keep = [
        word
        for o in organisations
        for word in (
            o.name,
            *o.aliases,
            *o.former_names,
            *o.nicknames,
            *o.initialisms,
            *o.handles,
            *o.hashtags,
            o.town,
            o.county,
        )
        if word
    ]

    def redact(text: str) -> str:
        return redaction.redact(text, known_names=heads, keep=keep)

    renderer = Renderer(
        trust_name=config.watchlist.trust.name,
        organisations={o.id: o.name for o in organisations},
        timezone=config.timezone.key,
        excerpt=config.mail.excerpt,
        redact=redact,
    )
    return Letters(renderer, config.mail.sender)


def database(config: Config) -> sa.Engine:
    """The configured database, not yet connected."""
    url = sa.make_url(config.database_url)
    if config.database_password:
        url = url.set(password=config.database_password.get_secret_value())
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return open_database(url)


def migrate(engine: sa.Engine) -> None:
    """Bring the schema up to date. Raises MonitorError when the database can't be reached, or is
    newer than this program."""
    try:
        upgrade(engine)
    except sa.exc.SQLAlchemyError as error:
        raise MonitorError(
            f"database {engine.url.render_as_string()}: {type(error).__name__}: can't be opened. "
            "Check that it exists, is reachable, and that this account may write to it."
        ) from error
    except Exception as error:
        current, newest = revisions(engine)
        raise MonitorError(
            f"database {engine.url.render_as_string()}: at revision {current}, this program knows "
            f"{newest}. Install the newer program, or restore the older backup."
        ) from error


def require_current(engine: sa.Engine) -> None:
    """Refuse to work on a database that `db upgrade` (or the first `run`) has not seen to. Raises
    MonitorError: a command must not migrate under a running daemon's feet."""
    shown = engine.url.render_as_string()
    try:
        current, newest = revisions(engine)
    except sa.exc.SQLAlchemyError as error:
        raise MonitorError(
            f"database {shown}: can't be opened ({type(error).__name__}). Check that it exists and "
            "that this account may read and write it."
        ) from error
    if current != newest:
        raise MonitorError(
            f"database {shown}: at revision {current or 'none'}, this program needs {newest}. "
            "Run `trust-monitor db upgrade`, or start the monitor once."
        )


@dataclass(frozen=True, slots=True)
class App:
    """A built monitor, ready to run once."""

    config: Config
    engine: EmbeddedEngine
    pipeline: Pipeline
    database: sa.Engine

    def run(self, stopping: threading.Event) -> bool:
        """Run until `stopping` is set, then finish what is in hand.

        False when something in hand took longer than 45 s: it is still due in the database, and
        nothing is lost. Raises MonitorError when another instance runs, or the database can't be
        used.
        """
        with lock.only_instance(self.config.state_dir):
            migrate(self.database)
            self.pipeline.store.release(now=self.pipeline.clock())
            with self.pipeline.store.begin() as rows:
                rows.sources.register(
                    [
                        SourceSpec(
                            id=source.id,
                            kind=source.kind,
                            interval_s=source.every_s,
                            fingerprint=source.fingerprint,
                        )
                        for source in self.config.sources
                    ]
                )
            self.pipeline.begin_days()
            self.engine.start()
            health.notify("READY=1")
            log.info(
                "started",
                version=metadata.version("trust-monitor"),
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
            stopping.wait()
            health.notify("STOPPING=1")
            finished = self.engine.stop(STOP_WITHIN_S)
            log.info("stopped", finished=finished)
            self.database.dispose()
            return finished


def build(config: Config, *, clock: Callable[[], datetime] | None = None) -> App:
    """Put the house together. Raises ConfigError for data or settings that don't fit."""
    engine = EmbeddedEngine(config.timezone, polls=len(config.sources))
    mailer: Mailer = build_mailer(config)
    db = database(config)
    pipeline = Pipeline(
        store=SqlStore(db),
        sources={
            source.id: Polled(
                id=source.id,
                every_s=source.every_s,
                connector=connectors.load(source.kind)(source.settings, source=source.id),
            )
            for source in config.sources
        },
        matcher=build_matcher(config.watchlist),
        classifier=build_classifier(config.classifier),
        book=build_rulebook(config),
        retention=retention.load_rules(data("retention.toml")),
        letters=build_letters(config),
        mailer=mailer,
        digest_at=config.digest.at,
        timezone=config.timezone,
        owner=f"{socket.gethostname()}:{os.getpid()}:{time.monotonic_ns()}"[:64],
        clock=clock or SteadyClock(),
        wake=engine.wake,
    )
    _plan(engine, pipeline, config)
    return App(config, engine, pipeline, db)


def _plan(engine: EmbeddedEngine, pipeline: Pipeline, config: Config) -> None:
    """What runs when. Loops wait for nothing but their own work; the sweep finds what was missed."""
    # One exchange may take 60 s to the final dot and 600 s for the answer to it.
    engine.loop(
        "deliver-urgent",
        lambda: pipeline.deliver([DeliveryKind.ALERT]),
        every_s=5,
        allowance_s=700,
        workers=URGENT_WORKERS,
    )
    engine.loop(
        "deliver-digest",
        lambda: pipeline.deliver([DeliveryKind.DIGEST]),
        every_s=30,
        allowance_s=700,
    )
    engine.loop("assess", pipeline.assess, every_s=30, allowance_s=300)

    def sweep() -> bool:
        engine.unstick()
        pipeline.digest()
        return False

    engine.loop("sweep", sweep, every_s=30, allowance_s=120)
    for source in config.sources:
        engine.every(f"collect:{source.id}", source.every_s, _collector(pipeline, source.id))
    engine.daily("digest", config.digest.at, pipeline.digest)
    engine.every("tidy", 3_600, pipeline.tidy)


def _collector(pipeline: Pipeline, source: str) -> Callable[[], None]:
    return lambda: pipeline.collect(source)
