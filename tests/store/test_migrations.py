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


def test_the_log_survives_every_migration(bare_database: sa.Engine) -> None:
    """A concern with its history and mention, written under the first schema, is still there after
    upgrading, and after going back again."""
    db.upgrade(bare_database, "0001")
    with bare_database.begin() as connection:
        for statement in FIRST_ROWS:
            connection.execute(sa.text(statement), {"now": "2026-03-10 09:15:00.000000"})
    db.upgrade(bare_database)
    with SqlStore(bare_database).read() as rows:
        concern = rows.concerns.by_reference("2026-0001")
    assert concern is not None
    assert [event.action for event in concern.history] == ["opened"]
    assert [mention.post.text for mention in concern.mentions] == ["The gate was locked."]
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), bare_database.begin() as connection:
        connection.execute(sa.text("UPDATE concern_event SET why = 'other'"))
    db.downgrade(bare_database, "0001")
    with bare_database.begin() as connection:
        counted = connection.execute(
            sa.text("SELECT count(*) FROM concern_event JOIN mention USING (concern_id)")
        ).scalar_one()
    assert counted == 1


def test_mail_survives_going_back(bare_database: sa.Engine) -> None:
    """Going back before 0004, what was held goes out by itself, what was bundled is as far as its
    bundle got, and nothing is left in a state that the older program doesn't know."""
    db.upgrade(bare_database, "0003")
    with bare_database.begin() as connection:
        insert = sa.text(
            "INSERT INTO delivery (id, key, kind, recipient, channel, message, state, attempts, "
            "ambiguous_attempts, created_at, due_at) VALUES (:id, :key, 'alert', "
            "'slt@hollin.example', 'email', :message, 'pending', 1, 0, :now, :now)"
        )
        for id_ in range(1, 7):
            values = {"id": id_, "key": f"alert:{id_}", "message": b"x", "now": str(NOW)[:19]}
            connection.execute(insert, values)
    db.upgrade(bare_database)
    with bare_database.begin() as connection:
        tokens = connection.execute(sa.text("SELECT DISTINCT lease_token FROM delivery")).scalars()
        assert tokens.all() == [0]
        for change in (
            "state = 'held' WHERE id = 1",
            "state = 'bundled', bundled_in = 5 WHERE id = 2",
            "state = 'bundled', bundled_in = 6 WHERE id = 3",
            "state = 'sent' WHERE id = 5",
            "instead_of = 3, kind = 'other', channel = 'other' WHERE id = 4",
        ):
            connection.execute(sa.text(f"UPDATE delivery SET {change}"))
    db.downgrade(bare_database, "0003")
    with bare_database.begin() as connection:
        states = connection.execute(sa.text("SELECT id, state FROM delivery ORDER BY id")).all()
    assert [tuple(row) for row in states] == [
        (1, "pending"),
        (2, "sent"),
        (3, "pending"),
        (5, "sent"),
    ]
    db.upgrade(bare_database)
    db.check(bare_database)


_SUGGESTION = (
    '{"rung": "L1", "rung_name": "Acknowledge", "who": "comms", "approver": "slt", "reply": null, '
    '"private_reply": null, "no_reply_because": null, "do": [], "dont": [], "due_at": null, '
    '"source": "a clause"}'
).replace(":", r"\:")
FIRST_ROWS = (
    (
        "INSERT INTO concern (id, reference, state, severity, sentiment, labels, organisations, "
        "suggestion, reasons, confidential, needs_review, alerts, opened_at, updated_at) VALUES "
        "(1, '2026-0001', 'open', 'concern', 'negative', '[\"complaint\"]', '[\"stmarys\"]', "
        f"'{_SUGGESTION}', '[]', FALSE, FALSE, 0, :now, :now)"
    ),
    (
        "INSERT INTO concern_event (id, concern_id, at, who, action, why) VALUES "
        "(1, 1, :now, 'monitor', 'opened', 'a complaint')"
    ),
    (
        "INSERT INTO mention (id, source_id, platform, native_id, text, content_hash, matches, "
        "first_seen_at, changed_at, revision, state, attempts, concern_id) VALUES "
        "(1, 'feed', 'rss', 'n1', 'The gate was locked.', 'h', '[]', :now, :now, 1, 'assessed', 0, 1)"
    ),
)
