"""Watching the sources: when one has been silent for too long, people are told, once and together.

    look()  stale* -> open gaps -> COMMIT* {gaps told, outbox}

(* = effect.) That a source is back stands in the next digest: it needs nobody. A source that somebody
silenced is told of when the silence is over, if it is still not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from monitor.domain import (
    AlertSilence,
    DeliveryKind,
    Outage,
    Person,
    Role,
    SilenceScope,
    SuppressionKind,
)
from monitor.policy.routes import roster, silences
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
            quiet = not self._decide(rows, now) and not self._hushed(rows, now)
            if quiet and not self._unrecorded(rows, now):
                return False
        with self.store.begin() as rows:
            for source, since, reason in self._unrecorded(rows, now):
                rows.sources.silent(source, since=since, reason=reason)
            self._hold_back(rows, now)
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
        return self._outage(rows, now, besides=self._quiet(rows, now))

    def _outage(
        self, rows: Transaction, now: datetime, *, besides: Collection[str]
    ) -> Outage | None:
        return coverage.to_tell(
            rows.sources.health(),
            [gap for gap in rows.sources.gaps(since=now, until=now) if gap.source not in besides],
            rows.sources.last_told(),
            self.rules,
            started_at=self.started_at,
            now=now,
        )

    @staticmethod
    def _quiet(rows: Transaction, now: datetime) -> dict[str, AlertSilence]:
        """The sources about which nobody wants to hear now, and who said so."""
        return {
            each.target: each
            for each in rows.silences.standing(now=now)
            if each.scope is SilenceScope.SOURCE
        }

    def _hushed(self, rows: Transaction, now: datetime) -> dict[str, AlertSilence]:
        """What is not told because of a silence and not written down yet, by the key of its row."""
        quiet = self._quiet(rows, now)
        outage = self._outage(rows, now, besides=()) if quiet else None
        found = {
            f"silenced:{quiet[each.source].id}:stale:{each.gap}": quiet[each.source]
            for each in (outage.silences if outage else ())
            if each.source in quiet
        }
        return {key: why for key, why in found.items() if not rows.suppressions.has(key)}

    def _hold_back(self, rows: Transaction, now: datetime) -> None:
        for key, silence in self._hushed(rows, now).items():
            rows.suppressions.count(
                key,
                SuppressionKind.SILENCED,
                reason=silences.because(silence, f"{silence.target} is not being seen"),
                now=now,
                silence=silence.id,
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
