"""What a permitted move changes. Pure: a concern goes in, the same concern after the move comes out;
the history gains exactly one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from monitor.domain import (
    ENDED,
    AuthorRole,
    Closing,
    Concern,
    ConcernEvent,
    ConcernState,
    Fact,
    Flag,
    Reply,
    ReplyState,
)
from monitor.policy.life.end_rules import chosen_mentions
from monitor.policy.life.joining import joined
from monitor.policy.life.reply_rules import is_private
from monitor.policy.life.rules import Answer, Ask
from monitor.policy.life.table import TABLE, Move

TEXT = "text"  # the one detail that stays out of the history: it is the reply's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A permitted move, done. `after` is the concern as it then is, its history and replies
    included; `event` the line that was added; `replies` those that are new or changed. `other` is
    the concern that took this one in, with `other_event`."""

    after: Concern
    event: ConcernEvent
    replies: tuple[Reply, ...] = ()
    other: Concern | None = None
    other_event: ConcernEvent | None = None


@dataclass(frozen=True, slots=True)
class _Effect:
    """The concern with its fields set, its replies that are new or changed, and further details."""

    concern: Concern
    replies: tuple[Reply, ...] = ()
    details: Mapping[str, str] | None = None


def resting(reply: Reply | None) -> ConcernState:
    """The state of a concern that somebody has in hand, by the reply in hand."""
    if reply is None:
        return ConcernState.ACKNOWLEDGED
    drafted = reply.state is ReplyState.DRAFTED
    return ConcernState.FOR_APPROVAL if drafted else ConcernState.APPROVED


def apply(ask: Ask) -> Change:
    """Make a permitted move."""
    effect = _EFFECTS.get(ask.move, _nothing_more)(ask)
    to = TABLE[ask.move].to or effect.concern.state
    event = ConcernEvent(
        at=ask.now,
        who=ask.person.id,
        action=ask.move.value,
        why=ask.why,
        details={k: v for k, v in ask.details.items() if k != TEXT} | dict(effect.details or {}),
    )
    closed_at, closing = _ended(ask, to)
    after = replace(
        effect.concern,
        state=to,
        updated_at=ask.now,
        closed_at=closed_at,
        closing=closing,
        history=(*ask.concern.history, event),
        replies=_with(ask.concern.replies, effect.replies),
    )
    change = Change(after=after, event=event, replies=effect.replies)
    return _merged(ask, change) if ask.move is Move.MERGE else change


def _ended(ask: Ask, to: ConcernState) -> tuple[datetime | None, Closing | None]:
    """When and how it ended. What is done to a closed one keeps both."""
    if to not in ENDED:
        return None, None
    if ask.concern.state is to:
        return ask.concern.closed_at, ask.concern.closing
    if to is ConcernState.MERGED:
        return ask.now, None
    false_alarm = ask.move is Move.FALSE_ALARM
    return ask.now, Closing.FALSE_ALARM if false_alarm else Closing(ask.details["closing"])


def _with(replies: tuple[Reply, ...], changed: tuple[Reply, ...]) -> tuple[Reply, ...]:
    return tuple(
        sorted({r.number: r for r in (*replies, *changed)}.values(), key=lambda r: r.number)
    )


def _nothing_more(ask: Ask) -> _Effect:
    return _Effect(ask.concern)


def _taken(ask: Ask) -> _Effect:
    return _Effect(replace(ask.concern, owner=ask.person.id))


def _assign(ask: Ask) -> _Effect:
    return _Effect(replace(ask.concern, owner=ask.details["to"]))


def _back(ask: Ask) -> _Effect:
    return _Effect(replace(ask.concern, state=resting(ask.concern.reply_in_hand)))


def _draft(ask: Ask) -> _Effect:
    public = not is_private(ask.move, ask.concern, ask.details)
    reply = Reply(
        number=len(ask.concern.replies) + 1,
        public=public,
        text=ask.details[TEXT],
        state=ReplyState.DRAFTED,
        drafter=ask.person.id,
        drafted_at=ask.now,
    )
    earlier = ask.concern.reply_in_hand
    replaced = (_decided(ask, earlier, ReplyState.WITHDRAWN),) if earlier else ()
    return _Effect(
        ask.concern,
        (*replaced, reply),
        {"reply": str(reply.number), "private": Answer.NO if public else Answer.YES},
    )


def _decided(ask: Ask, reply: Reply, state: ReplyState) -> Reply:
    """The approver stays whoever approved it: a withdrawal is in the history."""
    return replace(reply, state=state, decided_at=ask.now)


def _reply_becomes(state: ReplyState) -> Callable[[Ask], _Effect]:
    def effect(ask: Ask) -> _Effect:
        changed = _decided(ask, ask.reply, state)
        return _Effect(ask.concern, (changed,), {"reply": str(changed.number)})

    return effect


