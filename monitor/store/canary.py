"""The canary's rows: its post, which lives for seconds, and its mail, which is kept for a week."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from monitor.domain import DeliveryKind, DeliveryState
from monitor.domain.health import CANARY
from monitor.ports import CanaryRow
from monitor.store.schema import delivery, mention


class CanaryRows:
    """Implements `monitor.ports.Canaries` on one connection. It sees no row but the canary's."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def remove(self, mention_id: int) -> None:
        """Take the canary's post out, as if it had never been."""
        self._connection.execute(
            sa.delete(mention).where(mention.c.id == mention_id, mention.c.source_id == CANARY)
        )

    def standing(self, key: str) -> CanaryRow:
        """Where the canary `key` is by now."""
        waits = self._connection.execute(
            sa.select(mention.c.id).where(mention.c.source_id == CANARY, mention.c.native_id == key)
        ).first()
        mail = self._connection.execute(
            sa.select(delivery.c.state, delivery.c.detail).where(
                delivery.c.kind == DeliveryKind.CANARY, delivery.c.key == key
            )
        ).first()
        return CanaryRow(
            unread=waits is not None,
            mail=DeliveryState(mail.state) if mail else None,
            detail=mail.detail if mail else None,
        )

    def last_passed(self) -> datetime | None:
        """When a canary's mail was last accepted."""
        found: datetime | None = self._connection.execute(
            sa.select(sa.func.max(delivery.c.finished_at)).where(
                delivery.c.kind == DeliveryKind.CANARY, delivery.c.state == DeliveryState.SENT
            )
        ).scalar_one()
        return found

    def forget(self, *, mail_before: datetime) -> None:
        """Take out what earlier canaries left: posts that were never assessed, mail that waits (no
        heap of them goes out when the mail server is back), and the record older than `mail_before`."""
        self._connection.execute(sa.delete(mention).where(mention.c.source_id == CANARY))
        self._connection.execute(
            sa.delete(delivery).where(
                delivery.c.kind == DeliveryKind.CANARY,
                delivery.c.lease_until.is_(None),
                sa.or_(delivery.c.finished_at.is_(None), delivery.c.finished_at < mail_before),
            )
        )
