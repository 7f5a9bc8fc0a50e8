"""What every room's tests share: a database of each kind, real and migrated."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from monitor.store.database import open_database, upgrade
from monitor.store.store import SqlStore
from tests import postgresql

pytest_plugins = ["tests.conformance.plugin", "tests.connectors.table"]


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[postgresql.Server]:
    """A PostgreSQL of our own, gone when the tests end."""
    if not postgresql.is_installed():
        warnings.warn(
            "NOT TESTED ON POSTGRESQL: its server programs are not installed", stacklevel=1
        )
        pytest.skip("PostgreSQL's server programs (initdb, postgres) are not installed")
    server = postgresql.Server()
    try:
        yield server
    finally:
        server.remove()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def bare_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """An empty database of each kind, before any migration."""
    if request.param == "sqlite":
        engine = open_database(f"sqlite:///{tmp_path / 'monitor.db'}")
    else:
        server: postgresql.Server = request.getfixturevalue("postgresql_server")
        engine = open_database(server.database(f"t{os.urandom(6).hex()}"))
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
