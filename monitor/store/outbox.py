"""The outbox: one row per recipient and channel, offered until accepted or given up aloud."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from monitor.domain import Delivery, DeliveryKind, DeliveryState
from monitor.ports import NewDelivery
from monitor.store.dialect import insert_ignoring
from monitor.store.schema import delivery as table
from monitor.store.schema import digest as digest_table

_OPEN = (DeliveryState.PENDING, DeliveryState.AMBIGUOUS)


class OutboxRows:
    """Implements `monitor.ports.Outbox` on one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def enqueue(self, deliveries: Sequence[NewDelivery], *, now: datetime) -> int:
        """Queue messages; what is queued already stays as it was. Returns how many are new."""
        return sum(
            insert_ignoring(
                self._connection,
                table,
                {
                    "key": new.key,
                    "kind": new.kind,
                    "concern_id": new.concern,
                    "recipient": new.recipient,
                    "channel": new.channel,
                    "message": new.message,
                    "state": DeliveryState.PENDING,
                    "attempts": 0,
                    "ambiguous_attempts": 0,
                    "created_at": now,
                    "due_at": now,
                },
            )
            for new in deliveries
        )

    def claim(
        self, kinds: Sequence[DeliveryKind], *, owner: str, lease_s: float, now: datetime
    ) -> Delivery | None:
        """Lease the delivery that is due longest, or None. Counts the attempt before it is made."""
        due = (
            sa.select(table.c.id)
            .where(
                table.c.state.in_(_OPEN),
                table.c.kind.in_(kinds),
                table.c.due_at <= now,
                sa.or_(table.c.lease_until.is_(None), table.c.lease_until <= now),
            )
            .order_by(table.c.due_at, table.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        row = self._connection.execute(
            sa.update(table)
            .where(table.c.id == due.scalar_subquery())
            .values(
                lease_owner=owner,
                lease_until=now + timedelta(seconds=lease_s),
                attempts=table.c.attempts + 1,
            )
            .returning(table)
        ).one_or_none()
        return _delivery(row) if row else None

    def mark(
        self,
        delivery: Delivery,
        state: DeliveryState,
        *,
        detail: str,
        due_at: datetime,
        ambiguous: bool,
        now: datetime,
    ) -> None:
        """Write down how an attempt ended, and free the row."""
        finished = state in {DeliveryState.SENT, DeliveryState.DEAD}
        self._connection.execute(
            sa.update(table)
            .where(table.c.id == delivery.id)
            .values(
                state=state,
                detail=detail[:500],
                due_at=due_at,
                ambiguous_attempts=table.c.ambiguous_attempts + int(ambiguous),
                finished_at=now if finished else None,
                lease_owner=None,
                lease_until=None,
            )
        )

    def undelivered(self, *, now: datetime) -> int:
        """How many messages were given up, or are overdue by more than five minutes."""
        return self._connection.execute(
            sa.select(sa.func.count())
            .select_from(table)
            .where(
                sa.or_(
                    table.c.state == DeliveryState.DEAD,
                    sa.and_(
                        table.c.state.in_(_OPEN), table.c.created_at < now - timedelta(minutes=5)
                    ),
                )
            )
        ).scalar_one()

    def dead(self, concerns: Sequence[int]) -> frozenset[str]:
        """The keys of these concerns' alerts of which one letter or more was given up for good."""
        found = self._connection.execute(
            sa.select(table.c.key).where(
                table.c.concern_id.in_(concerns),
                table.c.kind == DeliveryKind.ALERT,
                table.c.state == DeliveryState.DEAD,
            )
        )
        return frozenset(found.scalars())

    def listed(self, *, limit: int = 50) -> tuple[dict[str, Any], ...]:
        """The newest deliveries for a person to look at, without their messages."""
        columns = [column for column in table.c if column.name != "message"]
        rows = self._connection.execute(
            sa.select(*columns).order_by(table.c.id.desc()).limit(limit)
        ).mappings()
        return tuple(dict(row) for row in rows)

    def forget(self, *, before: datetime) -> int:
        """Empty the messages of deliveries that ended before `before`; the rows stay as a record."""
        return self._connection.execute(
            sa.update(table)
            .where(table.c.finished_at < before, table.c.message != b"")
            .values(message=b"")
        ).rowcount


class DigestRows:
    """Implements `monitor.ports.Digests` on one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def last_until(self) -> datetime | None:
        """Where the newest digest ended: the next one starts there, so that no minute is skipped."""
        found: datetime | None = self._connection.execute(
            sa.select(sa.func.max(digest_table.c.until))
        ).scalar_one()
        return found

    def exists(self, day: date) -> bool:
        """True when the day has its digest."""
        query = sa.select(digest_table.c.day).where(digest_table.c.day == day)
        return self._connection.execute(query).one_or_none() is not None

    def record(self, day: date, *, since: datetime, until: datetime) -> bool:
        """Claim the day; False when it has its digest already."""
        return insert_ignoring(
            self._connection, digest_table, {"day": day, "since": since, "until": until}
        )


def _delivery(row: Any) -> Delivery:
    return Delivery(
        id=row.id,
        key=row.key,
        kind=DeliveryKind(row.kind),
        recipient=row.recipient,
        channel=row.channel,
        message=bytes(row.message),
        state=DeliveryState(row.state),
        attempts=row.attempts,
        ambiguous_attempts=row.ambiguous_attempts,
        created_at=row.created_at,
        due_at=row.due_at,
    )
