"""The composition root: the only room that sees the whole configuration. It builds, and decides
nothing."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from datetime import datetime
from importlib import resources
from pathlib import Path

import sqlalchemy as sa

import classifiers
import connectors
from classifiers.lexicon import LexiconClassifier
from classifiers.verdict import Classifier
from monitor.clock import SteadyClock
from monitor.config import ClassifierConfig, Config
from monitor.daemon import App
from monitor.delivery.email import SmtpMailer
from monitor.delivery.folder import FolderMailer
from monitor.delivery.letters import Letters
from monitor.delivery.render import Renderer
from monitor.engine.embedded import EmbeddedEngine
from monitor.pipeline import Assessor, Collector, Day, Deliverer, Polled
from monitor.policy import ladder, redaction, retention, triage, watchlist
from monitor.policy.assessment import Rulebook
from monitor.policy.organisations import Watchlist
from monitor.store.database import open_database
from monitor.store.store import SqlStore
from monitor.watchlist_file import load_senses

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


def build(config: Config, *, clock: Callable[[], datetime] | None = None) -> App:
    """Put the house together. Raises ConfigError for data or settings that don't fit."""
    engine = EmbeddedEngine(config.timezone, polls=len(config.sources))
    db = database(config)
    store = SqlStore(db)
    mailer = build_mailer(config)
    book = build_rulebook(config)
    letters = build_letters(config)
    clock = clock or SteadyClock()
    owner = f"{socket.gethostname()}:{os.getpid()}:{time.monotonic_ns()}"[:64]
    return App(
        config=config,
        database=db,
        store=store,
        engine=engine,
        clock=clock,
        collector=Collector(
            store=store,
            sources={
                source.id: Polled(
                    id=source.id,
                    every_s=source.every_s,
                    connector=connectors.load(source.kind)(source.settings, source=source.id),
                )
                for source in config.sources
            },
            matcher=build_matcher(config.watchlist),
            clock=clock,
            wake=engine.wake,
        ),
        assessor=Assessor(
            store=store,
            classifier=build_classifier(config.classifier),
            book=book,
            letters=letters,
            channel=mailer.channel,
            owner=owner,
            clock=clock,
            wake=engine.wake,
        ),
        deliverer=Deliverer(store=store, mailer=mailer, owner=owner, clock=clock),
        day=Day(
            store=store,
            book=book,
            retention=retention.load_rules(data("retention.toml")),
            letters=letters,
            channel=mailer.channel,
            digest_at=config.digest.at,
            timezone=config.timezone,
            clock=clock,
            wake=engine.wake,
        ),
    )
