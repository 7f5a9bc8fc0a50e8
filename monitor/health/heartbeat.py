"""Tells somebody outside that we live: who is not told for long enough raises the alarm.

    a canary has passed, and nothing is grave -> GET url           (once for each canary)
    something is grave                        -> GET url/fail      (at once, and every ten minutes)
    it is over                                -> a canary flies at once, and its pass is told

The convention is Healthchecks' (https://healthchecks.io/docs/http_api/): a self-hosted one, or any
service that takes the same two addresses. That it is told at all proves nothing by itself; that a
canary passed before proves that an alert of the last hour would have arrived.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from connectors.errors import SourceError
from connectors.http import fetch
from monitor.domain.health import CanaryStanding, Health, HeartbeatStanding, Reason
from monitor.health.machine import wall
from monitor.policy.health import HeartbeatRules

log = structlog.get_logger("monitor.health")

FAIL = "/fail"
_ANSWER_BYTES = 10_000


@dataclass(slots=True, kw_only=True)
class Heartbeat:
    """`url` is a secret: whoever has it can say that we are well. `fly` lets a canary fly now."""

    url: str = field(repr=False)
    rules: HeartbeatRules
    health: Callable[[], Health]
    canary: Callable[[], CanaryStanding]
    fly: Callable[[], None]
    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], datetime] = wall
    _standing: HeartbeatStanding = field(default_factory=HeartbeatStanding)
    _told: CanaryStanding | None = None  # the pass that the outside knows of
    _grave: frozenset[Reason] = frozenset()
    _grave_at: datetime | None = None  # when it was last seen that something was wrong
    _alarmed_at: float | None = None
    _asked: bool = False

    def standing(self) -> HeartbeatStanding:
        """When the outside was last told that all is well."""
        return self._standing

    def beat(self) -> bool:
        """Say what there is to say. False always: what could not be said is said at the next turn."""
        grave = frozenset(p.reason for p in self.health().problems if p.grave)
        if grave:
            self._alarm(grave)
        else:
            self._grave, self._alarmed_at = grave, None
            self._reassure(self.canary())
        return False

    def _alarm(self, grave: frozenset[Reason]) -> None:
        new = not grave <= self._grave
        if new:
            log.error("not_well", reason=", ".join(sorted(grave)))
        self._grave, self._grave_at, self._asked = self._grave | grave, self.wall(), False
        now = self.monotonic()
        due = self._alarmed_at is None or now - self._alarmed_at >= self.rules.repeat_s
        if (new or due) and self._get(self.url + FAIL):
            self._alarmed_at = now

    def _reassure(self, passed: CanaryStanding) -> None:
        if passed.took_s is None or passed.passed_at is None:
            return  # none has passed since this program runs
        if self._grave_at and passed.passed_at <= self._grave_at:
            if not self._asked:
                self._asked = True
                self.fly()
            return
        if passed != self._told and self._get(self.url):
            self._told = passed
            self._standing = HeartbeatStanding(told_at=self.wall())

    def _get(self, url: str) -> bool:
        """True when it was taken. The address stays out of the log: it is the password."""
        try:
            fetch(
                url,
                timeout_s=self.rules.timeout_s,
                max_bytes=_ANSWER_BYTES,
                allow_private=True,  # the trust's own Healthchecks is the trust's own business
            )
        except SourceError as error:
            if self._standing.failure is None:
                log.warning("heartbeat_failed", reason=str(error))
            self._standing = HeartbeatStanding(told_at=self._standing.told_at, failure=str(error))
            return False
        self._standing = HeartbeatStanding(told_at=self._standing.told_at)
        return True
