"""What keeps people from recording, choosing and moderating: gates, evidence, lawful criticism."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from monitor.domain import AuthorRole, Fact, Flag
from monitor.policy.ladder import holds
from monitor.policy.life.facts import BY_CLOCK, established
from monitor.policy.life.rules import (
    SOURCES,
    Answer,
    Ask,
    Refusal,
    Rule,
    and_,
    reads_in,
    refuse,
)

DEMANDS: Mapping[Fact, tuple[str, ...]] = {
    Fact.CONTACTED: ("how",),
    Fact.PASSED_ON: ("record", "reference"),
    Fact.EVIDENCE_KEPT: ("where",),
    Fact.HOST_TOLD: ("agency", "reference"),
    Fact.WORDING_CHECKED: ("by",),
    Fact.LETTER_SENT: ("reference",),
    Fact.ADVICE_TAKEN: ("advice",),
    Fact.POLICE_TOLD: ("agency", "reference"),
    Fact.LADO_TOLD: ("reference",),
    Fact.CASE_MANAGER: ("by",),
}
"""What recording a fact demands beside the reason."""

NOT_BY_HAND = frozenset({Fact.REPLIED, Fact.NO_REPLY, Fact.MODERATED}) | (
    BY_CLOCK - {Fact.HOST_DECLINED}
)
AGAINST = frozenset({Fact.REMOVAL_ASKED, Fact.HOST_TOLD, Fact.LETTER_SENT})
"""Steps against a post: never for criticism alone, and never before the evidence is kept."""

_GATES: Mapping[Fact, tuple[frozenset[Fact], str]] = {
    Fact.CONTINUED: (frozenset({Fact.REFUSED}), "first record that removal was refused"),
    Fact.REFUSED: (frozenset({Fact.REMOVAL_ASKED}), "first record that removal was asked for"),
    Fact.REMOVAL_ASKED: (
        frozenset({Fact.HARM_CONFIRMED}),
        "first let two people record harm_confirmed",
    ),
    Fact.LETTER_SENT: (
        frozenset({Fact.REFUSED, Fact.CONTINUED, Fact.WORDING_CHECKED}),
        "a letter needs all three recorded: refused, continued and wording_checked",
    ),
}


def record(ask: Ask) -> Refusal | None:
    bad = reads_in(ask.details["fact"], Fact, "fact", but_not=frozenset(NOT_BY_HAND))
    if bad is not None:
        return bad
    fact = Fact(ask.details["fact"])
    missing = [name for name in DEMANDS.get(fact, ()) if not ask.details.get(name, "").strip()]
    if missing:
        return refuse(Rule.MISSING_DETAIL, f"{fact} needs: {', '.join(missing)}.")
    if ask.ground.lawful and fact in AGAINST | {Fact.HARM_CONFIRMED}:
        return _lawful(str(fact))
    if fact in AGAINST and Fact.EVIDENCE_KEPT not in ask.facts:
        return _evidence_first()
    needed, remedy = _GATES.get(fact, (frozenset(), ""))
    if needed - ask.facts:
        two = Fact.HARM_CONFIRMED in needed
        return refuse(Rule.GATE, f"{fact}: {remedy}.", SOURCES[Rule.TWO_PEOPLE] if two else None)
    return None


def _lawful(what: str) -> Refusal:
    return refuse(
        Rule.LAWFUL_CRITICISM,
        f"{what}: this post is criticism or opinion, and nothing is done against that. If it does "
        "harm, a reviewer says which with `flag` first.",
    )


def _evidence_first() -> Refusal:
    return refuse(
        Rule.EVIDENCE_FIRST, "Keep the evidence first: `record evidence_kept --where ...`."
    )


def flag(ask: Ask) -> Refusal | None:
    return reads_in(ask.details["flag"], Flag, "flag")


class Basis(StrEnum):
    """How it is known who the author is. There is no third way: nobody is looked up."""

    SAYS_SO = "says_so"  # the post does
    REPORTED = "reported"  # somebody told us


def author(ask: Ask) -> Refusal | None:
    return reads_in(ask.details["role"], AuthorRole, "role") or reads_in(
        ask.details["basis"], Basis, "basis"
    )


def about_head(ask: Ask) -> Refusal | None:
    return reads_in(ask.details["about"], Answer, "about")


def step(ask: Ask) -> Refusal | None:
    if ask.concern.reply_in_hand is not None:
        return refuse(Rule.STATE, "A reply is in hand: send, return or withdraw it first.")
    rung = ask.details["rung"]
    if (refused := ask.ground.may_step(rung)) is not None:
        return refused
    needed = ask.ground.step_roles(rung)
    if not holds(ask.person.roles, needed):
        return refuse(Rule.APPROVER_ROLE, f"{rung} is a step for {and_(needed)}.")
    return None


class Action(StrEnum):
    """What can be done with a comment on an account of our own."""

    REMOVED = "removed"
    HIDDEN = "hidden"
    BLOCKED = "blocked"
    RESTRICTED = "restricted"
    REPORTED = "reported"


def moderate(ask: Ask) -> Refusal | None:
    return _moderates(ask) or _moderates_by_two(ask)


def _moderates(ask: Ask) -> Refusal | None:
    if not ask.concern.own_account:
        return refuse(
            Rule.OWN_ACCOUNT,
            "This is not on an account of ours: ask its author or tell the host instead.",
        )
    if ask.ground.lawful:
        return _lawful("Moderation")
    return reads_in(ask.details["action"], Action, "action")


def _moderates_by_two(ask: Ask) -> Refusal | None:
    if Fact.EVIDENCE_KEPT not in ask.facts:
        return _evidence_first()
    if not established(ask.concern.history).confirmed_by - {ask.person.id}:
        return refuse(
            Rule.TWO_PEOPLE,
            "Somebody else must have confirmed the harm: `record harm_confirmed` by a second person.",
        )
    if ask.ground.may_moderate is not None:
        return refuse(Rule.GATE, ask.ground.may_moderate)
    return None
