"""The one place that reads the time. It never runs backwards."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

SLOW = 0.5  # how fast it runs while the wall clock is behind it


class SteadyClock:
    """The time in UTC, aware; safe from any thread.

    When the wall clock is set forward it follows at once. When it is set back it goes on at half
    speed until the wall clock has caught up: an alert that is due in 15 s is then due in 30 s, and
    not after the hour by which somebody mended the clock.
    """

    def __init__(
        self,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._lock = threading.Lock()
        self._told, self._told_at = wall(), monotonic()

    def __call__(self) -> datetime:
        with self._lock:
            wall, at = self._wall(), self._monotonic()
            slowly = self._told + timedelta(seconds=(at - self._told_at) * SLOW)
            self._told, self._told_at = max(wall, slowly), at
            return self._told
