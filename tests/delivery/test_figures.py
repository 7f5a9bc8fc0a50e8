"""Counts as small pictures: true to scale, readable as text, and honest with small numbers."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from classifiers.verdict import Sentiment
from monitor.delivery.figures import LONGEST_LINE, bars, posts_a_sign, schools, span
from monitor.domain import Week

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
counts = st.tuples(*[st.integers(0, 5000)] * 3).map(
    lambda drawn: dict(zip(Sentiment, drawn, strict=True))
)


def said(negative: int, neutral: int, positive: int) -> dict[Sentiment, int]:
    return dict(zip(Sentiment, (negative, neutral, positive), strict=True))


def test_a_line_of_signs_says_how_many_of_each() -> None:
    """Up to the longest line, one sign is one post; then several share one, and the figures stay."""
    assert span(said(3, 1, 2), 6).signs == "−−−·++"
    busy = span(said(52, 9, 1), 62)
    assert busy.signs == "−" * 18 + "···" + "+"
    assert (busy.negative, busy.neutral, busy.positive, busy.total) == (52, 9, 1, 62)
    assert posts_a_sign([Week(this=said(52, 9, 1), last=said(0, 0, 0))]) == 3
    assert posts_a_sign([]) == 1


@given(counts, counts)
def test_no_bar_is_wider_than_the_busiest_and_none_that_has_posts_is_missing(
    one: dict[Sentiment, int], other: dict[Sentiment, int]
) -> None:
    """Widths of a line add up to about the whole, every sentiment that was there shows."""
    most = max(sum(one.values()), sum(other.values()))
    for week in (one, other):
        drawn = span(week, most)
        assert len(drawn.signs) <= LONGEST_LINE + len(Sentiment)
        assert sum(share for _, share in drawn.shares) + drawn.rest <= 102
        assert {kind for kind, _ in drawn.shares} == {each for each in week if week[each]}


def test_schools_come_busiest_first_on_one_scale() -> None:
    """A quiet school's bar is short beside a busy one's."""
    quiet, busy = schools(
        [("Ash", said(1, 0, 0), said(0, 0, 0)), ("Birch", said(10, 0, 0), said(5, 0, 0))]
    )[::-1]
    assert (quiet.name, busy.name) == ("Ash", "Birch")
    assert dict(busy.this.shares)["negative"] == 100
    assert dict(busy.last.shares)["negative"] == 50
    assert dict(quiet.this.shares)["negative"] == 10


def test_bars_name_their_busiest_stretch() -> None:
    """Twelve columns, the peak with its hours; an empty day has none."""
    drawn = bars((0,) * 9 + (1, 8, 4), NOON, lambda at: f"{at:%H:%M}")
    assert drawn.blocks == ".........▁█▄"
    assert (drawn.most, drawn.peak_from, drawn.peak_to) == (8, "08:00", "10:00")
    assert (drawn.begin, drawn.end) == ("12:00", "12:00")
    assert max(height for _, height in drawn.columns) == drawn.columns[10][1]
    assert bars((0,) * 12, NOON, str).blocks == "." * 12
