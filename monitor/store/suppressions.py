"""What was not sent, or not by itself: one row per occasion, whose count grows. Nothing is dropped
silently."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from monitor.domain import Suppression, SuppressionKind
from monitor.store.dialect import insert_ignoring
from monitor.store.schema import concern as concern_table
from monitor.store.schema import silence as silence_table
from monitor.store.schema import suppression as table


class SuppressionRows:
    """Implements `monitor.ports.Suppressions` on one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def count(
        self,
        key: str,
        kind: SuppressionKind,
        *,
        reason: str,
        now: datetime,
        concern: int | None = None,
        silence: int | None = None,
    ) -> None:
        """Count one more under `key` (at most 100 characters), which names the occasion: the first
        keeps its reason (at most 500 characters), the last says until when it went on. `concern` and
        `silence` are ids."""
        insert_ignoring(
            self._connection,
            table,
            {
                "key": key,
                "kind": kind,
                "concern_id": concern,
                "silence_id": silence,
                "reason": reason[:500],
                "since": now,
                "until": now,
                "count": 0,
            },
        )
        self._connection.execute(
            sa.update(table).where(table.c.key == key).values(count=table.c.count + 1, until=now)
        )

    def has(self, key: str) -> bool:
        """True when something was counted under `key`."""
        query = sa.select(table.c.id).where(table.c.key == key)
        return self._connection.execute(query).first() is not None

    def listed(
        self, *, case: str | None = None, since: datetime | None = None
    ) -> tuple[Suppression, ...]:
        """Those that went on after `since`, newest last; of the concern `case` (a reference) alone."""
        query = (
            sa.select(
                table,
                table.c.count.label("times"),  # a row's own `count` is a method
                concern_table.c.reference,
                silence_table.c.owner,
            )
            .outerjoin(concern_table, concern_table.c.id == table.c.concern_id)
            .outerjoin(silence_table, silence_table.c.id == table.c.silence_id)
            .order_by(table.c.until, table.c.id)
        )
        if case is not None:
            query = query.where(concern_table.c.reference == case)
        if since is not None:
            query = query.where(table.c.until > since)
        return tuple(
            Suppression(
                key=row.key,
                kind=SuppressionKind(row.kind),
                case=row.reference,
                silence=row.silence_id,
                silenced_by=row.owner,
                reason=row.reason,
                since=row.since,
                until=row.until,
                count=row.times,
            )
            for row in self._connection.execute(query)
        )
