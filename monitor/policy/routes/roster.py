"""Who is there for a role on a day: absences, cover, and who must be gone round.

A person who is away is replaced by whom they named. Nobody named, or that one away as well: whoever
comes next for the role, which is for the caller to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from monitor.domain import Person, Role

LEADS = frozenset({Role.DSL, Role.DEPUTY_DSL})


def on_duty(chosen: Iterable[Person], people: Iterable[Person], day: date) -> tuple[Person, ...]:
    """Those of `chosen` who are there on the local `day`, and for the others who covers them.

    Only somebody among `people` may stand in. Each comes once, in the order of `people`.
    """
    known = {person.id: person for person in people}
    there = [_there(person, known, day) for person in chosen]
    ids = {person.id for person in there if person is not None}
    return tuple(person for person in known.values() if person.id in ids)


def covered_by(
    person: Person, people: Iterable[Person], day: date
) -> tuple[Person | None, date | None]:
    """Who does the work of `person` on `day` (themselves, their cover or nobody), and the last day of
    their absence, where they are away."""
    absence = person.away(day)
    known = {other.id: other for other in people}
    return _there(person, known, day), absence.until if absence else None


def _there(person: Person, known: dict[str, Person], day: date) -> Person | None:
    """`person`, or the first in the line of cover who is there. A line that ends leads nowhere."""
    passed: set[str] = set()
    standing: Person | None = person
    while standing is not None:
        absence = standing.away(day)
        if absence is None:
            return standing
        passed.add(standing.id)
        cover = absence.cover
        standing = known.get(cover) if cover is not None and cover not in passed else None
    return None


def heads_of(organisations: tuple[str, ...], people: Iterable[Person]) -> frozenset[str]:
    """The ids of the schools' own heads."""
    return frozenset(
        person.id for person in people if Role.HEAD in person.roles and person.covers(organisations)
    )


def every_head(people: Iterable[Person]) -> frozenset[str]:
    """The ids of all heads."""
    return frozenset(person.id for person in people if Role.HEAD in person.roles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """The people who may be told of one concern about `organisations`, as they are on `day`; None:
    whether they are away or not."""

    people: tuple[Person, ...]
    organisations: tuple[str, ...]
    day: date | None

    def covering(self, *roles: Role) -> tuple[Person, ...]:
        """Who has one of `roles` for one of the organisations."""
        return self._find(lambda person: person.covers(self.organisations), roles)

    def anywhere(self, *roles: Role) -> tuple[Person, ...]:
        """Who has one of `roles` for any school or the trust."""
        return self._find(lambda _person: True, roles)

    def safeguarding(self) -> tuple[Person, ...]:
        """The safeguarding lead of each organisation, or its deputy where the lead is away."""
        found: set[str] = set()
        for organisation in self.organisations:
            one = Roster(people=self.people, organisations=(organisation,), day=self.day)
            leads = one.covering(Role.DSL) or one.covering(Role.DEPUTY_DSL)
            found.update(person.id for person in leads)
        return tuple(person for person in self.people if person.id in found)

    def _find(self, suits: Callable[[Person], bool], roles: tuple[Role, ...]) -> tuple[Person, ...]:
        found = [
            person for person in self.people if person.roles.intersection(roles) and suits(person)
        ]
        if self.day is None:
            return tuple(found)
        there = on_duty(found, self.people, self.day)
        if LEADS.isdisjoint(roles):
            return there
        # Whatever the configuration says, nobody stands in for a safeguarding lead but another.
        return tuple(person for person in there if person.roles & LEADS)
