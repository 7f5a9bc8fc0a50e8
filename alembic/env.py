"""Alembic's entry. The connection always comes from `monitor.store.database`: one way in."""

from __future__ import annotations

from alembic import context

from monitor.store.schema import metadata


def run() -> None:
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        # SQLite's own transaction is BEGIN IMMEDIATE, begun by whoever handed us the connection.
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
