"""The report's figures: right, and telling of no one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.verdict import Label, Sentiment, Severity
from monitor.domain import (
    Closing,
    Concern,
    ConcernEvent,
    ConcernState,
    CoverageGap,
    SourceHealth,
    Suggestion,
)
from monitor.policy import report

SINCE = datetime(2026, 3, 9, tzinfo=UTC)
UNTIL = SINCE + timedelta(days=7)
NOW = UNTIL + timedelta(hours=9)
HOUR = timedelta(hours=1)
MONDAY = SINCE + 9 * HOUR


def event(action: str, at: datetime, who: str = "monitor", **details: str) -> ConcernEvent:
    return ConcernEvent(at=at, who=who, action=action, why="", details=details)


def concern(number: int = 1, *labels: Label, at: datetime = MONDAY, due_h: int = 24) -> Concern:
    return Concern(
        id=number,
        reference=f"2026-{number:04d}",
        state=ConcernState.OPEN,
        severity=Severity.CONCERN,
        labels=frozenset(labels or {Label.COMPLAINT}),
        sentiment=Sentiment.NEGATIVE,
        organisations=("fellgate",),
        suggestion=Suggestion(
            rung="L1",
            rung_name="Acknowledge",
            who="comms",
            approver="slt",
            reply=None,
            private_reply=None,
            no_reply_because=None,
            do=(),
            dont=(),
            due_at=at + due_h * HOUR,
            source="a clause",
        ),
        reasons=(),
        confidential=False,
        needs_review=False,
        opened_at=at,
        updated_at=at,
        history=(event("opened", at),),
    )


def composed(*concerns: Concern, gaps: tuple[CoverageGap, ...] = ()) -> report.Report:
    return report.compose(
        title="Weekly report",
        since=SINCE,
        until=UNTIL,
        days=(date(2026, 3, 9), date(2026, 3, 15)),
        now=NOW,
        organisations={"trust": "Larkmoor Trust", "fellgate": "Fellgate High School"},
        counts={"fellgate": {Sentiment.NEGATIVE: 3, Sentiment.POSITIVE: 2}},
        counts_before={"fellgate": {Sentiment.NEUTRAL: 4}},
        concerns=concerns,
        gaps=gaps,
        sources=[
            SourceHealth(
                source="gazette",
                kind="rss",
                interval_s=300,
                last_success_at=NOW,
                last_attempt_at=NOW,
                failures=0,
                last_error=None,
                next_poll_at=None,
            )
        ],
    )


def test_every_school_has_a_line_even_a_silent_one() -> None:
    """Schools stand in the watchlist's order, with this period's figures and the last's total."""
    trust, fellgate = composed().schools
    assert (trust.name, trust.total, trust.total_before) == ("Larkmoor Trust", 0, 0)
    assert (fellgate.negative, fellgate.neutral, fellgate.positive) == (3, 0, 2)
    assert (fellgate.total, fellgate.total_before) == (5, 4)


def test_only_the_period_counts() -> None:
    """Concerns of the period before are counted as such, later ones not at all."""
    made = composed(
        concern(1),
        concern(2, at=SINCE - timedelta(days=3)),
        concern(3, at=SINCE - timedelta(days=8)),
        concern(4, at=UNTIL),
    )
    assert (made.opened, made.opened_before) == (1, 1)


@pytest.mark.parametrize(("count", "words"), [(0, "none"), (1, "fewer than five"), (5, "5")])
def test_small_numbers_of_children_are_not_told(count: int, words: str) -> None:
    """One to four items with the safeguarding lead read "fewer than five", and in no category."""
    made = composed(
        *(replace(concern(n, Label.SAFEGUARDING), confidential=True) for n in range(count))
    )
    assert made.children == words
    assert made.categories == ()


def test_deadlines_met_and_missed() -> None:
    """A first move in time counts as met, a later one or none as missed; views are no moves."""
    prompt = concern(1)
    prompt = replace(
        prompt, history=(*prompt.history, event("acknowledged", MONDAY + HOUR, "comms"))
    )
    tardy = concern(2)
    tardy = replace(tardy, history=(*tardy.history, event("acknowledged", MONDAY + 25 * HOUR, "c")))
    looked = concern(3)
    looked = replace(looked, history=(*looked.history, event("viewed", MONDAY + HOUR, "comms")))
    made = composed(prompt, tardy, looked)
    assert (made.in_time, made.late) == (1, 2)


def test_a_deadline_still_ahead_is_neither_met_nor_missed() -> None:
    """What can still be done in time is not counted yet."""
    made = composed(concern(1, at=UNTIL - HOUR, due_h=48))
    assert (made.in_time, made.late) == (0, 0)


def test_how_long_alerts_waited() -> None:
    """The wait runs from the first alert to the acknowledgement."""
    waited = replace(
        concern(1, Label.THREAT),
        severity=Severity.URGENT,
        history=(
            event("alerted", MONDAY),
            event("alerted", MONDAY + timedelta(minutes=30)),
            event("acknowledged", MONDAY + timedelta(minutes=40), "slt-1"),
        ),
    )
    made = composed(waited, replace(concern(2), history=(event("alerted", MONDAY),)))
    assert made.minutes_to_acknowledge == made.longest_to_acknowledge == 40
    assert made.urgent == 1


def test_outcomes_and_formal_steps() -> None:
    """How cases ended and which formal steps were recorded in the period are counted."""
    ended = replace(
        concern(1, Label.THREAT),
        state=ConcernState.CLOSED,
        closing=Closing.PASSED_ON,
        history=(event("record", MONDAY, "slt-1", fact="police_told", reference="CR/1"),),
    )
    made = composed(ended, replace(concern(2), closing=Closing.FALSE_ALARM))
    assert dict(made.outcomes) == {"passed on to another record": 1, "false alarm": 1}
    assert made.steps == (("told the police", 1),)


@pytest.mark.parametrize(
    ("started_h", "ended_h", "hours", "share"),
    [(-5, 2, 2, 1 - 2 / 168), (10, None, 158, 10 / 168), (-9, 900, 168, 0.0), (-9, -1, 0, 1.0)],
)
def test_coverage_counts_what_falls_into_the_period(
    started_h: int, ended_h: int | None, hours: int, share: float
) -> None:
    """Gaps are cut to the period; one that has not ended reaches to its end."""
    gap = CoverageGap(
        source="gazette",
        started_at=SINCE + started_h * HOUR,
        ended_at=None if ended_h is None else SINCE + ended_h * HOUR,
        reason="503",
    )
    (seen,) = composed(gaps=(gap,)).coverage
    assert seen.hours_lost == hours
    assert seen.share == pytest.approx(share)


@given(
    st.lists(
        st.tuples(st.frozensets(st.sampled_from(Label)), st.booleans(), st.integers(-400, 400)),
        max_size=12,
    )
)
def test_figures_never_contradict_each_other(
    drawn: list[tuple[frozenset[Label], bool, int]],
) -> None:
    """Whatever the log holds: categories add up to what is told, and nothing is negative."""
    concerns = [
        replace(concern(n, *labels, at=SINCE + h * HOUR), confidential=secret, labels=labels)
        for n, (labels, secret, h) in enumerate(drawn)
    ]
    made = composed(*concerns)
    told = sum(not c.confidential and SINCE <= c.opened_at < UNTIL for c in concerns)
    assert sum(count for _, count in made.categories) == told <= made.opened
    assert made.in_time + made.late <= told
    assert made.overdue <= made.still_open
