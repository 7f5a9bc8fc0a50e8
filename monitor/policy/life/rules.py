"""The rules that a move may break, with the clause that each comes from, and what they are asked with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from monitor.domain import (
    Concern,
    Disclosure,
    Fact,
    Person,
    Reply,
    Role,
)
from monitor.policy.deadlines import Calendar
from monitor.policy.drafts.check import Finding
from monitor.policy.life.facts import established
from monitor.policy.life.table import SAFEGUARDING, Move
from monitor.policy.routes.routing import Matter, chain

LONGEST_HOLD = timedelta(days=184)  # a hold is reviewed every six months at the latest


class Rule(StrEnum):
    """What refused a move."""

    STATE = "state"
    MISSING_DETAIL = "missing-detail"
    TWO_PEOPLE = "two-people"
    APPROVER_ROLE = "approver-role"
    AUTHORISED = "authorised"
    AWAY = "away"
    COOLING = "hold"
    SECOND_OPINION = "second-opinion"
    HARD_STOP = "hard-stop"
    DRAFT_CHECK = "draft-check"
    LAWFUL_CRITICISM = "lawful-criticism"
    EVIDENCE_FIRST = "evidence-first"
    GATE = "gate"
    OWN_ACCOUNT = "own-account"
    CONFIDENTIAL = "confidential"
    ABOUT_THE_HEAD = "about-the-head"
    EVIDENCE_HOLD = "evidence-hold"


SOURCES: Mapping[Rule, str] = {
    Rule.STATE: "the table of moves: `trust-monitor concerns moves`",
    Rule.MISSING_DETAIL: 'coast: "Clear reporting guidance, including responsibilities, procedures '
    'and sanctions"',
    Rule.TWO_PEOPLE: 'trust-online-safety, coast: "involving at least two members of staff"',
    Rule.APPROVER_ROLE: 'trust-online-safety: "a process for approval by senior leaders"; fierte: '
    '"only SLT members (who are DSLs) may authorise"',
    Rule.AUTHORISED: 'yes: "authorised to do so by a member of the Senior Leadership Team"',
    Rule.AWAY: 'coast: "checked regularly by the senior staff"',
    Rule.COOLING: 'coast: "Think before responding to comments"',
    Rule.SECOND_OPINION: 'coast: "when in doubt, get a second opinion"',
    Rule.HARD_STOP: "Education Act 2002, section 141F; Keeping children safe in education; the "
    "ladder's hard stops",
    Rule.DRAFT_CHECK: 'trust-online-safety: "ensuring that personal information is not published"',
    Rule.LAWFUL_CRITICISM: 'coast: "Express opinions but do so in a balanced and measured manner"; '
    "POSH guidance: respectful criticism is a right",
    Rule.EVIDENCE_FIRST: 'trust-online-safety: "systems for reporting and dealing with abuse and '
    'misuse"',
    Rule.GATE: 'bradgate: "refuses to remove comments/posts and continues"',
    Rule.OWN_ACCOUNT: 'coast: "block, report or delete other users or their comments/posts"',
    Rule.CONFIDENTIAL: 'bradgate: "confidential nature of issues and concerns should be considered"',
    Rule.ABOUT_THE_HEAD: "Keeping children safe in education, part four: an allegation about a head "
    "goes to the chair",
    Rule.EVIDENCE_HOLD: 'trust-online-safety: "risk assessment, including legal risk"',
}
"""Where each rule comes from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A move that is not allowed: which rule says so, why, and the clause."""

    rule: Rule
    why: str
    source: str


def refuse(rule: Rule, why: str, source: str | None = None) -> Refusal:
    return Refusal(rule=rule, why=why, source=source or SOURCES[rule])


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What else a move is judged by, as it stands for this concern now.

    `stop`: why no public reply may be given; None: one may; `private_stop` the same of a private
    one. `lawful`: it is criticism or praise, without any harm. `approvers` are the roles that
    whoever approves must hold, all of them; `hold` must have passed since the draft. `may_step`
    says why a rung can't be chosen now (None: it can), `step_roles` which roles choosing it takes,
    `may_moderate` why nothing may be moderated now. `findings` are the draft check's, of the text
    in the details. `other` is the concern to merge into.
    """

    people: tuple[Person, ...]
    calendar: Calendar
    stop: str | None = None
    private_stop: str | None = None
    lawful: bool = True
    approvers: frozenset[Role] = frozenset()
    hold: timedelta = timedelta()
    authorised_drafters: bool = False
    may_step: Callable[[str], Refusal | None] = lambda _rung: None
    step_roles: Callable[[str], frozenset[Role]] = lambda _rung: frozenset()
    may_moderate: str | None = None
    findings: tuple[Finding, ...] = ()
    other: Concern | None = None

    def person(self, who: str) -> Person | None:
        return next((person for person in self.people if person.id == who), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Somebody wants to make a move."""

    move: Move
    concern: Concern
    person: Person
    ground: Ground
    details: Mapping[str, str]
    why: str
    now: datetime

    @property
    def facts(self) -> frozenset[Fact]:
        return established(self.concern.history).facts

    @property
    def today(self) -> date:
        return self.now.astimezone(self.ground.calendar.tz).date()

    @property
    def reply(self) -> Reply:
        """The reply in hand; the table lets nobody ask without one."""
        reply = self.concern.reply_in_hand
        if reply is None:
            raise ValueError(f"{self.concern.reference} is {self.concern.state} without a reply")
        return reply


def matter(concern: Concern) -> Matter:
    """What of the concern says who may know of it."""
    return Matter(
        severity=concern.severity,
        labels=concern.labels,
        organisations=concern.organisations,
        author=concern.author,
        flags=concern.flags,
        about_head=concern.about_head,
        confidential=concern.confidential,
    )


def may_see(concern: Concern, person: Person, people: Iterable[Person]) -> Refusal | None:
    """None when `person` may read and move the concern; else which rule keeps it from them."""
    everybody = tuple(people)
    about = matter(concern)
    barred = about.barred(everybody)
    if person.id in barred:
        return refuse(
            Rule.ABOUT_THE_HEAD,
            f"{concern.reference} is with the chair: ask the chair of governors.",
        )
    if not concern.confidential or person.roles & SAFEGUARDING:
        return None
    leads = any(each.roles & SAFEGUARDING and each.id not in barred for each in everybody)
    # Where every safeguarding lead is barred, whoever is told at once instead may read it.
    instead = () if leads else chain(about, everybody, day=date.min)[:1]
    if any(person in tier.people and tier.disclosure is Disclosure.FULL for tier in instead):
        return None
    return refuse(
        Rule.CONFIDENTIAL,
        f"{concern.reference} is with the DSL: only a DSL or deputy may read or move it.",
    )


def reads_in(
    value: str, words: type[StrEnum], what: str, *, but_not: frozenset[StrEnum] = frozenset()
) -> Refusal | None:
    known = [word for word in words if word not in but_not]
    if value in known:
        return None
    return refuse(Rule.MISSING_DETAIL, f"{what}: choose one of {', '.join(known)}.")


class Answer(StrEnum):
    YES = "yes"
    NO = "no"


def or_(words: Collection[str]) -> str:
    """The words in order, as a person says them."""
    return " or ".join(sorted(words))


def and_(words: Collection[str]) -> str:
    """The words in order, all of them meant."""
    return " and ".join(sorted(words))
