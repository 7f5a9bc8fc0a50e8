"""What keeps people from ending, holding, merging and splitting concerns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum

from classifiers.verdict import Severity
from monitor.domain import Closing, Concern, ConcernState, Fact
from monitor.policy.life.rules import SOURCES, Ask, Refusal, Rule, may_see, reads_in, refuse
from monitor.policy.life.table import LEADERS, Move
from monitor.policy.routes.routing import CHILD_AT_RISK

LONGEST_HOLD = timedelta(days=184)  # a hold is reviewed every six months at the latest


def on_hold(concern: Concern) -> bool:
    """True while a senior leader keeps the posts as evidence."""
    last = [e.action for e in concern.history if e.action in {Move.HOLD, Move.RELEASE}]
    return bool(last) and last[-1] == Move.HOLD


def hold(ask: Ask) -> Refusal | None:
    try:
        review = date.fromisoformat(ask.details["review"])
    except ValueError:
        return refuse(Rule.MISSING_DETAIL, "review: write a date such as 2026-09-01.")
    if not ask.today < review <= ask.today + LONGEST_HOLD:
        return refuse(
            Rule.EVIDENCE_HOLD, "The review must be in the future, and within six months."
        )
    return None


def release(ask: Ask) -> Refusal | None:
    if not on_hold(ask.concern):
        return refuse(Rule.EVIDENCE_HOLD, f"{ask.concern.reference} is not on hold.")
    return None


class Kind(StrEnum):
    """MISTAKE: ours, to learn from. BREACH: of personal data, for the data protection officer."""

    MISTAKE = "mistake"
    BREACH = "breach"


def mistake(ask: Ask) -> Refusal | None:
    if (bad := reads_in(ask.details["kind"], Kind, "kind")) is not None:
        return bad
    fact = ask.details.get("fact")
    if fact is not None and fact not in {str(known) for known in ask.facts}:
        known = ", ".join(sorted(ask.facts)) or "none"
        return refuse(Rule.MISSING_DETAIL, f"{fact} is not established. Established: {known}.")
    return None


ELSEWHERE = frozenset(
    {
        Fact.PASSED_ON,
        Fact.DSL_ACCEPTED,
        Fact.CASE_MANAGER,
        Fact.HR_ACCEPTED,
        Fact.POLICE_TOLD,
        Fact.MEDIA_TAKEN,
        Fact.BOARD_TOLD,
        Fact.ADVICE_TAKEN,
    }
)
"""Facts that say in which other record a concern lives on."""


def ending(ask: Ask) -> Refusal | None:
    """An urgent one ends by a leader's decision, and not before somebody took it."""
    concern = ask.concern
    if concern.severity is not Severity.URGENT:
        return None
    if not ask.person.roles & LEADERS:
        return refuse(Rule.APPROVER_ROLE, "It is urgent: SLT, or the DSL, ends it.")
    if concern.state is ConcernState.OPEN:
        return refuse(Rule.STATE, "It is urgent and nobody has taken it: acknowledge it first.")
    return None


def close(ask: Ask) -> Refusal | None:
    bad = reads_in(
        ask.details["closing"], Closing, "closing", but_not=frozenset({Closing.FALSE_ALARM})
    )
    return bad or ending(ask) or _close_gates(ask)


def _close_gates(ask: Ask) -> Refusal | None:
    closing, facts = Closing(ask.details["closing"]), ask.facts
    if ask.concern.labels & CHILD_AT_RISK and not facts & {Fact.DSL_ACCEPTED, Fact.PASSED_ON}:
        return refuse(
            Rule.GATE,
            "A child is concerned: `record dsl_accepted` first, or mark it as a false alarm.",
            'fierte: "must be reported to the designated senior leader(s) for Child Protection"',
        )
    if closing is Closing.PASSED_ON and not facts & ELSEWHERE:
        return refuse(
            Rule.GATE,
            f"First record who took it: one of {', '.join(sorted(ELSEWHERE))} (`concerns record`).",
            SOURCES[Rule.MISSING_DETAIL],
        )
    if closing is Closing.NO_CONTACT and not facts & {Fact.SILENT, Fact.NO_ANSWER}:
        return refuse(
            Rule.GATE,
            "Five working days of silence after an answer (or three after asking for removal) are "
            "not over: close it later, or as no_action with the reason.",
            SOURCES[Rule.MISSING_DETAIL],
        )
    return None


def merge(ask: Ask) -> Refusal | None:
    concern, other = ask.concern, ask.ground.other
    if other is None:
        return refuse(Rule.MISSING_DETAIL, f"into: there is no case {ask.details['into']}.")
    if other.id == concern.id:
        return refuse(Rule.STATE, "A concern can't be merged into itself.")
    return (
        _apart(concern, other)
        or may_see(other, ask.person, ask.ground.people)
        or _takes_in(concern, other)
    )


def _apart(concern: Concern, other: Concern) -> Refusal | None:
    if other.confidential != concern.confidential:
        return refuse(
            Rule.CONFIDENTIAL,
            "One of the two is with the DSL and the other is not: keep them apart.",
        )
    if other.about_head != concern.about_head:
        return refuse(Rule.ABOUT_THE_HEAD, "One of the two is about the head and the other is not.")
    return None


def _takes_in(concern: Concern, other: Concern) -> Refusal | None:
    if other.state not in {ConcernState.OPEN, ConcernState.ACKNOWLEDGED, ConcernState.WAITING}:
        return refuse(
            Rule.STATE,
            f"{other.reference} is {other.state.replace('_', ' ')}: it can't take others in.",
        )
    if on_hold(concern):
        return refuse(
            Rule.EVIDENCE_HOLD,
            f"{concern.reference} is on hold: merge the other one into it, or release it first.",
        )
    return None


def split(ask: Ask) -> Refusal | None:
    own = {str(mention.id) for mention in ask.concern.mentions}
    chosen = chosen_mentions(ask.details)
    if not chosen or not chosen <= own:
        known = ", ".join(sorted(own, key=int))
        return refuse(Rule.MISSING_DETAIL, f"mentions: choose from this concern's: {known}.")
    if chosen == own:
        return refuse(Rule.STATE, "All of its posts can't leave it: at least one stays.")
    if ask.concern.reply_in_hand is not None:
        return refuse(Rule.STATE, "A reply is in hand: send, return or withdraw it first.")
    if on_hold(ask.concern):
        return refuse(Rule.EVIDENCE_HOLD, "It is on hold: release it first.")
    return None


def chosen_mentions(details: Mapping[str, str]) -> frozenset[str]:
    """The ids in "12,15", as text."""
    return frozenset(part.strip() for part in details["mentions"].split(",") if part.strip())
