"""The one table of a concern's life: which moves there are, from where, to where, and by whom.

Everything else reads it: `life.permit` decides by it, the desk applies it, `trust-monitor concerns
moves` prints it, and a test asks it about every state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from monitor.domain import ENDED, ConcernState, Fact, Role


class Move(StrEnum):
    """What a person may do with a concern. The value is the history's word for it."""

    ACKNOWLEDGE = "acknowledge"
    ASSIGN = "assign"
    NOTE = "note"
    ASK_OPINION = "ask_opinion"
    GIVE_OPINION = "give_opinion"
    DROP_OPINION = "drop_opinion"
    DRAFT = "draft"
    EDIT = "edit"
    APPROVE = "approve"
    RETURN = "return"
    WITHDRAW = "withdraw"
    SENT = "sent"
    NO_REPLY = "no_reply"
    RECORD = "record"
    FLAG = "flag"
    UNFLAG = "unflag"
    AUTHOR = "author"
    ABOUT_HEAD = "about_head"
    STEP = "step"
    MODERATE = "moderate"
    IMPACT = "impact"
    LINK_COMPLAINT = "link_complaint"
    HOLD = "hold"
    RELEASE = "release"
    MISTAKE = "mistake"
    CLOSE = "close"
    FALSE_ALARM = "false_alarm"
    REOPEN = "reopen"
    MERGE = "merge"
    SPLIT = "split"


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveSpec:
    """One move. `start` are the states that it may be made in; `to` is where it leads, None: it
    stays where it is, or `leads` says in words what decides. `needs` are the details that must be
    given, `takes` those that may be; `because` False: the reason may be left out. `may` are the
    roles of which one is needed (empty: everybody who may see the concern). `fact` is what the move
    establishes."""

    start: frozenset[ConcernState]
    to: ConcernState | None = None
    leads: str = ""
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    because: bool = True
    may: frozenset[Role] = frozenset()
    fact: Fact | None = None
    help: str


OPEN = ConcernState.OPEN
ACKNOWLEDGED = ConcernState.ACKNOWLEDGED
SECOND_OPINION = ConcernState.SECOND_OPINION
FOR_APPROVAL = ConcernState.FOR_APPROVAL
APPROVED = ConcernState.APPROVED
WAITING = ConcernState.WAITING
CLOSED = ConcernState.CLOSED
MERGED = ConcernState.MERGED

LIVE = frozenset(ConcernState) - ENDED
KEPT = frozenset(ConcernState) - {MERGED}
TAKEN = frozenset({ACKNOWLEDGED, WAITING})
"""Somebody has it, and no reply is in hand."""

SAFEGUARDING = frozenset({Role.DSL, Role.DEPUTY_DSL})
LEADERS = frozenset({Role.SLT}) | SAFEGUARDING

