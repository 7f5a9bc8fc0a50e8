"""The command line. Each command imports what it needs when it runs; errors come out as sentences."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ParamSpec

import typer

from monitor.errors import EX_CONFIG, ConfigError, MonitorError

if TYPE_CHECKING:
    from monitor.commands.concerns import Desk
    from monitor.commands.triage import Bench
    from monitor.daemon import App
    from monitor.policy.organisations import Watchlist

P = ParamSpec("P")

cli = typer.Typer(
    name="trust-monitor",
    help="Knows what is said in public about a school trust, in time to act well.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
concerns = typer.Typer(help="Work on the concern log.", no_args_is_help=True)
database = typer.Typer(help="Look after the database.", no_args_is_help=True)
cli.add_typer(concerns, name="concerns")
cli.add_typer(database, name="db")

ConfigPath = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="TRUST_MONITOR_CONFIG", help="The configuration file."),
]
WatchlistPath = Annotated[
    Path | None, typer.Option("--watchlist", help="A watchlist file (TOML or JSON).")
]
Jsonl = Annotated[bool, typer.Option("--jsonl", help="Read JSON lines from standard input.")]
Who = Annotated[str, typer.Option("--who", help="Your id in the configuration's [[people]].")]
Case = Annotated[str, typer.Argument(help="The case number, such as 2026-0042.")]
DEFAULT_CONFIG = Path("config.toml")


def told(command: Callable[P, None]) -> Callable[P, None]:
    """Turn our errors into sentences on standard error and an exit status: 78 for a refused
    configuration, 1 for anything else that a person has to see to."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except ConfigError as error:
            count = len(error.faults)
            typer.echo(f"The configuration has {count} fault{'s' * (count > 1)}:", err=True)
            for fault in error.faults:
                typer.echo(f"  - {fault}", err=True)
            raise typer.Exit(EX_CONFIG) from error
        except MonitorError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from error

    return wrapped


def _app(path: Path) -> App:
    from monitor.app import build
    from monitor.config_file import load_config
    from monitor.logs import configure

    config = load_config(path)
    configure(config.logging.format, config.logging.level)
    return build(config)


