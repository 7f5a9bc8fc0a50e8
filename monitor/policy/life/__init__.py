"""A concern's life: may this person make this move now, and what is the concern then?

    table (state, details, role) -> guards (the rules that it may break) -> effect

Pure. A move is a value of `Move`; its answer is a `Change`, or a `Refusal` that names the rule and
the clause. The rooms beside this one: `table` (the moves), `rules` (what refuses them),
`effects` (what they change), `facts` (what the history establishes, and the clocks).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from monitor.domain import Concern, ConcernState, Person
from monitor.policy.life.effects import SPLIT_FROM, TOOK_IN, Change, apply
from monitor.policy.life.end_rules import on_hold
from monitor.policy.life.facts import REOPENED, Established, due_facts, established, met
from monitor.policy.life.guards import GUARDS
from monitor.policy.life.rules import (
    Ask,
    Ground,
    Refusal,
    Rule,
    matter,
    may_see,
    or_,
    refuse,
)
from monitor.policy.life.table import TABLE, Move, MoveSpec

__all__ = [
    "REOPENED",
    "SPLIT_FROM",
    "TABLE",
    "TOOK_IN",
    "Change",
    "Established",
    "Ground",
    "Move",
    "MoveSpec",
    "Refusal",
    "Rule",
    "allowed",
    "due_facts",
    "established",
    "matter",
    "may_see",
    "met",
    "on_hold",
    "permit",
]


def allowed(state: ConcernState) -> tuple[Move, ...]:
    """The moves that the table knows from `state`."""
    return tuple(move for move, spec in TABLE.items() if state in spec.start)


def permit(
    move: Move,
    concern: Concern,
    person: Person,
    ground: Ground,
    *,
    details: Mapping[str, str] | None = None,
    why: str = "",
    now: datetime,
) -> Change | Refusal:
    """Decide about one move, and make it.

    `concern` comes whole: history, replies, mentions. `details` are those that the table names.
    Raises ValueError for a detail that the move doesn't know.
    """
    given = {key: _clean(value) for key, value in (details or {}).items()}
    ask = Ask(
        move=move,
        concern=concern,
        person=person,
        ground=ground,
        details={key: value for key, value in given.items() if value},
        why=_clean(why),
        now=now,
    )
    refused = may_see(concern, person, ground.people) or _by_table(ask)
    if refused is None and move in GUARDS:
        refused = GUARDS[move](ask)
    return refused or apply(ask)


def _by_table(ask: Ask) -> Refusal | None:
    spec, concern = TABLE[ask.move], ask.concern
    if unknown := set(ask.details) - {*spec.needs, *spec.takes}:
        raise ValueError(f"{ask.move} knows no {', '.join(sorted(unknown))}")
    if concern.state not in spec.start:
        return refuse(Rule.STATE, f"{concern.reference} is {_standing(concern)}.")
    missing = [name for name in spec.needs if name not in ask.details]
    if spec.because and not ask.why:
        missing.append("why")
    if missing:
        return refuse(Rule.MISSING_DETAIL, f"Missing: {', '.join(missing)}.")
    if spec.may and not ask.person.roles & spec.may:
        return refuse(Rule.APPROVER_ROLE, f"{ask.move} is a move for {or_(spec.may)}.")
    return None


def _standing(concern: Concern) -> str:
    if concern.merged_into:
        return f"merged into {concern.merged_into}: work on that one"
    who = f" by {concern.owner}" if concern.owner else ""
    state = concern.state.value.replace("_", " ")
    return f"acknowledged{who}" if concern.state is ConcernState.ACKNOWLEDGED else state


def _clean(text: str) -> str:
    """Without the outer space, and without NUL, which PostgreSQL can't hold."""
    return text.replace("\x00", "").strip()
