"""When the day's digest is due."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo


def day_due(now: datetime, at: time, tz: ZoneInfo) -> date | None:
    """The day whose digest is due at `now`: today once its hour has come in `tz`, else None.

    A missed day is not made up for by itself: the next digest begins where the last one ended.
    """
    local = now.astimezone(tz)
    return local.date() if local.time() >= at else None
