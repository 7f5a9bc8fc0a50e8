"""When to try again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain import DeliveryKind, DeliveryState, Outcome, Sent
from monitor.policy.sources.backoff import (
    Circuit,
    GiveUp,
    Retry,
    circuit,
    may_poll,
    next_attempt,
    next_poll,
)
from monitor.sources import load_rules

POLLS = load_rules().polls
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
ALERT, DIGEST = DeliveryKind.ALERT, DeliveryKind.DIGEST


def wait(interval, failures, retry_after=None, jitter=0.0):
    """Seconds until the next poll."""
    due = next_poll(NOW, interval, failures, POLLS, retry_after_s=retry_after, jitter=jitter)
    return (due - NOW).total_seconds()


def after(kind, outcome, *, attempts=1, ambiguous=0, age_h=0.0):
    """What follows one attempt."""
    sent = Sent(outcome=outcome, detail="450 try again", relay="first")
    return next_attempt(
        kind,
        sent,
        attempts=attempts,
        ambiguous_attempts=ambiguous,
        created_at=NOW - timedelta(hours=age_h),
        now=NOW,
    )


@pytest.mark.parametrize(
    ("interval", "failures", "retry_after", "expected"),
    [
        (60, 0, None, 60),
        (60, 1, None, 120),
        (60, 3, None, 480),
        (60, 6, None, 3600),
        (60, 100_000, None, 3600),
        (7200, 3, None, 7200),
        (60, 1, 600, 600),
        (60, 1, 5, 120),
        (60, 0, 900, 900),
        (60, 1, 10**9, 86_400),
        (60, 1, -5, 120),
    ],
)
def test_polls_back_off(interval, failures, retry_after, expected):
    """The wait doubles up to an hour, and a server's Retry-After is obeyed up to a day."""
    assert wait(interval, failures, retry_after) == expected


@given(
    st.floats(1, 1e5),
    st.integers(0, 10**6),
    st.none() | st.floats(0, 1e9),
    st.floats(0, 1),
)
def test_a_poll_is_never_early_and_never_forgotten(interval, failures, retry_after, jitter):
    """No poll comes before the interval or a believable Retry-After, nor later than a day and some."""
    seconds = wait(interval, failures, retry_after, jitter)
    assert seconds >= min(interval, 1e5) - 1e-6
    assert seconds >= min(retry_after or 0, 86_400) - 1e-6
    assert seconds <= 1.1 * max(86_400, interval) + 1e-6


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(0, 15), (1, 15), (2, 30), (3, 60), (4, 120), (5, 300), (6, 300), (10_000, 300)],
)
def test_an_alert_is_offered_for_ever(attempts, seconds):
    """A deferred alert climbs from 15 seconds to five minutes and is never given up."""
    step = after(ALERT, Outcome.DEFERRED, attempts=attempts, age_h=1000)
    assert step == Retry(
        due_at=NOW + timedelta(seconds=seconds),
        state=DeliveryState.PENDING,
        reason="not accepted yet: 450 try again",
    )


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 60), (2, 300), (3, 900), (4, 1800), (9, 1800)]
)
def test_a_digest_backs_off_to_half_an_hour(attempts, seconds):
    """A deferred digest is tried more and more seldom."""
    step = after(DIGEST, Outcome.DEFERRED, attempts=attempts)
    assert isinstance(step, Retry)
    assert step.due_at == NOW + timedelta(seconds=seconds)


def test_a_digest_is_given_up_after_a_day():
    """After 24 hours the next digest has taken over."""
    assert isinstance(after(DIGEST, Outcome.DEFERRED, age_h=23.9), Retry)
    step = after(DIGEST, Outcome.DEFERRED, age_h=24)
    assert isinstance(step, GiveUp)
    assert "24 hours" in step.reason


@pytest.mark.parametrize("kind", list(DeliveryKind))
def test_a_refusal_is_final(kind):
    """A recipient refused for good is dead at once, with the relay's words."""
    assert after(kind, Outcome.REJECTED) == GiveUp(reason="refused for good: 450 try again")


@pytest.mark.parametrize("kind", list(DeliveryKind))
def test_what_may_have_arrived_is_repeated_twice_at_most(kind):
    """A message without an answer waits 15 minutes, is repeated twice, then given up."""
    for count in (1, 2):
        step = after(kind, Outcome.AMBIGUOUS, ambiguous=count)
        assert isinstance(step, Retry)
        assert step.state is DeliveryState.AMBIGUOUS
        assert step.due_at == NOW + timedelta(minutes=15)
    step = after(kind, Outcome.AMBIGUOUS, ambiguous=3)
    assert isinstance(step, GiveUp)
    assert "3 times" in step.reason


def test_nothing_follows_acceptance():
    """Asking for the next attempt of an accepted message is a fault of the caller."""
    with pytest.raises(ValueError, match="accepted"):
        after(ALERT, Outcome.ACCEPTED)


@pytest.mark.parametrize(
    ("failures", "due_in_s", "expected"),
    [
        (0, None, Circuit.CLOSED),
        (2, 60, Circuit.CLOSED),
        (3, 60, Circuit.OPEN),
        (3, 0, Circuit.HALF_OPEN),
        (9, -60, Circuit.HALF_OPEN),
        (9, None, Circuit.HALF_OPEN),
    ],
)
def test_the_circuit_opens_and_half_opens(failures, due_in_s, expected):
    """Three failures open it until the next poll is due; then one poll tries."""
    due = None if due_in_s is None else NOW + timedelta(seconds=due_in_s)
    assert circuit(failures, due, POLLS, now=NOW) is expected
    asked = may_poll(failures, due, now=NOW)
    assert asked is (expected is not Circuit.OPEN and not (failures and due_in_s == 60))


@pytest.mark.parametrize(
    ("interval", "failures", "expected"),
    [(60, 1, 900), (60, 2, 3600), (60, 3, 21_600), (60, 99, 21_600), (86_400, 1, 86_400)],
)
def test_what_was_refused_is_polled_rarely(interval, failures, expected):
    """A refusal heals when a person acts: a quarter of an hour, an hour, then four times a day."""
    due = next_poll(NOW, interval, failures, POLLS, rejected=True)
    assert (due - NOW).total_seconds() == expected
