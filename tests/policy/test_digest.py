"""What stands where in the day's digest."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.verdict import Label, Sentiment, Severity
from connectors.post import Post
from monitor.domain import (
    ENDED,
    Concern,
    ConcernEvent,
    ConcernState,
    CoverageGap,
    Match,
    Mention,
    MetBy,
    RoutineMention,
    SourceHealth,
    Strength,
    Suggestion,
)
from monitor.policy.digest import MOST_PRAISE, MOST_ROUTINE, compose

NOW = datetime(2026, 3, 11, 7, 30, tzinfo=UTC)
SINCE, UNTIL = NOW - timedelta(days=1), NOW
SECRET = "the words of a child"
HOUR = timedelta(hours=1)


def concern(
    number=1,
    *,
    state=ConcernState.OPEN,
    severity=Severity.CONCERN,
    due=HOUR,
    confidential=False,
    organisations=("hill",),
    seen=NOW - HOUR,
):
    """A concern with one mention, due `due` from now (None: never)."""
    mention = Mention(
        id=number,
        source="reddit",
        post=Post(platform="reddit", native_id=str(number), text=SECRET, author="somebody"),
        matches=tuple(
            Match(
                organisation=organisation,
                term="Hill",
                field="text",
                span=(0, 4),
                strength=Strength.DISTINCTIVE,
                reason=SECRET,
            )
            for organisation in organisations
        ),
        first_seen_at=seen,
        revision=1,
    )
    return Concern(
        id=number,
        reference=f"2026-{number:04}",
        state=state,
        severity=severity,
        labels=frozenset({Label.SAFEGUARDING}),
        sentiment=Sentiment.NEGATIVE,
        organisations=tuple(organisations),
        suggestion=Suggestion(
            rung="S1",
            rung_name="Safeguarding",
            who="DSL",
            approver="DSL",
            reply=None,
            private_reply=None,
            no_reply_because=SECRET,
            do=(SECRET,),
            dont=(SECRET,),
            due_at=None if due is None else NOW + due,
            source="a policy",
        ),
        reasons=(SECRET,),
        confidential=confidential,
        needs_review=True,
        opened_at=seen,
        updated_at=seen,
        mentions=(mention,),
        history=(ConcernEvent(at=seen, who="monitor", action="opened", why=SECRET),),
    )


def routine(*labels, ago=HOUR, organisations=("hill",), sentiment=Sentiment.POSITIVE):
    """A mention with nothing to do."""
    return RoutineMention(
        organisations=organisations,
        sentiment=sentiment,
        labels=frozenset(labels),
        platform="news",
        url=None,
        text="well played",
        seen_at=NOW - ago,
    )


def source(name="feed", *, last_success=HOUR, interval_s=3600.0):
    """A source that answered `last_success` ago (None: never)."""
    return SourceHealth(
        source=name,
        kind="rss",
        interval_s=interval_s,
        last_success_at=None if last_success is None else NOW - last_success,
        last_attempt_at=NOW,
        failures=0,
        last_error=None,
        next_poll_at=None,
    )


def composed(**parts):
    """A digest of the parts given, the rest empty."""
    empty = {"concerns": (), "routine": (), "sources": (), "gaps": (), "undelivered": 0}
    return compose(
        day=date(2026, 3, 11),
        since=SINCE,
        until=UNTIL,
        now=NOW,
        organisations=("trust", "hill", "mill"),
        **(empty | parts),
    )


def ids(concerns):
    """Their numbers, in order."""
    return [each.id for each in concerns]


def groups(digest):
    """Every group of single concerns."""
    return (
        digest.overdue,
        digest.needs_you,
        digest.ready,
        digest.for_approval,
        digest.second_opinion,
        digest.in_hand,
        digest.waiting,
    )


def test_what_needs_somebody_is_ordered_by_severity_then_deadline():
    """The gravest stands first, then what is due first; what is never due comes last."""
    digest = composed(
        concerns=[
            concern(1, due=None),
            concern(2, due=5 * HOUR),
            concern(3, due=2 * HOUR),
            concern(4, severity=Severity.URGENT, due=9 * HOUR),
        ]
    )
    assert ids(digest.needs_you) == [4, 3, 2, 1]


def test_overdue_in_hand_and_closed():
    """Late stands apart in whatever state; what was accepted or answered is not late; ended is gone."""
    accepted = concern(2, state=ConcernState.ACKNOWLEDGED, due=-HOUR)
    digest = composed(
        concerns=[
            concern(1, due=-HOUR),
            replace(accepted, suggestion=replace(accepted.suggestion, met_by=MetBy.ACCEPTANCE)),
            concern(3, state=ConcernState.CLOSED, due=-HOUR),
            concern(4),
            concern(5, state=ConcernState.FOR_APPROVAL, due=-HOUR),
            concern(6, state=ConcernState.MERGED, due=-HOUR),
        ]
    )
    assert ids(digest.overdue) == [1, 5]
    assert ids(digest.in_hand) == [2]
    assert ids(digest.needs_you) == [4]


def test_a_deadline_at_this_minute_is_not_late_yet():
    """Due now is still needed, not overdue."""
    assert ids(composed(concerns=[concern(due=timedelta(0))]).needs_you) == [1]


concerns = st.lists(
    st.builds(
        concern,
        st.just(0),
        state=st.sampled_from(ConcernState),
        severity=st.sampled_from(Severity),
        due=st.none() | st.integers(-50, 50).map(lambda hours: hours * HOUR),
        confidential=st.booleans(),
    ),
    max_size=12,
).map(lambda drawn: [replace(each, id=number) for number, each in enumerate(drawn)])


@given(concerns)
def test_every_live_concern_stands_in_exactly_one_group(drawn):
    """Nothing that is not closed is missing from the digest, and nothing stands there twice."""
    digest = composed(concerns=drawn)
    shown = [number for group in (*groups(digest), digest.with_dsl) for number in ids(group)]
    assert sorted(shown) == [e.id for e in drawn if e.state not in ENDED]


@given(concerns)
def test_a_confidential_concern_shows_nothing_but_its_number(drawn):
    """Of what the safeguarding lead has, no word, label, reason, place or history is told."""
    digest = composed(concerns=drawn)
    assert SECRET not in repr(digest.with_dsl)
    for shown in digest.with_dsl:
        assert not shown.labels
        assert not shown.mentions
        assert not shown.history
        assert shown.reference
    confidential = {each.id for each in drawn if each.confidential}
    for group in groups(digest):
        assert not confidential & set(ids(group))


def test_every_school_is_counted_even_with_nothing():
    """A school that nobody mentioned has zeros, and a post about two schools counts for both."""
    digest = composed(
        concerns=[concern(organisations=("hill", "mill"))], routine=[routine(Label.PRAISE)]
    )
    counts = digest.counts_by_organisation
    assert list(counts) == ["trust", "hill", "mill"]
    assert counts["trust"] == dict.fromkeys(Sentiment, 0)
    assert counts["hill"][Sentiment.NEGATIVE] == 1
    assert counts["hill"][Sentiment.POSITIVE] == 1
    assert counts["mill"][Sentiment.NEGATIVE] == 1


def test_only_the_days_own_and_open_mentions_are_counted():
    """Last week's mention of a concern still open is not counted again, nor a confidential one."""
    digest = composed(
        concerns=[
            concern(1, seen=SINCE - HOUR),
            concern(2, confidential=True),
            concern(3, seen=UNTIL),
        ]
    )
    assert sum(digest.counts_by_organisation["hill"].values()) == 0


