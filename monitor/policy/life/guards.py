"""Which guard stands before which move. A guard answers None, or the refusal; it runs after the table
has agreed to state, details and role."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from monitor.policy.life import end_rules as ends
from monitor.policy.life import reply_rules as replies
from monitor.policy.life import step_rules as steps
from monitor.policy.life.rules import Ask, Refusal
from monitor.policy.life.table import Move

GUARDS: Mapping[Move, Callable[[Ask], Refusal | None]] = {
    Move.ASSIGN: replies.assign,
    Move.ASK_OPINION: replies.ask_opinion,
    Move.GIVE_OPINION: replies.give_opinion,
    Move.DROP_OPINION: replies.drop_opinion,
    Move.DRAFT: replies.draft,
    Move.EDIT: replies.draft,
    Move.APPROVE: replies.approve,
    Move.RETURN: replies.return_,
    Move.SENT: replies.sent,
    Move.RECORD: steps.record,
    Move.FLAG: steps.flag,
    Move.UNFLAG: steps.flag,
    Move.AUTHOR: steps.author,
    Move.ABOUT_HEAD: steps.about_head,
    Move.STEP: steps.step,
    Move.MODERATE: steps.moderate,
    Move.HOLD: ends.hold,
    Move.RELEASE: ends.release,
    Move.MISTAKE: ends.mistake,
    Move.CLOSE: ends.close,
    Move.FALSE_ALARM: ends.ending,
    Move.MERGE: ends.merge,
    Move.SPLIT: ends.split,
}
