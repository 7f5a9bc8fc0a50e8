"""When somebody must have answered: the four clocks of the ladder, in London time.

Times are stored and compared in UTC; only "which day is this" and "17:00" are local. Working days
are weekdays that are neither a bank holiday of the division nor one of the trust's own closures;
school-holiday weekdays count, because a duty officer acknowledges then too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

CLOCKS = frozenset({"standard", "elapsed_24h", "urgent_15min", "none"})
END_OF_WORK = time(17, 0)  # local; "next working day" means by then
LONGEST_CLOSURE = 62  # days looked ahead for a working day before the calendar is called wrong


class Division(StrEnum):
    """Bank holidays differ; the values are those of gov.uk/bank-holidays.json."""

    ENGLAND_AND_WALES = "england-and-wales"
    SCOTLAND = "scotland"
    NORTHERN_IRELAND = "northern-ireland"


class WeekendRule(StrEnum):
    """What happens to 24 hours that end on a day off: STRICT keeps them (the Coast policy's
    wording), ROLL moves them to 17:00 on the next working day."""

    STRICT = "strict"
    ROLL = "roll"


_SUBDIVISION = {
    Division.ENGLAND_AND_WALES: "ENG",
    Division.SCOTLAND: "SCT",
    Division.NORTHERN_IRELAND: "NIR",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The trust's working days. `closures` are days on which the whole trust is shut. Raises
    ValueError when they leave no working day for 62 days, so that no deadline can fail later."""

    division: Division = Division.ENGLAND_AND_WALES
    weekend_rule: WeekendRule = WeekendRule.STRICT
    closures: frozenset[date] = field(default=frozenset())
    tz: ZoneInfo = field(default=ZoneInfo("Europe/London"))

    def __post_init__(self) -> None:
        for day in self.closures:
            self.next_working_day(day)

    def works_on(self, day: date) -> bool:
        """True on a weekday that is no bank holiday of the division and no closure."""
        if day.weekday() >= 5 or day in self.closures:
            return False
        return day not in _bank_holidays(self.division, day.year)

    def next_working_day(self, day: date) -> date:
        """The first working day after `day`."""
        for ahead in range(1, LONGEST_CLOSURE + 1):
            candidate = day + timedelta(days=ahead)
            if self.works_on(candidate):
                return candidate
        raise ValueError(
            f"calendar.closures: no working day in the {LONGEST_CLOSURE} days after {day}; "
            "remove some closures"
        )


def due_at(received: datetime, clock: str, calendar: Calendar) -> datetime | None:
    """The deadline in UTC for something received at `received` (aware), or None for clock "none".

    "standard": 24 elapsed hours from a working day, else 17:00 local on the next working day.
    "elapsed_24h" (abuse, hate) and "urgent_15min" (threat, safeguarding) run through nights,
    weekends and clock changes. Raises ValueError for a naive time or an unknown clock.
    """
    if received.tzinfo is None:
        raise ValueError("received must carry a time zone")
    start = received.astimezone(UTC)
    match clock:
        case "none":
            return None
        case "urgent_15min":
            return start + timedelta(minutes=15)
        case "elapsed_24h":
            return start + timedelta(hours=24)
        case "standard":
            return _standard(start, calendar)
    raise ValueError(f"unknown clock {clock!r}: use one of {', '.join(sorted(CLOCKS))}")


def _standard(start: datetime, calendar: Calendar) -> datetime:
    day = start.astimezone(calendar.tz).date()
    if not calendar.works_on(day):
        return _close_of_next_working_day(day, calendar)
    due = start + timedelta(hours=24)
    due_day = due.astimezone(calendar.tz).date()
    if calendar.weekend_rule is WeekendRule.ROLL and not calendar.works_on(due_day):
        return _close_of_next_working_day(due_day, calendar)
    return due


def _close_of_next_working_day(day: date, calendar: Calendar) -> datetime:
    closing = datetime.combine(calendar.next_working_day(day), END_OF_WORK, tzinfo=calendar.tz)
    return closing.astimezone(UTC)


@lru_cache(maxsize=64)
def _bank_holidays(division: Division, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("GB", subdiv=_SUBDIVISION[division], years=year))
