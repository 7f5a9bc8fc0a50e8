"""When a source was seen and when not, as stretches of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain import ClosedBy, CoverageGap, SourceHealth
from monitor.policy.sources.coverage import Cover, Interval, intervals, is_stale, share

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
WEEK = timedelta(days=7)


def hours(count: float) -> datetime:
    """So many hours ago."""
    return NOW - timedelta(hours=count)


def source(*, seen: float | None = 0.0, registered: float | None = 200.0) -> SourceHealth:
    """A source polled every five minutes; times in hours ago."""
    return SourceHealth(
        source="feed",
        kind="rss",
        interval_s=300,
        last_success_at=None if seen is None else hours(seen),
        last_attempt_at=NOW,
        failures=0,
        last_error=None,
        next_poll_at=None,
        registered_at=None if registered is None else hours(registered),
    )


def gap(
    since: float, until: float | None, reason: str = "429", closed_by: ClosedBy | None = None
) -> CoverageGap:
    """A gap from and to so many hours ago."""
    return CoverageGap(
        source="feed",
        started_at=hours(since),
        ended_at=None if until is None else hours(until),
        reason=reason,
        lost=closed_by is ClosedBy.LOST,
        closed_by=closed_by,
    )


def drawn(health: SourceHealth, *gaps: CoverageGap) -> list[tuple[float, float, Cover, str | None]]:
    """(hours ago from, to, cover, reason) of the last week."""
    parts = intervals(health, gaps, since=NOW - WEEK, until=NOW)
    ago = [
        ((NOW - p.since) / timedelta(hours=1), (NOW - p.until) / timedelta(hours=1)) for p in parts
    ]
    return [(*times, p.cover, p.reason) for times, p in zip(ago, parts, strict=True)]


BACK = ClosedBy.BACKFILL


@pytest.mark.parametrize(
    ("health", "gaps", "expected"),
    [
        pytest.param(source(), [], [(168, 0, Cover.SEEN, None)], id="whole week"),
        pytest.param(source(registered=5), [], [(5, 0, Cover.SEEN, None)], id="new source"),
        pytest.param(
            source(),
            [gap(10, 7, closed_by=BACK)],
            [
                (168, 10, Cover.SEEN, None),
                (10, 7, Cover.READ_LATER, "429"),
                (7, 0, Cover.SEEN, None),
            ],
            id="made up for",
        ),
        pytest.param(
            source(),
            [gap(10, 7, closed_by=ClosedBy.LOST)],
            [(168, 10, Cover.SEEN, None), (10, 7, Cover.LOST, "429"), (7, 0, Cover.SEEN, None)],
            id="lost",
        ),
        pytest.param(
            source(seen=3),
            [gap(3, None, "403")],
            [(168, 3, Cover.SEEN, None), (3, 0, Cover.NOT_SEEN, "403")],
            id="still open",
        ),
        pytest.param(
            source(), [gap(10, 9.8, closed_by=BACK)], [(168, 0, Cover.SEEN, None)], id="hiccup"
        ),
        pytest.param(
            source(),
            [gap(10, 9.9, closed_by=ClosedBy.LOST)],
            [(168, 10, Cover.SEEN, None), (10, 9.9, Cover.LOST, "429"), (9.9, 0, Cover.SEEN, None)],
            id="a short loss counts",
        ),
        pytest.param(
            source(seen=2),
            [],
            [
                (168, 2, Cover.SEEN, None),
                (2, 0, Cover.NOT_SEEN, "silent for more than three intervals"),
            ],
            id="nobody polls",
        ),
        pytest.param(
            source(seen=None, registered=4),
            [],
            [(4, 0, Cover.NOT_SEEN, "has never answered")],
            id="never",
        ),
        pytest.param(
            source(),
            [gap(300, 160, closed_by=BACK)],
            [(168, 160, Cover.READ_LATER, "429"), (160, 0, Cover.SEEN, None)],
            id="begins before the week",
        ),
        pytest.param(
            source(),
            [gap(10, 6, closed_by=BACK), gap(8, 7, "turned over", ClosedBy.LOST)],
            [
                (168, 10, Cover.SEEN, None),
                (10, 8, Cover.READ_LATER, "429"),
                (8, 7, Cover.LOST, "turned over"),
                (7, 6, Cover.READ_LATER, "429"),
                (6, 0, Cover.SEEN, None),
            ],
            id="the worst wins",
        ),
    ],
)
def test_a_week_is_drawn_without_holes(
    health: SourceHealth, gaps: list[CoverageGap], expected: list[object]
) -> None:
    """Each stretch says whether it was seen, and if not, why and what became of it."""
    found = drawn(health, *gaps)
    assert found == [
        (pytest.approx(since), pytest.approx(until), cover, reason)
        for since, until, cover, reason in expected
    ]


TIMES = st.floats(0, 200)
GAPS = st.lists(
    st.tuples(TIMES, TIMES | st.none(), st.sampled_from(["429", "503"]), st.sampled_from(ClosedBy)),
    max_size=6,
)


@given(GAPS, st.floats(0, 300), TIMES)
def test_the_stretches_always_make_the_whole(
    given_gaps: list[tuple[float, float | None, str, ClosedBy]], registered: float, seen: float
) -> None:
    """Whatever the rows hold: in order, no hole, no overlap, no empty stretch, neighbours differ, and
    the covered share is between 0 and 1."""
    gaps = [
        gap(max(since, until or 0), until and min(since, until), reason, closed)
        for since, until, reason, closed in given_gaps
    ]
    health = source(seen=seen, registered=registered)
    parts = intervals(health, gaps, since=NOW - WEEK, until=NOW)
    if not parts:
        assert registered < 1e-6  # hours: less than a datetime's microsecond
        return
    assert parts[0].since == max(hours(registered), NOW - WEEK)
    assert parts[-1].until == NOW
    for before, after in pairwise(parts):
        assert before.until == after.since
        assert (before.cover, before.reason) != (after.cover, after.reason)
    assert all(part.since < part.until for part in parts)
    covered = share(parts)
    assert covered is not None
    assert 0 <= covered <= 1


def test_another_sources_gap_is_none_of_ours() -> None:
    """Gaps of other sources change nothing."""
    other = CoverageGap(source="other", started_at=hours(9), ended_at=None, reason="503")
    assert drawn(source(), other) == [(168, 0, Cover.SEEN, None)]


def test_no_time_has_no_share() -> None:
    """A source that was added this moment is neither covered nor not."""
    assert share(intervals(source(registered=0), [], since=NOW - WEEK, until=NOW)) is None


@pytest.mark.parametrize(
    ("seen", "registered", "expected"),
    [
        (0.2, 200, False),
        (0.3, 200, True),
        (None, 0.2, False),
        (None, 0.3, True),
        (None, None, True),
    ],
)
def test_a_source_is_stale_after_three_intervals(
    seen: float | None, registered: float | None, expected: bool
) -> None:
    """Counted from its last answer, or from when it was added."""
    assert is_stale(source(seen=seen, registered=registered), NOW) is expected


def test_only_what_is_known_by_now_counts_as_covered() -> None:
    """Read later is covered; still open and lost are not."""
    kinds = {cover: Interval(since=hours(1), until=NOW, cover=cover).covered for cover in Cover}
    assert [cover for cover, covered in kinds.items() if covered] == [Cover.SEEN, Cover.READ_LATER]
