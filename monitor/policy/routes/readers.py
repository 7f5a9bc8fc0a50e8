"""Who reads the daily digest, and what of it is not for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from monitor.domain import Concern, Digest, Person, Role
from monitor.policy.life.rules import matter
from monitor.policy.routes.roster import on_duty


def digest_readers(people: tuple[Person, ...], day: date) -> tuple[Person, ...]:
    """Communications, there or not (it waits in their inbox), and who stands in for them today."""
    comms = [person for person in people if Role.COMMS in person.roles]
    ids = {person.id for person in (*comms, *on_duty(comms, people, day))}
    return tuple(person for person in people if person.id in ids)


def as_read_by(digest: Digest, person: Person, people: tuple[Person, ...]) -> Digest:
    """The digest without what goes round `person`: an allegation about a head is not in that head's
    mail, whatever else they do for the trust."""

    def theirs(concerns: tuple[Concern, ...]) -> tuple[Concern, ...]:
        return tuple(each for each in concerns if person.id not in matter(each).barred(people))

    return replace(
        digest,
        overdue=theirs(digest.overdue),
        needs_you=theirs(digest.needs_you),
        ready=theirs(digest.ready),
        for_approval=theirs(digest.for_approval),
        second_opinion=theirs(digest.second_opinion),
        in_hand=theirs(digest.in_hand),
        waiting=theirs(digest.waiting),
    )
