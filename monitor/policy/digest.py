"""The day's digest: what needs somebody first, then what is late, in hand, and with the safeguarding
lead; counts by school; sources and gaps; praise last. Composed here, worded by the templates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from classifiers.verdict import Label, Sentiment, Severity
from monitor.domain import (
    ENDED,
    Concern,
    ConcernState,
    CoverageGap,
    Digest,
    RoutineMention,
    SourceHealth,
    Suggestion,
)

STALE_AFTER = 3  # missed intervals before a silent source is a gap in coverage
MOST_ROUTINE = 50
MOST_PRAISE = 20
MOST_GAPS = 100
_NEVER = datetime.max.replace(tzinfo=UTC)

WITH_DSL = Suggestion(
    rung="S1",
    rung_name="Safeguarding",
    who="safeguarding lead (DSL) or deputy",
    approver="safeguarding lead",
    reply=None,
    private_reply=None,
    no_reply_because="with the safeguarding lead",
    do=(),
    dont=(),
    due_at=None,
    source="",
)
"""All that a digest may say of a confidential concern's suggestion."""


def compose(
    *,
    day: date,
    since: datetime,
    until: datetime,
    now: datetime,
    concerns: Sequence[Concern],
    routine: Sequence[RoutineMention],
    sources: Sequence[SourceHealth],
    gaps: Sequence[CoverageGap],
    undelivered: int,
    organisations: Sequence[str],
) -> Digest:
    """Compose `day`'s digest of what was seen from `since` until `until` (exclusive).

    `concerns` are all that are not closed, plus what the caller likes: closed ones are left out of
    the groups, and counted when their mentions fall into the stretch. `organisations` are all ids
    of the watchlist, in its order: each is counted, also when nobody spoke of it.
    """
    live = [concern for concern in concerns if concern.state not in ENDED]
    own = [concern for concern in live if not concern.confidential]
    open_ = [concern for concern in own if concern.state is ConcernState.OPEN]
    praise = [mention for mention in routine if _is_praise(mention)]
    neutral = [mention for mention in routine if not _is_praise(mention)]
    return Digest(
        day=day,
        since=since,
        until=until,
        needs_you=_ordered(open_, lambda concern: not _is_late(concern, now)),
        overdue=_ordered(open_, lambda concern: _is_late(concern, now)),
        in_hand=_ordered(own, lambda concern: concern.state is not ConcernState.OPEN),
        with_dsl=tuple(
            _without_detail(concern)
            for concern in sorted(live, key=lambda concern: (concern.opened_at, concern.id))
            if concern.confidential
        ),
        counts_by_organisation=_counts(concerns, routine, organisations, since, until),
        routine=_newest(neutral, MOST_ROUTINE),
        praise=_newest(praise, MOST_PRAISE),
        sources=tuple(sources),
        gaps=_with_stale(gaps, sources, since, now),
        undelivered=undelivered,
    )


def _is_late(concern: Concern, now: datetime) -> bool:
    due = concern.suggestion.due_at
    return due is not None and due < now


def _is_praise(mention: RoutineMention) -> bool:
    return Label.PRAISE in mention.labels


def _ordered(
    concerns: Iterable[Concern], belongs: Callable[[Concern], bool]
) -> tuple[Concern, ...]:
    """Gravest first, then by deadline, then oldest first."""
    return tuple(
        sorted(
            filter(belongs, concerns),
            key=lambda concern: (
                -concern.severity.rank,
                concern.suggestion.due_at or _NEVER,
                concern.opened_at,
                concern.id,
            ),
        )
    )


def _without_detail(concern: Concern) -> Concern:
    """That it exists, and who has it: nothing else leaves the safeguarding lead."""
    return replace(
        concern,
        severity=Severity.CONCERN,
        labels=frozenset(),
        sentiment=Sentiment.NEUTRAL,
        suggestion=WITH_DSL,
        reasons=(),
        needs_review=False,
        mentions=(),
        history=(),
    )


def _newest(mentions: Iterable[RoutineMention], most: int) -> tuple[RoutineMention, ...]:
    return tuple(sorted(mentions, key=lambda mention: mention.seen_at, reverse=True)[:most])


def _counts(
    concerns: Iterable[Concern],
    routine: Iterable[RoutineMention],
    organisations: Sequence[str],
    since: datetime,
    until: datetime,
) -> dict[str, dict[Sentiment, int]]:
    """Mentions per organisation and sentiment. Confidential ones are not counted: with few mentions
    a count would tell which school it was."""
    counts = {name: dict.fromkeys(Sentiment, 0) for name in organisations}
    said = [(mention.organisations, mention.sentiment) for mention in routine]
    said += [
        (mention.organisations, concern.sentiment)
        for concern in concerns
        if not concern.confidential
        for mention in concern.mentions
        if since <= mention.first_seen_at < until
    ]
    for names, sentiment in said:
        for name in names:
            counts.setdefault(name, dict.fromkeys(Sentiment, 0))[sentiment] += 1
    return counts


def _with_stale(
    gaps: Sequence[CoverageGap],
    sources: Sequence[SourceHealth],
    since: datetime,
    now: datetime,
) -> tuple[CoverageGap, ...]:
    """The gaps that matter, plus one for each source that is stale and has no open gap yet. A poll or
    two that failed and was made up for is not a gap in coverage: telling it would hide real ones."""
    interval_s = {source.source: source.interval_s for source in sources}
    gaps = [
        gap
        for gap in gaps
        if gap.lost
        or (gap.ended_at or now) - gap.started_at
        > timedelta(seconds=STALE_AFTER * interval_s.get(gap.source, 0.0))
    ]
    already = {gap.source for gap in gaps if gap.ended_at is None}
    stale = [
        CoverageGap(
            source=source.source,
            started_at=source.last_success_at or since,
            ended_at=None,
            reason=_staleness(source),
        )
        for source in sources
        if source.source not in already and is_stale(source, now)
    ]
    return tuple(sorted([*stale, *gaps], key=lambda gap: gap.started_at, reverse=True)[:MOST_GAPS])


def is_stale(source: SourceHealth, now: datetime) -> bool:
    """True when the source has not answered for over three of its intervals, or never has."""
    if source.last_success_at is None:
        return True
    return now - source.last_success_at > timedelta(seconds=STALE_AFTER * source.interval_s)


def _staleness(source: SourceHealth) -> str:
    if source.last_success_at is None:
        return "has never answered"
    return "silent for more than three intervals"
