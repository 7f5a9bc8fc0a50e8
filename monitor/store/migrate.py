"""Bringing the schema up to date, and refusing to work on one that isn't, in sentences."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.util.exc import CommandError

from monitor.errors import MonitorError
from monitor.store.database import downgrade, revisions, upgrade


def migrate(engine: sa.Engine) -> None:
    """Bring the schema up to date, in one transaction. Raises StorageFault when the database can't
    be used, MonitorError when it is newer than this program or a migration fails: then it is as it
    was before."""
    try:
        upgrade(engine)
    except MonitorError:
        raise
    except CommandError as error:
        raise _unknown(engine) from error
    except Exception as error:
        current, newest = revisions(engine)
        raise MonitorError(
            f"database {shown(engine)}: the upgrade from revision {current} to {newest} failed "
            f"({type(error).__name__}), and nothing was changed. Install the program that it worked "
            "with, and report this."
        ) from error


def take_back(engine: sa.Engine, revision: str) -> None:
    """Take the schema back to an older `revision`, for the program of that time; what only newer
    tables and columns hold is lost. Raises StorageFault, and MonitorError for an unknown one."""
    try:
        downgrade(engine, revision)
    except CommandError as error:
        raise MonitorError(
            f"{revision}: no revision that this program knows is older than the database's "
            f"({revisions(engine)[0]}). `trust-monitor db verify` names the present one."
        ) from error


def require_current(engine: sa.Engine) -> None:
    """Refuse to work on a database that `db upgrade` (or the first `run`) has not seen to. Raises
    MonitorError: a command must not migrate under a running daemon's feet."""
    current, newest = revisions(engine)
    if current != newest:
        raise MonitorError(
            f"database {shown(engine)}: at revision {current or 'none'}, this program needs {newest}. "
            "Run `trust-monitor db upgrade`, or start the monitor once."
        )


def shown(engine: sa.Engine) -> str:
    """The database as it may be named to a person: without its password."""
    return engine.url.render_as_string()


def _unknown(engine: sa.Engine) -> MonitorError:
    current, newest = revisions(engine)
    return MonitorError(
        f"database {shown(engine)}: at revision {current}, this program knows {newest}. Install the "
        "newer program, or restore the older backup (`trust-monitor db restore FILE`)."
    )
