"""What must be true of people and accounts beside their shape; each fault with what to write instead.

Rules: nobody stands in for themselves, nor in a circle; whoever stands in may see what the absent one
sees; accounts have two people who approved them ("knowledge and approval of the Headteacher / Principle
and Technical Manager", Fierte) and are handed over when somebody leaves (Coast).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from monitor.config import AccountConfig, PersonConfig, Source
from monitor.domain import Absence, Person, Role

Found = tuple[tuple[int | str, ...], str, str]
"""Key path, problem, remedy."""

_MAY_COVER: Mapping[Role, frozenset[Role]] = {
    Role.DSL: frozenset({Role.DSL, Role.DEPUTY_DSL}),
    Role.DEPUTY_DSL: frozenset({Role.DSL, Role.DEPUTY_DSL}),
    Role.SLT: frozenset({Role.SLT, Role.HEAD, Role.DSL, Role.DEPUTY_DSL}),
    Role.HEAD: frozenset({Role.HEAD, Role.SLT}),
    Role.CHAIR: frozenset({Role.CHAIR}),
    Role.MEDIA: frozenset({Role.MEDIA, Role.COMMS, Role.SLT}),
    Role.COMMS: frozenset({Role.COMMS, Role.MEDIA, Role.SLT}),
    Role.HR: frozenset({Role.HR, Role.SLT}),
    Role.DPO: frozenset({Role.DPO, Role.SLT}),
}
"""Of whom somebody with a role may be covered. A staff member's case is no business of comms."""


def person_of(table: PersonConfig) -> Person:
    """The house's value for one [[people]] table."""
    absences = tuple(
        Absence(since=away.since, until=away.until, cover=away.cover) for away in table.absences
    )
    return Person(
        id=table.id,
        name=table.name,
        email=table.email,
        roles=table.roles,
        schools=table.schools,
        absences=absences,
        authorised_by=table.authorised_by,
        authorised_on=table.authorised_on,
    )


def people_faults(people: Sequence[Person]) -> Iterator[Found]:
    """Faults of absences, cover and authorisation. Every id in `people` is there once."""
    known = {person.id: person for person in people}
    for index, person in enumerate(people):
        yield from _authorisation(index, person, known)
        for number, absence in enumerate(person.absences):
            at = ("people", index, "absences", number)
            if any(_overlap(absence, other) for other in person.absences[:number]):
                yield (*at, "since"), "overlaps another absence", "Make one of the two."
            if absence.cover is not None:
                yield from _cover((*at, "cover"), person, absence, known)


def _authorisation(index: int, person: Person, known: Mapping[str, Person]) -> Iterator[Found]:
    at = ("people", index, "authorised_by")
    if person.authorised_by is None:
        return
    by = known.get(person.authorised_by)
    if by is None:
        yield at, "nobody has this id", "Name the id of a senior leader in [[people]]."
    elif by is person:
        yield at, "nobody authorises themselves", "Name the id of another senior leader."
    elif Role.SLT not in by.roles:
        yield at, "is no senior leader", 'Name the id of somebody with the role "slt".'


def _cover(
    at: tuple[int | str, ...], person: Person, absence: Absence, known: Mapping[str, Person]
) -> Iterator[Found]:
    cover = known.get(absence.cover or "")
    if cover is None:
        yield at, "nobody has this id", "Name the id of somebody in [[people]], or leave it out."
        return
    if cover is person:
        yield at, "nobody stands in for themselves", "Name somebody else, or leave it out."
        return
    if _comes_back(person, absence, cover, known):
        remedy = "They stand in for each other on the same days: name somebody who is there."
        yield at, "cover goes in a circle", remedy
    for role in sorted(person.roles):
        if cover.roles.isdisjoint(_MAY_COVER[role]):
            roles = " or ".join(sorted(_MAY_COVER[role]))
            problem = f"may not see what is for {role}"
            yield at, problem, f"Name somebody who is {roles}, or leave it out."


def _comes_back(
    person: Person, absence: Absence, cover: Person, known: Mapping[str, Person]
) -> bool:
    """True when following the cover of the cover leads back to `person` on a day of `absence`."""
    open_ends: list[tuple[Person, Absence]] = [(cover, absence)]
    passed: set[tuple[str, Absence]] = set()
    while open_ends:
        standing, days = open_ends.pop()
        for away in standing.absences:
            both = _overlap(days, away)
            following = known.get(away.cover or "")
            if both is None or following is None or (standing.id, both) in passed:
                continue
            if following is person:
                return True
            passed.add((standing.id, both))
            open_ends.append((following, both))
    return False


def _overlap(one: Absence, other: Absence) -> Absence | None:
    since, until = max(one.since, other.since), min(one.until, other.until)
    return Absence(since=since, until=until) if since <= until else None


def account_faults(
    accounts: Sequence[AccountConfig],
    sources: Sequence[Source],
    people: Sequence[Person],
    organisations: Sequence[str],
) -> Iterator[Found]:
    """Faults of the register of accounts, and of the sources that name one of them."""
    known = {person.id: person for person in people}
    for index, account in enumerate(accounts):
        at = ("accounts", index)
        if any(account.id == other.id for other in accounts[:index]):
            yield (*at, "id"), "given twice", "Give each account its own id."
        if account.school not in organisations:
            remedy = f"Use one of the watchlist's ids: {', '.join(organisations[:8])}."
            yield (*at, "school"), "no such school or trust", remedy
        yield from _named(at, account, known)
        yield from _approval((*at, "approved_by"), account, known)
        yield from _handover((*at, "former"), account, known)
    ids = {account.id for account in accounts}
    for source in sources:
        if source.account is not None and source.account not in ids:
            remedy = "Name the id of one of the [[accounts]] as its account, or leave it out."
            yield ("sources",), f"'{source.id}' reads an account that is not there", remedy


def _named(
    at: tuple[int | str, ...], account: AccountConfig, known: Mapping[str, Person]
) -> Iterator[Found]:
    for key, ids in (
        ("owner", [account.owner]),
        ("approved_by", account.approved_by),
        ("moderators", account.moderators),
    ):
        if any(each not in known for each in ids):
            yield (*at, key), "nobody has this id", "Name ids of somebody in [[people]]."


def _approval(
    at: tuple[int | str, ...], account: AccountConfig, known: Mapping[str, Person]
) -> Iterator[Found]:
    if len(set(account.approved_by)) < 2:
        yield at, "two different people approve an account", "Name two ids."
        return
    found = [known[each] for each in account.approved_by if each in known]
    leads = any(
        person.roles & {Role.HEAD, Role.SLT} and person.covers((account.school,))
        for person in found
    )
    if len(found) == 2 and not leads:
        remedy = 'One of the two is the head ("head") or a senior leader ("slt") of that school.'
        yield at, "no head or senior leader approved it", remedy


def _handover(
    at: tuple[int | str, ...], account: AccountConfig, known: Mapping[str, Person]
) -> Iterator[Found]:
    for number, former in enumerate(account.former):
        if former.owner == account.owner or former.owner in account.moderators:
            remedy = "Name a new owner and moderators, or take the handover out."
            yield (*at, number, "owner"), "still owns or moderates the account", remedy
        if former.revoked_by not in known or former.revoked_by == former.owner:
            remedy = "Name the id of whoever changed the password and took the access away."
            yield (*at, number, "revoked_by"), "is not somebody else in [[people]]", remedy
