"""The weekly and termly report for senior leaders and governors: how much was said, how it was dealt
with, and what could not be seen. Figures only: no text, no author, no case, no person.

What concerns children is told for the trust as a whole, and one to four as "fewer than five": with
small numbers a school and a week would tell which child.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

from classifiers.verdict import Label, Sentiment, Severity
from monitor.domain import (
    ENDED,
    MONITOR,
    Closing,
    Concern,
    CoverageGap,
    Fact,
    SourceHealth,
)
from monitor.policy.life.facts import facts_of
from monitor.policy.routes.alerting import ACKNOWLEDGED, ALERTED

FEW = 5  # below this, a count about children is not told exactly
OUTCOMES = {
    Closing.RESOLVED: "resolved",
    Closing.NO_ACTION: "nothing to be done",
    Closing.NO_CONTACT: "no contact",
    Closing.PASSED_ON: "passed on to another record",
    Closing.FALSE_ALARM: "false alarm",
}
STEPS = {
    Fact.REMOVAL_ASKED: "asked the author to remove something",
    Fact.MODERATED: "moderated a comment on an account of our own",
    Fact.HOST_TOLD: "reported to the platform",
    Fact.LETTER_SENT: "sent a formal letter",
    Fact.ADVICE_TAKEN: "took legal advice",
    Fact.POLICE_TOLD: "told the police",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolLine:
    """How much was said about one organisation, and in the period before."""

    name: str
    negative: int
    neutral: int
    positive: int
    total_before: int

    @property
    def total(self) -> int:
        """All mentions of the period."""
        return self.negative + self.neutral + self.positive


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How well one source was seen: the share of the period, 0..1, and the whole hours it was not."""

    source: str
    share: float
    hours_lost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that the report says. Times in minutes or hours are medians; None: there was nothing to
    measure. `children` is words."""

    title: str
    first_day: date
    last_day: date
    schools: tuple[SchoolLine, ...]
    categories: tuple[tuple[str, int], ...]
    outcomes: tuple[tuple[str, int], ...]
    steps: tuple[tuple[str, int], ...]
    opened: int
    opened_before: int
    still_open: int
    overdue: int
    in_time: int
    late: int
    urgent: int
    minutes_to_acknowledge: float | None
    longest_to_acknowledge: float | None
    campaigns: int
    children: str
    coverage: tuple[Seen, ...]

    @property
    def mentions(self) -> int:
        """All mentions of the period; one that names two schools counts for both."""
        return sum(school.total for school in self.schools)


Counts = Mapping[str, Mapping[Sentiment, int]]
"""Mentions per organisation id and sentiment."""


def compose(
    *,
    title: str,
    since: datetime,
    until: datetime,
    days: tuple[date, date],
    now: datetime,
    organisations: Mapping[str, str],
    counts: Counts,
    counts_before: Counts,
    concerns: Sequence[Concern],
    gaps: Sequence[CoverageGap],
    sources: Sequence[SourceHealth],
) -> Report:
    """Compose the report on what was seen from `since` until `until` (exclusive).

    `concerns` are all that were opened since twice the period ago, with their history;
    `organisations` maps every id of the watchlist to its name, in its order; `days` are the first
    and last local day, for the heading.
    """
    before = since - (until - since)
    ours = [c for c in concerns if since <= c.opened_at < until]
    told = [c for c in ours if not c.confidential]
    waits = [w for c in ours if (w := _minutes_to_acknowledge(c)) is not None]
    answered = [met for c in told if (met := met_deadline(c, now)) is not None]
    live = [c for c in concerns if c.state not in ENDED]
    return Report(
        title=title,
        first_day=days[0],
        last_day=days[1],
        schools=tuple(
            _school(name, counts.get(id_, {}), counts_before.get(id_, {}))
            for id_, name in organisations.items()
        ),
        categories=_most_first(_category(c) for c in told),
        outcomes=_most_first(OUTCOMES[c.closing] for c in told if c.closing),
        steps=_steps(told, since, until),
        opened=len(ours),
        opened_before=sum(before <= c.opened_at < since for c in concerns),
        still_open=len(live),
        overdue=sum(bool(c.suggestion.due_at and c.suggestion.due_at < now) for c in live),
        in_time=sum(answered),
        late=len(answered) - sum(answered),
        urgent=sum(c.severity is Severity.URGENT for c in ours),
        minutes_to_acknowledge=median(waits) if waits else None,
        longest_to_acknowledge=max(waits, default=None),
        campaigns=sum(Label.CAMPAIGN in c.labels for c in told),
        children=few(sum(c.confidential for c in ours)),
        coverage=tuple(_seen(source, gaps, since, until) for source in sources),
    )


def few(count: int) -> str:
    """A count about children in words that identify nobody."""
    if count == 0:
        return "none"
    return "fewer than five" if count < FEW else str(count)


def met_deadline(concern: Concern, now: datetime) -> bool | None:
    """Was somebody's first move in time? None while the first deadline has neither been met nor
    missed, and for concerns that had none."""
    due = _first_deadline(concern)
    if due is None:
        return None
    moved = next((e.at for e in concern.history if e.who != MONITOR and e.action != "viewed"), None)
    if moved is None:
        return None if now < due else False
    return moved <= due


def _first_deadline(concern: Concern) -> datetime | None:
    told = next((e.details.get("due") for e in concern.history if e.action == "opened"), None)
    return datetime.fromisoformat(told) if told else concern.suggestion.due_at


def _minutes_to_acknowledge(concern: Concern) -> float | None:
    alerted = next((e.at for e in concern.history if e.action == ALERTED), None)
    taken = next((e.at for e in concern.history if e.action in ACKNOWLEDGED), None)
    if alerted is None or taken is None or taken < alerted:
        return None
    return (taken - alerted).total_seconds() / 60


def _school(name: str, now: Mapping[Sentiment, int], before: Mapping[Sentiment, int]) -> SchoolLine:
    return SchoolLine(
        name=name,
        negative=now.get(Sentiment.NEGATIVE, 0),
        neutral=now.get(Sentiment.NEUTRAL, 0),
        positive=now.get(Sentiment.POSITIVE, 0),
        total_before=sum(before.values()),
    )


def _category(concern: Concern) -> str:
    return next((label.value for label in Label if label in concern.labels), "to be read")


def _most_first(words: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(Counter(words).items(), key=lambda item: (-item[1], item[0])))


def _steps(
    concerns: Iterable[Concern], since: datetime, until: datetime
) -> tuple[tuple[str, int], ...]:
    facts = [
        fact
        for concern in concerns
        for event in concern.history
        if since <= event.at < until
        for fact in facts_of(event)
    ]
    return tuple((words, facts.count(fact)) for fact, words in STEPS.items() if fact in facts)


def _seen(
    source: SourceHealth, gaps: Sequence[CoverageGap], since: datetime, until: datetime
) -> Seen:
    lost = sum(
        (
            max(min(gap.ended_at or until, until) - max(gap.started_at, since), timedelta())
            for gap in gaps
            if gap.source == source.source
        ),
        start=timedelta(),
    )
    period = until - since
    return Seen(
        source=source.source,
        share=max(0.0, 1 - lost / period),
        hours_lost=round(min(lost, period) / timedelta(hours=1)),
    )
