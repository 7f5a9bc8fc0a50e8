"""Where each source got to, how it stands, and when it was not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from monitor.domain import CoverageGap, SourceHealth
from monitor.ports import SourceSpec
from monitor.store.schema import coverage_gap
from monitor.store.schema import source as table


class SourceRows:
    """Implements `monitor.ports.Sources` on one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def register(self, specs: Sequence[SourceSpec]) -> None:
        """Make the table hold exactly the configured sources; keep the cursors of unchanged ones."""
        known = {
            row.id: row.fingerprint
            for row in self._connection.execute(sa.select(table.c.id, table.c.fingerprint))
        }
        wanted = {spec.id for spec in specs}
        gone = [source for source in known if source not in wanted]
        self._connection.execute(sa.delete(table).where(table.c.id.in_(gone)))
        for spec in specs:
            values = {
                "kind": spec.kind,
                "interval_s": spec.interval_s,
                "fingerprint": spec.fingerprint,
            }
            if spec.id not in known:
                self._connection.execute(
                    sa.insert(table).values(id=spec.id, cursor={}, failures=0, **values)
                )
                continue
            if known[spec.id] != spec.fingerprint:
                values |= {"cursor": {}, "failures": 0, "next_poll_at": None, "last_error": None}
            self._connection.execute(sa.update(table).where(table.c.id == spec.id).values(values))

    def cursor(self, source: str) -> Mapping[str, Any]:
        """The connector's own state; empty before the first batch."""
        found = self._connection.execute(
            sa.select(table.c.cursor).where(table.c.id == source)
        ).scalar_one()
        return dict(found)

    def advance(self, source: str, cursor: Mapping[str, Any]) -> None:
        """Move the cursor. Belongs in the transaction that stores the batch's mentions."""
        self._update(source, cursor=dict(cursor))

    def succeeded(self, source: str, *, now: datetime, next_poll_at: datetime) -> None:
        """A poll ended well: the source is covered up to now, and an open gap ends here."""
        self._update(
            source,
            failures=0,
            last_attempt_at=now,
            last_success_at=now,
            last_error=None,
            next_poll_at=next_poll_at,
        )
        self._connection.execute(
            sa.update(coverage_gap)
            .where(coverage_gap.c.source_id == source, coverage_gap.c.ended_at.is_(None))
            .values(ended_at=now)
        )

    def failed(self, source: str, *, now: datetime, error: str, next_poll_at: datetime) -> None:
        """A poll failed: open a gap that began when the source was last seen."""
        row = self._connection.execute(sa.select(table).where(table.c.id == source)).one()
        self._update(
            source,
            failures=row.failures + 1,
            last_attempt_at=now,
            last_error=error[:500],
            next_poll_at=next_poll_at,
        )
        is_open = self._connection.execute(
            sa.update(coverage_gap)
            .where(coverage_gap.c.source_id == source, coverage_gap.c.ended_at.is_(None))
            .values(reason=error[:500])
        ).rowcount
        if not is_open:
            self._connection.execute(
                sa.insert(coverage_gap).values(
                    source_id=source,
                    started_at=row.last_success_at or now,
                    ended_at=None,
                    reason=error[:500],
                    lost=False,
                )
            )

    def record_gap(self, source: str, *, since: datetime, until: datetime, reason: str) -> None:
        """Note a stretch that the source itself says it could not show us."""
        self._connection.execute(
            sa.insert(coverage_gap).values(
                source_id=source, started_at=since, ended_at=until, reason=reason[:500], lost=True
            )
        )

    def health(self) -> tuple[SourceHealth, ...]:
        """How every configured source stands, by id."""
        rows = self._connection.execute(sa.select(table).order_by(table.c.id))
        return tuple(
            SourceHealth(
                source=row.id,
                kind=row.kind,
                interval_s=row.interval_s,
                last_success_at=row.last_success_at,
                last_attempt_at=row.last_attempt_at,
                failures=row.failures,
                last_error=row.last_error,
                next_poll_at=row.next_poll_at,
            )
            for row in rows
        )

    def gaps(self, *, since: datetime, until: datetime) -> tuple[CoverageGap, ...]:
        """Gaps that touch since..until, oldest first."""
        rows = self._connection.execute(
            sa.select(coverage_gap)
            .where(
                coverage_gap.c.started_at < until,
                sa.or_(coverage_gap.c.ended_at.is_(None), coverage_gap.c.ended_at > since),
            )
            .order_by(coverage_gap.c.started_at)
        )
        return tuple(
            CoverageGap(
                source=row.source_id,
                started_at=row.started_at,
                ended_at=row.ended_at,
                reason=row.reason,
                lost=row.lost,
            )
            for row in rows
        )

    def _update(self, source: str, **values: Any) -> None:
        self._connection.execute(sa.update(table).where(table.c.id == source).values(**values))
