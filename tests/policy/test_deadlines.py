"""The clocks, in London time."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.policy.deadlines import (
    CLOCKS,
    Calendar,
    Division,
    WeekendRule,
    due_at,
    working_days_after,
)

LONDON = ZoneInfo("Europe/London")
WORKED = json.loads(
    (Path(__file__).parents[1] / "data" / "deadline-cases.json").read_text(encoding="utf-8")
)
CLOCK = {"standard": "standard", "continuous24": "elapsed_24h", "urgent15": "urgent_15min"}
moments = st.integers(0, 2 * 366 * 86_400).map(
    lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
calendars = st.builds(
    Calendar, division=st.sampled_from(Division), weekend_rule=st.sampled_from(WeekendRule)
)


@pytest.mark.parametrize("rule", list(WeekendRule))
@pytest.mark.parametrize("case", WORKED, ids=lambda case: f"{case['id']} {case['name']}")
def test_the_worked_cases(case, rule):
    """Every worked case of the trusts' policies falls due at its minute, under both rules."""
    calendar = Calendar(
        division=Division(case["division"]),
        weekend_rule=rule,
        closures=frozenset(date.fromisoformat(day) for day in case["closures"]),
    )
    due = due_at(datetime.fromisoformat(case["received"]), CLOCK[case["kind"]], calendar)
    assert due == datetime.fromisoformat(case[f"due_{rule}"])


def test_both_half_past_ones_of_the_autumn_night_are_kept_apart():
    """01:30 before and after the clocks go back are an hour apart, and so are their deadlines."""
    calendar = Calendar()
    first = datetime(2026, 10, 25, 1, 30, tzinfo=LONDON, fold=0)
    second = first.replace(fold=1)
    early, late = (due_at(each, "urgent_15min", calendar) for each in (first, second))
    assert early is not None
    assert late is not None
    assert late - early == timedelta(hours=1)


def test_no_clock_no_deadline():
    """What is only logged is never late."""
    assert due_at(datetime(2026, 3, 10, tzinfo=UTC), "none", Calendar()) is None


def test_a_naive_time_is_refused():
    """A time without a zone would be an hour wrong half of the year."""
    with pytest.raises(ValueError, match="time zone"):
        due_at(datetime(2026, 3, 10, 9), "standard", Calendar())  # noqa: DTZ001


def test_an_unknown_clock_is_refused():
    """A misspelt clock is an error, not a missing deadline."""
    with pytest.raises(ValueError, match="standard"):
        due_at(datetime(2026, 3, 10, tzinfo=UTC), "standrad", Calendar())


def test_a_calendar_without_working_days_is_refused():
    """A trust that is shut for ever has a fault in its closures, and is told so at the start."""
    start = date(2026, 3, 9)
    with pytest.raises(ValueError, match="closures"):
        Calendar(closures=frozenset(start + timedelta(days=n) for n in range(100)))


@given(moments, calendars)
def test_a_standard_deadline_lies_ahead_and_in_sight(received, calendar):
    """A deadline is never in the past, and never more than eight days away."""
    due = due_at(received, "standard", calendar)
    assert due is not None
    assert due.tzinfo is UTC
    assert received < due <= received + timedelta(days=8)


@given(moments, st.sampled_from(Division))
def test_rolling_never_ends_on_a_day_off(received, division):
    """Under the roll rule a deadline falls on a working day."""
    calendar = Calendar(division=division, weekend_rule=WeekendRule.ROLL)
    due = due_at(received, "standard", calendar)
    assert due is not None
    assert calendar.works_on(due.astimezone(LONDON).date())


@given(moments, moments, calendars)
def test_who_comes_first_is_due_first(one, other, calendar):
    """An earlier post is never due after a later one, but for a day off after a working day."""
    early, late = sorted((one, other))
    if calendar.weekend_rule is WeekendRule.ROLL:
        assert due_at(early, "standard", calendar) <= due_at(late, "standard", calendar)


@given(moments, calendars)
def test_abuse_and_threats_know_no_weekend(received, calendar):
    """24 elapsed hours and 15 minutes are exactly that, whatever the day or the clocks do."""
    assert due_at(received, "elapsed_24h", calendar) == received + timedelta(hours=24)
    assert due_at(received, "urgent_15min", calendar) == received + timedelta(minutes=15)


def at(text: str) -> datetime:
    """A London time."""
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


