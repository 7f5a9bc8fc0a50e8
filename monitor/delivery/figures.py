"""Counts as small pictures that any mail program can show: bars in table cells, signs in plain text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from classifiers.verdict import Sentiment
from monitor.delivery.views import BarView, SchoolView, SpanView
from monitor.domain import Week

SIGNS = {Sentiment.NEGATIVE: "−", Sentiment.NEUTRAL: "·", Sentiment.POSITIVE: "+"}
LONGEST_LINE = 24  # signs, about, in a line of text; many posts share one
FEW = 10  # posts in a week: below, nobody should read a trend into it
_BLOCKS = "▁▂▃▄▅▆▇█"
_TALLEST = 44  # pixels
_BIN = timedelta(hours=2)


def posts_a_sign(weeks: Iterable[Week]) -> int:
    """How many posts one sign of a line stands for, so that the longest line stays short."""
    most = max((sum(c.values()) for week in weeks for c in (week.this, week.last)), default=0)
    return max(1, -(-most // LONGEST_LINE))


def span(counts: Mapping[Sentiment, int], most: int) -> SpanView:
    """One week of one school, as long as it is against the busiest, which has `most`."""
    a_sign = max(1, -(-most // LONGEST_LINE))
    shares = tuple(
        (each.value, max(1, 100 * counts[each] // max(most, 1)))
        for each in Sentiment
        if counts[each]
    )
    return SpanView(
        total=sum(counts.values()),
        negative=counts[Sentiment.NEGATIVE],
        neutral=counts[Sentiment.NEUTRAL],
        positive=counts[Sentiment.POSITIVE],
        shares=shares,
        rest=max(0, 100 - sum(share for _, share in shares)),
        signs="".join(sign * -(-counts[each] // a_sign) for each, sign in SIGNS.items()),
    )


def schools(
    rows: Sequence[tuple[str, Mapping[Sentiment, int], Mapping[Sentiment, int]]],
) -> tuple[SchoolView, ...]:
    """(name, this week, last week) as rows, the busiest this week first."""
    most = max((sum(week.values()) for row in rows for week in row[1:]), default=0)
    ordered = sorted(rows, key=lambda row: (-sum(row[1].values()), row[0]))
    return tuple(
        SchoolView(name=name, this=span(this, most), last=span(last, most))
        for name, this, last in ordered
    )


def bars(counts: Sequence[int], until: datetime, when: Callable[[datetime], str]) -> BarView:
    """Posts in stretches of two hours up to `until`; `when` words a time."""
    most = max(counts, default=0)
    peak = counts.index(most) if most else 0
    begin = until - len(counts) * _BIN
    return BarView(
        columns=tuple(
            (count, max(2, round(_TALLEST * count / most)) if count else 1) for count in counts
        ),
        blocks="".join(_BLOCKS[(count * 8 - 1) // most] if count else "." for count in counts),
        begin=when(begin),
        end=when(until),
        most=most,
        peak_from=when(begin + peak * _BIN),
        peak_to=when(begin + (peak + 1) * _BIN),
    )
