"""Falling back: what mail doesn't bring to somebody in time is told by the other channels they read.

    look()  letters that wait* -> calls -> COMMIT* {outbox, what is needed no more}     (* = effect.)

Nothing is held between two looks: each call has a row, and a unique (key, channel) absorbs repeats.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from monitor.domain import Call, Channel, Person
from monitor.policy.routes import fallback
from monitor.policy.routes.fallback import FallbackRules
from monitor.ports import Calls, Store, Transaction

log = structlog.get_logger("monitor.pipeline")

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """Looks for alert letters that don't get through. `wake` is called with "deliver-other" when calls
    were queued. Without `channels` there is nothing to do."""

    store: Store
    channels: Sequence[Channel]
    people: tuple[Person, ...]
    rules: FallbackRules
    calls: Calls
    clock: Callable[[], datetime]
    wake: Callable[[str], None]

    def look(self) -> bool:
        """Queue what is due and take back what is needed no more; False when nothing was queued."""
        if not self.channels:
            return False
        now = self.clock()
        with self.store.read() as rows:
            if not (self._due(rows, now) or rows.fallbacks.under_way()):
                return False
        with self.store.begin() as rows:
            withdrawn = rows.fallbacks.withdraw(now=now)
            queued = [call for call in self._due(rows, now) if self._put(rows, call, now)]
        if withdrawn:
            log.info("calls_withdrawn", recipients=withdrawn)
        for call in queued:
            log.warning(
                "called",
                key=call.letters[0].key,
                notices=len(call.letters),
                recipients=len(call.channel.people),
                because=call.because,
            )
        if queued:
            self.wake("deliver-other")
        return bool(queued)

    def _due(self, rows: Transaction, now: datetime) -> tuple[Call, ...]:
        letters = [
            letter
            for letter in rows.fallbacks.letters(
                queued_before=now - timedelta(seconds=self.rules.after_s),
                dead_since=now - timedelta(seconds=self.rules.dead_within_s),
            )
            if fallback.untold(letter, self.channels, self.people)
        ]
        ids = sorted({letter.concern for letter in letters if letter.concern is not None})
        return fallback.calls(
            letters,
            {id_: rows.concerns.standing(id_) for id_ in ids},
            self.channels,
            self.people,
            self.rules,
            recent=rows.fallbacks.recent(since=now - HOUR),
            now=now,
        )

    def _put(self, rows: Transaction, call: Call, now: datetime) -> bool:
        key = fallback.key(call)
        return rows.fallbacks.put(call, self.calls.call(call, key=key, now=now), key=key, now=now)
