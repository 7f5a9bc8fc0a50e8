"""What a driver's error means: the disk is full, the file is damaged, somebody holds the lock.

SQLite names its errors (https://www.sqlite.org/rescode.html), PostgreSQL numbers them
(https://www.postgresql.org/docs/current/errcodes-appendix.html). What is neither, such as a broken
constraint, is a fault of ours and stays what it is.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from monitor.errors import StorageFault, Trouble

_SQLITE = {
    "SQLITE_FULL": Trouble.FULL,
    "SQLITE_READONLY": Trouble.READ_ONLY,
    "SQLITE_BUSY": Trouble.LOCKED,
    "SQLITE_LOCKED": Trouble.LOCKED,
    "SQLITE_CORRUPT": Trouble.CORRUPT,
    "SQLITE_NOTADB": Trouble.CORRUPT,
    "SQLITE_CANTOPEN": Trouble.UNREACHABLE,
    "SQLITE_PERM": Trouble.REFUSED,
    "SQLITE_AUTH": Trouble.REFUSED,
    "SQLITE_IOERR": Trouble.DISK,
}
# The longest beginning counts.
_POSTGRESQL = {
    "53100": Trouble.FULL,
    "53": Trouble.UNREACHABLE,  # out of memory or connections
    "25006": Trouble.READ_ONLY,
    "55P03": Trouble.LOCKED,
    "40": Trouble.LOCKED,  # deadlock, serialisation: it may be tried again
    "XX001": Trouble.CORRUPT,
    "XX002": Trouble.CORRUPT,
    "28": Trouble.REFUSED,
    "3D000": Trouble.REFUSED,
    "42501": Trouble.REFUSED,
    "57P": Trouble.UNREACHABLE,  # it is being stopped, or starts
    "08": Trouble.UNREACHABLE,
    "58": Trouble.DISK,
}
_WHAT = {
    Trouble.FULL: "the disk, or the space that it may take, is full",
    Trouble.READ_ONLY: "may be read, but not written",
    Trouble.LOCKED: "another program holds it, and has not let go for a while",
    Trouble.CORRUPT: "it is damaged, or no database of ours",
    Trouble.UNREACHABLE: "can't be opened or reached",
    Trouble.REFUSED: "refuses this account",
    Trouble.DISK: "the disk it lies on reports an error",
}
_WHAT_TO_DO = {
    Trouble.FULL: (
        "Free some space: it goes on by itself, and reads again what it could not store."
    ),
    Trouble.READ_ONLY: (
        "Check that the disk is not mounted read-only, that this account owns the file and its folder "
        "and that nobody moved the file away; of a PostgreSQL, that it is not a standby."
    ),
    Trouble.LOCKED: (
        "End what holds it, such as a database browser, a copying job or an open psql."
    ),
    Trouble.CORRUPT: (
        "Stop the monitor, keep the damaged file, and restore the last good backup: `trust-monitor db "
        "verify FILE`, then `trust-monitor db restore FILE`."
    ),
    Trouble.UNREACHABLE: (
        "Check that it exists and runs, that [database] url is right, and that this account may write "
        "into the folder."
    ),
    Trouble.REFUSED: (
        "Check the account, its password, its rights and the database's name in [database]."
    ),
    Trouble.DISK: (
        "Look into the system's journal (`journalctl -k`) and at quotas; copy the file away before you "
        "try anything."
    ),
}


def fault_of(error: BaseException | None, url: sa.URL) -> StorageFault | None:
    """The named fault behind a driver's error; None when the database isn't to blame."""
    trouble = _trouble(error)
    if trouble is None:
        return None
    shown = url.database if url.get_backend_name() == "sqlite" else url.render_as_string()
    return StorageFault(
        trouble, f"database {shown}: {_WHAT[trouble]} ({trouble.value}). {_WHAT_TO_DO[trouble]}"
    )


def name_errors(engine: sa.Engine) -> None:
    """Let the engine raise StorageFault wherever a driver's error means one."""

    @sa.event.listens_for(engine, "handle_error")
    def _name(context: Any) -> None:
        if context.is_pre_ping:
            return  # the pool itself opens a new connection
        fault = fault_of(context.original_exception, engine.url)
        if fault:
            raise fault from context.original_exception


def _trouble(error: BaseException | None) -> Trouble | None:
    name = getattr(error, "sqlite_errorname", None)
    if isinstance(name, str):
        # "SQLITE_IOERR_WRITE" is a kind of "SQLITE_IOERR".
        return _SQLITE.get("_".join(name.split("_")[:2]))
    state: str | None = getattr(error, "sqlstate", "")
    if state is None:  # psycopg could not even talk to it
        return Trouble.UNREACHABLE if type(error).__name__ == "OperationalError" else None
    return next((_POSTGRESQL[state[:n]] for n in (5, 3, 2) if state[:n] in _POSTGRESQL), None)
