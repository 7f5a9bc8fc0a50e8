"""Escalating: what nobody has acknowledged goes to the next person, until somebody does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from monitor.domain import MONITOR, Concern, DeliveryKind
from monitor.policy.assessment import Rulebook
from monitor.policy.routes import escalation, silences
from monitor.policy.routes.escalation import ESCALATED, Escalate, EscalationRules, Rest, Wait
from monitor.ports import Letters, NewDelivery, Store, Transaction

log = structlog.get_logger("monitor.pipeline")


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalator:
    """Looks through the open concerns that can't wait. It holds nothing between two looks, so that a
    restart, or a second monitor beside it, neither loses a step nor takes one twice. `channel` is
    the one that alerts go out by; `wake` is called with "deliver" when mail was queued."""

    store: Store
    book: Rulebook
    rules: EscalationRules
    letters: Letters
    channel: str
    clock: Callable[[], datetime]
    wake: Callable[[str], None]

    def escalate(self) -> bool:
        """Take every step that is due. True when there was one."""
        with self.store.read() as rows:
            waiting = rows.concerns.unanswered()
            dead = rows.outbox.dead([concern.id for concern in waiting])
            due = [
                concern.reference
                for concern in self._unsilenced(rows, waiting)
                if isinstance(self._decide(concern, dead), Escalate)
            ]
        taken = [self._take(reference) for reference in due]
        if any(taken):
            self.wake("deliver")
        return any(taken)

    def _take(self, reference: str) -> bool:
        """One step: its letters and its line in the history, in one commit. What was decided without
        holding the concern is decided again: somebody may have acknowledged it meanwhile."""
        with self.store.begin() as rows:
            concern = rows.concerns.take(reference)
            if concern is None or not self._unsilenced(rows, (concern,)):
                return False
            step = self._decide(concern, rows.outbox.dead([concern.id]))
            if not isinstance(step, Escalate):
                return False
            self._queue(rows, concern, step)
        log.info(
            "escalated",
            concern=reference,
            notices=len(step.notices),
            because=step.because,
        )
        return True

    def _unsilenced(self, rows: Transaction, concerns: Sequence[Concern]) -> Sequence[Concern]:
        """Those that no silence keeps from going to the next person."""
        now = self.clock()
        standing = rows.silences.standing(now=now)
        if not standing:
            return concerns
        sources = rows.silences.sources_of([concern.id for concern in concerns])
        return [
            concern
            for concern in concerns
            if silences.escalation_waits(
                concern,
                sources.get(concern.id, ()),
                standing,
                people=self.book.people,
                now=now,
            )
            is None
        ]

    def _decide(self, concern: Concern, dead: frozenset[str]) -> Escalate | Wait | Rest:
        now = self.clock()
        day = now.astimezone(self.book.calendar.tz).date()
        return escalation.due(concern, self.book.people, self.rules, day=day, now=now, dead=dead)

    def _queue(self, rows: Transaction, concern: Concern, step: Escalate) -> None:
        now = self.clock()
        key = step.key(concern.reference)
        rows.outbox.enqueue(
            [
                NewDelivery(
                    key=key,
                    kind=DeliveryKind.ALERT,
                    concern=concern.id,
                    recipient=notice.person.email,
                    channel=self.channel,
                    message=self.letters.alert(concern, notice, key=key, now=now),
                )
                for notice in step.notices
            ],
            now=now,
        )
        rows.concerns.note(
            concern.id,
            who=MONITOR,
            action=ESCALATED,
            why=step.because,
            details=step.details,
            now=now,
        )
