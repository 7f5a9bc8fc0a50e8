"""Nobody has acknowledged it: who is told next, and when.

    alerted -> 15 min -> next tier -> 15 min -> ... -> all tiers told -> an hour -> first and last again

Who was told is read off the concern's history, so that a restart, a new rota or a cover that begins at
midnight changes nothing but who comes next. Pure: it takes `now` and returns a named reason.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from classifiers.verdict import Severity
from monitor.domain import Concern, ConcernEvent, ConcernState, Disclosure, Notice, Person
from monitor.policy.life.facts import REOPENED
from monitor.policy.life.rules import matter
from monitor.policy.routes import routing
from monitor.policy.routes.alerting import ALERTED
from monitor.policy.routes.routing import Tier
from monitor.policy.toml import parse

ESCALATED = "escalated"  # the history's word for one step
OPENED = "opened"
_STARTS = frozenset({OPENED, REOPENED})
_STEPS = frozenset({ALERTED, ESCALATED})

Minutes = Annotated[int, Field(ge=1, le=1440)]


class EscalationRules(BaseModel):
    """escalation.toml. Both in minutes; the last of `repeat_min` goes on for ever."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    after_min: Minutes
    repeat_min: tuple[Minutes, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalate:
    """Tell these people now. `round` counts the concern's openings and `tier` the steps since the
    last one, both from 1: together they name the step for ever. `again`: everybody was told before."""

    notices: tuple[Notice, ...]
    round: int
    tier: int
    again: bool
    because: str

    @property
    def details(self) -> dict[str, str]:
        """What the history keeps of the step."""
        people = ",".join(notice.person.id for notice in self.notices)
        again = {"again": "yes"} if self.again else {}
        return {"people": people, "round": str(self.round), "tier": str(self.tier)} | again

    def key(self, reference: str) -> str:
        """The occasion of the step's letters."""
        return _key(reference, str(self.round), str(self.tier))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Nothing to do before `until`, unless somebody acknowledges or a letter comes back."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Rest:
    """It does not escalate at all."""

    because: str


def load_rules(text: str) -> EscalationRules:
    """Read escalation.toml's text. Raises ConfigError with every fault and its key path."""
    return parse(EscalationRules, text, "escalation.toml")


def chain(concern: Concern, people: tuple[Person, ...], *, day: date) -> tuple[Tier, ...]:
    """Everybody who may be told of the concern, in their order; see `routing.chain`."""
    return routing.chain(matter(concern), people, day=day)


def due(
    concern: Concern,
    people: tuple[Person, ...],
    rules: EscalationRules,
    *,
    day: date,
    now: datetime,
    dead: Set[str] = frozenset(),
) -> Escalate | Wait | Rest:
    """Decide for one concern with its history. `day` is the local day of `now`; `dead` are the keys
    of those of its alerts that will never reach one of their readers: such a step waits no longer."""
    if concern.state is not ConcernState.OPEN:
        return Rest("somebody has it")
    if concern.severity is not Severity.URGENT and not concern.confidential:
        return Rest("not urgent: its deadline stands in the digest")
    tiers = chain(concern, people, day=day)
    if not tiers:
        return Rest("nobody is configured who may be told")
    so_far = _read(concern)
    upcoming = next(filter(None, (so_far.untold(tier) for tier in tiers)), None)
    if upcoming is not None:
        failed = bool(so_far.keys & dead)
        until = so_far.since + timedelta(minutes=rules.after_min)
        notices, because = upcoming.notices(), _reason(upcoming, rules, failed=failed)
    else:
        failed = False
        pace = rules.repeat_min[min(so_far.repeats, len(rules.repeat_min) - 1)]
        until = so_far.since + timedelta(minutes=pace)
        notices = tuple(notice for tier in _ends(tiers) for notice in tier.notices())
        because = f"everybody was told, and nobody has acknowledged it for {pace} minutes"
    if now < until and not failed:
        return Wait(until=until)
    return Escalate(
        notices=notices,
        round=so_far.round,
        tier=so_far.tiers + 1,
        again=upcoming is None,
        because=because,
    )


def begun(concern: Concern) -> bool:
    """True when somebody was told of it since it was last opened."""
    return bool(_read(concern).told)


def alert_details(notices: Sequence[Notice], *, number: int) -> dict[str, str]:
    """What the history keeps of a concern's `number`th alert: who has it to answer, and apart from
    them who only heard that it exists."""
    told: dict[bool, list[str]] = {True: [], False: []}
    for notice in notices:
        told[notice.disclosure is Disclosure.WITHHELD].append(notice.person.id)
    kept = {"people": ",".join(told[False]), "round": str(number)}
    return kept | ({"withheld": ",".join(told[True])} if told[True] else {})


def alert_key(reference: str, number: int | str) -> str:
    """The occasion of a concern's `number`th alert."""
    return f"alert:{reference}:{number}"


def _key(reference: str, round_: str, tier: str) -> str:
    return f"escalate:{reference}:{round_}:{tier}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _SoFar:
    """What the history says. `since`: when somebody was last told for the first time, or everybody
    again; another alert to the same people must not buy them time. `keys` are that step's."""

    told: frozenset[str]
    since: datetime
    keys: frozenset[str]
    round: int
    tiers: int
    repeats: int

    def untold(self, tier: Tier) -> Tier | None:
        """Of a tier those who don't know yet; None when all of them do."""
        people = tuple(person for person in tier.people if person.id not in self.told)
        return replace(tier, people=people) if people else None


def _read(concern: Concern) -> _SoFar:
    starts = [n for n, event in enumerate(concern.history) if event.action in _STARTS]
    begun = starts[-1] if starts else 0
    steps = [event for event in concern.history[begun:] if event.action in _STEPS]
    told: set[str] = set()
    since, key = concern.history[begun].at if starts else concern.opened_at, None
    for event in steps:
        people = {person for person in event.details.get("people", "").split(",") if person}
        if event.action == ESCALATED or not people or people - told:
            since, key = event.at, _key_of(concern.reference, event)
        told |= people
    escalated = [event for event in steps if event.action == ESCALATED]
    return _SoFar(
        told=frozenset(told),
        since=since,
        keys=frozenset({key} if key else ()),
        round=max(1, len(starts)),
        tiers=len(escalated),
        repeats=sum("again" in event.details for event in escalated),
    )


def _key_of(reference: str, event: ConcernEvent) -> str:
    round_ = event.details.get("round", "")
    if event.action == ESCALATED:
        return _key(reference, round_, event.details.get("tier", ""))
    return alert_key(reference, round_)


def _ends(tiers: tuple[Tier, ...]) -> tuple[Tier, ...]:
    return tiers if len(tiers) == 1 else (tiers[0], tiers[-1])


def _reason(tier: Tier, rules: EscalationRules, *, failed: bool) -> str:
    if failed:
        return f"an alert can't be delivered; {tier.because}"
    return f"not acknowledged for {rules.after_min} minutes; {tier.because}"
