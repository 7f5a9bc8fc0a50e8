"""Are there enough people? Nobody approves their own reply, so that each school needs two who may.

"involving at least two members of staff", "a process for approval by senior leaders" (trust online
safety, Coast); "only SLT members (who are DSLs) may authorise" (Fierte); "authorised to do so by a
member of the Senior Leadership Team" (YES).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.domain import Person, Role
from monitor.policy.ladder import Ladder, approvers_for, holds
from monitor.policy.matching.organisations import Organisation, Watchlist

FEWEST = 2
MOST_NAMED = 8


def approving(ladder: Ladder) -> tuple[frozenset[Role], ...]:
    """The sets of roles that approve what is said in public: whoever approves holds all of one."""
    public = (approvers_for(rung, ladder) for rung in map(ladder.by_id, ladder.rung) if rung.public)
    found = {ladder.approval.roles, *public} - {frozenset()}
    return tuple(sorted(found, key=sorted))


def approvers(
    organisation: str, roles: frozenset[Role], people: Sequence[Person]
) -> tuple[Person, ...]:
    """Who may approve for an organisation (an id), by the roles needed; one per mail address."""
    able = {
        person.email.casefold(): person
        for person in reversed(people)
        if person.covers((organisation,)) and holds(person.roles, roles)
    }
    return tuple(person for person in people if able.get(person.email.casefold()) is person)


def shortages(
    people: Sequence[Person], watchlist: Watchlist, ladder: Ladder
) -> Iterator[tuple[str, str]]:
    """(problem, remedy) for each approving role that a school, or the trust, has too few people for."""
    for roles in approving(ladder):
        short = [
            organisation
            for organisation in watchlist.organisations
            if len(approvers(organisation.id, roles, people)) < FEWEST
        ]
        if short:
            words = " and ".join(sorted(roles))
            listed = ", ".join(f'"{role}"' for role in sorted(roles))
            remedy = (
                "Nobody approves what they drafted themselves, so that each needs two with mail "
                f"addresses of their own: give roles = [{listed}] to two people without schools, or "
                "to two for each school named (the trust's own matters need two without schools)."
            )
            yield f"fewer than two people can approve a reply ({words}) for {_names(short)}", remedy
    if ladder.approval.authorised_drafters and not any(person.authorised_by for person in people):
        remedy = (
            f"The ladder '{ladder.name}' lets only authorised people draft: set authorised_by and "
            "authorised_on for at least one."
        )
        yield "nobody is authorised to draft a reply", remedy


def _names(short: Sequence[Organisation]) -> str:
    names = [organisation.name for organisation in short[:MOST_NAMED]]
    more = len(short) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")
