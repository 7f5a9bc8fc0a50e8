"""Who is told now, how much, and who is told next when nobody answers.

What is urgent goes to the senior leaders of the school. A child at risk goes to the safeguarding lead
(DSL) alone, at a low threshold. An allegation about a head goes round that head. What has a person of
its own (an allegation, the press, staff or governors writing) goes to that person at once, urgent or
not. Everything else waits for the digest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from classifiers.verdict import Label, Severity
from monitor.domain import AuthorRole, Disclosure, Flag, Notice, Person, Role, Triage
from monitor.policy.routes.roster import LEADS, Roster, every_head, heads_of

CHILD_AT_RISK = frozenset({Label.SAFEGUARDING, Label.IDENTIFIES_CHILD})
ALSO_FOR_SLT = frozenset({Label.THREAT, Label.HATE, Label.SECURITY})
INSIDERS = frozenset({AuthorRole.STAFF, AuthorRole.GOVERNANCE})

ITS_OWN_PERSON: tuple[tuple[Label | AuthorRole | Flag, tuple[Role, ...], str], ...] = (
    (Label.ALLEGATION, (Role.HEAD,), "an allegation about staff: for the head of the school"),
    (Label.MEDIA, (Role.MEDIA, Role.COMMS), "the press: for the media lead"),
    (AuthorRole.STAFF, (Role.HR,), "apparently written by staff: for human resources"),
    (AuthorRole.GOVERNANCE, (Role.CHAIR,), "apparently written by a governor: for the chair"),
    (AuthorRole.PUPIL, (Role.DSL, Role.DEPUTY_DSL), "apparently by a pupil: for the safeguarding lead"),
    (Flag.DATA_PROTECTION, (Role.DPO,), "personal data: for the data protection officer"),
)  # fmt: skip
"""What goes to a role at once: the first of the roles that somebody holds; else the senior leaders."""

ROUND_THE_HEAD = "an allegation about a head goes round that head: for the chair"
SAFETY_OF_THE_SITE = (
    "it also concerns the safety of the site; a child is involved, so the safeguarding lead has it"
)
NOBODY_ACCEPTED = "nobody has accepted a safeguarding item: reach the safeguarding lead by phone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """What of a concern says who may be told. `confidential`: it was with the safeguarding lead
    before, whatever its labels are now."""

    severity: Severity
    labels: frozenset[Label]
    organisations: tuple[str, ...]
    author: AuthorRole = AuthorRole.UNKNOWN
    flags: frozenset[Flag] = frozenset()
    about_head: bool = False
    confidential: bool = False

    @property
    def child(self) -> bool:
        """For the safeguarding lead alone."""
        return (
            self.confidential
            or bool(self.labels & CHILD_AT_RISK)
            or Flag.DOUBTFUL_CONTACT in self.flags
        )

    def barred(self, people: Iterable[Person]) -> frozenset[str]:
        """The ids of those who must not be told: the head whom an allegation is about, whatever
        else they are; and the head of the school whose staff or governors wrote, so that nobody
        who speaks up is named to whom it may be about."""
        own = heads_of(self.organisations, people)
        if self.child:
            return own if self.about_head else frozenset()
        if self.about_head:
            # Where no head of ours is known for it (the trust alone is named), it may be any of them.
            return own or every_head(people)
        if self.author in INSIDERS:
            return own
        return frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """People who are told together. `because` says why it is them."""

    people: tuple[Person, ...]
    disclosure: Disclosure
    because: str

    def notices(self) -> tuple[Notice, ...]:
        """One notice per person."""
        return tuple(
            Notice(person=person, disclosure=self.disclosure, because=self.because)
            for person in self.people
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """`notices`: one per person; FULL ones first. `confidential`: nobody but the notices' FULL
    readers may see more than "with DSL". `because`: for the history."""

    notices: tuple[Notice, ...]
    confidential: bool
    because: str


def route(
    triage: Triage,
    organisations: tuple[str, ...],
    people: tuple[Person, ...],
    *,
    day: date,
    author: AuthorRole = AuthorRole.UNKNOWN,
    about_head: bool = False,
    flags: frozenset[Flag] = frozenset(),
    confidential: bool = False,
) -> Routing:
    """Decide the notices for one concern about `organisations` (ids) on the local `day`. One that is
    `confidential` already stays so, whatever its labels say now.

    An urgent one, and one about a child at risk, always has at least one FULL notice as long as
    somebody in `people` may be told at all.
    """
    matter = Matter(
        severity=triage.severity,
        labels=triage.labels,
        organisations=organisations,
        author=author,
        flags=flags,
        about_head=about_head,
        confidential=confidential,
    )
    if not matter.child and matter.severity is not Severity.URGENT:
        return _at_once(matter, people, day)
    tiers = chain(matter, people, day=day)
    if not tiers:
        return Routing(
            notices=(), confidential=matter.child, because="nobody is configured who may be told"
        )
    notices = tiers[0].notices()
    if matter.child and all(person.away(day) for person in tiers[0].people):
        # Mail to somebody who is away is not enough: whoever is there has to ring them.
        notices += next((t.notices() for t in tiers if t.disclosure is Disclosure.RING), ())
    if matter.child and matter.severity is Severity.URGENT and matter.labels & ALSO_FOR_SLT:
        notices += _withheld(matter, people, day, already={n.person.id for n in notices})
    return Routing(notices=notices, confidential=matter.child, because=tiers[0].because)


def chain(matter: Matter, people: tuple[Person, ...], *, day: date) -> tuple[Tier, ...]:
    """Everybody who may be told of an urgent concern or a child at risk, in the order in which they
    are: the first tier at once, the next when nobody answers. No tier is empty, nobody is in two.

    People who are away come only when nobody else is left.
    """
    barred = matter.barred(people)
    permitted = tuple(person for person in people if person.id not in barred)
    build = _chain_for_a_child if matter.child else _chain
    for allowed, on in ((permitted, day), (permitted, None)):
        roster = Roster(people=allowed, organisations=matter.organisations, day=on)
        if tiers := build(matter, roster):
            return tiers
    # Better a head who might have been gone round than nobody; but never the head it is about.
    everybody = permitted if matter.about_head else permitted or people
    because = "nobody with a role for it is configured: for everybody"
    tier = Tier(people=everybody, disclosure=Disclosure.FULL, because=because)
    return (tier,) if everybody else ()


def _chain(matter: Matter, roster: Roster) -> tuple[Tier, ...]:
    leaders, urgent = _leaders(roster)
    chairs = roster.covering(Role.CHAIR)
    first, because = (chairs, ROUND_THE_HEAD) if matter.about_head and chairs else (leaders, urgent)
    if first:
        ids = {person.id for person in first}
        ids |= {person.id for _, found in _specialists(matter, roster) for person in found}
        first = tuple(person for person in roster.people if person.id in ids)
    return _each_once(
        (first, because),
        (leaders, "nobody has answered: for the senior leaders"),
        (roster.anywhere(Role.SLT), "nobody has answered: for every senior leader"),
        (roster.covering(Role.HEAD), "nobody has answered: for the head of the school"),
        (chairs, "nobody has answered: for the chair"),
        (
            roster.anywhere(Role.COMMS, Role.MEDIA),
            "no senior leader has answered: for communications",
        ),
    )


def _chain_for_a_child(matter: Matter, roster: Roster) -> tuple[Tier, ...]:
    if not any(person.roles & LEADS for person in roster.people):
        return _chain_without_a_lead(matter, roster)
    tiers = _each_once(
        (roster.safeguarding(), "a child may be at risk: for the safeguarding lead"),
        (roster.covering(*LEADS), "no safeguarding lead has answered: for the deputies"),
        (
            roster.anywhere(Role.DSL) or roster.anywhere(Role.DEPUTY_DSL),
            "no safeguarding lead of this school is there, or none has answered: for all of them",
        ),
        (roster.anywhere(*LEADS), "no safeguarding lead has answered: for every deputy"),
    )
    leaders, _ = _leaders(roster)
    ring = tuple(person for person in leaders if not person.roles & LEADS)
    if not tiers or not ring:
        return tiers
    return (*tiers, Tier(people=ring, disclosure=Disclosure.RING, because=NOBODY_ACCEPTED))


def _chain_without_a_lead(matter: Matter, roster: Roster) -> tuple[Tier, ...]:
    """No safeguarding lead may be told: none is configured, or the only one is who it is about."""
    leaders, _ = _leaders(roster)
    because = "a child may be at risk, and there is no safeguarding lead who may be told"
    chairs = roster.covering(Role.CHAIR) if matter.about_head else ()
    return _each_once(
        (chairs or leaders, because),
        (leaders, because),
        (roster.anywhere(Role.COMMS), because),
    )


def _each_once(*steps: tuple[tuple[Person, ...], str]) -> tuple[Tier, ...]:
    tiers: list[Tier] = []
    told: set[str] = set()
    for people, because in steps:
        fresh = tuple(person for person in people if person.id not in told)
        told.update(person.id for person in fresh)
        if fresh:
            tiers.append(Tier(people=fresh, disclosure=Disclosure.FULL, because=because))
    return tuple(tiers)


def _at_once(matter: Matter, people: tuple[Person, ...], day: date) -> Routing:
    """What is not urgent, and yet has somebody of its own."""
    if matter.severity is Severity.ROUTINE:
        return _in_the_digest()
    barred = matter.barred(people)
    permitted = tuple(person for person in people if person.id not in barred)
    found: dict[str, Notice] = {}
    for on in (day, None):
        roster = Roster(people=permitted, organisations=matter.organisations, day=on)
        for because, told in _specialists(matter, roster):
            for notice in Tier(people=told, disclosure=Disclosure.FULL, because=because).notices():
                found.setdefault(notice.person.id, notice)
        if found:
            break
    if not found:
        return _in_the_digest()
    notices = tuple(found.values())
    because = "; ".join(dict.fromkeys(notice.because for notice in notices))
    return Routing(notices=notices, confidential=False, because=because)


def _in_the_digest() -> Routing:
    return Routing(notices=(), confidential=False, because="not urgent: in the daily digest")


def _specialists(matter: Matter, roster: Roster) -> list[tuple[str, tuple[Person, ...]]]:
    """(why, who) for each thing that has a person of its own. An allegation about a head, or by an
    insider, is for the chair or the senior leaders and not for the head of the school."""
    marks = matter.labels | matter.flags | {matter.author}
    found: list[tuple[str, tuple[Person, ...]]] = []
    if matter.about_head:
        found.append((ROUND_THE_HEAD, roster.covering(Role.CHAIR) or _leaders(roster)[0]))
    for mark, roles, because in ITS_OWN_PERSON:
        if mark not in marks or (mark is Label.ALLEGATION and matter.about_head):
            continue
        holders = (roster.covering(role) for role in roles)
        found.append((because, next(filter(None, holders), ()) or _leaders(roster)[0]))
    return found


def _withheld(
    matter: Matter, people: tuple[Person, ...], day: date, *, already: set[str]
) -> tuple[Notice, ...]:
    """Senior leaders hear that something about the safety of the site exists, and who has it."""
    barred = matter.barred(people)
    permitted = tuple(person for person in people if person.id not in barred)
    leaders, _ = _leaders(Roster(people=permitted, organisations=matter.organisations, day=day))
    fresh = tuple(person for person in leaders if person.id not in already)
    tier = Tier(people=fresh, disclosure=Disclosure.WITHHELD, because=SAFETY_OF_THE_SITE)
    return tier.notices()


def _leaders(roster: Roster) -> tuple[tuple[Person, ...], str]:
    """Senior leaders of the organisations; else any; else communications."""
    if covering := roster.covering(Role.SLT):
        return covering, "urgent: for the senior leaders of the school"
    if anywhere := roster.anywhere(Role.SLT):
        return anywhere, "urgent, and no senior leader of this school is there: for all of them"
    return roster.anywhere(Role.COMMS), (
        "urgent, and no senior leader is there: for communications"
    )
