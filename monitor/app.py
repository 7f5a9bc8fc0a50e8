"""The composition root: the only room that sees the whole configuration. It builds, and decides
nothing."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import cache
from importlib import resources
from pathlib import Path

import sqlalchemy as sa

import classifiers
from classifiers.lexicon import LexiconClassifier
from classifiers.verdict import Classifier
from monitor import channels, ladders, sources
from monitor.clock import SteadyClock
from monitor.config import ClassifierConfig, Config, own_sources
from monitor.daemon import App
from monitor.delivery.email import SmtpMailer
from monitor.delivery.folder import FolderMailer
from monitor.delivery.letters import Letters
from monitor.delivery.render import Renderer
from monitor.domain import Concern
from monitor.drafting import Checker, context_from, names_of
from monitor.engine.embedded import EmbeddedEngine
from monitor.health.service import build_health
from monitor.pipeline import (
    Assessor,
    Bundler,
    Campaigns,
    Collector,
    Day,
    Deliverer,
    Desk,
    Escalator,
    Hosts,
    Intake,
    SourceWatch,
    Sweeper,
    by_mail,
)
from monitor.policy import redaction, retention, triage
from monitor.policy.assessment import Rulebook
from monitor.policy.campaigns import theme
from monitor.policy.drafts import check as draft_check
from monitor.policy.ladder.layers import with_rule_of
from monitor.policy.matching import watchlist
from monitor.policy.matching.organisations import Watchlist
from monitor.policy.routes import escalation
from monitor.ports import Store
from monitor.store.database import open_database
from monitor.store.store import SqlStore
from monitor.watchlist_file import load_senses
from monitor.web.casebook import LoggedCases
from monitor.web.links import Links, key_in
from monitor.web.pages import application
from monitor.web.server import Listen, WebServer

EXCERPT, FULL_EXCERPT = 280, 1000  # characters of a post that mail may quote, names masked
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
    """The rules that every decision is made from. Raises ConfigError for a faulty ladder."""
    ladder = ladders.configured(config.ladder.profile, config.ladder.file)
    return Rulebook(
        triage=triage.load_rules(data("triage.toml")),
        ladder=ladder,
        calendar=with_rule_of(ladder, config.calendar),
        people=config.people,
        watchlist=config.watchlist,
        contact=config.replies.contact,
        complaints_url=config.replies.complaints_url,
        info_url=config.replies.info_url,
        rules_url=config.replies.rules_url,
        own_sources=own_sources(config),
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
    keep = [word for o in organisations for word in names_of(o)]

    longest = FULL_EXCERPT if config.mail.excerpt == "full" else EXCERPT

    def redact(text: str) -> str:
        return redaction.redact(text, known_names=heads, keep=keep, limit=longest)

    links = build_links(config)
    renderer = Renderer(
        trust_name=config.watchlist.trust.name,
        organisations={o.id: o.name for o in organisations},
        timezone=config.timezone.key,
        excerpt=config.mail.excerpt,
        redact=redact,
        people={person.id: person.name for person in config.people},
        acknowledge=links.link if links else None,
        next_after_min=escalation_rules().after_min,
    )
    return Letters(renderer, config.mail.sender)


def build_links(config: Config) -> Links | None:
    """The links in alerts; None where the trust serves no page."""
    if config.web is None or config.web.public_url is None:
        return None
    return Links(config.web.public_url, key_in(config.state_dir))


def build_desk(config: Config, store: Store, clock: Callable[[], datetime]) -> Desk:
    """Where people's moves are made, by command or by link."""

    @cache
    def checker() -> Checker:  # a tenth of a second, which only a draft needs
        rules = draft_check.load_rules(data("draft_check.toml"))
        return Checker(rules, context_from(config))

    def check(text: str, public: bool, concern: Concern) -> tuple[draft_check.Finding, ...]:  # noqa: FBT001
        return checker().check(text, public, concern)

    return Desk(
        store=store,
        book=build_rulebook(config),
        clock=clock,
        check=check,
        tell=by_mail(build_letters(config), build_mailer(config).channel),
    )


def build_assessor(
    config: Config, store: Store, clock: Callable[[], datetime], wake: Callable[[str], None]
) -> Assessor:
    """What judges mentions: the running monitor's, or a command's own for what staff report."""
    return Assessor(
        store=store,
        classifier=build_classifier(config.classifier),
        book=build_rulebook(config),
        letters=build_letters(config),
        channel=build_mailer(config).channel,
        owner=f"{socket.gethostname()}:{os.getpid()}:{time.monotonic_ns()}"[:64],
        clock=clock,
        wake=wake,
    )