def test_praise_is_apart_and_lists_are_bounded():
    """Praise and the rest are listed newest first, each up to its bound."""
    many = [routine(ago=n * timedelta(minutes=1)) for n in range(MOST_ROUTINE + 5)]
    kind = [routine(Label.PRAISE, ago=n * timedelta(minutes=1)) for n in range(MOST_PRAISE + 5)]
    digest = composed(routine=[*reversed(many), *kind])
    assert list(digest.routine) == many[:MOST_ROUTINE]
    assert list(digest.praise) == kind[:MOST_PRAISE]
    assert digest.counts_by_organisation["hill"][Sentiment.POSITIVE] == len(many) + len(kind)


@pytest.mark.parametrize(
    ("last_success", "gap"),
    [(HOUR, False), (3 * HOUR, False), (3 * HOUR + timedelta(seconds=1), True), (None, True)],
)
def test_a_source_silent_for_over_three_intervals_is_a_gap(last_success, gap):
    """Silence that lasts is told as a gap in coverage, from when it began."""
    digest = composed(sources=[source(last_success=last_success)])
    assert bool(digest.gaps) is gap
    if gap:
        started = SINCE if last_success is None else NOW - last_success
        assert digest.gaps[0].started_at == started
        assert digest.gaps[0].ended_at is None


def test_a_gap_that_is_known_already_is_told_once():
    """A recorded open gap is not doubled by the silence that it explains; a closed one stays."""
    known = CoverageGap(source="feed", started_at=SINCE, ended_at=None, reason="no answer")
    closed = CoverageGap(source="feed", started_at=SINCE, ended_at=NOW, reason="no answer")
    silent = source(last_success=9 * HOUR)
    assert composed(sources=[silent], gaps=[known]).gaps == (known,)
    assert len(composed(sources=[silent], gaps=[closed]).gaps) == 2


@pytest.mark.parametrize(
    ("lasted", "lost", "told"), [(2, False, False), (4, False, True), (2, True, True)]
)
def test_a_failure_made_up_for_is_not_a_gap(lasted, lost, told):
    """A poll or two that failed is not told; a long silence is, and so is what was really missed."""
    gap = CoverageGap(
        source="feed",
        started_at=SINCE,
        ended_at=SINCE + lasted * HOUR,
        reason="no answer",
        lost=lost,
    )
    digest = composed(sources=[source(last_success=timedelta(minutes=1))], gaps=[gap])
    assert bool(digest.gaps) is told


def test_an_empty_day_is_a_digest_too():
    """A quiet day composes to an empty digest with its date, sources and what is undelivered."""
    digest = composed(sources=[source()], undelivered=2)
    assert digest.day == date(2026, 3, 11)
    assert not digest.needs_you
    assert len(digest.sources) == 1
    assert digest.undelivered == 2
