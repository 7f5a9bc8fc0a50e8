"""What waits, counted: the figures behind `trust-monitor status`, /healthz and /metrics."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa

from monitor.domain import DeliveryKind, DeliveryState
from monitor.domain.health import CANARY, Queue, Queues
from monitor.store.mentions import ASSESSED, NEW, PARKED
from monitor.store.schema import delivery, mention, suppression

_OPEN = (DeliveryState.PENDING, DeliveryState.AMBIGUOUS)
_URGENT = (DeliveryKind.ALERT, DeliveryKind.OTHER)
_DAY = timedelta(hours=24)
NO_MODEL = "none"  # what stands in mention.model for a post that no model could read


class HealthRows:
    """Implements `monitor.ports.HealthFigures` on one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def queues(self, *, now: datetime) -> Queues:
        """All figures at once, as of `now`."""
        due = delivery.c.state.in_(_OPEN)
        urgent = sa.and_(delivery.c.kind.in_(_URGENT), due)
        return Queues(
            urgent=self._deliveries(urgent),
            urgent_answer=self._connection.execute(
                sa.select(delivery.c.detail)
                .where(urgent, delivery.c.attempts > 0)
                .order_by(delivery.c.created_at)
                .limit(1)
            ).scalar_one_or_none(),
            digests=self._deliveries(sa.and_(delivery.c.kind == DeliveryKind.DIGEST, due)),
            held=self._deliveries(delivery.c.state == DeliveryState.HELD),
            unread=self._queue(
                mention.c.changed_at,
                sa.and_(mention.c.state == NEW, mention.c.source_id != CANARY),
            ),
            parked=self._queue(
                mention.c.first_seen_at,
                sa.and_(mention.c.state == PARKED, mention.c.source_id != CANARY),
            ).waiting,
            unscored=self._connection.execute(
                sa.select(sa.func.count()).where(
                    mention.c.state == ASSESSED,
                    mention.c.model == NO_MODEL,
                    mention.c.assessed_at > now - _DAY,
                )
            ).scalar_one(),
            sent=self._ended(DeliveryState.SENT, now - _DAY),
            dead=self._ended(DeliveryState.DEAD, now - _DAY),
            deliveries=self._by_state(),
            leases={
                table.name: self._connection.execute(
                    sa.select(sa.func.count()).where(table.c.lease_until > now)
                ).scalar_one()
                for table in (mention, delivery)
            },
            suppressed=self._suppressed(),
        )

    def _deliveries(self, which: sa.ColumnElement[bool]) -> Queue:
        return self._queue(delivery.c.created_at, which)

    def _queue(self, since: sa.Column[datetime], which: sa.ColumnElement[bool]) -> Queue:
        row = self._connection.execute(
            sa.select(sa.func.count().label("waiting"), sa.func.min(since).label("oldest")).where(
                which
            )
        ).one()
        return Queue(waiting=row.waiting, oldest_at=row.oldest)

    def _ended(self, state: DeliveryState, after: datetime) -> Mapping[DeliveryKind, int]:
        rows = self._connection.execute(
            sa.select(delivery.c.kind, sa.func.count().label("number"))
            .where(
                delivery.c.state == state,
                delivery.c.kind != DeliveryKind.CANARY,
                delivery.c.finished_at > after,
            )
            .group_by(delivery.c.kind)
        )
        return {DeliveryKind(row.kind): row.number for row in rows}

    def _by_state(self) -> Mapping[tuple[DeliveryKind, DeliveryState], int]:
        rows = self._connection.execute(
            sa.select(delivery.c.kind, delivery.c.state, sa.func.count().label("number")).group_by(
                delivery.c.kind, delivery.c.state
            )
        )
        return {(DeliveryKind(row.kind), DeliveryState(row.state)): row.number for row in rows}

    def _suppressed(self) -> Mapping[str, int]:
        rows = self._connection.execute(
            sa.select(
                suppression.c.kind, sa.func.sum(suppression.c.count).label("number")
            ).group_by(suppression.c.kind)
        )
        return {row.kind: int(row.number) for row in rows}
