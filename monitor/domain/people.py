"""Who is told, in which role, and how much."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Role(StrEnum):
    """Who somebody is for the monitor. The head is per school; the rest may be trust-wide."""

    COMMS = "comms"
    SLT = "slt"
    DSL = "dsl"
    DEPUTY_DSL = "deputy_dsl"
    HEAD = "head"
    CHAIR = "chair"
    MEDIA = "media"
    HR = "hr"
    DPO = "dpo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """Somebody is away from the local day `since` to the local day `until`, both included. `cover`
    is the id of who stands in; None: whoever comes next for the role."""

    since: date
    until: date
    cover: str | None = None

    def includes(self, day: date) -> bool:
        """True when the local `day` falls into the absence."""
        return self.since <= day <= self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who gets mail or works on concerns. `schools` empty: trust-wide.

    `authorised_by` is the id of the senior leader who authorised them to speak for the trust, on
    `authorised_on`; a profile may demand it of whoever drafts (the YES policy does).
    """

    id: str
    name: str
    email: str
    roles: frozenset[Role]
    schools: frozenset[str] = frozenset()
    absences: tuple[Absence, ...] = ()
    authorised_by: str | None = None
    authorised_on: date | None = None

    def covers(self, organisations: tuple[str, ...]) -> bool:
        """True when trust-wide, or when one of `organisations` is theirs."""
        return not self.schools or bool(self.schools.intersection(organisations))

    def away(self, day: date) -> Absence | None:
        """The absence that the local `day` falls into, or None when they are there."""
        return next((absence for absence in self.absences if absence.includes(day)), None)


class Disclosure(StrEnum):
    """How much of a concern a notice may tell its reader."""

    FULL = "full"  # category, place, reason, excerpt as configured
    WITHHELD = "withheld"  # that it exists, and who has it
    RING = "ring"  # that it exists, and that nobody has accepted it: ring whose it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One person to be told now of one concern."""

    person: Person
    disclosure: Disclosure
    because: str
