"""Delivering: what is due is claimed, sent, and only then marked.

Of alerts that would be too many for their reader, the letter is held instead: see `bundle.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from monitor.domain import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    Outcome,
    Sent,
    SuppressionKind,
)
from monitor.pipeline.lease import InHand, kept
from monitor.pipeline.meter import Meter, Unmetered
from monitor.pipeline.patience import insist
from monitor.policy.routes import flood
from monitor.policy.routes.flood import FloodRules, Hold
from monitor.policy.sources import backoff
from monitor.policy.sources.backoff import GiveUp
from monitor.ports import Mailer, Store, Transaction

log = structlog.get_logger("monitor.pipeline")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliverer:
    """Offers what stands in the outbox to the mailer. A lease lasts `lease_s` seconds and is renewed
    every `renew_s` for as long as the exchange takes, so that what a dead holder had is taken up soon.
    `gave_up` is called when a delivery is dead: others may have to be told at once."""

    store: Store
    mailer: Mailer
    owner: str
    clock: Callable[[], datetime]
    flood: FloodRules = field(default_factory=flood.packaged_rules)
    lease_s: float = 30.0
    renew_s: float = 10.0
    meter: Meter = field(default_factory=Unmetered)
    gave_up: Callable[[], None] = lambda: None
    _in_hand: InHand = field(default_factory=InHand, init=False, repr=False)

    def deliver(self, kinds: Sequence[DeliveryKind]) -> bool:
        """Offer the delivery that is due longest, or hold it; False when none is due. Sends, then
        marks: a crash between the two repeats the message, and never loses it."""
        now = self.clock()
        with self.store.begin() as rows:
            delivery = rows.outbox.claim(
                kinds,
                owner=self.owner,
                lease_s=self.lease_s,
                now=now,
                besides=self._in_hand.ids(),
            )
            if delivery is None:
                return False
            held = self._held(rows, delivery, now)
        if held:
            log.info(
                "held",
                kind=delivery.kind.value,
                key=delivery.key,
                delivery=delivery.id,
                because=held,
            )
            return True
        with self._in_hand.holding(delivery.id):
            with kept(lambda: self._renew(delivery), every_s=self.renew_s):
                sent = self._offer(delivery)
            state = self._mark(delivery, sent)
        self._say(delivery, sent, state)
        if state is DeliveryState.DEAD:
            self.gave_up()
        return True

    def _held(self, rows: Transaction, delivery: Delivery, now: datetime) -> str | None:
        """Why the letter waits for the next bundle, once that is written down; None: it goes out now.
        One that was offered before goes on being offered."""
        if delivery.kind is not DeliveryKind.ALERT or delivery.attempts > 1:
            return None
        got = rows.bundles.letters(delivery, since=now - flood.HOUR)
        step = flood.admit(delivery.key, got, self.flood)
        if not isinstance(step, Hold):
            return None
        first = rows.bundles.hold(delivery, why=step.because, now=now)
        rows.suppressions.count(
            f"{SuppressionKind.BUNDLED.value}:{first}",
            SuppressionKind.BUNDLED,
            reason=step.because,
            now=now,
        )
        return step.because

    def _renew(self, delivery: Delivery) -> bool:
        with self.store.begin() as rows:
            return rows.outbox.renew(delivery, lease_s=self.lease_s, now=self.clock())

    def _offer(self, delivery: Delivery) -> Sent:
        try:
            return self.mailer.send(
                delivery.recipient, delivery.message, attempt=delivery.attempts - 1
            )
        except Exception as error:  # a mailer's surprise: this message waits, and holds up no other
            log.exception("mailer_failed", delivery=delivery.id)
            return Sent(outcome=Outcome.DEFERRED, detail=type(error).__name__, relay="none")

    def _mark(self, delivery: Delivery, sent: Sent) -> DeliveryState | None:
        """Write down what became of it, and return that; None when the lease was lost meanwhile."""
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

        def commit() -> bool:
            with self.store.begin() as rows:
                return rows.outbox.mark(
                    delivery, state, detail=detail, due_at=due_at, ambiguous=ambiguous, now=now
                )

        # Otherwise a database that is locked for a minute would send the letter twice.
        return state if insist(commit) else None

    def _say(self, delivery: Delivery, sent: Sent, state: DeliveryState | None) -> None:
        seconds = (self.clock() - delivery.created_at).total_seconds()
        self.meter.delivered(delivery.kind, sent.outcome, seconds)
        good = sent.outcome is Outcome.ACCEPTED and state is not None
        event = "delivered" if good else "not_delivered" if state else "lease_lost"
        (log.info if good else log.warning)(
            event,
            kind=delivery.kind.value,
            key=delivery.key,
            delivery=delivery.id,
            attempt=delivery.attempts,
            outcome=sent.outcome.value,
            state=state.value if state else None,
            detail=sent.detail,
            seconds=round(seconds, 1),
        )
