"""Alerts that no relay has accepted, and the calls by other channels that stand in for them.

A call is a delivery of the kind OTHER: its channel is "other", its recipient the channel's id. For each
letter that it stands in for there is a row with the letter's own key, so that no channel is told of one
occasion twice: of one letter the call itself, of several one row each, BUNDLED in the call that they
share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from monitor.domain import OTHER, Call, ConcernState, DeliveryKind, DeliveryState, Letter, Recent
from monitor.policy.routes.flood import BUNDLE
from monitor.store.dialect import insert_ignoring
from monitor.store.outbox import free
from monitor.store.schema import concern
from monitor.store.schema import delivery as table

_bundle, _part, _letter = table.alias("bundle"), table.alias("part"), table.alias("letter")
_MAY_WAIT = (DeliveryState.PENDING, DeliveryState.DEAD, DeliveryState.BUNDLED)
_OPEN = (DeliveryState.PENDING, DeliveryState.AMBIGUOUS)


class FallbackRows:
    """Implements `monitor.ports.Fallbacks` on one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def letters(self, *, queued_before: datetime, dead_since: datetime) -> tuple[Letter, ...]:
        """Alert letters that wait since `queued_before`, and those given up since `dead_since`, oldest
        first. One that went into a bundle stands as its bundle does, once that was offered in vain."""
        # A bundle that is on its way for the first time says nothing against the mail.
        failed = _bundle.c.attempts - sa.case((_bundle.c.lease_until.is_not(None), 1), else_=0) > 0
        state = sa.case(
            (_bundle.c.id.is_(None), table.c.state),
            (sa.and_(_bundle.c.state == DeliveryState.PENDING, ~failed), DeliveryState.HELD),
            else_=_bundle.c.state,
        )
        ended = sa.func.coalesce(_bundle.c.finished_at, table.c.finished_at)
        rows = self._connection.execute(
            sa.select(
                table.c.id,
                table.c.key,
                table.c.recipient,
                table.c.created_at,
                table.c.concern_id,
                state.label("standing"),
            )
            .outerjoin(_bundle, _bundle.c.id == table.c.bundled_in)
            .where(
                table.c.kind == DeliveryKind.ALERT,
                table.c.state.in_(_MAY_WAIT),
                ~table.c.key.startswith(BUNDLE, autoescape=True),
                sa.or_(
                    sa.and_(state == DeliveryState.PENDING, table.c.created_at <= queued_before),
                    sa.and_(state == DeliveryState.DEAD, ended >= dead_since),
                ),
            )
            .order_by(table.c.created_at, table.c.id)
        ).all()
        called = self._called([row.key for row in rows])
        return tuple(
            Letter(
                id=row.id,
                key=row.key,
                recipient=row.recipient,
                state=DeliveryState(row.standing),
                queued_at=row.created_at,
                concern=row.concern_id,
                called=frozenset(called.get(row.key, ())),
            )
            for row in rows
        )

    def recent(self, *, since: datetime) -> Mapping[str, Recent]:
        """What each channel was given since `since`."""
        rows = self._connection.execute(
            sa.select(
                table.c.recipient,
                sa.func.count().label("messages"),
                sa.func.max(table.c.created_at).label("last"),
            )
            .where(
                table.c.kind == DeliveryKind.OTHER,
                table.c.state != DeliveryState.BUNDLED,
                table.c.created_at > since,
            )
            .group_by(table.c.recipient)
        )
        return {row.recipient: Recent(messages=row.messages, last=row.last) for row in rows}

    def put(self, call: Call, message: bytes, *, key: str, now: datetime) -> bool:
        """Queue a call; False when another monitor was quicker. `key` names its occasion."""
        alone = len(call.letters) == 1
        first = call.letters[0]
        values = {
            "kind": DeliveryKind.OTHER,
            "recipient": call.channel.id,
            "channel": OTHER,
            "attempts": 0,
            "ambiguous_attempts": 0,
            "created_at": now,
            "due_at": now,
        }
        whole = values | {
            "key": key,
            "concern_id": first.concern if alone else None,
            "message": message,
            "state": DeliveryState.PENDING,
            # Of several it is the first: what stands in for mail is never mailed.
            "instead_of": first.id,
        }
        if not insert_ignoring(self._connection, table, whole):
            return False
        if alone:
            return True
        id_: int = self._connection.execute(
            sa.select(table.c.id).where(
                table.c.key == key, table.c.recipient == call.channel.id, table.c.channel == OTHER
            )
        ).scalar_one()
        for letter in call.letters:
            part = {
                "key": letter.key,
                "concern_id": letter.concern,
                "message": b"",
                "state": DeliveryState.BUNDLED,
                "instead_of": letter.id,
                "bundled_in": id_,
                "finished_at": now,
                "detail": call.because[:500],
            }
            insert_ignoring(self._connection, table, values | part)
        return True

    def under_way(self) -> bool:
        """True when there are calls that no channel has accepted yet."""
        query = sa.select(table.c.id).where(
            table.c.kind == DeliveryKind.OTHER, table.c.state.in_(_OPEN)
        )
        return self._connection.execute(query.limit(1)).first() is not None

    def withdraw(self, *, now: datetime) -> int:
        """Take back the calls that have not gone out and are needed no more: every letter that they
        stand in for was accepted meanwhile, or somebody has its case. Returns how many."""
        got_through = sa.or_(
            _letter.c.state == DeliveryState.SENT,
            sa.and_(_letter.c.bundled_in.is_not(None), _bundle.c.state == DeliveryState.SENT),
            sa.and_(concern.c.id.is_not(None), concern.c.state != ConcernState.OPEN),
        )
        still_needed = (
            sa.select(_part.c.id)
            .join(_letter, _letter.c.id == _part.c.instead_of)
            .outerjoin(_bundle, _bundle.c.id == _letter.c.bundled_in)
            .outerjoin(concern, concern.c.id == _letter.c.concern_id)
            .where(
                sa.or_(
                    _part.c.bundled_in == table.c.id,
                    sa.and_(_part.c.id == table.c.id, ~_has_parts()),
                ),
                ~got_through,
            )
            .correlate(table)
            .exists()
        )
        return self._connection.execute(
            sa.update(table)
            .where(
                table.c.kind == DeliveryKind.OTHER,
                table.c.state.in_(_OPEN),
                free(now),
                ~still_needed,
            )
            .values(
                state=DeliveryState.UNNEEDED,
                detail="not needed any more: the mail got through, or somebody has the case",
                finished_at=now,
                lease_owner=None,
                lease_until=None,
            )
        ).rowcount

    def _called(self, keys: Sequence[str]) -> Mapping[str, set[str]]:
        found: dict[str, set[str]] = {}
        for row in self._connection.execute(
            sa.select(table.c.key, table.c.recipient).where(
                table.c.kind == DeliveryKind.OTHER, table.c.key.in_(keys)
            )
        ):
            found.setdefault(row.key, set()).add(row.recipient)
        return found


def _has_parts() -> sa.ColumnElement[bool]:
    parts = table.alias("parts")
    return sa.select(parts.c.id).where(parts.c.bundled_in == table.c.id).correlate(table).exists()
