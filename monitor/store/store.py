"""The store's one door: transactions in which every table can be reached."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from monitor.store.bundles import BundleRows
from monitor.store.campaigns import CampaignRows
from monitor.store.canary import CanaryRows
from monitor.store.concerns import ConcernRows
from monitor.store.database import reading
from monitor.store.deletions import DeletionRows
from monitor.store.fallback import FallbackRows
from monitor.store.health import HealthRows
from monitor.store.mentions import NEW, PARKED, MentionRows
from monitor.store.outbox import DigestRows, OutboxRows
from monitor.store.replies import ReplyRows
from monitor.store.schema import delivery, mention
from monitor.store.silences import SilenceRows
from monitor.store.sources import SourceRows
from monitor.store.suppressions import SuppressionRows
from monitor.store.tally import TallyRows

FARTHEST = timedelta(hours=1)
LAST_TRY = 7  # claims: one before a mention is put aside


@dataclass(frozen=True, slots=True)
class Rows:
    """Implements `monitor.ports.Transaction`."""

    sources: SourceRows
    mentions: MentionRows
    deletions: DeletionRows
    concerns: ConcernRows
    replies: ReplyRows
    outbox: OutboxRows
    bundles: BundleRows
    suppressions: SuppressionRows
    fallbacks: FallbackRows
    silences: SilenceRows
    digests: DigestRows
    tally: TallyRows
    campaigns: CampaignRows
    health: HealthRows
    canaries: CanaryRows

    @classmethod
    def on(cls, connection: sa.Connection) -> Rows:
        return cls(
            SourceRows(connection),
            MentionRows(connection),
            DeletionRows(connection),
            ConcernRows(connection),
            ReplyRows(connection),
            OutboxRows(connection),
            BundleRows(connection),
            SuppressionRows(connection),
            FallbackRows(connection),
            SilenceRows(connection),
            DigestRows(connection),
            TallyRows(connection),
            CampaignRows(connection),
            HealthRows(connection),
            CanaryRows(connection),
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
            # What could not be judged gets one more try: this may be the program that can.
            connection.execute(
                sa.update(mention)
                .where(mention.c.state == PARKED)
                .values(state=NEW, attempts=LAST_TRY)
            )
            # No attempt is ever put off this far: the clock was set back while we were down.
            connection.execute(
                sa.update(delivery)
                .where(delivery.c.finished_at.is_(None), delivery.c.due_at > now + FARTHEST)
                .values(due_at=now)
            )
