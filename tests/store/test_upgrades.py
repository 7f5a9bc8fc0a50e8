"""Upgrade and rollback with data in every table, across every migration, on both databases."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from monitor.errors import MonitorError
from monitor.store import database as db
from monitor.store import migrate
from monitor.store.store import SqlStore
from tests.store.rows import counts, fill
from tests.store.samples import NOW

REVISIONS = [script.revision for script in ScriptDirectory(str(db.migrations())).walk_revisions()][
    ::-1
]


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_back_and_forth_with_data(bare_database: sa.Engine, revision: str) -> None:
    """Taken back to an older revision and upgraded again, no row of a table that both know is lost, the
    schema is the newest, history still can't be rewritten, and the store works on."""
    db.upgrade(bare_database)
    fill(bare_database)
    before = counts(bare_database)
    db.downgrade(bare_database, revision)
    older = counts(bare_database)
    assert older == {name: before[name] for name in older}
    assert {"concern", "concern_event", "mention", "delivery", "source"} <= older.keys()
    db.upgrade(bare_database)
    db.check(bare_database)
    assert {name: counts(bare_database)[name] for name in older} == older
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), bare_database.begin() as connection:
        connection.execute(sa.text("UPDATE concern_event SET why = 'other'"))
    store = SqlStore(bare_database)
    store.release(now=NOW)
    with store.begin() as rows:
        assert rows.mentions.claim(owner="x", lease_s=30, limit=64, now=NOW)
        assert rows.concerns.by_reference("2026-0001") is not None
        assert rows.sources.cursor("gazette") == {"seen": {"a": "b"}}


@pytest.mark.parametrize("first", REVISIONS[:-1])
def test_every_step_upward_keeps_the_rows(bare_database: sa.Engine, first: str) -> None:
    """From any released revision, one migration after the other keeps what an older program wrote."""
    db.upgrade(bare_database)
    fill(bare_database)
    db.downgrade(bare_database, first)
    kept = counts(bare_database)
    for revision in REVISIONS[REVISIONS.index(first) + 1 :]:
        db.upgrade(bare_database, revision)
        now = counts(bare_database)
        assert {name: now[name] for name in kept} == kept, revision
    db.check(bare_database)


def test_a_migration_that_fails_half_way_changes_nothing(
    bare_database: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the last step of an upgrade breaks, the database is at the revision it was at, with its rows,
    and the error says so in words."""
    db.upgrade(bare_database)
    fill(bare_database)
    db.downgrade(bare_database, REVISIONS[-2])
    before = counts(bare_database)
    with (
        bare_database.begin() as connection
    ):  # what the newest migration means to make is in its way
        connection.execute(sa.text("CREATE TABLE silence (id INTEGER)"))
    with pytest.raises(MonitorError, match=f"from revision {REVISIONS[-2]}.*nothing was changed"):
        migrate.migrate(bare_database)
    assert db.revisions(bare_database)[0] == REVISIONS[-2]
    assert {name: counts(bare_database)[name] for name in before} == before


def test_a_newer_database_is_refused(bare_database: sa.Engine) -> None:
    """A database of a newer program is left alone, and both ways out are named."""
    db.upgrade(bare_database)
    with bare_database.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(MonitorError, match="newer program, or restore"):
        migrate.migrate(bare_database)
