"""What every room's tests share: a database of each kind, real and migrated."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from monitor.store.database import open_database, upgrade
from monitor.store.store import SqlStore

pytest_plugins = ["tests.conformance.plugin", "tests.connectors.table"]


def _server_program(name: str) -> str | None:
    """PostgreSQL's server programs: on the PATH, or where Debian keeps them."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return str(versions[0]) if versions else shutil.which(name)


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A PostgreSQL of our own, on a socket in a temporary folder, gone when the tests end."""
    initdb, postgres = _server_program("initdb"), _server_program("postgres")
    if not (initdb and postgres):
        warnings.warn(
            "NOT TESTED ON POSTGRESQL: its server programs are not installed", stacklevel=1
        )
        pytest.skip("PostgreSQL's server programs (initdb, postgres) are not installed")
    # The server refuses to run as root, so under root it runs as the account Debian made for it.
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    if user:
        shutil.chown(folder, user)
    data = folder / "data"
    subprocess.run(
        [initdb, "-D", data, "-U", "monitor", "-A", "trust", "-E", "UTF8", "--no-sync"],
        check=True,
        stdout=subprocess.DEVNULL,
        user=user,
        cwd=folder,
    )
    server = subprocess.Popen(
        [postgres, "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"],
        user=user,
        cwd=folder,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"postgresql+psycopg://monitor@/postgres?host={folder}"
        _wait_for(url)
        yield url
    finally:
        server.terminate()
        server.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(url: str) -> None:
    engine = sa.create_engine(url)
    deadline = time.monotonic() + 20
    while True:
        try:
            with engine.connect():
                return
        except sa.exc.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        finally:
            engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def bare_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """An empty database of each kind, before any migration."""
    if request.param == "sqlite":
        engine = open_database(f"sqlite:///{tmp_path / 'monitor.db'}")
    else:
        url = sa.make_url(request.getfixturevalue("postgresql_url"))
        admin = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        name = f"t{os.urandom(6).hex()}"
        with admin.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
        admin.dispose()
        engine = open_database(url.set(database=name))
    yield engine
    engine.dispose()


@pytest.fixture
def database(bare_database: sa.Engine) -> sa.Engine:
    """A migrated database of each kind."""
    upgrade(bare_database)
    return bare_database


@pytest.fixture
def store(database: sa.Engine) -> SqlStore:
    """The store over a migrated database of each kind."""
    return SqlStore(database)
