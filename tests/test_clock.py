"""The house's clock follows the wall clock, and never runs backwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.clock import SteadyClock

START = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


class Hands:
    """A wall clock and a monotonic one that are moved by hand."""

    def __init__(self) -> None:
        self.wall, self.monotonic = START, 1000.0
        self.clock = SteadyClock(lambda: self.wall, lambda: self.monotonic)

    def passes(self, seconds: float) -> datetime:
        self.wall += timedelta(seconds=seconds)
        self.monotonic += seconds
        return self.clock()


def test_follows_the_wall() -> None:
    """Undisturbed, it tells the wall clock's time."""
    hands = Hands()
    assert hands.passes(5) == START + timedelta(seconds=5)


def test_set_forward() -> None:
    """A wall clock set forward by an hour is followed at once."""
    hands = Hands()
    hands.wall += timedelta(hours=1)
    assert hands.passes(1) == START + timedelta(hours=1, seconds=1)


def test_set_back() -> None:
    """A wall clock set back by an hour slows it down, and two hours later both agree."""
    hands = Hands()
    hands.wall -= timedelta(hours=1)
    assert hands.passes(30) == START + timedelta(seconds=15)
    for _ in range(240):
        hands.passes(30)
    assert hands.clock() == hands.wall


@given(st.lists(st.tuples(st.floats(0, 1e4), st.floats(-1e5, 1e5)), max_size=30))
def test_never_backwards(moves: list[tuple[float, float]]) -> None:
    """Whatever is done to the wall clock, time goes on."""
    hands, last = Hands(), START
    for passed, jump in moves:
        hands.wall += timedelta(seconds=jump)
        now = hands.passes(passed)
        assert now >= last
        last = now