@pytest.mark.parametrize(
    ("clock", "received", "due"),
    [
        # Tuesday in the staffed hours of 08:00 to 17:00.
        ("staffed_1h", "2026-03-10T09:15", "2026-03-10T10:15"),
        ("staffed_2h", "2026-03-10T15:00", "2026-03-10T17:00"),
        # What one day doesn't hold runs on the next.
        ("staffed_1h", "2026-03-10T16:40", "2026-03-11T08:40"),
        ("staffed_2h", "2026-03-13T16:30", "2026-03-16T09:30"),
        # Before opening, after closing, on a Sunday, on a bank holiday (Good Friday to Easter Monday).
        ("staffed_1h", "2026-03-10T03:00", "2026-03-10T09:00"),
        ("staffed_1h", "2026-03-10T17:00", "2026-03-11T09:00"),
        ("staffed_1h", "2026-03-15T23:59", "2026-03-16T09:00"),
        ("staffed_2h", "2026-04-03T10:00", "2026-04-07T10:00"),
        # Over both nights on which the clocks change: 08:00 is 08:00 local.
        ("staffed_2h", "2026-03-27T16:00", "2026-03-30T09:00"),
        ("staffed_2h", "2026-10-23T16:00", "2026-10-26T09:00"),
        ("same_day", "2026-03-10T09:15", "2026-03-10T17:00"),
        ("same_day", "2026-03-10T17:00", "2026-03-11T17:00"),
        ("same_day", "2026-03-14T09:00", "2026-03-16T17:00"),
        ("same_day", "2026-03-28T12:00", "2026-03-30T17:00"),
        ("working_days_1", "2026-03-10T09:15", "2026-03-11T17:00"),
        ("working_days_1", "2026-03-13T09:15", "2026-03-16T17:00"),
        ("working_days_2", "2026-03-14T09:15", "2026-03-17T17:00"),
        ("working_days_3", "2026-04-01T09:15", "2026-04-08T17:00"),
        ("working_days_5", "2026-10-23T09:15", "2026-10-30T17:00"),
        ("working_days_10", "2026-03-23T09:15", "2026-04-08T17:00"),
    ],
)
def test_the_clocks_of_the_further_rungs(clock, received, due):
    """Staffed hours, the same day and working days fall due at their minute, in local time."""
    assert due_at(at(received), clock, Calendar()) == at(due)


@pytest.mark.parametrize(
    ("division", "due"),
    [
        (Division.ENGLAND_AND_WALES, "2026-03-18T17:00"),
        (Division.NORTHERN_IRELAND, "2026-03-19T17:00"),  # St Patrick's Day is no working day
    ],
)
def test_working_days_depend_on_the_division(division, due):
    """Two working days after a Monday are a day later where one of them is a bank holiday."""
    assert working_days_after(at("2026-03-16T12:00"), 2, Calendar(division=division)) == at(due)


def test_closures_are_no_working_days_for_any_clock():
    """While the trust is shut neither days nor staffed hours pass."""
    shut = Calendar(closures=frozenset({date(2026, 3, 11), date(2026, 3, 12)}))
    assert due_at(at("2026-03-10T16:30"), "staffed_1h", shut) == at("2026-03-13T08:30")
    assert due_at(at("2026-03-11T09:00"), "same_day", shut) == at("2026-03-13T17:00")
    assert working_days_after(at("2026-03-10T09:00"), 2, shut) == at("2026-03-16T17:00")


def test_staffed_hours_are_the_trusts_own():
    """An office that opens from ten to noon answers within its own hours."""
    short = Calendar(staffed_from=time(10), staffed_until=time(12))
    assert due_at(at("2026-03-10T11:30"), "staffed_2h", short) == at("2026-03-11T11:30")
    with pytest.raises(ValueError, match="staffed_until"):
        Calendar(staffed_from=time(10), staffed_until=time(11))


def test_working_days_are_counted_from_one():
    """Nought working days are a mistake, and so is a time without a zone."""
    with pytest.raises(ValueError, match="at least 1"):
        working_days_after(at("2026-03-10T09:00"), 0, Calendar())
    with pytest.raises(ValueError, match="time zone"):
        working_days_after(datetime(2026, 3, 10, 9), 1, Calendar())  # noqa: DTZ001


@given(moments, calendars, st.sampled_from(sorted(CLOCKS - {"none"})))
def test_every_clock_ends_later_in_utc_and_never_for_long(received, calendar, clock):
    """Whatever the clock, its deadline lies ahead, in UTC, within a month."""
    due = due_at(received, clock, calendar)
    assert due is not None
    assert due.tzinfo is UTC
    assert received < due <= received + timedelta(days=31)


@given(moments, st.sampled_from(Division), st.sampled_from(["staffed_1h", "staffed_2h"]))
def test_staffed_deadlines_fall_into_staffed_hours(received, division, clock):
    """A staffed clock runs out on a working day between opening and closing."""
    calendar = Calendar(division=division)
    due = due_at(received, clock, calendar)
    assert due is not None
    local = due.astimezone(LONDON)
    assert calendar.works_on(local.date())
    assert calendar.staffed_from < local.time() <= calendar.staffed_until


@given(moments, moments, calendars, st.sampled_from(["same_day", "staffed_1h", "working_days_5"]))
def test_who_comes_first_is_due_first_by_every_office_clock(one, other, calendar, clock):
    """By the office's clocks an earlier post is never due after a later one."""
    early, late = sorted((one, other))
    assert due_at(early, clock, calendar) <= due_at(late, clock, calendar)
