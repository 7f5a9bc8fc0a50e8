"""Letters held back for one who had enough of them within the hour, and the bundles made of them.

A bundle is a delivery like any other, with a key of its own; its letters become BUNDLED in the commit
that queues it. One that no relay has taken yet goes into the next bundle, so that mail that was down
for hours ends with one letter and not with one for each quarter of an hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from monitor.domain import Delivery, DeliveryKind, DeliveryState, HeldLetter, Waiting
from monitor.policy.routes.flood import BUNDLE
from monitor.ports import NewDelivery
from monitor.store.outbox import free, ours
from monitor.store.schema import delivery as table

_OPEN = (DeliveryState.PENDING, DeliveryState.AMBIGUOUS)
_A_BUNDLE = table.c.key.startswith(BUNDLE, autoescape=True)


class BundleRows:
    """Implements `monitor.ports.Bundles` on one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def letters(self, delivery: Delivery, *, since: datetime) -> int:
        """How many alert letters but this one and bundles its reader got after `since`, may have got
        then, or will get. Until the transaction ends, nobody else counts for this reader."""
        if self._connection.dialect.name == "postgresql":  # SQLite has one writer at a time
            self._connection.execute(
                sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(delivery.recipient)))
            )
        ended_since = table.c.finished_at > since
        return self._connection.execute(
            sa.select(sa.func.count()).where(
                _of(delivery.recipient, delivery.channel),
                table.c.id != delivery.id,
                ~_A_BUNDLE,
                sa.or_(
                    sa.and_(table.c.state.in_(_OPEN), table.c.attempts > 0),
                    sa.and_(table.c.state == DeliveryState.SENT, ended_since),
                    sa.and_(
                        table.c.state == DeliveryState.DEAD,
                        table.c.ambiguous_attempts > 0,
                        ended_since,
                    ),
                ),
            )
        ).scalar_one()

    def hold(self, delivery: Delivery, *, why: str, now: datetime) -> int:
        """Put a claimed letter by: its attempt was none, and since `now` it waits for a bundle. Returns
        the id of the letter that has waited longest with it."""
        self._connection.execute(
            sa.update(table)
            .where(ours(delivery))
            .values(
                state=DeliveryState.HELD,
                detail=why[:500],
                attempts=table.c.attempts - 1,
                due_at=now,
                lease_owner=None,
                lease_until=None,
            )
        )
        first: int = self._connection.execute(
            sa.select(table.c.id)
            .where(_of(delivery.recipient, delivery.channel), table.c.state == DeliveryState.HELD)
            .order_by(table.c.due_at, table.c.id)
            .limit(1)
        ).scalar_one()
        return first

    def waiting(self, *, now: datetime, since: datetime) -> tuple[Waiting, ...]:
        """Everybody for whom letters are held, and what they know of bundles since `since`."""
        held = self._connection.execute(
            sa.select(table.c.recipient, table.c.channel, table.c.id, table.c.due_at)
            .where(table.c.state == DeliveryState.HELD)
            .order_by(table.c.due_at.desc(), table.c.id.desc())
        )
        # The last to be put in is the one that is held longest.
        first = {(row.recipient, row.channel): row for row in held}
        return tuple(self._waiting(row, now, since) for row in first.values())

    def _waiting(self, first: Any, now: datetime, since: datetime) -> Waiting:
        known = self._connection.execute(
            sa.select(
                sa.func.count().label("bundles"),
                sa.func.max(table.c.finished_at).label("last_at"),
                sa.func.count().filter(_going_out(now)).label("going_out"),
            ).where(
                _of(first.recipient, first.channel),
                _A_BUNDLE,
                sa.or_(table.c.finished_at.is_(None), table.c.finished_at > since),
            )
        ).one()
        return Waiting(
            recipient=first.recipient,
            channel=first.channel,
            first=first.id,
            since=first.due_at,
            bundles=known.bundles,
            last_at=known.last_at,
            busy=known.going_out > 0,
        )

    def held(self, recipient: str, channel: str, *, now: datetime) -> tuple[HeldLetter, ...]:
        """The letters held for one reader, oldest first, and those of a bundle that no relay took.
        All of them, and that bundle, are locked until the transaction ends."""
        stuck = self._connection.execute(
            sa.select(table.c.id)
            .where(_of(recipient, channel), _A_BUNDLE, _not_taken(now))
            .with_for_update()
        ).scalars()
        rows = self._connection.execute(
            sa.select(table.c.id, table.c.message, table.c.created_at)
            .where(
                sa.or_(
                    sa.and_(_of(recipient, channel), table.c.state == DeliveryState.HELD),
                    table.c.bundled_in.in_(stuck.all()),
                ),
                ~_A_BUNDLE,
            )
            .order_by(table.c.created_at, table.c.id)
            .with_for_update()
        )
        return tuple(
            HeldLetter(id=row.id, message=bytes(row.message), created_at=row.created_at)
            for row in rows
        )

    def put(self, bundle: NewDelivery, letters: Sequence[HeldLetter], *, now: datetime) -> int:
        """Queue the bundle of `letters`, with the age of the oldest; return its id. What stands in it
        is BUNDLED from here on, and so is a bundle whose letters it takes over."""
        id_: int = self._connection.execute(
            sa.insert(table)
            .values(
                key=bundle.key,
                kind=bundle.kind,
                concern_id=bundle.concern,
                recipient=bundle.recipient,
                channel=bundle.channel,
                message=bundle.message,
                state=DeliveryState.PENDING,
                attempts=0,
                ambiguous_attempts=0,
                created_at=min((letter.created_at for letter in letters), default=now),
                due_at=now,
            )
            .returning(table.c.id)
        ).scalar_one()
        into = {
            "state": DeliveryState.BUNDLED,
            "bundled_in": id_,
            "finished_at": now,
            "lease_owner": None,
            "lease_until": None,
        }
        ids = [letter.id for letter in letters]
        earlier = self._connection.execute(
            sa.select(table.c.bundled_in).where(table.c.id.in_(ids)).distinct()
        ).scalars()
        gone = [*ids, *filter(None, earlier)]
        self._connection.execute(sa.update(table).where(table.c.id.in_(gone)).values(**into))
        return id_


def _of(recipient: str, channel: str) -> sa.ColumnElement[bool]:
    return sa.and_(
        table.c.recipient == recipient,
        table.c.channel == channel,
        table.c.kind == DeliveryKind.ALERT,
    )


def _not_taken(now: datetime) -> sa.ColumnElement[bool]:
    """True of what was offered, is in nobody's hands, and was never left without an answer."""
    return sa.and_(
        table.c.state == DeliveryState.PENDING,
        table.c.attempts > 0,
        table.c.ambiguous_attempts == 0,
        free(now),
    )


def _going_out(now: datetime) -> sa.ColumnElement[bool]:
    """True of what is in somebody's hands, or will be at once."""
    return sa.and_(table.c.state.in_(_OPEN), sa.or_(table.c.attempts == 0, sa.not_(free(now))))