@cli.command()
@told
def run(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Run the monitor until SIGTERM or Ctrl-C."""
    app = _app(config)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    if not app.run(stopping):
        raise typer.Exit(1)


@cli.command()
@told
def check(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Validate the configuration, then try the database, mail server and each source."""
    from rich.console import Console

    from monitor.commands.check import check as check_all

    if not check_all(_app(config), Console(), now=datetime.now(UTC)):
        raise typer.Exit(1)


@cli.command()
@told
def demo(
    for_: Annotated[str, typer.Option("--for", help='Stop after this long, such as "60s".')] = "",
    state: Annotated[Path, typer.Option(help="Where the demo keeps its files.")] = Path(
        "demo-state"
    ),
    pace: Annotated[float, typer.Option(help="Below 1: the posts come faster.", min=0.05)] = 1.0,
) -> None:
    """Watch a made-up trust for a minute: feeds, alerts and a digest on this machine alone."""
    from monitor.demo.run import run_demo

    raise typer.Exit(run_demo(state=state, for_s=_seconds(for_) if for_ else None, pace=pace))


def _seconds(text: str) -> float:
    units = {"s": 1.0, "m": 60.0, "h": 3600.0}
    number, unit = (text[:-1], text[-1]) if text[-1] in units else (text, "s")
    try:
        return float(number) * units[unit]
    except ValueError as error:
        raise MonitorError(f'--for {text}: write a number and s, m or h, such as "60s".') from error


@cli.command()
@told
def match(
    watchlist: WatchlistPath = None,
    config: ConfigPath = DEFAULT_CONFIG,
    jsonl: Jsonl = True,
) -> None:
    """Say which posts are about which of your schools, and why: try a watchlist before it goes live."""
    from monitor.app import build_matcher
    from monitor.commands.match import match_lines

    del jsonl  # JSON lines are the only form so far; the flag says so
    raise typer.Exit(
        match_lines(build_matcher(_watchlist(watchlist, config)), sys.stdin, sys.stdout)
    )


def _watchlist(path: Path | None, config: Path) -> Watchlist:
    from monitor.config_file import load_config
    from monitor.watchlist_file import load_watchlist

    return load_watchlist(path) if path else load_config(config).watchlist


AssumeMention = Annotated[
    bool, typer.Option("--assume-mention", help="Skip matching; needs no watchlist.")
]


@cli.command()
@told
def triage(
    watchlist: WatchlistPath = None,
    config: ConfigPath = DEFAULT_CONFIG,
    assume_mention: AssumeMention = False,
    jsonl: Jsonl = True,
) -> None:
    """Judge posts from standard input: labels, severity, rung and suggested reply, a line each."""
    from monitor.commands.triage import triage_lines

    del jsonl
    bench = _bench(watchlist, config, assume_mention=assume_mention)
    raise typer.Exit(triage_lines(bench, sys.stdin, sys.stdout))


@cli.command()
@told
def evaluate(
    jsonl: Annotated[
        Path, typer.Option("--jsonl", help="Labelled posts, a JSON object a line (text, severity).")
    ],
    show: Annotated[
        bool, typer.Option("--show", help="Print the words of the worst misses.")
    ] = False,
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Measure the classifier and the rules on posts that a person has labelled."""
    from rich.console import Console

    from monitor.commands.evaluate import evaluate as evaluate_posts

    if not jsonl.is_file():
        raise MonitorError(f"{jsonl} is not a file: give the labelled posts, a line each.")
    with jsonl.open(encoding="utf-8") as lines:
        evaluate_posts(_bench(None, config, assume_mention=True), lines, Console(), show=show)


@cli.command()
@told
def explain(
    text: Annotated[str, typer.Argument(help="The post's words.")],
    watchlist: WatchlistPath = None,
    config: ConfigPath = DEFAULT_CONFIG,
    assume_mention: AssumeMention = False,
) -> None:
    """Judge one post and say why, for a person to read."""
    from rich.console import Console

    from monitor.commands.explain import explain as explain_post

    if watchlist is None and not config.exists():
        assume_mention = True
    explain_post(_bench(watchlist, config, assume_mention=assume_mention), text, Console())


def _bench(watchlist: Path | None, config: Path, *, assume_mention: bool) -> Bench:
    from monitor.commands.bench import build_bench

    return build_bench(watchlist, config, assume_mention=assume_mention)


@cli.command()
@told
def init(
    gias: Annotated[
        Path, typer.Option("--gias", help="The schools register, as downloaded (CSV).")
    ],
    trust: Annotated[str, typer.Option("--trust", help="The trust's name in the register.")],
    out: Annotated[Path | None, typer.Option(help="Write here instead of printing.")] = None,
) -> None:
    """Write a first watchlist from the Department for Education's schools register."""
    from monitor.gias import watchlist_from_gias

    written = watchlist_from_gias(gias, trust)
    if out is None:
        typer.echo(written)
        return
    if out.exists():
        raise MonitorError(f"{out} exists already: name another file, or move it away first.")
    out.write_text(written, encoding="utf-8")
    typer.echo(
        f"{out} written. Read it through, then try it: trust-monitor match --watchlist {out}"
    )


def _desk(path: Path) -> Desk:
    from rich.console import Console

    from monitor import app
    from monitor.commands.concerns import Desk
    from monitor.config_file import load_config
    from monitor.store.migrate import require_current
    from monitor.store.store import SqlStore

    config = load_config(path)
    engine = app.database(config)
    require_current(engine)
    return Desk(SqlStore(engine), config.people, config.timezone, Console())


@concerns.command("list")
@told
def concerns_list(
    config: ConfigPath = DEFAULT_CONFIG,
    everything: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
) -> None:
    """List the concerns that are not closed."""
    from monitor.domain import ConcernState

    states = [s for s in ConcernState if everything or s is not ConcernState.CLOSED]
    _desk(config).list(states)


@concerns.command("show")
@told
def concerns_show(
    case: Case,
    config: ConfigPath = DEFAULT_CONFIG,
    who: Annotated[str | None, typer.Option("--who", help="Your id in [[people]].")] = None,
) -> None:
    """Show one concern: posts, reasons, suggested reply, history."""
    _desk(config).show(case, who, now=datetime.now(UTC))


@concerns.command("ack")
@told
def concerns_ack(
    case: Case, who: Who, config: ConfigPath = DEFAULT_CONFIG, why: str = "seen"
) -> None:
    """Say that you have it in hand."""
    from monitor.domain import ConcernState

    _desk(config).move(case, ConcernState.ACKNOWLEDGED, who, why, now=datetime.now(UTC))


@concerns.command("note")
@told
def concerns_note(case: Case, text: str, who: Who, config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Add a note to a concern's history."""
    _desk(config).note(case, who, text, now=datetime.now(UTC))


@concerns.command("close")
@told
def concerns_close(
    case: Case,
    who: Who,
    why: Annotated[str, typer.Option("--why", help="How it ended.")],
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Close a concern, with the reason."""
    from monitor.domain import ConcernState

    _desk(config).move(case, ConcernState.CLOSED, who, why, now=datetime.now(UTC))


@database.command("upgrade")
@told
def db_upgrade(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Bring the database's tables up to date."""
    from monitor import app
    from monitor.config_file import load_config
    from monitor.store.database import revisions
    from monitor.store.migrate import migrate

    engine = app.database(load_config(config))
    migrate(engine)
    typer.echo(f"{engine.dialect.name}: at revision {revisions(engine)[0]}")


def main() -> None:
    """The `trust-monitor` program."""
    cli()


if __name__ == "__main__":
    main()
