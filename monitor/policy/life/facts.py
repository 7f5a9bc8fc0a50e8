"""What is established about a concern: read off its history, or come about by the clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from classifiers.verdict import Label
from monitor.domain import ENDED, MONITOR, Concern, ConcernEvent, ConcernState, Fact, MetBy
from monitor.policy.deadlines import Calendar, working_days_after
from monitor.policy.life.table import TABLE, Move

SILENCE_DAYS = 5  # working days after a reply that invited to talk
ANSWER_DAYS = 3  # working days after asking for removal
HOST_PATIENCE = timedelta(hours=48)  # then POSH may be asked: https://saferinternet.org.uk/
QUIET_AFTER = timedelta(hours=72)

REOPENED = "reopened"  # the monitor's word for a thread that went on
BY_CLOCK = frozenset({Fact.SILENT, Fact.NO_ANSWER, Fact.QUIET, Fact.HOST_DECLINED})
_ANNULLED_BY_REOPENING = frozenset(
    {Fact.RESOLVED, Fact.SILENT, Fact.REMOVED, Fact.QUIET, Fact.NO_ANSWER}
)
_MOVES_ON = frozenset(
    {
        Fact.UNRESOLVED,
        Fact.COMPLAINT_ASKED,
        Fact.REFUSED,
        Fact.CONTINUED,
        Fact.HARM_CONFIRMED,
        Fact.EVIDENCE_KEPT,
        Fact.WORDING_CHECKED,
    }
)
"""Facts that ladders lead on by to a rung with an answer of its own: told of the complaints procedure,
asked to remove it, written to."""
_POSTED = frozenset({"opened", "updated", REOPENED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Established:
    """`facts` are all that hold, `fresh` those that came since a person chose the rung `chosen`
    (all of them when nobody chose one). `confirmed_by`: who says that it does harm; from two of
    them on that is the fact HARM_CONFIRMED."""

    facts: frozenset[Fact]
    fresh: frozenset[Fact]
    chosen: str | None
    confirmed_by: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Fold:
    facts: set[Fact] = field(default_factory=set)
    fresh: set[Fact] = field(default_factory=set)
    confirmed_by: set[str] = field(default_factory=set)
    chosen: str | None = None

    def read(self, event: ConcernEvent) -> None:
        if event.action == Move.STEP:
            self.chosen = event.details.get("rung")
            self.fresh.clear()
        elif event.action in {Move.REOPEN, REOPENED}:
            self.forget(_ANNULLED_BY_REOPENING)
        elif event.action == Move.MISTAKE:
            self.forget(_named(event))
        else:
            self.learn(facts_of(event), event.who)

    def learn(self, facts: Iterable[Fact], who: str) -> None:
        for fact in facts:
            if fact is Fact.HARM_CONFIRMED:
                self.confirmed_by.add(who)
                if len(self.confirmed_by) < 2:
                    continue
            if fact is Fact.CONTINUED and Fact.REFUSED not in self.facts:
                continue
            self.facts.add(fact)
            self.fresh.add(fact)

    def forget(self, facts: frozenset[Fact]) -> None:
        self.facts -= facts
        self.fresh -= facts
        if Fact.HARM_CONFIRMED in facts:
            self.confirmed_by.clear()
        if Fact.REFUSED in facts:  # what never was refused can't have gone on after it
            self.facts.discard(Fact.CONTINUED)
            self.fresh.discard(Fact.CONTINUED)


def established(history: Sequence[ConcernEvent]) -> Established:
    """Fold a history, oldest first, into what holds now.

    HARM_CONFIRMED takes two different people, CONTINUED a refusal before it; reopening annuls what
    was over, and a mistake report the fact that it names.
    """
    fold = _Fold()
    for event in history:
        fold.read(event)
    return Established(
        facts=frozenset(fold.facts),
        fresh=frozenset(fold.fresh),
        chosen=fold.chosen,
        confirmed_by=frozenset(fold.confirmed_by),
    )


def facts_of(event: ConcernEvent) -> frozenset[Fact]:
    """What one line of the history says, by itself: `established` knows what counts."""
    if event.who == MONITOR:
        return frozenset(fact for fact in BY_CLOCK if fact == event.action)
    if event.action == Move.RECORD:
        return _named(event)
    spec = TABLE[Move(event.action)] if event.action in set(Move) else None
    return frozenset({spec.fact}) if spec and spec.fact else frozenset()


def _named(event: ConcernEvent) -> frozenset[Fact]:
    return frozenset(fact for fact in Fact if fact == event.details.get("fact"))


def met(concern: Concern) -> bool:
    """True when the clock of the concern's rung has been stopped: what is due then is not late."""
    if concern.state in ENDED:
        return True
    suggestion = concern.suggestion
    match suggestion.met_by:
        case MetBy.EXIT:
            return False
        case MetBy.ACCEPTANCE:
            return concern.state is not ConcernState.OPEN
    wanted = {Fact.REPLIED, Fact.NO_REPLY} if suggestion.step is None else {suggestion.step}
    here = [
        event
        for event in _this_time(concern.history)
        if suggestion.since is None or event.at > suggestion.since
    ]
    return bool(established(here).facts & wanted)


