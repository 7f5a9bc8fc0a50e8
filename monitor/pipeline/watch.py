"""Watching the sources: when one has been silent for too long, people are told, once and together.

    look()  stale* -> open gaps -> COMMIT* {gaps told, outbox}

(* = effect.) That a source is back stands in the next digest: it needs nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from monitor.domain import DeliveryKind, Outage, Person, Role
from monitor.policy.routes import roster
from monitor.policy.sources import coverage
from monitor.policy.sources.rules import SilenceRules
from monitor.ports import Letters, NewDelivery, Store, Transaction

log = structlog.get_logger("monitor.pipeline")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceWatch:
    """Looks at how the sources stand. `started_at` is when this program began to poll; `channel` is
    the one that alerts go out by; `wake` is called with "deliver" when mail was queued."""

    store: Store
    rules: SilenceRules
    people: Sequence[Person]
    letters: Letters
    channel: str
    timezone: ZoneInfo
    started_at: datetime
    clock: Callable[[], datetime]
    wake: Callable[[str], None]

    def look(self) -> bool:
        """Queue the notice that is due; False when there is none. Safe to call often: what was told
        stands in the gap's row."""
        now = self.clock()
        with self.store.read() as rows:
            if self._decide(rows, now) is None and not self._unrecorded(rows, now):
                return False
        with self.store.begin() as rows:
            for source, since, reason in self._unrecorded(rows, now):
                rows.sources.silent(source, since=since, reason=reason)
            outage = self._decide(rows, now)
            if outage is None:
                return False
            queued = self._queue(rows, outage, now)
        log.warning(
            "sources_silent",
            sources=[silence.source for silence in outage.silences],
            recipients=queued,
        )
        self.wake("deliver")
        return True

    def _decide(self, rows: Transaction, now: datetime) -> Outage | None:
        return coverage.to_tell(
            rows.sources.health(),
            rows.sources.gaps(since=now, until=now),
            rows.sources.last_told(),
            self.rules,
            started_at=self.started_at,
            now=now,
        )

    @staticmethod
    def _unrecorded(rows: Transaction, now: datetime) -> list[tuple[str, datetime, str]]:
        """Sources that are silent without having failed: their poll still runs."""
        known = {gap.source for gap in rows.sources.gaps(since=now, until=now)}
        return [
            (source.source, seen, coverage.silence_reason(source))
            for source in rows.sources.health()
            if source.source not in known
            and coverage.is_stale(source, now)
            and (seen := source.last_success_at or source.registered_at)
        ]

    def _queue(self, rows: Transaction, outage: Outage, now: datetime) -> int:
        day = now.astimezone(self.timezone).date()
        chosen = [person for person in self.people if Role.COMMS in person.roles]
        first = outage.silences[0]
        key = f"stale:{first.source}:{first.gap}"
        queued = rows.outbox.enqueue(
            [
                NewDelivery(
                    key=key,
                    kind=DeliveryKind.ALERT,
                    concern=None,
                    recipient=person.email,
                    channel=self.channel,
                    message=self.letters.outage(outage, person, key=key, now=now),
                )
                for person in roster.on_duty(chosen, self.people, day) or chosen
            ],
            now=now,
        )
        rows.sources.told([silence.gap for silence in outage.silences], now=now)
        return queued
