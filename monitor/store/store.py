"""The store's one door: transactions in which every table can be reached."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from monitor.store.campaigns import CampaignRows
from monitor.store.concerns import ConcernRows
from monitor.store.database import reading
from monitor.store.deletions import DeletionRows
from monitor.store.mentions import MentionRows
from monitor.store.outbox import DigestRows, OutboxRows
from monitor.store.replies import ReplyRows
from monitor.store.schema import delivery, mention
from monitor.store.sources import SourceRows
from monitor.store.tally import TallyRows

FARTHEST = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Rows:
    """Implements `monitor.ports.Transaction`."""

    sources: SourceRows
    mentions: MentionRows
    deletions: DeletionRows
    concerns: ConcernRows
    replies: ReplyRows
    outbox: OutboxRows
    digests: DigestRows
    tally: TallyRows
    campaigns: CampaignRows

    @classmethod
    def on(cls, connection: sa.Connection) -> Rows:
        return cls(
            SourceRows(connection),
            MentionRows(connection),
            DeletionRows(connection),
            ConcernRows(connection),
            ReplyRows(connection),
            OutboxRows(connection),
            DigestRows(connection),
            TallyRows(connection),
            CampaignRows(connection),
        )


class SqlStore:
    """Implements `monitor.ports.Store` over an engine from `monitor.store.database`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @contextmanager
    def begin(self) -> Iterator[Rows]:
        with self._engine.begin() as connection:
            yield Rows.on(connection)

    @contextmanager
    def read(self) -> Iterator[Rows]:
        with reading(self._engine) as connection:
            yield Rows.on(connection)

    def release(self, *, now: datetime) -> None:
        with self._engine.begin() as connection:
            for table in (mention, delivery):
                connection.execute(
                    sa.update(table)
                    .where(table.c.lease_until.is_not(None))
                    .values(lease_owner=None, lease_until=None)
                )
            # No attempt is ever put off this far: the clock was set back while we were down.
            connection.execute(
                sa.update(delivery)
                .where(delivery.c.finished_at.is_(None), delivery.c.due_at > now + FARTHEST)
                .values(due_at=now)
            )