def _this_time(history: Sequence[ConcernEvent]) -> Sequence[ConcernEvent]:
    """The history since it was last reopened or came further along the ladder: what was answered
    before that answers no more. An invitation to talk tells nobody of the complaints procedure."""
    ends = (n for n, event in enumerate(history) if _begins_anew(event))
    return history[max(ends, default=0) :]


def _begins_anew(event: ConcernEvent) -> bool:
    anew = event.action in {Move.REOPEN, REOPENED, Move.STEP}
    return anew or bool(facts_of(event) & _MOVES_ON)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wait:
    """`fact` comes about when nothing of `unless` followed the last `since`."""

    fact: Fact
    since: frozenset[Fact]
    unless: frozenset[Fact]


_WAITS = (
    _Wait(
        fact=Fact.SILENT,
        since=frozenset({Fact.REPLIED}),
        unless=frozenset(
            {
                Fact.SILENT,
                Fact.CONTACTED,
                Fact.RESOLVED,
                Fact.UNRESOLVED,
                Fact.COMPLAINT_ASKED,
                Fact.PASSED_ON,
            }
        ),
    ),
    _Wait(
        fact=Fact.NO_ANSWER,
        since=frozenset({Fact.REMOVAL_ASKED}),
        unless=frozenset({Fact.NO_ANSWER, Fact.REMOVED, Fact.REFUSED}),
    ),
    _Wait(
        fact=Fact.HOST_DECLINED,
        since=frozenset({Fact.HOST_TOLD}),
        unless=frozenset({Fact.HOST_DECLINED, Fact.REMOVED}),
    ),
)


def due_facts(concern: Concern, calendar: Calendar, now: datetime) -> tuple[Fact, ...]:
    """What has come about by the clock and is not in the history yet.

    SILENT: five working days after a reply without contact. NO_ANSWER: three working days after
    asking for removal. HOST_DECLINED: 48 hours after telling the host, without a result. QUIET: a
    campaign without a new post for 72 hours. Needs the concern's whole history.
    """
    if concern.state in ENDED:
        return ()
    talks = Fact.CONTACTED in established(concern.history).facts
    limits: Mapping[Fact, datetime | None] = {
        wait.fact: _limit(wait.fact, since, calendar) if since else None
        for wait in _WAITS
        for since in [_waiting_since(wait, concern.history)]
    } | {Fact.QUIET: _quiet_from(concern)}
    return tuple(
        fact
        for fact, limit in limits.items()
        if limit is not None and limit <= now and not (talks and fact is Fact.SILENT)
    )


def _waiting_since(wait: _Wait, history: Sequence[ConcernEvent]) -> datetime | None:
    since = None
    for event in history:
        facts = facts_of(event)
        if facts & wait.since:
            since = event.at
        elif facts & wait.unless or (event.action == Move.MISTAKE and _named(event) & wait.since):
            since = None
    return since


def _limit(fact: Fact, since: datetime, calendar: Calendar) -> datetime:
    if fact is Fact.HOST_DECLINED:
        return since + HOST_PATIENCE
    days = SILENCE_DAYS if fact is Fact.SILENT else ANSWER_DAYS
    return working_days_after(since, days, calendar)


def _quiet_from(concern: Concern) -> datetime | None:
    """When the campaign counts as over; None: it is none, or that is written down already."""
    if Label.CAMPAIGN not in concern.labels and concern.campaign is None:
        return None
    last = max((e.at for e in concern.history if e.action in _POSTED), default=concern.opened_at)
    told = any(e.action == Fact.QUIET and e.at >= last for e in concern.history)
    return None if told else last + QUIET_AFTER
