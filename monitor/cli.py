"""The command line. Each command imports what it needs when it runs; errors come out as sentences."""

from __future__ import annotations

import logging
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli_concerns import concerns
from monitor.cli_database import database
from monitor.cli_deliveries import deliveries
from monitor.cli_ladder import ladder
from monitor.cli_models import models
from monitor.cli_options import DEFAULT_CONFIG, ConfigPath, Json, told
from monitor.cli_silences import silences
from monitor.errors import MonitorError

if TYPE_CHECKING:
    from monitor.commands.report import Period
    from monitor.commands.triage import Bench
    from monitor.daemon import App
    from monitor.policy.matching.organisations import Watchlist

cli = typer.Typer(
    name="trust-monitor",
    help="Knows what is said in public about a school trust, in time to act well.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
report = typer.Typer(
    help="Figures for senior leaders and governors, without personal data.", no_args_is_help=True
)
cli.add_typer(concerns, name="concerns")
cli.command("deliveries")(deliveries)
cli.add_typer(report, name="report")
cli.add_typer(ladder, name="ladder")
cli.add_typer(silences, name="silences")
cli.add_typer(models, name="models")
cli.add_typer(database, name="db")

WatchlistPath = Annotated[
    Path | None, typer.Option("--watchlist", help="A watchlist file (TOML or JSON).")
]
Jsonl = Annotated[bool, typer.Option("--jsonl", help="Read JSON lines from standard input.")]
ReportFolder = Annotated[Path, typer.Option("--out", help="The folder to write into.")]
Pdf = Annotated[bool, typer.Option("--pdf", help="As a PDF too.")]


def _app(path: Path, before: App | None = None) -> App:
    from monitor.app import build
    from monitor.config_file import load_config
    from monitor.logs import configure

    config = load_config(path)
    built = build(config, before=before)
    configure(config.logging.format, config.logging.level)
    return built


@cli.command()
@told
def run(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Run the monitor until SIGTERM or Ctrl-C. SIGHUP reads the configuration and watchlist anew."""
    from monitor.life import Life, Wish

    life = Life(lambda before: _app(config, before))
    for number, wish in (
        (signal.SIGTERM, Wish.STOP),
        (signal.SIGINT, Wish.STOP),
        (signal.SIGHUP, Wish.RELOAD),
    ):
        signal.signal(number, lambda *_, wish=wish: life.wish(wish))
    finished = life.run()
    logging.shutdown()
    sys.stdout.flush()
    # Whatever still hangs, in a library's own thread perhaps, must not keep the process alive.
    os._exit(0 if finished else 1)


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
def status(config: ConfigPath = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Say how it is, what is wrong first, and what to do. Ends with 1 when somebody is needed."""
    from rich.console import Console

    from monitor.commands.status import status as show_status
    from monitor.config_file import load_config

    well = show_status(load_config(config), Console(), as_json=as_json, now=datetime.now(UTC))
    if not well:
        raise typer.Exit(1)


@cli.command()
@told
def sources(
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: Json = False,
    again: Annotated[
        str, typer.Option("--again", help="Poll this source soon: what it lacked has been mended.")
    ] = "",
) -> None:
    """Show how each source stands, and when it was seen in the last seven days."""
    from rich.console import Console

    from monitor import app
    from monitor import sources as configured
    from monitor.commands.sources import Board
    from monitor.config_file import load_config
    from monitor.store.migrate import require_current
    from monitor.store.store import SqlStore

    settings = load_config(config)
    engine = app.database(settings)
    require_current(engine)
    board = Board(
        store=SqlStore(engine),
        polls=configured.load_rules().polls,
        apply_for={source.kind: configured.apply_for(source.kind) for source in settings.sources},
        timezone=settings.timezone,
    )
    if again:
        board.again(again)
    board.show(Console(), as_json=as_json, now=datetime.now(UTC))


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
        Path | None,
        typer.Option("--jsonl", help="Labelled posts, a JSON object a line (text, severity)."),
    ] = None,
    show: Annotated[
        bool, typer.Option("--show", help="Print the words of the worst misses.")
    ] = False,
    from_log: Annotated[
        bool, typer.Option("--from-log", help="Count what people made of the log's alarms.")
    ] = False,
    export: Annotated[
        Path | None,
        typer.Option("--export", help="With --from-log: write closed concerns as labelled posts."),
    ] = None,
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Measure the classifier and the rules, on labelled posts or on what the log says of them."""
    from rich.console import Console

    from monitor.commands.evaluate import evaluate as evaluate_posts

    if from_log:
        _evaluate_log(config, export)
        return
    if jsonl is None or not jsonl.is_file():
        raise MonitorError(
            f"{jsonl} is not a file: give the labelled posts, a line each."
            if jsonl
            else "Give --jsonl FILE with labelled posts, or --from-log."
        )
    with jsonl.open(encoding="utf-8") as lines:
        evaluate_posts(_bench(None, config, assume_mention=True), lines, Console(), show=show)


def _evaluate_log(config: Path, export: Path | None) -> None:
    from monitor.commands.concerns import open_office
    from monitor.commands.evaluate_log import evaluate_log

    if export is not None and export.exists():
        raise MonitorError(f"{export} exists already: name another file, or move it away first.")
    office = open_office(config)
    evaluate_log(office.store, export, office.console)


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


@cli.command()
@told
def lint(
    text: Annotated[str, typer.Argument(help="The reply's words.")],
    private: Annotated[
        bool, typer.Option("--private", help="A private reply: no limit of 300 characters.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Say what must be mended in a reply before anybody sends it, and which clause says so."""
    from rich.console import Console

    from monitor.commands.lint import lint as lint_draft
    from monitor.config_file import load_config

    known = config != DEFAULT_CONFIG or config.exists()
    configured = load_config(config) if known else None
    raise typer.Exit(
        lint_draft(configured, text, public=not private, json=as_json, console=Console())
    )


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


@report.command("week")
@told
def report_week(
    config: ConfigPath = DEFAULT_CONFIG,
    before: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The last whole week before this day."),
    ] = None,
    out: ReportFolder = Path(),
    pdf: Pdf = False,
) -> None:
    """Report on the last whole week, Monday to Sunday."""
    from monitor.commands.report import week_before

    day = before.date() if before else datetime.now(UTC).date()
    _report(config, week_before(day), out, pdf)


@report.command("term")
@told
def report_term(  # noqa: PLR0917 - options are keywords on the command line
    name: Annotated[str, typer.Argument(help='What it is called, such as "Autumn term 2026".')],
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")],
    last: Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="Last day.")],
    config: ConfigPath = DEFAULT_CONFIG,
    out: ReportFolder = Path(),
    pdf: Pdf = False,
) -> None:
    """Report on a term, or any stretch of days."""
    from monitor.commands.report import term

    _report(config, term(name, first.date(), last.date()), out, pdf)


def _report(path: Path, period: Period, out: Path, pdf: bool) -> None:  # noqa: FBT001 - an option
    from monitor import app
    from monitor.commands.report import Reporter
    from monitor.config_file import load_config
    from monitor.store.migrate import require_current
    from monitor.store.store import SqlStore

    config = load_config(path)
    engine = app.database(config)
    require_current(engine)
    reporter = Reporter(
        store=SqlStore(engine), watchlist=config.watchlist, timezone=config.timezone
    )
    for written in reporter.write(period, out, pdf=pdf, now=datetime.now(UTC)):
        typer.echo(f"{written} written")


def main() -> None:
    """The `trust-monitor` program."""
    cli()


if __name__ == "__main__":
    main()
