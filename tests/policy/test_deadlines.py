"""The four clocks, in London time."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.policy.deadlines import Calendar, Division, WeekendRule, due_at

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
