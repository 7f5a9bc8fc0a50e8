"""Bringing the schema up to date, and refusing to work on one that isn't, in sentences."""

from __future__ import annotations

import sqlalchemy as sa

from monitor.errors import MonitorError
from monitor.store.database import revisions, upgrade


def migrate(engine: sa.Engine) -> None:
    """Bring the schema up to date. Raises MonitorError when the database can't be reached, or is
    newer than this program."""
    try:
        upgrade(engine)
    except sa.exc.SQLAlchemyError as error:
        raise MonitorError(
            f"database {engine.url.render_as_string()}: {type(error).__name__}: can't be opened. "
            "Check that it exists, is reachable, and that this account may write to it."
        ) from error
    except Exception as error:
        current, newest = revisions(engine)
        raise MonitorError(
            f"database {engine.url.render_as_string()}: at revision {current}, this program knows "
            f"{newest}. Install the newer program, or restore the older backup."
        ) from error


def require_current(engine: sa.Engine) -> None:
    """Refuse to work on a database that `db upgrade` (or the first `run`) has not seen to. Raises
    MonitorError: a command must not migrate under a running daemon's feet."""
    shown = engine.url.render_as_string()
    try:
        current, newest = revisions(engine)
    except sa.exc.SQLAlchemyError as error:
        raise MonitorError(
            f"database {shown}: can't be opened ({type(error).__name__}). Check that it exists and "
            "that this account may read and write it."
        ) from error
    if current != newest:
        raise MonitorError(
            f"database {shown}: at revision {current or 'none'}, this program needs {newest}. "
            "Run `trust-monitor db upgrade`, or start the monitor once."
        )
