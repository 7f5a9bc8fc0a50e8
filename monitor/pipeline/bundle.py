"""Bundling: what was held for a reader goes out in one letter.

    look()  held letters that are due -> one letter of all -> COMMIT* {bundle queued, letters bundled}

(* = effect.) It holds nothing between two looks: after a crash the letters are still held, or their
bundle is queued.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from monitor.domain import DeliveryKind, Waiting
from monitor.policy.routes import flood
from monitor.policy.routes.flood import FloodRules
from monitor.ports import Letters, NewDelivery, Store, Transaction

log = structlog.get_logger("monitor.pipeline")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundler:
    """Makes one letter of those that the `Deliverer` held. `wake` is called with "deliver" when there
    is one to send."""

    store: Store
    letters: Letters
    clock: Callable[[], datetime]
    wake: Callable[[str], None]
    flood: FloodRules = field(default_factory=flood.packaged_rules)

    def look(self) -> bool:
        """Queue every bundle that is due; False when there is none. Safe to call often."""
        with self.store.read() as rows:
            due = self._due(rows, self.clock())
        made = [self._bundle(waiting) for waiting in due]
        if any(made):
            self.wake("deliver")
        return any(made)

    def _due(self, rows: Transaction, now: datetime) -> list[Waiting]:
        found = rows.bundles.waiting(now=now, since=now - flood.HOUR)
        dated = [(waiting, flood.bundle_at(waiting, self.flood)) for waiting in found]
        return [waiting for waiting, at in dated if at is not None and at <= now]

    def _bundle(self, waiting: Waiting) -> bool:
        """One bundle in one commit. Its words are made before, since hundreds of letters take seconds;
        what is no longer held then was taken by another process, and is left to it."""
        now, reader = self.clock(), (waiting.recipient, waiting.channel)
        with self.store.read() as rows:
            letters = rows.bundles.held(*reader, now=now)
        key = flood.bundle_key(waiting.first)
        bundle = NewDelivery(
            key=key,
            kind=DeliveryKind.ALERT,
            concern=None,
            recipient=waiting.recipient,
            channel=waiting.channel,
            message=self.letters.bundle(
                [letter.message for letter in letters],
                waiting.recipient,
                per_hour=self.flood.per_hour,
                key=key,
                now=now,
            ),
        )
        with self.store.begin() as rows:
            still_held = rows.bundles.held(*reader, now=now)
            due = [(again.recipient, again.channel) for again in self._due(rows, now)]
            if reader not in due or not set(letters) <= set(still_held):
                return False
            queued = rows.bundles.put(bundle, letters, now=now)
        log.info("bundled", key=key, delivery=queued, letters=len(letters))
        return True
