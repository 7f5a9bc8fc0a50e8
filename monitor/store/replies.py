"""Replies: every wording that somebody proposed, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from monitor.domain import Reply, ReplyState
from monitor.store.schema import reply as table


class ReplyRows:
    """Implements `monitor.ports.Replies` on one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def put(self, concern: int, replies: Sequence[Reply]) -> None:
        """Store replies that are new or changed. The wording of a stored one never changes."""
        for reply in replies:
            fate = {
                "state": reply.state,
                "approver": reply.approver,
                "decided_at": reply.decided_at,
                "sent_at": reply.sent_at,
            }
            known = self._connection.execute(
                sa.update(table)
                .where(table.c.concern_id == concern, table.c.number == reply.number)
                .values(**fate)
            )
            if known.rowcount == 0:
                self._connection.execute(
                    sa.insert(table).values(
                        concern_id=concern,
                        number=reply.number,
                        public=reply.public,
                        text=reply.text,
                        drafter=reply.drafter,
                        drafted_at=reply.drafted_at,
                        **fate,
                    )
                )

    def of(
        self, concerns: Sequence[int], states: Sequence[ReplyState] = tuple(ReplyState)
    ) -> dict[int, list[Reply]]:
        """The replies of each concern that are in one of `states`, in order of their numbers."""
        found: dict[int, list[Reply]] = {}
        for row in self._connection.execute(
            sa.select(table)
            .where(table.c.concern_id.in_(concerns), table.c.state.in_(states))
            .order_by(table.c.number)
        ):
            found.setdefault(row.concern_id, []).append(_reply(row))
        return found


def _reply(row: Any) -> Reply:
    return Reply(
        number=row.number,
        public=row.public,
        text=row.text,
        state=ReplyState(row.state),
        drafter=row.drafter,
        drafted_at=row.drafted_at,
        approver=row.approver,
        decided_at=row.decided_at,
        sent_at=row.sent_at,
    )
