"""What every command takes, and how its errors come out."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, ParamSpec

import typer

from monitor.errors import EX_CONFIG, ConfigError, MonitorError

P = ParamSpec("P")

ConfigPath = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="TRUST_MONITOR_CONFIG", help="The configuration file."),
]
Who = Annotated[str, typer.Option("--who", help="Your id in the configuration's list of people.")]
Case = Annotated[str, typer.Argument(help="The case number, such as 2026-0042.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of words.")]
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
