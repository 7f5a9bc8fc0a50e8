"""When somebody must have answered: the clocks of the ladder, in London time.

Times are stored and compared in UTC; only "which day is this" and "17:00" are local. Working days
are weekdays that are neither a bank holiday of the division nor one of the trust's own closures;
school-holiday weekdays count, because a duty officer acknowledges then too. Staffed hours are the
hours of working days in which the office is staffed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

_ELAPSED = {"elapsed_24h": timedelta(hours=24), "urgent_15min": timedelta(minutes=15)}
_STAFFED = {"staffed_1h": timedelta(hours=1), "staffed_2h": timedelta(hours=2)}
_WORKING_DAYS = {f"working_days_{days}": days for days in (1, 2, 3, 5, 10)}
CLOCKS = frozenset({"standard", "same_day", "none", *_ELAPSED, *_STAFFED, *_WORKING_DAYS})
END_OF_WORK = time(17, 0)  # local; "next working day" means by then
SHORTEST_DAY_MIN = 120  # staffed minutes a day, at least: the longest staffed clock fits into one
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
    """The trust's working days. `closures` are days on which the whole trust is shut;
    `staffed_from` to `staffed_until` are the local hours in which somebody is at work on a working
    day. Raises ValueError when the closures leave no working day for 62 days, or the hours are
    shorter than two, so that no deadline can fail later."""

    division: Division = Division.ENGLAND_AND_WALES
    weekend_rule: WeekendRule = WeekendRule.STRICT
    closures: frozenset[date] = field(default=frozenset())
    tz: ZoneInfo = field(default=ZoneInfo("Europe/London"))
    staffed_from: time = time(8, 0)
    staffed_until: time = END_OF_WORK

    def __post_init__(self) -> None:
        if _minutes(self.staffed_until) - _minutes(self.staffed_from) < SHORTEST_DAY_MIN:
            raise ValueError("calendar.staffed_until: at least two hours after staffed_from")
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
    weekends and clock changes. "same_day": 17:00 local today, or on the next working day when today
    is none or 17:00 has passed. "staffed_1h", "staffed_2h": so long within staffed hours.
    "working_days_5": 17:00 local on the fifth working day after. Raises ValueError for a naive time
    or an unknown clock.
    """
    start = _in_utc(received)
    if clock == "none":
        return None
    if clock == "standard":
        return _standard(start, calendar)
    if clock == "same_day":
        return _same_day(start, calendar)
    if clock in _ELAPSED:
        return start + _ELAPSED[clock]
    if clock in _STAFFED:
        return _staffed(start, _STAFFED[clock], calendar)
    if clock in _WORKING_DAYS:
        return working_days_after(start, _WORKING_DAYS[clock], calendar)
    raise ValueError(f"unknown clock {clock!r}: use one of {', '.join(sorted(CLOCKS))}")


def working_days_after(start: datetime, days: int, calendar: Calendar) -> datetime:
    """17:00 local, in UTC, on the `days`-th (from 1) working day after the day of `start` (aware).

    Raises ValueError for a naive time or fewer days than 1.
    """
    if days < 1:
        raise ValueError("days must be at least 1")
    day = _in_utc(start).astimezone(calendar.tz).date()
    for _ in range(days):
        day = calendar.next_working_day(day)
    return _close_of(day, calendar)


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("the moment must carry a time zone")
    return moment.astimezone(UTC)


def _same_day(start: datetime, calendar: Calendar) -> datetime:
    day = start.astimezone(calendar.tz).date()
    today = _close_of(day, calendar)
    if calendar.works_on(day) and start < today:
        return today
    return _close_of(calendar.next_working_day(day), calendar)


def _staffed(start: datetime, left: timedelta, calendar: Calendar) -> datetime:
    """`left` of staffed time after `start`; what one day doesn't hold runs on the next."""
    day = start.astimezone(calendar.tz).date()
    if not calendar.works_on(day):
        day = calendar.next_working_day(day)
    while True:
        begins = max(start, _local(day, calendar.staffed_from, calendar))
        ends = _local(day, calendar.staffed_until, calendar)
        if begins + left <= ends:
            return begins + left
        left -= max(ends - begins, timedelta(0))
        day = calendar.next_working_day(day)


def _standard(start: datetime, calendar: Calendar) -> datetime:
    day = start.astimezone(calendar.tz).date()
    if not calendar.works_on(day):
        return _close_of(calendar.next_working_day(day), calendar)
    due = start + timedelta(hours=24)
    due_day = due.astimezone(calendar.tz).date()
    if calendar.weekend_rule is WeekendRule.ROLL and not calendar.works_on(due_day):
        return _close_of(calendar.next_working_day(due_day), calendar)
    return due


def _close_of(day: date, calendar: Calendar) -> datetime:
    return _local(day, END_OF_WORK, calendar)


def _local(day: date, hour: time, calendar: Calendar) -> datetime:
    return datetime.combine(day, hour, tzinfo=calendar.tz).astimezone(UTC)


def _minutes(hour: time) -> int:
    return hour.hour * 60 + hour.minute


@lru_cache(maxsize=64)
def _bank_holidays(division: Division, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("GB", subdiv=_SUBDIVISION[division], years=year))
