"""The day's digest: what is late and what needs somebody first, then what waits for whom; campaigns as
one line each; the week by school; sources and gaps; praise last. Composed here, worded by templates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from classifiers.verdict import Label, Sentiment, Severity
from monitor.domain import (
    ENDED,
    AuthorRole,
    Concern,
    ConcernState,
    CoverageGap,
    Digest,
    Mention,
    Parked,
    Rally,
    RoutineMention,
    SourceHealth,
    Suggestion,
    Week,
)
from monitor.policy.campaigns.campaign import alone, bins, is_campaign, voices_count
from monitor.policy.campaigns.case import topic
from monitor.policy.life.facts import met
from monitor.policy.sources.coverage import STALE_AFTER, is_stale

Counts = Mapping[str, Mapping[Sentiment, int]]

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
    parked: Sequence[Parked] = (),
    organisations: Sequence[str],
    this_week: Counts | None = None,
    last_week: Counts | None = None,
) -> Digest:
    """Compose `day`'s digest of what was seen from `since` until `until` (exclusive).

    `concerns` are all that are not closed, plus what the caller likes: ended ones are left out of
    the groups, and counted when their mentions fall into the stretch. `organisations` are all ids
    of the watchlist, in its order: each is counted, also when nobody spoke of it. `this_week` and
    `last_week` count the mentions of the seven days before `day`, and of the seven before those.
    """
    live = [concern for concern in concerns if concern.state not in ENDED]
    own = [concern for concern in live if not concern.confidential]
    heads = [concern for concern in own if is_campaign(concern)]
    folded = {concern.id for head in heads for concern in _folded(head, own)}
    single = [c for c in own if c.id not in folded and not is_campaign(c)]
    late = {concern.id for concern in own if is_late(concern, now)}

    def group(state: ConcernState) -> tuple[Concern, ...]:
        return _ordered(single, lambda concern: concern.state is state and concern.id not in late)

    praise = [mention for mention in routine if _is_praise(mention)]
    neutral = [mention for mention in routine if not _is_praise(mention)]
    return Digest(
        day=day,
        since=since,
        until=until,
        overdue=_ordered(single, lambda concern: concern.id in late),
        needs_you=group(ConcernState.OPEN),
        ready=group(ConcernState.APPROVED),
        for_approval=group(ConcernState.FOR_APPROVAL),
        second_opinion=group(ConcernState.SECOND_OPINION),
        in_hand=group(ConcernState.ACKNOWLEDGED),
        waiting=group(ConcernState.WAITING),
        campaigns=tuple(_rally(head, own, until) for head in _ordered(heads, lambda _: True)),
        late_campaigns=frozenset(head.reference for head in heads if head.id in late),
        with_dsl=tuple(
            _without_detail(concern)
            for concern in sorted(live, key=lambda concern: (concern.opened_at, concern.id))
            if concern.confidential
        ),
        counts_by_organisation=_counts(concerns, routine, organisations, since, until),
        weeks=_weeks(this_week or {}, last_week or {}, organisations),
        routine=_newest(neutral, MOST_ROUTINE),
        praise=_newest(praise, MOST_PRAISE),
        sources=tuple(sources),
        gaps=_with_stale(gaps, sources, since, now),
        undelivered=undelivered,
        parked=tuple(parked),
    )


def is_late(concern: Concern, now: datetime) -> bool:
    """True when the concern's deadline has passed, and nothing stopped its clock."""
    due = concern.suggestion.due_at
    return due is not None and due < now and not met(concern)


def _folded(head: Concern, concerns: Iterable[Concern]) -> list[Concern]:
    """The cases that the campaign's one line stands for. What became grave, or what somebody has
    taken in hand, keeps its own place."""
    return [
        concern
        for concern in _members(head, concerns)
        if concern.state is ConcernState.OPEN and not alone(concern)
    ]


def _members(head: Concern, concerns: Iterable[Concern]) -> list[Concern]:
    return [c for c in concerns if c.campaign == head.reference and c.id != head.id]


def _rally(head: Concern, concerns: Sequence[Concern], until: datetime) -> Rally:
    plain = [concern for concern in _members(head, concerns) if not alone(concern)]
    mentions = [mention for concern in (head, *plain) for mention in concern.mentions]
    times = sorted(map(_said_at, mentions))
    return Rally(
        concern=head,
        topic=topic(head),
        posts=len(mentions),
        authors=voices_count((each.post.platform, each.post.author) for each in mentions),
        first=times[0] if times else None,
        last=times[-1] if times else None,
        until=until,
        per_2h=bins(times, until),
        cases=tuple(concern.reference for concern in _folded(head, concerns)),
    )


def _said_at(mention: Mention) -> datetime:
    return min(mention.post.published_at or mention.first_seen_at, mention.first_seen_at)


def _weeks(this: Counts, last: Counts, organisations: Sequence[str]) -> dict[str, Week]:
    """The organisations that were spoken of in either week, in the watchlist's order."""
    none = dict.fromkeys(Sentiment, 0)
    return {
        name: Week(this=none | dict(this.get(name, {})), last=none | dict(last.get(name, {})))
        for name in organisations
        if any(this.get(name, {}).values()) or any(last.get(name, {}).values())
    }


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
        organisations=(),
        suggestion=WITH_DSL,
        reasons=(),
        needs_review=False,
        mentions=(),
        history=(),
        scores={},
        owner=None,
        author=AuthorRole.UNKNOWN,
        flags=frozenset(),
        own_account=False,
        about_head=False,
        campaign=None,
        replies=(),
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


def _staleness(source: SourceHealth) -> str:
    if source.last_success_at is None:
        return "has never answered"
    return "silent for more than three intervals"
