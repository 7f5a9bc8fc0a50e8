"""When to try again: the next poll of a source, the next attempt of a delivery.

Retries live here and nowhere else, so that they never multiply. The steps are those of
reliability's rules: an urgent alert is offered for ever, because giving up silently is the one thing
that it must not do; what may have been accepted already is repeated at most twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.domain import DeliveryKind, DeliveryState, Outcome, Sent

LONGEST_POLL_WAIT = 3600.0  # s; a source with a longer interval keeps its own
LONGEST_RETRY_AFTER = 86_400.0  # s; a server that asks for more is asked again after a day
JITTER = 0.1  # share of the wait that may be added, so that sources don't march in step

ALERT_STEPS = (
    15.0,
    30.0,
    60.0,
    120.0,
    300.0,
)  # s after the 1st, 2nd, ... attempt; the last repeats
DIGEST_STEPS = (60.0, 300.0, 900.0, 1800.0)  # s; the last repeats
DIGEST_LIFE = 86_400.0  # s; tomorrow's digest says more than yesterday's
AMBIGUOUS_WAIT = 900.0  # s
AMBIGUOUS_REPEATS = 2


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


def next_poll(
    now: datetime, interval_s: float, failures: int, retry_after_s: float | None, jitter: float
) -> datetime:
    """When to poll next, after `failures` failures in a row (0: the last poll succeeded).

    The wait doubles with each failure, up to an hour (or the interval, if longer), plus up to a
    tenth by `jitter` (0..1, drawn by the caller). It is never shorter than the interval, nor than
    `retry_after_s`, of which at most a day is believed.
    """
    cap = max(LONGEST_POLL_WAIT, interval_s)
    # 2**16 intervals of a second exceed any cap; a larger exponent would only overflow.
    wait = min(interval_s * 2.0 ** min(failures, 16), cap)
    wait = max(wait, min(retry_after_s or 0.0, LONGEST_RETRY_AFTER))
    return now + timedelta(seconds=wait * (1 + JITTER * jitter))


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
    retried for ever; DEFERRED digests for 24 hours from `created_at`. Raises ValueError for
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
    if kind is DeliveryKind.DIGEST and now - created_at >= timedelta(seconds=DIGEST_LIFE):
        return GiveUp(reason=f"not accepted within 24 hours: {sent.detail}")
    steps = ALERT_STEPS if kind is DeliveryKind.ALERT else DIGEST_STEPS
    wait = steps[min(max(attempts, 1), len(steps)) - 1]
    return Retry(
        due_at=now + timedelta(seconds=wait),
        state=DeliveryState.PENDING,
        reason=f"not accepted yet: {sent.detail}",
    )
