"""`trust-monitor check`: is everything that the monitor needs really there? A row for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy import exc

from connectors import load
from connectors.errors import SourceError, SourceRejected
from monitor.app import build_mailer
from monitor.channels import build_gateways
from monitor.commands.roster import absences, roster
from monitor.daemon import App
from monitor.domain import Role
from monitor.errors import MonitorError
from monitor.logs import describe
from monitor.policy.sources.queries import search_terms, unsearched
from monitor.sources import apply_for
from monitor.store.database import revisions
from monitor.watchlist_file import load_senses


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried, and how it went. `rejected`: a source that only a person can mend."""

    what: str
    ok: bool
    detail: str
    rejected: bool = False


def check(app: App, console: Console, *, now: datetime) -> bool:
    """Try the database, the classifier, the mail server and each source; print a table. True when
    everything works. Nothing is stored or sent."""
    findings = [
        _try("configuration", lambda: _summary(app)),
        _try("database", lambda: _database(app)),
        _try("classifier", lambda: _classifier(app)),
        _try("mail", lambda: build_mailer(app.config).check()),
        *_channels(app),
        *_searches(app),
        *_sources(app, now),
    ]
    table = Table(title="trust-monitor check")
    for column in ("what", "", "detail"):
        table.add_column(column)
    for finding in findings:
        mark = "[green]ok[/green]" if finding.ok else "[red]FAILED[/red]"
        table.add_row(finding.what, mark, finding.detail)
    console.print(table)
    _who_gets_what(app, console, now)
    return all(finding.ok for finding in findings)


def _who_gets_what(app: App, console: Console, now: datetime) -> None:
    config, book = app.config, app.assessor.book
    day = now.astimezone(config.timezone).date()
    console.print(roster(config.people, config.watchlist, book.ladder, day=day))
    for sentence in absences(config.people, day=day):
        console.print(escape(sentence))


def _try(what: str, attempt: Callable[[], str]) -> Finding:
    try:
        return Finding(what, ok=True, detail=attempt())
    except SourceRejected as error:
        detail = f"{error}. A person must change something"
        return Finding(what, ok=False, detail=detail, rejected=True)
    except (MonitorError, SourceError) as error:
        return Finding(what, ok=False, detail=str(error))
    except exc.SQLAlchemyError as error:
        return Finding(what, ok=False, detail=f"{type(error).__name__}: check URL and permissions")
    except Exception as error:  # noqa: BLE001 - the table must show every row
        return Finding(what, ok=False, detail=describe(error))


def _summary(app: App) -> str:
    config = app.config
    held = {role for person in config.people for role in person.roles}
    roles = [role.value for role in Role if role in held]
    return (
        f"{len(config.watchlist.schools)} schools, {len(config.people)} people "
        f"({', '.join(roles)}), {len(config.sources)} sources"
    )


def _database(app: App) -> str:
    current, newest = revisions(app.database)
    if current is None:
        return f"{app.database.dialect.name}: empty, `run` will set it up"
    if current != newest:
        return f"{app.database.dialect.name}: at {current}, `run` will upgrade it to {newest}"
    return f"{app.database.dialect.name}: up to date ({current})"


def _classifier(app: App) -> str:
    classifier = app.assessor.classifier
    classifier.warm()
    classifier.classify(["The school fair is on Saturday."])
    return f"{classifier.model} {classifier.version}"


def _channels(app: App) -> Iterator[Finding]:
    """The other channels: who reads each, and whether Apprise understands where it leads."""
    gateways = build_gateways(app.config)
    for each in app.config.channels:
        readers = ", ".join(each.channel.people)
        found = _try(f"channel {each.channel.id}", partial(gateways.check, each.channel.id))
        yield replace(found, detail=f"for {readers}: {found.detail}")


def _searches(app: App) -> Iterator[Finding]:
    """What connectors that search look for, and which schools can't be searched for."""
    if not any(getattr(load(source.kind), "searches", False) for source in app.config.sources):
        return
    senses, watchlist = load_senses(), app.config.watchlist
    count, missing = len(search_terms(watchlist, senses)), unsearched(watchlist, senses)
    detail = f"{count} names and hashtags of organisations, never a person's"
    if missing:
        detail += f"; too common to be searched for, give their town: {', '.join(missing)}"
    yield Finding("searches", ok=True, detail=detail)


def _sources(app: App, now: datetime) -> Iterator[Finding]:
    kinds = {source.id: source.kind for source in app.config.sources}

    def attempt(source: str) -> Finding:
        found = _try(f"source {source}", lambda: _source(app, source, now))
        missing = apply_for(kinds[source]) if found.rejected else None
        return replace(found, detail=f"{found.detail}. {missing}") if missing else found

    with ThreadPoolExecutor(max_workers=16) as pool:
        yield from pool.map(attempt, app.collector.sources)


def _source(app: App, source: str, now: datetime) -> str:
    batch = next(iter(app.collector.sources[source].connector.poll({}, now=now)), None)
    if batch is None:
        return "reachable, nothing to read"
    matched = sum(map(bool, app.collector.matcher.match_many(batch.posts)))
    unread = f", {batch.skipped} unreadable" if batch.skipped else ""
    return f"{len(batch.posts)} posts, {matched} about your schools{unread}"
