"""Backups of PostgreSQL by its own programs: pg_dump, pg_restore and psql, which must be installed.

Their words may quote a row, so only the first line of an error is told, without what it quotes. The
password goes to them in a file that lives as long as they do: an environment can be read by others.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa

from monitor.errors import MonitorError
from monitor.store.database import reading, revisions
from monitor.store.schema import metadata

Found = tuple[str | None, Mapping[str, int]]
_DUMP = ("pg_dump", "--format=custom")
_REPLAY = ("psql", "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")


def copy(engine: sa.Engine, path: Path) -> None:
    """Write everything into the empty file `path`, in pg_dump's own compressed form."""
    with _asking(engine) as (target, environment):
        _run(
            [*_DUMP, "--no-owner", "--no-privileges", f"--file={path}", f"--dbname={target}"],
            environment,
        )


def examine_file(path: Path) -> Found:
    """Unpack the whole file to nowhere, and count what it would put back."""
    counter = _Counter()
    _run(["pg_restore", "--file=-", str(path)], reader=counter.read)
    return counter.revision, dict(sorted(counter.rows.items()))


def examine(engine: sa.Engine) -> Found:
    """Read every value of every row, as a backup would, and count."""
    with _asking(engine) as (target, environment):
        _run([*_DUMP, f"--dbname={target}"], environment)
    revision, _newest = revisions(engine)
    with reading(engine) as connection:
        tables = set(sa.inspect(connection).get_table_names()) & metadata.tables.keys()
        rows = {
            name: connection.execute(
                sa.select(sa.func.count()).select_from(metadata.tables[name])
            ).scalar_one()
            for name in sorted(tables)
        }
    return revision, rows


def put_back(engine: sa.Engine, path: Path, aside: Path) -> None:
    """Replace our tables by the backup's in one transaction; what was there is dumped into `aside`
    first. Raises MonitorError while anybody else is connected."""
    with engine.connect() as connection:
        others = connection.execute(
            sa.text(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        ).scalar_one()
        ours = sorted(
            {*sa.inspect(connection).get_table_names()} & {*metadata.tables, "alembic_version"}
        )
    engine.dispose()
    if others:
        raise MonitorError(
            f"database {engine.url.render_as_string()}: {others} other connections are open. Stop the "
            "monitor on every machine, and whatever else uses it."
        )
    os.close(os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    copy(engine, aside)
    drops = [f'DROP TABLE IF EXISTS "{name}" CASCADE;' for name in ours]
    drops.append("DROP FUNCTION IF EXISTS concern_event_append_only() CASCADE;")
    with tempfile.TemporaryDirectory() as folder, _asking(engine) as (target, environment):
        script = Path(folder) / "restore.sql"
        _run(["pg_restore", "--no-owner", "--no-privileges", "--file", str(script), str(path)])
        first = Path(folder) / "first.sql"
        first.write_text("\n".join(drops), encoding="utf-8")
        _run(
            [*_REPLAY, f"--file={first}", f"--file={script}", f"--dbname={target}"],
            environment,
        )


class _Counter:
    """Reads a dump as SQL and counts the rows of each COPY; keeps the revision and nothing else."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.revision: str | None = None
        self._table: str | None = None

    def read(self, lines: IO[bytes]) -> None:
        for line in lines:
            if self._table is None:
                begun = re.match(rb"COPY public\.\"?(\w+)\"? ", line)
                if begun:
                    self._table = begun[1].decode()
                    self.rows.setdefault(self._table, 0)
            elif line == b"\\.\n":
                self._table = None
            else:
                self._count(self._table, line)
        self.rows.pop("alembic_version", None)

    def _count(self, table: str, line: bytes) -> None:
        self.rows[table] += 1
        if table == "alembic_version":
            self.revision = line.decode().strip()


@contextmanager
def _asking(engine: sa.Engine) -> Iterator[tuple[str, dict[str, str]]]:
    """The connection as libpq writes it, and the environment that names a file with the password."""
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415 - only who has PostgreSQL

    _arguments, given = engine.dialect.create_connect_args(engine.url)
    password = given.pop("password", None)
    # The driver adds an object of its own; libpq's options are words and numbers.
    options: dict[str, Any] = {
        name: value for name, value in given.items() if isinstance(value, str | int)
    }
    with tempfile.TemporaryDirectory() as folder:
        environment: dict[str, str] = {}
        if password is not None:
            file = Path(folder) / "pgpass"  # the folder is 0700
            escaped = str(password).replace("\\", "\\\\").replace(":", "\\:")
            file.touch(mode=0o600)
            file.write_text(f"*:*:*:*:{escaped}\n", encoding="utf-8")
            environment["PGPASSFILE"] = str(file)
        yield make_conninfo(**options), environment


def _run(
    command: Sequence[str], environment: Mapping[str, str] | None = None, *, reader: Any = None
) -> None:
    program = shutil.which(command[0])
    if program is None:
        raise MonitorError(
            f"{command[0]} is not installed: backups of PostgreSQL are made with its own programs. "
            "Install postgresql-client, of the server's version or a newer one."
        )
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(  # noqa: S603 - PostgreSQL's own programs
            [program, *command[1:]],
            env=os.environ | {"LC_ALL": "C"} | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if reader else subprocess.DEVNULL,
            stderr=complaints,
        ) as process,
    ):
        if reader:
            reader(process.stdout)
        if process.wait() != 0:
            complaints.seek(0)
            said = complaints.read(2_000).decode(errors="replace").splitlines()
            told = (
                _QUOTED.sub("...", said[0])[:300] if said else f"exit status {process.returncode}"
            )
            raise MonitorError(f"{told}. Nothing was changed.")