def build_intake(config: Config, store: Store, clock: Callable[[], datetime]) -> Intake:
    """Where what staff have seen comes in. The running monitor sends what it alerts."""
    return Intake(
        store=store,
        matcher=build_matcher(config.watchlist),
        watchlist=config.watchlist,
        assessor=build_assessor(config, store, clock, lambda _name: None),
        clock=clock,
    )


def build_web(config: Config, desk: Desk) -> WebServer | None:
    """The acknowledgement page; None where none is asked for."""
    links = build_links(config)
    if config.web is None or links is None:
        return None

    def show_time(at: datetime) -> str:
        return f"{at.astimezone(config.timezone):%A %d %B, %H:%M}"

    cases = LoggedCases(desk=desk, watchlist=config.watchlist)
    listen = Listen(
        host=config.web.host,
        port=config.web.port,
        certificate=config.web.certificate,
        key=config.web.key,
    )
    return WebServer(application(links, cases, show_time), listen)


def escalation_rules() -> escalation.EscalationRules:
    """When an alert goes to the next person."""
    return escalation.load_rules(data("escalation.toml"))


def database(config: Config) -> sa.Engine:
    """The configured database, not yet connected."""
    url = sa.make_url(config.database_url)
    if config.database_password:
        url = url.set(password=config.database_password.get_secret_value())
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return open_database(url)


def build(
    config: Config, *, clock: Callable[[], datetime] | None = None, before: App | None = None
) -> App:
    """Put the house together. Raises ConfigError for data or settings that don't fit.

    `before` is what runs already, under a configuration that this one may follow: clock, database,
    politeness and a model that stays the same are shared with it.
    """
    engine = EmbeddedEngine(config.timezone)
    db = before.database if before else database(config)
    store = SqlStore(db)
    mailer = build_mailer(config)
    clock = clock or (before.clock if before else SteadyClock())
    assessor = build_assessor(config, store, clock, engine.wake)
    if before and before.config.classifier == config.classifier:
        assessor = replace(assessor, classifier=before.assessor.classifier)
    warmed = threading.Event()
    health = build_health(
        config,
        store=store,
        engine=engine,
        clock=clock,
        warmed=warmed,
        matcher=build_matcher,
        before=before.health if before else None,
    )
    canary_to = config.canary.recipient if config.canary else None
    assessor = replace(assessor, canary_to=canary_to, meter=health.metrics)
    book, letters = assessor.book, assessor.letters
    desk = build_desk(config, store, clock)
    links = build_links(config)

    def undeliverable() -> None:
        engine.wake("fallback")
        engine.wake("escalate")

    polled = sources.build_sources(config, before.collector.sources if before else {})
    rules = sources.load_rules()
    hosts = before.collector.hosts if before else Hosts(rules.hosts)
    return App(
        config=config,
        database=db,
        store=store,
        engine=engine,
        clock=clock,
        collector=Collector(
            store=store,
            sources=polled,
            matcher=build_matcher(config.watchlist),
            rules=rules,
            hosts=hosts,
            clock=clock,
            wake=engine.wake,
            go_on=engine.is_running,
            meter=health.metrics,
        ),
        sweeper=Sweeper(
            store=store,
            sources=polled,
            rules=rules.gone,
            hosts=hosts,
            clock=clock,
            go_on=engine.is_running,
        ),
        watch=SourceWatch(
            store=store,
            rules=rules.silence,
            people=config.people,
            letters=letters,
            channel=mailer.channel,
            timezone=config.timezone,
            started_at=before.watch.started_at if before else clock(),
            clock=clock,
            wake=engine.wake,
        ),
        assessor=assessor,
        escalator=Escalator(
            store=store,
            book=book,
            rules=escalation_rules(),
            letters=letters,
            channel=mailer.channel,
            clock=clock,
            wake=engine.wake,
        ),
        campaigns=Campaigns(
            store=store,
            book=book,
            rules=theme.load_rules(data("campaign.toml")),
            clock=clock,
            letters=letters,
            channel=mailer.channel,
            wake=engine.wake,
        ),
        deliverer=Deliverer(
            store=store,
            mailer=mailer,
            owner=assessor.owner,
            clock=clock,
            meter=health.metrics,
            gave_up=undeliverable,
        ),
        caller=Deliverer(
            store=store,
            mailer=channels.build_gateways(config),
            owner=assessor.owner,
            clock=clock,
            meter=health.metrics,
        ),
        fallback=channels.build_fallback(
            config,
            store=store,
            acknowledge=links.link if links else None,
            clock=clock,
            wake=engine.wake,
        ),
        bundler=Bundler(store=store, letters=letters, clock=clock, wake=engine.wake),
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
        desk=desk,
        web=build_web(config, desk),
        health=health,
        warmed=warmed,
    )
