"""`trust-monitor deliveries`: the post book."""

from __future__ import annotations

from typing import Annotated

import typer

from monitor.cli_options import DEFAULT_CONFIG, ConfigPath, Json, told


@told
def deliveries(
    config: ConfigPath = DEFAULT_CONFIG,
    case: Annotated[str, typer.Option("--case", help="One case's alone, such as 2026-0042.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="All there ever was.")] = False,
    addresses: Annotated[
        bool, typer.Option("--addresses", help="Show mail addresses beside people's ids.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show what was sent, what waits and why, what was given up, and what was not sent by itself."""
    from monitor.commands import deliveries as command
    from monitor.commands.concerns import open_office

    asked = command.Asked(
        case=case or None, everything=everything, addresses=addresses, as_json=as_json
    )
    command.show(open_office(config), asked)
