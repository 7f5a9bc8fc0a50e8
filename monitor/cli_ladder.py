"""`trust-monitor ladder`: is a ladder fit to climb, and what does it look like?"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli_options import DEFAULT_CONFIG, ConfigPath, Json, told

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.policy.ladder import Ladder

ladder = typer.Typer(help="Look at the escalation ladder, and check it.", no_args_is_help=True)

Which = Annotated[
    str, typer.Argument(help="A profile's name or your own file; the configured one by default.")
]


@ladder.command("check")
@told
def ladder_check(
    which: Which = "", config: ConfigPath = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """Find rungs that nobody reaches, drafts missing or too long, and steps against criticism."""
    from rich.console import Console

    from monitor.commands import ladder as command

    configured = _configured(config)
    checked = command.check(_chosen(which, configured), configured, today=datetime.now(UTC).date())
    raise typer.Exit(command.print_checked(checked, Console(), json=as_json))


@ladder.command("show")
@told
def ladder_show(
    which: Which = "",
    config: ConfigPath = DEFAULT_CONFIG,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="As Markdown with a Mermaid chart.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Draw a ladder: rungs, who acts and approves, deadlines, drafts, gates and the ways on."""
    from json import dumps

    from rich.console import Console

    from monitor.commands import ladder_drawing as drawing

    chosen = _chosen(which, None if which else _configured(config))
    if markdown:
        typer.echo(drawing.markdown(chosen), nl=False)
    elif as_json:
        typer.echo(dumps(drawing.as_data(chosen), ensure_ascii=False))
    else:
        drawing.draw(chosen, Console())


def _configured(path: Path) -> Config | None:
    from monitor.config_file import load_config

    return load_config(path) if path.exists() or path != DEFAULT_CONFIG else None


def _chosen(which: str, config: Config | None) -> Ladder:
    from monitor import ladders
    from monitor.commands.ladder import named

    if which:
        return named(which)
    if config is None:
        return ladders.load("base")
    return ladders.configured(config.ladder.profile, config.ladder.file)
