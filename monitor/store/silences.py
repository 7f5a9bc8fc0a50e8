"""Silences: asked for with a reason and an end, and kept when they are over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from monitor.domain import AlertSilence, SilenceScope
from monitor.store.schema import mention
from monitor.store.schema import silence as table


class SilenceRows:
    """Implements `monitor.ports.Silences` on one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(
        self,
        scope: SilenceScope,
        target: str,
        *,
        owner: str,
        reason: str,
        until: datetime,
        now: datetime,
    ) -> AlertSilence:
        """Let alerts about `target` wait from now until `until`."""
        row = self._connection.execute(
            sa.insert(table)
            .values(scope=scope, target=target, owner=owner, reason=reason, since=now, until=until)
            .returning(table)
        ).one()
        return _silence(row)

    def end(self, id_: int, *, who: str, now: datetime) -> bool:
        """End one before its time; False when none of that number stands."""
        ended = self._connection.execute(
            sa.update(table)
            .where(table.c.id == id_, table.c.ended_at.is_(None), table.c.until > now)
            .values(ended_at=now, ended_by=who)
        )
        return ended.rowcount == 1

    def standing(self, *, now: datetime) -> tuple[AlertSilence, ...]:
        """Those that hold now, oldest first."""
        query = sa.select(table).where(
            table.c.ended_at.is_(None), table.c.since <= now, table.c.until > now
        )
        return tuple(map(_silence, self._connection.execute(query.order_by(table.c.id))))

    def listed(self) -> tuple[AlertSilence, ...]:
        """All that ever stood, newest first."""
        return tuple(
            map(_silence, self._connection.execute(sa.select(table).order_by(-table.c.id)))
        )

    def sources_of(self, concerns: Sequence[int]) -> Mapping[int, frozenset[str]]:
        """The ids of the sources that brought the posts of these concerns (ids)."""
        found: dict[int, set[str]] = {}
        for row in self._connection.execute(
            sa.select(mention.c.concern_id, mention.c.source_id)
            .where(mention.c.concern_id.in_(concerns))
            .distinct()
        ):
            found.setdefault(row.concern_id, set()).add(row.source_id)
        return {concern: frozenset(sources) for concern, sources in found.items()}


def _silence(row: Any) -> AlertSilence:
    return AlertSilence(
        id=row.id,
        scope=SilenceScope(row.scope),
        target=row.target,
        owner=row.owner,
        reason=row.reason,
        since=row.since,
        until=row.until,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
    )
