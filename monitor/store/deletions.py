"""What is no longer there at its source: whom to ask about, what was answered, what is forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sa

from monitor.ports import Stored
from monitor.store.mentions import ERASED, erase_where
from monitor.store.schema import mention as table

Item = TypeVar("Item")
_AT_ONCE = 100  # terms of one condition: SQLite allows a thousand


class DeletionRows:
    """Implements `monitor.ports.Deletions` on one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def gone(
        self,
        platform: str,
        native_ids: Sequence[str] = (),
        accounts: Sequence[str] = (),
        *,
        now: datetime,
    ) -> int:
        """Forget text and author of posts deleted at the source; tombstones stay. `accounts` is what
        the native ids of deleted accounts begin with. Return how many were forgotten: what a senior
        leader holds as evidence is only marked, and goes when they release it."""
        marked = 0
        for which in _which(native_ids, accounts):
            marked += self._connection.execute(
                sa.update(table)
                .where(
                    table.c.platform == platform,
                    which,
                    table.c.state != ERASED,
                    table.c.deleted_at_source.is_(None),
                )
                .values(deleted_at_source=now)
            ).rowcount
        return self.forget(now=now) if marked else 0

    def forget(self, *, now: datetime) -> int:
        """Erase whatever is marked as deleted at its source and not, or no longer, held."""
        return erase_where(self._connection, table.c.deleted_at_source.is_not(None), now)

    def due(
        self, source: str, *, before: datetime, missing_before: datetime, limit: int
    ) -> tuple[Stored, ...]:
        """Posts of this source whose text is kept and which nobody has asked about since `before`,
        or since `missing_before` if they were not found then; those that waited longest first, new
        ones only once they are that old."""
        last = sa.func.coalesce(table.c.checked_at, table.c.first_seen_at)
        rows = self._connection.execute(
            sa.select(
                table.c.id, table.c.native_id, table.c.platform, table.c.url, table.c.missing_at
            )
            .where(
                table.c.source_id == source,
                table.c.state != ERASED,
                table.c.deleted_at_source.is_(None),
                sa.or_(
                    last < before,
                    sa.and_(table.c.missing_at.is_not(None), last < missing_before),
                ),
            )
            .order_by(last, table.c.id)
            .limit(limit)
        )
        return tuple(
            Stored(
                mention=row.id,
                native_id=row.native_id,
                platform=row.platform,
                url=row.url,
                missing_at=row.missing_at,
            )
            for row in rows
        )

    def asked(self, mentions: Sequence[int], *, missing: Sequence[int] = (), now: datetime) -> None:
        """Write down that the source was asked about `mentions`, and which of them it did not find;
        what was missing before and is found now is no longer missing."""
        asked = table.c.id.in_(mentions)
        self._connection.execute(sa.update(table).where(asked).values(checked_at=now))
        self._connection.execute(
            sa.update(table)
            .where(asked, table.c.id.not_in(missing), table.c.missing_at.is_not(None))
            .values(missing_at=None)
        )
        self._connection.execute(
            sa.update(table)
            .where(table.c.id.in_(missing), table.c.missing_at.is_(None))
            .values(missing_at=now)
        )


def _which(native_ids: Sequence[str], accounts: Sequence[str]) -> Iterator[sa.ColumnElement[bool]]:
    # No column collation or LIKE has a say here: a prefix is compared letter by letter.
    begins = (
        sa.func.substr(table.c.native_id, 1, len(prefix)) == prefix for prefix in accounts if prefix
    )
    for some in _chunks(tuple(begins)):
        yield sa.or_(*some)
    for ids in _chunks(tuple(native_ids)):
        yield table.c.native_id.in_(ids)


def _chunks(items: tuple[Item, ...]) -> Iterator[tuple[Item, ...]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]
