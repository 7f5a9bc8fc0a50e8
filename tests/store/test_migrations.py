"""The migrations make exactly the tables that the code knows, both ways, on both databases."""

import pytest
import sqlalchemy as sa

from monitor.store import database as db
from monitor.store.store import SqlStore
from tests.store.samples import NOW, draft


def test_up_down_up(bare_database: sa.Engine) -> None:
    """Upgrading, emptying and upgrading again ends at the newest revision with no difference."""
    db.upgrade(bare_database)
    db.check(bare_database)
    db.downgrade(bare_database, "base")
    assert set(sa.inspect(bare_database).get_table_names()) <= {"alembic_version"}
    db.upgrade(bare_database)
    current, newest = db.revisions(bare_database)
    assert current == newest is not None


def test_history_cannot_be_rewritten(database: sa.Engine) -> None:
    """A line of a concern's history can't be changed, not even by SQL."""
    with SqlStore(database).begin() as rows:
        rows.concerns.open(draft(), why="first", now=NOW)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), database.begin() as connection:
        connection.execute(sa.text("UPDATE concern_event SET why = 'other'"))


def test_a_failed_migration_leaves_nothing(bare_database: sa.Engine) -> None:
    """An unknown revision is refused and the database stays as it was."""
    with pytest.raises(Exception, match="nosuch"):
        db.upgrade(bare_database, "nosuch")
    assert sa.inspect(bare_database).get_table_names() == []
