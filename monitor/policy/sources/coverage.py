"""When each source was seen and when not, and which silence people must be mailed about. Pure.

A gap is a row that begins when a source was last seen. How it ends is part of it: what the next good
poll brings closes it ("nothing missed"), unless the source itself says that something is lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from itertools import pairwise

from monitor.domain import ClosedBy, CoverageGap, Outage, Silence, SourceHealth
from monitor.policy.sources.rules import SilenceRules

STALE_AFTER = 3  # missed intervals before a silent source is a gap in coverage
SILENT = "silent for more than three intervals"
NEVER = "has never answered"
_EVER = datetime.min.replace(tzinfo=UTC)


class Cover(IntEnum):
    """How a stretch of time is covered, from best to worst."""

    SEEN = 0
    READ_LATER = 1  # not seen at the time; back-fill has read it since: nothing missed
    NOT_SEEN = 2  # still open: what was said is not known yet
    LOST = 3  # the source itself says that posts may have been missed


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A stretch of one source's time, `since` to `until` (exclusive). `reason` is None when seen."""

    since: datetime
    until: datetime
    cover: Cover
    reason: str | None = None

    @property
    def covered(self) -> bool:
        """Whether what was said then is known, if only by now."""
        return self.cover in {Cover.SEEN, Cover.READ_LATER}


def intervals(
    source: SourceHealth, gaps: Sequence[CoverageGap], *, since: datetime, until: datetime
) -> tuple[Interval, ...]:
    """The stretches from `since` (or since the source is watched) to `until`, in order, without holes.

    `gaps` may hold those of other sources. A poll or two that failed and was made up for is no gap.
    """
    start = max(since, source.registered_at or since)
    if start >= until:
        return ()
    found = [
        Interval(
            since=max(gap.started_at, start),
            until=min(gap.ended_at or until, until),
            cover=_cover(gap),
            reason=gap.reason,
        )
        for gap in [*matters(source, gaps, until), *_unrecorded(source, gaps, start, until)]
    ]
    found = [gap for gap in found if gap.since < gap.until]
    moments = sorted({start, until, *(m for gap in found for m in (gap.since, gap.until))})
    parts: list[Interval] = []
    for begin, end in pairwise(moments):
        over = [gap for gap in found if gap.since <= begin and end <= gap.until]
        worst = max(over, key=lambda gap: gap.cover, default=None)
        cover, reason = (worst.cover, worst.reason) if worst else (Cover.SEEN, None)
        goes_on = parts and (parts[-1].cover, parts[-1].reason) == (cover, reason)
        start = parts.pop().since if goes_on else begin
        parts.append(Interval(since=start, until=end, cover=cover, reason=reason))
    return tuple(parts)


def share(parts: Sequence[Interval]) -> float | None:
    """The covered share of the time, 0..1; None when there is none."""
    total = sum(((part.until - part.since).total_seconds() for part in parts), 0.0)
    covered = sum((part.until - part.since).total_seconds() for part in parts if part.covered)
    return covered / total if total else None


def matters(
    source: SourceHealth, gaps: Sequence[CoverageGap], now: datetime
) -> tuple[CoverageGap, ...]:
    """The source's gaps worth telling: those with a loss, and those of over three intervals."""
    longest = STALE_AFTER * timedelta(seconds=source.interval_s)
    return tuple(
        gap
        for gap in gaps
        if gap.source == source.source
        and (gap.lost or (gap.ended_at or now) - gap.started_at > longest)
    )


def is_stale(source: SourceHealth, now: datetime) -> bool:
    """True when the source has not answered for over three of its intervals, or never has."""
    seen = source.last_success_at or source.registered_at
    return seen is None or now - seen > STALE_AFTER * timedelta(seconds=source.interval_s)


def silence_reason(source: SourceHealth) -> str:
    """Why a stale source is silent, as far as it is known."""
    return source.last_error or (SILENT if source.last_success_at else NEVER)


def to_tell(
    sources: Sequence[SourceHealth],
    gaps: Sequence[CoverageGap],
    last_told: Mapping[str, datetime],
    rules: SilenceRules,
    *,
    started_at: datetime,
    now: datetime,
) -> Outage | None:
    """The one notice about silent sources that is due now, or None.

    `gaps` are the open ones, one for each stale source; `last_told` is when people were last mailed
    about a source; `started_at` is when this program began to poll. Each gap is told once. What has
    been told already stands in the notice too, after what is new.
    """
    health = {source.source: source for source in sources}
    stale = [
        gap
        for gap in gaps
        if gap.ended_at is None
        and gap.source in health
        and is_stale(health[gap.source], now)
        and _due_at(health[gap.source], gap, rules) <= now
    ]
    again = timedelta(seconds=rules.same_again_s)
    fresh = [
        gap
        for gap in stale
        if gap.told_at is None and now - last_told.get(gap.source, _EVER) >= again
    ]
    if not fresh or _must_wait(fresh, stale, health, last_told, rules, started_at, now):
        return None
    ordered = [*fresh, *(gap for gap in stale if gap not in fresh)]
    return Outage(
        silences=tuple(
            Silence(
                source=gap.source,
                kind=health[gap.source].kind,
                since=gap.started_at,
                reason=gap.reason,
                rejected=health[gap.source].rejected,
                gap=gap.id,
            )
            for gap in ordered
        ),
        configured=len(sources),
        many=len(ordered) >= rules.many,
    )


def _must_wait(  # noqa: PLR0917 - one decision's facts
    fresh: Sequence[CoverageGap],
    stale: Sequence[CoverageGap],
    health: Mapping[str, SourceHealth],
    last_told: Mapping[str, datetime],
    rules: SilenceRules,
    started_at: datetime,
    now: datetime,
) -> bool:
    """Just started; more may follow in a moment; or people were mailed a short while ago."""
    gather = timedelta(seconds=rules.gather_s)
    if now - started_at < gather:
        return True
    first = min(_due_at(health[gap.source], gap, rules) for gap in fresh)
    if now - first < gather and len(stale) < len(health):
        return True
    told = max(last_told.values(), default=_EVER)
    return now - told < timedelta(seconds=rules.quiet_s)


def _due_at(source: SourceHealth, gap: CoverageGap, rules: SilenceRules) -> datetime:
    return gap.started_at + timedelta(
        seconds=max(STALE_AFTER * source.interval_s, rules.not_before_s)
    )


def _cover(gap: CoverageGap) -> Cover:
    if gap.lost or gap.closed_by is ClosedBy.LOST:
        return Cover.LOST
    return Cover.READ_LATER if gap.ended_at is not None else Cover.NOT_SEEN


def _unrecorded(
    source: SourceHealth, gaps: Sequence[CoverageGap], start: datetime, now: datetime
) -> tuple[CoverageGap, ...]:
    """What no row says yet: a source that is stale without having failed, because its poll still
    runs, or because the monitor doesn't."""
    is_open = any(gap.source == source.source and gap.ended_at is None for gap in gaps)
    if is_open or not is_stale(source, now):
        return ()
    seen = source.last_success_at or source.registered_at or start
    return (
        CoverageGap(
            source=source.source, started_at=seen, ended_at=None, reason=silence_reason(source)
        ),
    )