TABLE: Mapping[Move, MoveSpec] = {
    Move.ACKNOWLEDGE: MoveSpec(
        start=frozenset({OPEN, WAITING}),
        to=ACKNOWLEDGED,
        because=False,
        help="say that you have it in hand: you become its owner",
    ),
    Move.ASSIGN: MoveSpec(
        start=LIVE,
        needs=("to",),
        help="give it to somebody else; an open one stays open until they acknowledge it",
    ),
    Move.NOTE: MoveSpec(start=KEPT, help="write a note into the history"),
    Move.ASK_OPINION: MoveSpec(
        start=frozenset({ACKNOWLEDGED, WAITING, FOR_APPROVAL, APPROVED}),
        to=SECOND_OPINION,
        needs=("of",),
        help="ask a colleague for a second opinion: nothing is approved or sent meanwhile",
    ),
    Move.GIVE_OPINION: MoveSpec(
        start=frozenset({SECOND_OPINION}),
        leads="back to where it was asked",
        help="give the second opinion that was asked for",
    ),
    Move.DROP_OPINION: MoveSpec(
        start=frozenset({SECOND_OPINION}),
        leads="back to where it was asked",
        help="take back your own question",
    ),
    Move.DRAFT: MoveSpec(
        start=TAKEN,
        to=FOR_APPROVAL,
        needs=("text",),
        takes=("private",),
        because=False,
        help="propose a reply for somebody else to approve",
    ),
    Move.EDIT: MoveSpec(
        start=frozenset({FOR_APPROVAL, APPROVED}),
        to=FOR_APPROVAL,
        needs=("text",),
        help="change the reply in hand: you become its drafter, and it is approved anew",
    ),
    Move.APPROVE: MoveSpec(
        start=frozenset({FOR_APPROVAL}),
        to=APPROVED,
        because=False,
        help="agree to the reply as it stands: a person may post it now",
    ),
    Move.RETURN: MoveSpec(
        start=frozenset({FOR_APPROVAL, APPROVED}),
        to=ACKNOWLEDGED,
        help="hand somebody else's reply back to be changed",
    ),
    Move.WITHDRAW: MoveSpec(
        start=frozenset({FOR_APPROVAL, APPROVED}),
        to=ACKNOWLEDGED,
        help="take the reply in hand back: it will not be posted",
    ),
    Move.SENT: MoveSpec(
        start=frozenset({APPROVED}),
        to=WAITING,
        needs=("where",),
        because=False,
        fact=Fact.REPLIED,
        help="say that you posted the approved reply, and where",
    ),
    Move.NO_REPLY: MoveSpec(
        start=TAKEN,
        to=WAITING,
        fact=Fact.NO_REPLY,
        help="decide that nothing is answered",
    ),
    Move.RECORD: MoveSpec(
        start=LIVE,
        leads="to acknowledged or waiting, as the fact says whose turn it is",
        needs=("fact",),
        takes=(
            "agency",
            "reference",
            "advice",
            "where",
            "how",
            "record",
            "by",
        ),
        help="write down what has come about: contact, refusal, police told, ...",
    ),
    Move.FLAG: MoveSpec(
        start=LIVE, needs=("flag",), help="say of the post what no classifier may say"
    ),
    Move.UNFLAG: MoveSpec(start=LIVE, needs=("flag",), help="take a flag away"),
    Move.AUTHOR: MoveSpec(
        start=LIVE,
        needs=("role", "basis"),
        help="say who the author appears to be: because the post says so, or somebody reported it",
    ),
    Move.ABOUT_HEAD: MoveSpec(
        start=LIVE,
        needs=("about",),
        help="say that it is about the head: it then goes round them",
    ),
    Move.STEP: MoveSpec(
        start=LIVE, needs=("rung",), help="choose the ladder's rung, as far as it is open"
    ),
    Move.MODERATE: MoveSpec(
        start=LIVE - {SECOND_OPINION},
        needs=("action", "rule", "audience"),
        takes=("target",),
        fact=Fact.MODERATED,
        help="enter an action on our own account into the moderation register",
    ),
    Move.IMPACT: MoveSpec(
        start=KEPT,
        needs=("support",),
        help="note what it did to whom it was aimed at, and what support was offered",
    ),
    Move.LINK_COMPLAINT: MoveSpec(
        start=KEPT,
        needs=("reference",),
        help="tie it to a complaint that is open already",
    ),
    Move.HOLD: MoveSpec(
        start=KEPT,
        needs=("review",),
        may=frozenset({Role.SLT}),
        help="keep the posts as evidence beyond their time, until somebody releases them",
    ),
    Move.RELEASE: MoveSpec(start=KEPT, may=frozenset({Role.SLT}), help="end the evidence hold"),
    Move.MISTAKE: MoveSpec(
        start=KEPT,
        needs=("kind",),
        takes=("fact",),
        help="report a mistake or a breach of ours; a fact recorded in error is annulled",
    ),
    Move.CLOSE: MoveSpec(
        start=frozenset({OPEN, ACKNOWLEDGED, WAITING}),
        to=CLOSED,
        needs=("closing",),
        takes=("record", "reference"),
        help="end it, and say how it ended",
    ),
    Move.FALSE_ALARM: MoveSpec(
        start=frozenset({OPEN, ACKNOWLEDGED, WAITING}),
        to=CLOSED,
        help="end it as judged wrongly: the classifier's measure learns of it",
    ),
    Move.REOPEN: MoveSpec(
        start=frozenset({CLOSED}), to=ACKNOWLEDGED, help="take a closed one up again"
    ),
    Move.MERGE: MoveSpec(
        start=frozenset({OPEN, ACKNOWLEDGED, WAITING}),
        to=MERGED,
        needs=("into",),
        help="put all of its posts into another concern, for good",
    ),
    Move.SPLIT: MoveSpec(
        start=LIVE,
        needs=("mentions",),
        help="take some of its posts into a concern of their own",
    ),
}
