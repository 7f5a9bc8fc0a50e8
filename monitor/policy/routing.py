"""Who is told now, and how much. Everything that is not urgent waits for the digest, except a child
at risk: the safeguarding lead (DSL) hears of that at a low threshold.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from classifiers.verdict import Label, Severity
from monitor.domain import Disclosure, Notice, Person, Role, Triage

CHILD_AT_RISK = frozenset({Label.SAFEGUARDING, Label.IDENTIFIES_CHILD})
ALSO_FOR_SLT = frozenset({Label.THREAT, Label.HATE, Label.SECURITY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """`notices`: one per person, in the order in which the people are configured. `confidential`:
    nobody but the notices' FULL readers may see more than "with DSL". `because`: for the history."""

    notices: tuple[Notice, ...]
    confidential: bool
    because: str


def route(triage: Triage, organisations: tuple[str, ...], people: tuple[Person, ...]) -> Routing:
    """Decide the notices for one concern about `organisations` (ids).

    An urgent one always has at least one FULL notice as long as `people` is not empty.
    """
    if triage.labels & CHILD_AT_RISK:
        return _route_child_at_risk(triage, organisations, people)
    if triage.severity is not Severity.URGENT:
        return Routing(notices=(), confidential=False, because="not urgent: in the daily digest")
    leaders, because = _leaders(organisations, people)
    notices = tuple(
        Notice(person=person, disclosure=Disclosure.FULL, because=because) for person in leaders
    )
    return Routing(notices=notices, confidential=False, because=because)


def _route_child_at_risk(
    triage: Triage, organisations: tuple[str, ...], people: tuple[Person, ...]
) -> Routing:
    full, because = _safeguarding_leads(organisations, people)
    withheld: tuple[Person, ...] = ()
    if triage.severity is Severity.URGENT and triage.labels & ALSO_FOR_SLT:
        leaders, _ = _leaders(organisations, people)
        withheld = tuple(person for person in leaders if person not in full)
    notices = tuple(
        Notice(person=person, disclosure=Disclosure.FULL, because=because) for person in full
    ) + tuple(
        Notice(
            person=person,
            disclosure=Disclosure.WITHHELD,
            because="it also concerns the safety of the site; a child is involved, so the "
            "safeguarding lead has it",
        )
        for person in withheld
    )
    return Routing(notices=notices, confidential=True, because=because)


def _safeguarding_leads(
    organisations: tuple[str, ...], people: tuple[Person, ...]
) -> tuple[tuple[Person, ...], str]:
    """The DSL of each organisation, or its deputy where no DSL covers it; else whoever comes next."""
    chosen: list[Person] = []
    for organisation in organisations:
        leads = _covering(people, Role.DSL, (organisation,))
        chosen += leads or _covering(people, Role.DEPUTY_DSL, (organisation,))
    if chosen:
        return _in_order(chosen, people), "a child may be at risk: for the safeguarding lead"
    for role in (Role.DSL, Role.DEPUTY_DSL):
        if anywhere := _having(people, role):
            return anywhere, (
                "a child may be at risk, and no safeguarding lead covers this school: "
                "for every safeguarding lead there is"
            )
    leaders, _ = _leaders(organisations, people)
    return leaders, "a child may be at risk, and no safeguarding lead is configured"


def _leaders(
    organisations: tuple[str, ...], people: tuple[Person, ...]
) -> tuple[tuple[Person, ...], str]:
    """Senior leaders of the organisations; else any; else comms; else everybody."""
    if covering := _covering(people, Role.SLT, organisations):
        return tuple(covering), "urgent: for the senior leaders of the school"
    if anywhere := _having(people, Role.SLT):
        return anywhere, "urgent, and no senior leader covers this school: for all of them"
    if comms := _having(people, Role.COMMS):
        return comms, "urgent, and no senior leader is configured: for communications"
    return people, "urgent, and neither a senior leader nor communications is configured"


def _covering(people: Iterable[Person], role: Role, organisations: tuple[str, ...]) -> list[Person]:
    return [person for person in people if role in person.roles and person.covers(organisations)]


def _having(people: Iterable[Person], role: Role) -> tuple[Person, ...]:
    return tuple(person for person in people if role in person.roles)


def _in_order(chosen: Iterable[Person], people: tuple[Person, ...]) -> tuple[Person, ...]:
    wanted = {person.id for person in chosen}
    return tuple(person for person in people if person.id in wanted)
