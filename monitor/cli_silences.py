"""`trust-monitor silences`: let alerts wait for the digest, for a time and with a reason."""

from __future__ import annotations

from typing import Annotated

import typer

from monitor.cli_options import DEFAULT_CONFIG, ConfigPath, Json, Who, told

silences = typer.Typer(
    help="Let alerts wait for the digest, for a time and with a reason.", no_args_is_help=True
)


@silences.command("add")
@told
def silences_add(
    scope: Annotated[str, typer.Argument(help="concern, source or organisation.")],
    target: Annotated[str, typer.Argument(help="The case number, or the source's or school's id.")],
    who: Who,
    why: Annotated[str, typer.Option("--why", help="The reason; it stands beside each alert.")],
    until: Annotated[
        str, typer.Option("--until", help='Local time, "2026-03-10 17:00", or "4h", "30m", "2d".')
    ],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Silence one case, one source (a week at most) or one school (a day at most). Never silenced: a
    child at risk, a named child, a threat."""
    from monitor.commands import silences as command
    from monitor.commands.concerns import open_office

    asked = command.Asked(scope=scope, target=target, who=who, why=why, until=until)
    command.add(open_office(config), asked, as_json=as_json)


@silences.command("list")
@told
def silences_list(
    config: ConfigPath = DEFAULT_CONFIG,
    everything: Annotated[bool, typer.Option("--all", help="Those that are over too.")] = False,
    as_json: Json = False,
) -> None:
    """Show the silences that stand, who asked for them and why, and how much each held back."""
    from monitor.commands import silences as command
    from monitor.commands.concerns import open_office

    command.show(open_office(config), everything=everything, as_json=as_json)


@silences.command("end")
@told
def silences_end(
    number: Annotated[
        int, typer.Argument(help="The silence's number, as `silences list` shows it.")
    ],
    who: Who,
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """End a silence before its time. What it held back and nobody has taken is alerted soon."""
    from monitor.commands import silences as command
    from monitor.commands.concerns import open_office

    command.end(open_office(config), number, who=who)
