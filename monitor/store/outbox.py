"""The outbox: one row per recipient and channel, offered until accepted or given up aloud."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from monitor.domain import Delivery, DeliveryKind, DeliveryState, Posted
from monitor.ports import NewDelivery
from monitor.store.dialect import insert_ignoring
from monitor.store.schema import concern as concern_table
from monitor.store.schema import delivery as table
from monitor.store.schema import digest as digest_table

_OPEN = (DeliveryState.PENDING, DeliveryState.AMBIGUOUS)
_bundle, _letter = table.alias("bundle"), table.alias("letter")
_ENDING = sa.case((table.c.state == DeliveryState.BUNDLED, _bundle.c.state), else_=table.c.state)
_LISTED = [column for column in table.c if column.name != "message"]


def free(now: datetime) -> sa.ColumnElement[bool]:
    """True of deliveries that nobody has in hand."""
    return sa.or_(table.c.lease_until.is_(None), table.c.lease_until <= now)


def ours(delivery: Delivery) -> sa.ColumnElement[bool]:
    """True of `delivery` for as long as its claim is the last one made, and has not ended."""
    return sa.and_(
        table.c.id == delivery.id,
        table.c.lease_owner == delivery.lease_owner,
        table.c.lease_token == delivery.lease_token,
    )


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
        self,
        kinds: Sequence[DeliveryKind],
        *,
        owner: str,
        lease_s: float,
        now: datetime,
        besides: Collection[int] = (),
    ) -> Delivery | None:
        """Lease the delivery that is due longest, or None. Counts the attempt before it is made.
        `besides` are ids that the caller has in hand: no lease of theirs has run out for it."""
        due = (
            sa.select(table.c.id)
            .where(
                table.c.state.in_(_OPEN),
                table.c.kind.in_(kinds),
                table.c.due_at <= now,
                table.c.id.not_in(sorted(besides)),
                free(now),
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
                lease_token=table.c.lease_token + 1,
                attempts=table.c.attempts + 1,
            )
            .returning(table)
        ).one_or_none()
        return _delivery(row) if row else None

    def renew(self, delivery: Delivery, *, lease_s: float, now: datetime) -> bool:
        """Keep the lease for `lease_s` seconds more; False when somebody else has it, or it ended."""
        return (
            self._connection.execute(
                sa.update(table)
                .where(ours(delivery))
                .values(lease_until=now + timedelta(seconds=lease_s))
            ).rowcount
            == 1
        )

    def mark(
        self,
        delivery: Delivery,
        state: DeliveryState,
        *,
        detail: str,
        due_at: datetime,
        ambiguous: bool,
        now: datetime,
    ) -> bool:
        """Write down how an attempt ended, and free the row. False, and nothing is written, when the
        lease is no longer that of `delivery`: whoever has it now knows better."""
        finished = state in {DeliveryState.SENT, DeliveryState.DEAD}
        return (
            self._connection.execute(
                sa.update(table)
                .where(ours(delivery))
                .values(
                    state=state,
                    detail=detail[:500],
                    due_at=due_at,
                    ambiguous_attempts=table.c.ambiguous_attempts + int(ambiguous),
                    finished_at=now if finished else None,
                    lease_owner=None,
                    lease_until=None,
                )
            ).rowcount
            == 1
        )

    def undelivered(self, *, since: datetime, now: datetime) -> int:
        """How many messages were given up after `since`, or are overdue by more than five minutes."""
        return self._connection.execute(
            sa.select(sa.func.count())
            .select_from(table)
            .where(
                table.c.kind != DeliveryKind.CANARY,
                sa.or_(
                    sa.and_(table.c.state == DeliveryState.DEAD, table.c.finished_at > since),
                    sa.and_(
                        table.c.state.in_((*_OPEN, DeliveryState.HELD)),
                        table.c.created_at < now - timedelta(minutes=5),
                    ),
                ),
            )
        ).scalar_one()

    def dead(self, concerns: Sequence[int]) -> frozenset[str]:
        """The keys of these concerns' alerts of which one letter or more was given up for good, by
        itself or with the bundle that it went into."""
        found = self._connection.execute(
            sa.select(table.c.key)
            .outerjoin(_bundle, _bundle.c.id == table.c.bundled_in)
            .where(
                table.c.concern_id.in_(concerns),
                table.c.kind == DeliveryKind.ALERT,
                _ENDING == DeliveryState.DEAD,
            )
        )
        return frozenset(found.scalars())

    def listed(
        self, *, case: str | None = None, since: datetime | None = None
    ) -> tuple[Posted, ...]:
        """The post book, oldest first, without the messages: what has not ended, and what ended after
        `since` (None: ever); of the concern `case` (a reference) alone, with the bundles its letters
        went into."""
        query = (
            sa.select(*_LISTED, _ENDING.label("ending"), concern_table.c.reference)
            .outerjoin(_bundle, _bundle.c.id == table.c.bundled_in)
            .outerjoin(concern_table, concern_table.c.id == table.c.concern_id)
            .where(table.c.kind != DeliveryKind.CANARY)  # `trust-monitor status` tells how it fares
            .order_by(table.c.id)
        )
        if since is not None:
            query = query.where(sa.or_(table.c.finished_at.is_(None), table.c.finished_at > since))
        if case is not None:
            own = sa.select(concern_table.c.id).where(concern_table.c.reference == case)
            bundles = sa.select(_letter.c.bundled_in).where(
                _letter.c.concern_id.in_(own), _letter.c.bundled_in.is_not(None)
            )
            query = query.where(sa.or_(concern_table.c.reference == case, table.c.id.in_(bundles)))
        return tuple(_posted(row) for row in self._connection.execute(query))

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
        lease_owner=row.lease_owner,
        lease_token=row.lease_token,
        instead_of=row.instead_of,
    )


def _posted(row: Any) -> Posted:
    return Posted(
        id=row.id,
        key=row.key,
        kind=DeliveryKind(row.kind),
        case=row.reference,
        recipient=row.recipient,
        channel=row.channel,
        state=DeliveryState(row.state),
        ending=DeliveryState(row.ending),
        attempts=row.attempts,
        created_at=row.created_at,
        due_at=row.due_at,
        finished_at=row.finished_at,
        detail=row.detail,
        bundled_in=row.bundled_in,
        instead_of=row.instead_of,
    )
