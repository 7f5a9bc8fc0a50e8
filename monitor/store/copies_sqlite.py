"""Backups of SQLite: one file, one consistent view, while others write.

VACUUM INTO and not the backup interface: a page-by-page copy would take along the free pages, in which
posts that were erased can still be read (https://www.sqlite.org/lang_vacuum.html#vacuuminto).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPICursor

from monitor.errors import MonitorError, Trouble
from monitor.store.faults import fault_of
from monitor.store.schema import metadata

Cursor = DBAPICursor | sqlite3.Cursor
Found = tuple[str | None, Mapping[str, int]]


def copy(engine: sa.Engine, path: Path) -> None:
    """Write everything into the empty file `path`."""
    with _asking(engine) as cursor:
        cursor.execute("VACUUM INTO ?", (str(path),))


def examine_file(path: Path) -> Found:
    """Check every page, index and reference of a file that nobody writes to."""
    try:
        with closing(
            sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        ) as connection:
            return _examine(connection.cursor(), str(path))
    except sqlite3.Error as error:
        raise MonitorError(
            f"{path}: damaged, or no backup of an SQLite database ({type(error).__name__}). "
            "Take an older one."
        ) from error


def examine(engine: sa.Engine) -> Found:
    """Check the database itself, while others may write to it."""
    with _asking(engine) as cursor:
        cursor.execute("BEGIN")
        return _examine(cursor, str(engine.url.database))


def look(engine: sa.Engine) -> None:
    """The quick look at every start: a damaged page is found before it does more damage. Raises
    StorageFault."""
    with _asking(engine) as cursor:
        cursor.execute("PRAGMA quick_check(1)")
        if cursor.fetchone() != ("ok",):
            damage = sqlite3.DatabaseError()
            damage.sqlite_errorname = "SQLITE_CORRUPT"
            raise damage


def put_back(engine: sa.Engine, path: Path, aside: Path) -> None:
    """Replace the database's file in one step. The old one is there under a second name first, and
    its write-ahead log is emptied or put aside with it: it must never be applied to the new file."""
    current = _file_of(engine)
    engine.dispose()
    if current.exists():
        _close_down(current)
        os.link(current, aside)
        for tail in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                Path(f"{current}{tail}").rename(f"{aside}{tail}")
    part = current.with_name(f".{current.name}.restored")
    try:
        _write_copy(path, part, like=aside if aside.exists() else None)
        part.replace(current)
    finally:
        part.unlink(missing_ok=True)
    sync(current.parent)


def sync(path: Path) -> None:
    """Let a file, or a folder's list of files, survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _asking(engine: sa.Engine) -> Iterator[DBAPICursor]:
    """A connection outside of any transaction. Raises StorageFault."""
    try:
        with closing(engine.raw_connection()) as connection:
            yield connection.cursor()
    except sqlite3.Error as error:
        fault = fault_of(error, engine.url)
        if fault is None:
            raise
        raise fault from error


def _examine(cursor: Cursor, where: str) -> Found:
    """`cursor` is in a transaction, or nobody writes."""

    def rows(statement: str) -> list[Any]:
        cursor.execute(statement)
        return list(cursor.fetchall())

    damage = [told for (told,) in rows("PRAGMA integrity_check(5)") if told != "ok"]
    loose = rows("PRAGMA foreign_key_check")
    if damage or loose:
        raise MonitorError(
            f"{where}: damaged ({len(damage)} faults, {len(loose)} loose references). "
            "Restore the last good backup: `trust-monitor db restore FILE`."
        )
    tables = {name for (name,) in rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
    counted = {
        name: rows(f'SELECT count(*) FROM "{name}"')[0][0]  # noqa: S608 - a table of ours
        for name in sorted(tables & metadata.tables.keys())
    }
    if "alembic_version" not in tables:
        return None, counted
    found = rows("SELECT version_num FROM alembic_version")
    return (found[0][0] if found else None), counted


def _file_of(engine: sa.Engine) -> Path:
    name = engine.url.database or ""
    if name.startswith("file:") or name in {"", ":memory:"}:
        raise MonitorError(f"database {name}: only a database in a plain file can be restored.")
    return Path(name)


def _close_down(current: Path) -> None:
    """Empty the write-ahead log into the file. A damaged one is put aside as it is. Raises
    StorageFault while somebody else uses it."""
    try:
        with closing(sqlite3.connect(current, timeout=2, isolation_level=None)) as connection:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        fault = fault_of(error, sa.URL.create("sqlite", database=str(current)))
        if fault is not None and fault.trouble is Trouble.LOCKED:
            raise fault from error


def _write_copy(path: Path, part: Path, like: Path | None) -> None:
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as written, path.open("rb") as read:
        while block := read.read(1 << 20):
            written.write(block)
        written.flush()
        if like is not None and os.geteuid() == 0:  # the service has an account of its own
            owner = like.stat()
            os.fchown(written.fileno(), owner.st_uid, owner.st_gid)
        os.fsync(written.fileno())
