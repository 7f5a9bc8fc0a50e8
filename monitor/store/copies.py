"""Backups: a copy of the whole database in one file, taken while the monitor runs.

What the two kinds of database do differently lies in `copies_sqlite` and `copies_postgresql`. A backup
holds what people wrote: it is made readable by its owner only, and what was erased before it was taken
is not in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import sqlalchemy as sa

from monitor.errors import MonitorError
from monitor.store import copies_postgresql, copies_sqlite
from monitor.store.database import knows

ENDINGS = {"sqlite": ".db", "postgresql": ".dump"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A database, or a backup of one, that was read from end to end. `rows` counts by table."""

    where: str
    revision: str | None
    rows: Mapping[str, int]


def back_up(engine: sa.Engine, path: Path) -> Examined:
    """Copy the database into the new file `path`, then read the copy from end to end.

    The file appears under its name only when it is whole; its folder must exist. Raises
    MonitorError for a file that exists already, StorageFault when database or disk won't do.
    """
    if path.exists():
        raise MonitorError(f"{path} exists already: name another file, or move it away first.")
    try:
        with _appearing(path) as part:
            _kind(engine).copy(engine, part)
            found = examine_file(engine, part)
    except OSError as error:
        raise MonitorError(
            f"{path}: can't be written ({error.strerror}). Name a folder that exists, with room, "
            "that this account may write into."
        ) from error
    return Examined(where=str(path), revision=found.revision, rows=found.rows)


def examine_file(engine: sa.Engine, path: Path) -> Examined:
    """Read a backup from end to end. Raises MonitorError for what is damaged, or is no backup of
    this kind of database."""
    if not path.is_file():
        raise MonitorError(f"{path} is no file: give a backup that `trust-monitor db backup` made.")
    revision, rows = _kind(engine).examine_file(path)
    return Examined(where=str(path), revision=revision, rows=rows)


def examine(engine: sa.Engine) -> Examined:
    """Read the database itself from end to end. Raises StorageFault, or MonitorError for what is
    damaged."""
    revision, rows = _kind(engine).examine(engine)
    return Examined(where=engine.url.render_as_string(), revision=revision, rows=rows)


def put_back(engine: sa.Engine, path: Path, aside: Path) -> Examined:
    """Put the backup `path` in the database's place, and keep what was there in the new file
    `aside`. All of it happens, or nothing.

    Only for whoever holds the state directory's lock. Raises MonitorError for a backup that is
    damaged, or made by a newer program, and while anybody else uses the database.
    """
    found = examine_file(engine, path)
    if found.revision is None or not knows(found.revision):
        raise MonitorError(
            f"{path}: at revision {found.revision or 'none'}, which this program doesn't know. "
            "Install the program that made the backup, or a newer one."
        )
    _kind(engine).put_back(engine, path, aside)
    return found


@contextmanager
def _appearing(path: Path) -> Iterator[Path]:
    """An empty file that only we may read, which gets its name, safe on disk, when all went well."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        yield part
        copies_sqlite.sync(part)
        part.rename(path)
        copies_sqlite.sync(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _kind(engine: sa.Engine) -> ModuleType:
    return copies_sqlite if engine.dialect.name == "sqlite" else copies_postgresql
