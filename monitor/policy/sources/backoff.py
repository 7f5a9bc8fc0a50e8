"""When to try again: the next poll of a source, the next attempt of a delivery.

Retries live here and nowhere else, so that they never multiply. The steps are those of
reliability's rules: an urgent alert is offered for ever, because giving up silently is the one thing
that it must not do; what may have been accepted already is repeated at most twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from monitor.domain import DeliveryKind, DeliveryState, Outcome, Sent
from monitor.policy.sources.rules import PollRules

ALERT_STEPS = (
    15.0,
    30.0,
    60.0,
    120.0,
    300.0,
)  # s after the 1st, 2nd, ... attempt; the last repeats
DIGEST_STEPS = (60.0, 300.0, 900.0, 1800.0)  # s; the last repeats
OTHER_STEPS = (15.0, 60.0, 300.0, 900.0)  # s; the last repeats: a gateway may take it and say no
OTHER_LIFE = 21_600.0  # s; by then the next alerts of an unanswered case have calls of their own
DIGEST_LIFE = 86_400.0  # s; tomorrow's digest says more than yesterday's
AMBIGUOUS_WAIT = 900.0  # s
AMBIGUOUS_REPEATS = 2

_PATIENCE = {
    DeliveryKind.DIGEST: (DIGEST_STEPS, DIGEST_LIFE),
    DeliveryKind.OTHER: (OTHER_STEPS, OTHER_LIFE),
}
"""The steps, and the seconds after which it is given up. What is not here is never given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Try again at `due_at`; until then the delivery is in `state` (PENDING or AMBIGUOUS)."""

    due_at: datetime
    state: DeliveryState
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """Stop; the delivery is DEAD and the digest says so, with this reason."""

    reason: str


class Circuit(StrEnum):
    """Whether a source is asked at all. It is read off what the source's row holds, so it is the same
    after a restart."""

    CLOSED = "closed"  # it is polled
    OPEN = "open"  # it failed too often: nothing is asked until `next_poll_at`
    HALF_OPEN = "half-open"  # that has come: one poll tries


def circuit(
    failures: int, next_poll_at: datetime | None, rules: PollRules, *, now: datetime
) -> Circuit:
    """The state of a source that failed `failures` times in a row. Pure."""
    if failures < rules.open_after:
        return Circuit.CLOSED
    return Circuit.OPEN if next_poll_at and now < next_poll_at else Circuit.HALF_OPEN


def may_poll(failures: int, next_poll_at: datetime | None, *, now: datetime) -> bool:
    """False while a source that failed has to wait: before that, its schedule alone decides."""
    return not failures or next_poll_at is None or now >= next_poll_at


def next_poll(
    now: datetime,
    interval_s: float,
    failures: int,
    rules: PollRules,
    *,
    retry_after_s: float | None = None,
    rejected: bool = False,
    jitter: float = 0.0,
) -> datetime:
    """When to poll next, after `failures` failures in a row (0: the last poll succeeded).

    The wait doubles with each failure, up to `longest_wait_s` (or the interval, if longer), plus a
    share by `jitter` (0..1, drawn by the caller). It is never shorter than the interval, nor than
    `retry_after_s`, of which at most a day is believed. What was `rejected` waits by steps instead,
    since only a person can mend it.
    """
    if rejected and failures:
        steps = rules.rejected_wait_s
        wait = max(interval_s, steps[min(failures, len(steps)) - 1])
    else:
        # 2**16 intervals of a second exceed any cap; a larger exponent would only overflow.
        cap = max(rules.longest_wait_s, interval_s)
        wait = min(interval_s * 2.0 ** min(failures, 16), cap)
    wait = max(wait, min(retry_after_s or 0.0, rules.longest_retry_after_s))
    return now + timedelta(seconds=wait * (1 + rules.jitter * jitter))


def next_attempt(
    kind: DeliveryKind,
    sent: Sent,
    *,
    attempts: int,
    ambiguous_attempts: int,
    created_at: datetime,
    now: datetime,
) -> Retry | GiveUp:
    """What follows an attempt that did not end in ACCEPTED.

    `attempts` and `ambiguous_attempts` include the attempt that `sent` reports. DEFERRED alerts are
    retried for ever; DEFERRED digests for 24 hours from `created_at`, what stands in for an alert on
    another channel for six: the alert's own mail goes on. Raises ValueError for
    ACCEPTED, after which nothing follows.
    """
    match sent.outcome:
        case Outcome.REJECTED:
            return GiveUp(reason=f"refused for good: {sent.detail}")
        case Outcome.AMBIGUOUS:
            return _after_ambiguous(ambiguous_attempts, now)
        case Outcome.DEFERRED:
            return _after_deferred(kind, sent, attempts, created_at, now)
    raise ValueError("an accepted message has no next attempt")


def _after_ambiguous(ambiguous_attempts: int, now: datetime) -> Retry | GiveUp:
    if ambiguous_attempts > AMBIGUOUS_REPEATS:
        return GiveUp(
            reason=f"sent {ambiguous_attempts} times without an answer: it has probably arrived"
        )
    return Retry(
        due_at=now + timedelta(seconds=AMBIGUOUS_WAIT),
        state=DeliveryState.AMBIGUOUS,
        reason="sent without an answer: waiting before it is repeated",
    )


def _after_deferred(
    kind: DeliveryKind, sent: Sent, attempts: int, created_at: datetime, now: datetime
) -> Retry | GiveUp:
    steps, life = _PATIENCE.get(kind, (ALERT_STEPS, None))
    if life is not None and now - created_at >= timedelta(seconds=life):
        return GiveUp(reason=f"not accepted within {life / 3600:.0f} hours: {sent.detail}")
    wait = steps[min(max(attempts, 1), len(steps)) - 1]
    return Retry(
        due_at=now + timedelta(seconds=wait),
        state=DeliveryState.PENDING,
        reason=f"not accepted yet: {sent.detail}",
    )
