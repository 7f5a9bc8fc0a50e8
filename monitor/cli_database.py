"""`trust-monitor db`: looking after the database."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli_options import DEFAULT_CONFIG, ConfigPath, told

if TYPE_CHECKING:
    from monitor.commands.database import Keeper

database = typer.Typer(help="Look after the database.", no_args_is_help=True)

Out = Annotated[
    Path | None,
    typer.Option(
        "--out", help="A new file, or a folder. Default: backups/ in the state directory."
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Don't ask.")]


@database.command("upgrade")
@told
def upgrade(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Bring the database's tables up to date."""
    _keeper(config).upgrade()


@database.command("downgrade")
@told
def downgrade(
    revision: Annotated[str, typer.Argument(help="The revision that the older program knows.")],
    config: ConfigPath = DEFAULT_CONFIG,
    out: Out = None,
) -> None:
    """Take the tables back for an older program, after a backup. Stop the monitor first."""
    _keeper(config).downgrade(revision, backup=out)


@database.command("backup")
@told
def backup(config: ConfigPath = DEFAULT_CONFIG, out: Out = None) -> None:
    """Copy the database into one file, also while the monitor runs, and check the copy."""
    _keeper(config).backup(out)


@database.command("verify")
@told
def verify(
    file: Annotated[
        Path | None, typer.Argument(help="A backup. Without it: the database itself.")
    ] = None,
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Read a backup, or the database itself, from end to end."""
    _keeper(config).verify(file)


@database.command("restore")
@told
def restore(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    config: ConfigPath = DEFAULT_CONFIG,
    yes: Yes = False,
) -> None:
    """Put a backup in the database's place, and keep what was there. Stop the monitor first."""
    keeper = _keeper(config)
    if not yes:
        typer.confirm(f"Replace the database by {file}?", abort=True)
    keeper.restore(file)


def _keeper(path: Path) -> Keeper:
    from monitor.commands.database import Keeper
    from monitor.config_file import load_config

    return Keeper.of(load_config(path), typer.echo, now=datetime.now(UTC))
