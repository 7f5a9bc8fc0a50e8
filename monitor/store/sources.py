"""Where each source got to, how it stands, and when it was not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from monitor.domain import ClosedBy, CoverageGap, SourceHealth
from monitor.policy.sources.coverage import STALE_AFTER
from monitor.ports import SourceSpec
from monitor.store.schema import coverage_gap
from monitor.store.schema import source as table

NOT_RUNNING = "the monitor was not running"


class SourceRows:
    """Implements `monitor.ports.Sources` on one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def register(self, specs: Sequence[SourceSpec], *, now: datetime) -> None:
        """Make the table hold exactly the configured sources; keep the cursors of unchanged ones.

        A source that was not seen for long, without anything having failed, has a gap: then this
        program was not running.
        """
        known = {row.id: row for row in self._connection.execute(sa.select(table))}
        wanted = {spec.id for spec in specs}
        gone = [source for source in known if source not in wanted]
        self._connection.execute(sa.delete(table).where(table.c.id.in_(gone)))
        self._close(coverage_gap.c.source_id.in_(gone), now=now)
        for spec in specs:
            values = {
                "kind": spec.kind,
                "interval_s": spec.interval_s,
                "fingerprint": spec.fingerprint,
            }
            row = known.get(spec.id)
            if row is None:
                self._connection.execute(
                    sa.insert(table).values(
                        id=spec.id, cursor={}, failures=0, registered_at=now, **values
                    )
                )
                continue
            if row.fingerprint != spec.fingerprint:
                values |= {"cursor": {}, "failures": 0, "next_poll_at": None, "last_error": None}
                values |= {"rejected": False, "note": None}
            self._connection.execute(sa.update(table).where(table.c.id == spec.id).values(values))
            seen = row.last_success_at
            if seen and now - seen > STALE_AFTER * timedelta(seconds=spec.interval_s):
                self.silent(spec.id, since=seen, reason=NOT_RUNNING)

    def cursor(self, source: str) -> Mapping[str, Any]:
        """The connector's own state; empty before the first batch."""
        found = self._connection.execute(
            sa.select(table.c.cursor).where(table.c.id == source)
        ).scalar_one()
        return dict(found)

    def advance(
        self, source: str, cursor: Mapping[str, Any], *, fingerprint: str | None = None
    ) -> None:
        """Move the cursor. Belongs in the transaction that stores the batch's mentions. A source
        whose fingerprint is another by now keeps its own: this cursor says nothing about it."""
        same = table.c.fingerprint == fingerprint if fingerprint is not None else sa.true()
        self._connection.execute(
            sa.update(table).where(table.c.id == source, same).values(cursor=dict(cursor))
        )

    def succeeded(
        self, source: str, *, now: datetime, next_poll_at: datetime, note: str | None = None
    ) -> None:
        """A poll ended well: the source is covered up to now. What an open gap hid has been read by
        this poll, unless it said otherwise (`record_gap`). `note` is what it said of itself."""
        self._update(
            source,
            failures=0,
            rejected=False,
            last_attempt_at=now,
            last_success_at=now,
            last_error=None,
            next_poll_at=next_poll_at,
            note=note[:500] if note else None,
        )
        self._close(coverage_gap.c.source_id == source, now=now, closed_by=ClosedBy.BACKFILL)

    def failed(
        self,
        source: str,
        *,
        now: datetime,
        error: str,
        next_poll_at: datetime,
        rejected: bool = False,
    ) -> None:
        """A poll failed: open a gap that began when the source was last seen. `rejected`: only a
        person can mend it."""
        row = self._connection.execute(sa.select(table).where(table.c.id == source)).one()
        self._update(
            source,
            failures=row.failures + 1,
            rejected=rejected,
            last_attempt_at=now,
            last_error=error[:500],
            next_poll_at=next_poll_at,
        )
        since = row.last_success_at or row.registered_at or now
        if not self.silent(source, since=since, reason=error):
            self._connection.execute(
                sa.update(coverage_gap).where(_open(source)).values(reason=error[:500])
            )

    def again(self, source: str) -> bool:
        """Let a source that waits be polled at its next turn; False when there is no such source."""
        found = self._connection.execute(
            sa.update(table).where(table.c.id == source).values(next_poll_at=None)
        )
        return found.rowcount > 0

    def silent(self, source: str, *, since: datetime, reason: str) -> bool:
        """Open a gap, unless one is open. It begins no earlier than where the last one ended."""
        if self._connection.execute(sa.select(coverage_gap.c.id).where(_open(source))).first():
            return False
        ended: datetime | None = self._connection.execute(
            sa.select(sa.func.max(coverage_gap.c.ended_at)).where(
                coverage_gap.c.source_id == source
            )
        ).scalar_one()
        self._connection.execute(
            sa.insert(coverage_gap).values(
                source_id=source,
                started_at=max(since, ended or since),
                ended_at=None,
                reason=reason[:500],
                lost=False,
            )
        )
        return True

    def record_gap(self, source: str, *, since: datetime, until: datetime, reason: str) -> None:
        """Note a stretch that the source itself says it could not show us: an open gap is then lost
        for good."""
        lost = {"lost": True, "closed_by": ClosedBy.LOST, "ended_at": until}
        row = self._connection.execute(sa.select(coverage_gap).where(_open(source))).first()
        if row is None:
            self._connection.execute(
                sa.insert(coverage_gap).values(
                    source_id=source, started_at=since, reason=reason[:500], **lost
                )
            )
            return
        self._connection.execute(
            sa.update(coverage_gap)
            .where(coverage_gap.c.id == row.id)
            .values(reason=f"{row.reason}; {reason}"[:500], **lost)
        )

    def made_up_for(self, source: str) -> None:
        """What was lost has been read after all: the source has said so."""
        self._connection.execute(
            sa.update(coverage_gap)
            .where(coverage_gap.c.source_id == source, coverage_gap.c.lost)
            .values(lost=False, closed_by=ClosedBy.BACKFILL)
        )

    def told(self, gaps: Sequence[int], *, now: datetime) -> None:
        """Write down that people were mailed about these gaps."""
        self._connection.execute(
            sa.update(coverage_gap).where(coverage_gap.c.id.in_(gaps)).values(told_at=now)
        )

    def last_told(self) -> Mapping[str, datetime]:
        """When people were last mailed about each source that they were mailed about."""
        rows = self._connection.execute(
            sa.select(coverage_gap.c.source_id, sa.func.max(coverage_gap.c.told_at).label("at"))
            .where(coverage_gap.c.told_at.is_not(None))
            .group_by(coverage_gap.c.source_id)
        )
        return {row.source_id: row.at for row in rows}

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
                registered_at=row.registered_at,
                rejected=row.rejected,
                note=row.note,
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
                closed_by=ClosedBy(row.closed_by) if row.closed_by else None,
                told_at=row.told_at,
                id=row.id,
            )
            for row in rows
        )

    def _close(
        self, which: sa.ColumnElement[bool], *, now: datetime, closed_by: ClosedBy | None = None
    ) -> None:
        self._connection.execute(
            sa.update(coverage_gap)
            .where(which, coverage_gap.c.ended_at.is_(None))
            .values(ended_at=now, closed_by=closed_by)
        )

    def _update(self, source: str, **values: Any) -> None:
        self._connection.execute(sa.update(table).where(table.c.id == source).values(**values))


def _open(source: str) -> sa.ColumnElement[bool]:
    return sa.and_(coverage_gap.c.source_id == source, coverage_gap.c.ended_at.is_(None))
