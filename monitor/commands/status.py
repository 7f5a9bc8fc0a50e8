"""`trust-monitor status`: is it well, what is wrong first, and what to do. One screen, for whoever was
woken. It asks the running program where it can, and the database where it can't."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any

import httpx2
import sqlalchemy as sa
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from monitor import app, lock
from monitor.config import Config
from monitor.domain import SourceHealth
from monitor.domain.health import Queues
from monitor.errors import MonitorError, StorageFault, Trouble
from monitor.health import told
from monitor.health.machine import disks
from monitor.health.page import LOOPBACK
from monitor.health.service import folders_of, rules_of
from monitor.policy import health
from monitor.policy.health import Facts, duration, size
from monitor.store.migrate import require_current
from monitor.store.store import SqlStore

ASK_S = 5.0


def status(config: Config, console: Console, *, as_json: bool, now: datetime) -> bool:
    """Print how it is; True when nobody has to see to anything. `now` is in UTC."""
    document = _ask(config) or _look(config, now)
    if as_json:
        text = json.dumps(document, indent=2, ensure_ascii=False)
        console.print(text, markup=False, highlight=False, soft_wrap=True)
    else:
        _show(config, document, console, now)
    return bool(document["status"] != "failing")


def _ask(config: Config) -> dict[str, Any] | None:
    """What the running program says; None when it can't be asked, or the port is another one's."""
    if config.health is None or not lock.is_held(config.state_dir):
        return None
    url = f"http://{LOOPBACK}:{config.health.port}/healthz"
    try:
        with httpx2.Client(timeout=ASK_S, trust_env=False) as client:
            document = client.get(url).json()
    except (httpx2.HTTPError, ValueError):
        return None
    ours = isinstance(document, dict) and document.get("state_dir") == _state_dir(config)
    return document if ours else None


def _look(config: Config, now: datetime) -> dict[str, Any]:
    """The same from the lock, the database and the disk."""
    queues: Queues | None = None
    sources: tuple[SourceHealth, ...] = ()
    fault: StorageFault | None = None
    runs = lock.is_held(config.state_dir)
    try:
        queues, sources = _read(config, now)
    except StorageFault as error:
        fault = error
    except MonitorError as error:
        fault = StorageFault(Trouble.UNREACHABLE, str(error))
    facts = Facts(
        now=now,
        runs=runs,
        program=None,
        queues=queues,
        sources=sources,
        disks=disks(folders_of(config)),
        fault=fault,
    )
    return told.document(
        facts,
        health.judge(facts, rules_of(config)),
        state_dir=_state_dir(config),
        version=metadata.version("trust-monitor"),
    )


def _read(config: Config, now: datetime) -> tuple[Queues, tuple[SourceHealth, ...]]:
    url = sa.make_url(config.database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise MonitorError(
            f"There is no database at {url.database} yet (never started). Start the monitor once."
        )
    engine = app.database(config)
    try:
        require_current(engine)
        with SqlStore(engine).read() as rows:
            return rows.health.queues(now=now), rows.sources.health()
    finally:
        engine.dispose()


def _state_dir(config: Config) -> str:
    return str(config.state_dir.resolve())


def _show(config: Config, document: Mapping[str, Any], console: Console, now: datetime) -> None:
    local = now.astimezone(config.timezone)
    console.print(
        f"Trust Monitor, {escape(config.watchlist.trust.name)}  "
        f"[dim]{local:%a} {local.day} {local:%b %H:%M}[/dim]\n",
        highlight=False,
    )
    grave = [problem for problem in document["problems"] if problem["grave"]]
    others = [problem for problem in document["problems"] if not problem["grave"]]
    console.print(_verdict(len(grave)), highlight=False)
    for problem in grave:
        console.print(_told(problem, "red"))
    if others:
        console.print("\n[bold]Worth knowing[/bold]")
        for problem in others:
            console.print(_told(problem, "yellow"))
    figures = Table.grid(padding=(0, 2))
    for name, words in _figures(document, config, now):
        figures.add_row(f"[dim]{name}[/dim]", escape(words))
    console.print()
    console.print(figures)


def _verdict(grave: int) -> str:
    if not grave:
        return "[bold green]WELL[/bold green]: nothing needs anybody now."
    things = "one thing needs" if grave == 1 else f"{grave} things need"
    return f"[bold red]NOT WELL[/bold red]: {things} somebody now."


def _told(problem: Mapping[str, Any], colour: str) -> Table:
    """A problem as a bullet; its remedy beneath, indented."""
    row = Table.grid(padding=(0, 1))
    row.add_row(f"[{colour}]*[/{colour}]", escape(problem["says"]))
    row.add_row("", f"[bold]Do:[/bold] {escape(problem['do'])}")
    return row


def _figures(
    document: Mapping[str, Any], config: Config, now: datetime
) -> Iterator[tuple[str, str]]:
    def at(text: str) -> str:
        local = datetime.fromisoformat(text).astimezone(config.timezone)
        day = "" if local.date() == now.astimezone(config.timezone).date() else f"{local:%a} "
        return f"{day}{local:%H:%M}"

    yield from _program(document, now, at)
    queues = document["queues"]
    if queues:
        yield "waiting", ", ".join(_waiting(queues, now))
        yield "24 hours", _ended(queues)
        yield "not by itself", _suppressed(queues["suppressed"])
    sources = document["sources"]
    if sources:
        yield "sources", _answering(sources, now)
    for path, free in document["disks"].items():
        yield "disk", f"{size(free)} free at {path}"


def _program(
    document: Mapping[str, Any], now: datetime, at: Callable[[str], str]
) -> Iterator[tuple[str, str]]:
    program = document["program"]
    if program is None:
        return
    since = at((now - timedelta(seconds=program["up_s"])).isoformat())
    yield "running", f"since {since} ({duration(program['up_s'])}), version {document['version']}"
    canary, heartbeat = program["canary"], program["heartbeat"]
    yield "canary", _canary(canary, at) if canary else "none configured"
    if heartbeat is None:
        yield "heartbeat", "none configured"
    elif heartbeat["told_at"]:
        yield "heartbeat", f"told that all is well {at(heartbeat['told_at'])}"
    else:
        yield "heartbeat", "not told yet since the start: it waits for a canary"


def _canary(canary: Mapping[str, Any], at: Callable[[str], str]) -> str:
    if canary["passed_at"] is None:
        return "none has arrived yet"
    took = f", {canary['took_s']:.1f} s from feed to mail server" if canary["took_s"] else ""
    return f"last arrived {at(canary['passed_at'])}{took}"


def _waiting(queues: Mapping[str, Any], now: datetime) -> Iterator[str]:
    for key, one, many in (
        ("urgent", "urgent alert", "urgent alerts"),
        ("digests", "digest", "digests"),
        ("unread", "post to assess", "posts to assess"),
        ("held", "alert for one letter", "alerts for one letter"),
    ):
        queue = queues[key]
        number = queue["waiting"]
        if not number:
            yield f"no {many}"
            continue
        age = now - datetime.fromisoformat(queue["oldest_at"])
        yield f"{number} {one if number == 1 else many} (oldest {duration(age.total_seconds())})"


def _ended(queues: Mapping[str, Any]) -> str:
    sent, dead = queues["sent_24h"], queues["dead_24h"]
    counted = ((sent.get("alert", 0), "alert"), (sent.get("digest", 0), "digest"))
    mail = " and ".join(f"{number} {one}{'' if number == 1 else 's'}" for number, one in counted)
    other = sent.get("other", 0)
    said = f", {other} by other channels" if other else ""
    return f"{mail}{said} accepted; {sum(dead.values())} given up"


def _suppressed(suppressed: Mapping[str, int]) -> str:
    """Since the beginning: `trust-monitor deliveries` has each with its reason."""
    told = [f"{number} {kind}" for kind, number in sorted(suppressed.items())]
    return f"{', '.join(told)} so far (trust-monitor deliveries)" if told else "nothing held back"


def _answering(sources: Mapping[str, Any], now: datetime) -> str:
    seen = [
        source["last_success_at"] is not None
        and now - datetime.fromisoformat(source["last_success_at"])
        <= timedelta(seconds=3 * source["interval_s"])
        for source in sources.values()
    ]
    return f"{sum(seen)} of {len(seen)} answering (trust-monitor sources)"
