"""Delivering: what is due is claimed, sent, and only then marked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from monitor.domain import Delivery, DeliveryKind, DeliveryState, Outcome, Sent
from monitor.policy.sources import backoff
from monitor.policy.sources.backoff import GiveUp
from monitor.ports import Mailer, Store

log = structlog.get_logger("monitor.pipeline")

LEASE_S = 900.0  # longer than the longest exchange: 60 s, and 600 s after the final dot


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliverer:
    """Offers what stands in the outbox to the mailer."""

    store: Store
    mailer: Mailer
    owner: str
    clock: Callable[[], datetime]

    def deliver(self, kinds: Sequence[DeliveryKind]) -> bool:
        """Offer the delivery that is due longest; False when none is. Sends, then marks: a crash
        between the two repeats the message, and never loses it."""
        with self.store.begin() as rows:
            delivery = rows.outbox.claim(kinds, owner=self.owner, lease_s=LEASE_S, now=self.clock())
        if delivery is None:
            return False
        sent = self.mailer.send(delivery.recipient, delivery.message, attempt=delivery.attempts - 1)
        state = self._mark(delivery, sent)
        say = log.info if sent.outcome is Outcome.ACCEPTED else log.warning
        say(
            "delivered" if sent.outcome is Outcome.ACCEPTED else "not_delivered",
            kind=delivery.kind.value,
            key=delivery.key,
            delivery=delivery.id,
            attempt=delivery.attempts,
            outcome=sent.outcome.value,
            state=state.value,
            detail=sent.detail,
            seconds=round((self.clock() - delivery.created_at).total_seconds(), 1),
        )
        return True

    def _mark(self, delivery: Delivery, sent: Sent) -> DeliveryState:
        now = self.clock()
        ambiguous = sent.outcome is Outcome.AMBIGUOUS
        state, due_at, detail = DeliveryState.SENT, now, sent.detail
        if sent.outcome is not Outcome.ACCEPTED:
            step = backoff.next_attempt(
                delivery.kind,
                sent,
                attempts=delivery.attempts,
                ambiguous_attempts=delivery.ambiguous_attempts + int(ambiguous),
                created_at=delivery.created_at,
                now=now,
            )
            detail = step.reason
            if isinstance(step, GiveUp):
                state = DeliveryState.DEAD
            else:
                state, due_at = step.state, step.due_at
        with self.store.begin() as rows:
            rows.outbox.mark(
                delivery, state, detail=detail, due_at=due_at, ambiguous=ambiguous, now=now
            )
        return state