def _approve(ask: Ask) -> _Effect:
    changed = replace(_decided(ask, ask.reply, ReplyState.APPROVED), approver=ask.person.id)
    return _Effect(ask.concern, (changed,), {"reply": str(changed.number)})


def _sent(ask: Ask) -> _Effect:
    changed = replace(ask.reply, state=ReplyState.SENT, sent_at=ask.now)
    return _Effect(ask.concern, (changed,), {"reply": str(changed.number)})


TAKES_IT = frozenset({Fact.DSL_ACCEPTED, Fact.CASE_MANAGER, Fact.MEDIA_TAKEN, Fact.HR_ACCEPTED})
"""Recording these on an open concern is taking it in hand."""
THEIR_TURN = frozenset({Fact.REMOVAL_ASKED, Fact.HOST_TOLD, Fact.LETTER_SENT})
OUR_TURN = frozenset(
    {
        Fact.CONTACTED,
        Fact.UNRESOLVED,
        Fact.COMPLAINT_ASKED,
        Fact.REFUSED,
        Fact.CONTINUED,
        Fact.HOST_DECLINED,
        Fact.SILENT,
        Fact.NO_ANSWER,
    }
)


def turn(concern: Concern, fact: Fact) -> ConcernState:
    """The state after `fact`: with whom the next step lies."""
    if concern.state is ConcernState.OPEN and fact in TAKES_IT:
        return ConcernState.ACKNOWLEDGED
    if concern.state is ConcernState.ACKNOWLEDGED and fact in THEIR_TURN:
        return ConcernState.WAITING
    if concern.state is ConcernState.WAITING and fact in OUR_TURN:
        return ConcernState.ACKNOWLEDGED
    return concern.state


def _record(ask: Ask) -> _Effect:
    state = turn(ask.concern, Fact(ask.details["fact"]))
    takes = ask.concern.state is ConcernState.OPEN and state is not ConcernState.OPEN
    owner = ask.person.id if takes else ask.concern.owner
    return _Effect(replace(ask.concern, state=state, owner=owner))


def _flag(ask: Ask) -> _Effect:
    return _Effect(replace(ask.concern, flags=ask.concern.flags | {Flag(ask.details["flag"])}))


def _unflag(ask: Ask) -> _Effect:
    return _Effect(replace(ask.concern, flags=ask.concern.flags - {Flag(ask.details["flag"])}))


def _author(ask: Ask) -> _Effect:
    return _Effect(replace(ask.concern, author=AuthorRole(ask.details["role"])))


def _about_head(ask: Ask) -> _Effect:
    return _Effect(replace(ask.concern, about_head=ask.details["about"] == Answer.YES))


def _split(ask: Ask) -> _Effect:
    chosen = chosen_mentions(ask.details)
    stays = tuple(m for m in ask.concern.mentions if str(m.id) not in chosen)
    return _Effect(replace(ask.concern, mentions=stays))


def _merge(ask: Ask) -> _Effect:
    return _Effect(replace(ask.concern, merged_into=ask.details["into"], mentions=()))


def _merged(ask: Ask, change: Change) -> Change:
    other = ask.ground.other
    if other is None:
        raise ValueError("a merge needs the concern to merge into")
    event = ConcernEvent(
        at=ask.now,
        who=ask.person.id,
        action=TOOK_IN,
        why=ask.why,
        details={"reference": ask.concern.reference},
    )
    taken = replace(joined(other, ask.concern), updated_at=ask.now, history=(*other.history, event))
    return replace(change, other=taken, other_event=event)


TOOK_IN = "took_in"  # the history's word in the concern that others were merged into
SPLIT_FROM = "split_from"  # and in one that was taken out of another

_EFFECTS: Mapping[Move, Callable[[Ask], _Effect]] = {
    Move.ACKNOWLEDGE: _taken,
    Move.ASSIGN: _assign,
    Move.GIVE_OPINION: _back,
    Move.DROP_OPINION: _back,
    Move.DRAFT: _draft,
    Move.EDIT: _draft,
    Move.APPROVE: _approve,
    Move.RETURN: _reply_becomes(ReplyState.RETURNED),
    Move.WITHDRAW: _reply_becomes(ReplyState.WITHDRAWN),
    Move.SENT: _sent,
    Move.RECORD: _record,
    Move.FLAG: _flag,
    Move.UNFLAG: _unflag,
    Move.AUTHOR: _author,
    Move.ABOUT_HEAD: _about_head,
    Move.REOPEN: _taken,
    Move.MERGE: _merge,
    Move.SPLIT: _split,
}
