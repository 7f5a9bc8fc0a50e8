"""Whatever people do, in whatever order: what may never come about in a concern's life."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.verdict import Label
from monitor.domain import (
    ENDED,
    AuthorRole,
    Closing,
    Concern,
    ConcernEvent,
    ConcernState,
    Fact,
    Flag,
    ReplyState,
)
from monitor.policy import life
from monitor.policy.assessment import circumstances, reconsider
from monitor.policy.ladder import approvers_for, holds, place
from monitor.policy.ladder.stops import harmful, stops
from monitor.policy.life import Change, Move, Rule
from monitor.policy.life.ground import ground
from monitor.policy.life.step_rules import Action, Basis
from tests.policy.lives import BY_ID, NOW, PEOPLE, ask, book, concern

AGAINST = frozenset({Fact.REMOVAL_ASKED, Fact.HOST_TOLD, Fact.LETTER_SENT, Fact.MODERATED})
FACTS_AGAINST = (
    Fact.EVIDENCE_KEPT,
    Fact.HARM_CONFIRMED,
    Fact.REMOVAL_ASKED,
    Fact.REFUSED,
    Fact.CONTINUED,
    Fact.WORDING_CHECKED,
    Fact.LETTER_SENT,
)
CONFIRMED = tuple(
    ConcernEvent(at=NOW, who=who, action="record", why="so", details={"fact": fact})
    for who, fact in (
        ("comms", Fact.EVIDENCE_KEPT),
        ("comms", Fact.HARM_CONFIRMED),
        ("slt", Fact.HARM_CONFIRMED),
    )
)
IDS = sorted(BY_ID)
RULES = {profile: book(profile) for profile in ("base", "bradgate", "coast", "fierte")}
RUNGS = sorted(RULES["base"].ladder.rung)
LABELS = (
    (Label.COMPLAINT,),
    (Label.COMPLAINT,),
    (Label.QUERY,),
    (Label.ABUSE,),
    (Label.ABUSE,),
    (Label.HATE,),
    (Label.SAFEGUARDING, Label.COMPLAINT),
    (Label.THREAT,),
    (),
)
ANSWERABLE = ((Label.COMPLAINT,), (Label.QUERY,), (Label.COMPLAINT, Label.CAMPAIGN))
ENDINGS = frozenset({Move.CLOSE, Move.FALSE_ALARM, Move.MERGE, Move.SPLIT})
REPLYING = (
    Move.ACKNOWLEDGE,
    Move.DRAFT,
    Move.DRAFT,
    Move.EDIT,
    Move.APPROVE,
    Move.APPROVE,
    Move.SENT,
    Move.GIVE_OPINION,
    Move.DROP_OPINION,
    Move.WITHDRAW,
)
HARMING = (Move.RECORD, Move.RECORD, Move.MODERATE, Move.STEP)
GIVEN = dict.fromkeys(("agency", "reference", "advice", "where", "how", "record", "by"), "given")
DETAILS: Mapping[Move, Callable[[Random], dict[str, str]]] = {
    Move.ASSIGN: lambda luck: {"to": luck.choice(IDS)},
    Move.ASK_OPINION: lambda luck: {"of": luck.choice(IDS)},
    Move.DRAFT: lambda luck: {"text": "Hello."} | luck.choice([{}, {}, {"private": "yes"}]),
    Move.EDIT: lambda _: {"text": "Hello again."},
    Move.SENT: lambda _: {"where": "there"},
    Move.RECORD: lambda luck: {
        "fact": luck.choice([luck.choice([*Fact]), luck.choice(FACTS_AGAINST)]),
        **GIVEN,
    },
    Move.FLAG: lambda luck: {"flag": luck.choice([*Flag])},
    Move.UNFLAG: lambda luck: {"flag": luck.choice([*Flag])},
    Move.AUTHOR: lambda luck: {"role": luck.choice([*AuthorRole]), "basis": luck.choice([*Basis])},
    Move.ABOUT_HEAD: lambda luck: {"about": luck.choice(["yes", "no"])},
    Move.STEP: lambda luck: {"rung": luck.choice(RUNGS)},
    Move.MODERATE: lambda luck: {
        "action": luck.choice([*Action]),
        "rule": "no abuse",
        "audience": "we did",
    },
    Move.IMPACT: lambda _: {"support": "a talk"},
    Move.LINK_COMPLAINT: lambda _: {"reference": "C-7"},
    Move.HOLD: lambda _: {"review": "2026-06-01"},
    Move.MISTAKE: lambda luck: {"kind": "mistake", "fact": luck.choice([*Fact])},
    Move.CLOSE: lambda luck: {"closing": luck.choice([*Closing])},
    Move.MERGE: lambda luck: {"into": luck.choice(["2026-0001", "2026-0002"])},
    Move.SPLIT: lambda luck: {"mentions": luck.choice(["11", "21", "11,12"])},
}


class Life:
    """Two concerns of one trust, its people, and any moves that they come to think of."""

    def __init__(self, profile: str, luck: Random) -> None:
        self.luck = luck
        self.mood = luck.choice([REPLYING, REPLYING, HARMING, tuple(Move)])
        self.rules = RULES[profile]
        self.now = NOW
        self.made: Counter[Move] = Counter()
        self.split_off: set[int] = set()
        self.concerns: dict[str, Concern] = {}
        own = luck.random() < 0.5
        for number in (1, 2):
            some = luck.choice(ANSWERABLE if self.mood is REPLYING else LABELS)
            opened = concern(*some, number=number, own_account=own)
            if Label.ABUSE in opened.labels:  # as far as two people get with it
                opened = replace(opened, history=(*opened.history, *CONFIRMED))
            self.concerns[opened.reference] = self.reconsidered(opened)

    def reconsidered(self, changed: Concern) -> Concern:
        if changed.state in ENDED:
            return changed
        return replace(changed, suggestion=reconsider(changed, self.rules, now=self.now))

    def step(self) -> None:
        """Somebody tries a move; now and then a further post joins instead."""
        luck = self.luck
        self.now += timedelta(minutes=luck.randrange(10))
        reference = luck.choice(sorted(self.concerns))
        if luck.random() < 0.02:
            self.a_post_joins(reference)
            return
        move = luck.choice(self.mood if luck.random() < 0.8 else [*Move])
        if move in ENDINGS and luck.random() < 0.5:
            return
        self.somebody_moves(reference, move)
        self.check()

    def somebody_moves(self, reference: str, move: Move) -> None:
        before = self.concerns[reference]
        details = DETAILS.get(move, lambda _: {})(self.luck)
        other = self.concerns.get(details.get("into", ""))
        stands_on = ground(before, self.rules, other=other)
        for who in self.luck.sample(IDS, len(IDS)):  # until somebody is let
            answer = life.permit(
                move,
                before,
                BY_ID[who],
                stands_on,
                details=details,
                why="so",
                now=self.now,
            )
            if isinstance(answer, Change):
                self.keep(move, before, who, answer)
                return
            assert answer.rule in Rule
            assert answer.why

    def keep(self, move: Move, before: Concern, who: str, answer: Change) -> None:
        self.watch(move, before, who, answer)
        self.made[move] += 1
        self.concerns[before.reference] = self.reconsidered(answer.after)
        if answer.other is not None:
            self.concerns[answer.other.reference] = self.reconsidered(answer.other)
        if move is Move.SPLIT:
            kept = {mention.id for mention in answer.after.mentions}
            self.split_off |= {mention.id for mention in before.mentions} - kept

    def a_post_joins(self, reference: str) -> None:
        """The world goes on: a further post adds a label to a concern that has not ended."""
        before = self.concerns[reference]
        if before.state in ENDED:
            return
        label = self.luck.choice([*Label])
        event = ConcernEvent(at=self.now, who="monitor", action="updated", why="joins")
        grown = replace(
            before,
            labels=before.labels | {label},
            scores={**before.scores, label: 0.9},
            history=(*before.history, event),
        )
        self.concerns[reference] = self.reconsidered(grown)

    def watch(self, move: Move, before: Concern, who: str, change: Change) -> None:
        after, c = change.after, circumstances(before)
        assert before.state is not ConcernState.MERGED
        assert after.history[:-1] == before.history
        assert life.may_see(before, BY_ID[who], PEOPLE) is None
        if move in {Move.APPROVE, Move.SENT} and before.reply_in_hand:
            assert not stops(c) or not before.reply_in_hand.public
        if move is Move.DRAFT:
            assert before.reply_in_hand is None
        if move is Move.APPROVE:
            needed = approvers_for(place(c, self.rules.ladder), self.rules.ladder)
            assert holds(BY_ID[who].roles, needed)
        if move is Move.SENT:
            (sent,) = change.replies
            assert before.reply_in_hand
            assert before.reply_in_hand.state is ReplyState.APPROVED
            assert sent.text == before.reply_in_hand.text
        new = life.established(after.history).facts - life.established(before.history).facts
        assert harmful(c) or not new & AGAINST

    def check(self) -> None:
        self.replies_have_two_people()
        self.no_mention_is_lost()
        self.somebody_can_go_on()

    def replies_have_two_people(self) -> None:
        for found in self.concerns.values():
            in_hand = 0
            for reply in found.replies:
                in_hand += reply.state in {ReplyState.DRAFTED, ReplyState.APPROVED}
                assert reply.approver != reply.drafter
                if reply.state in {ReplyState.APPROVED, ReplyState.SENT}:
                    assert reply.approver is not None
            assert in_hand <= 1
            assert bool(in_hand) <= (found.state not in ENDED)
            if found.state is ConcernState.FOR_APPROVAL:
                assert found.reply_in_hand
                assert found.reply_in_hand.state is ReplyState.DRAFTED
            if found.state is ConcernState.APPROVED:
                assert found.reply_in_hand
                assert found.reply_in_hand.state is ReplyState.APPROVED

    def no_mention_is_lost(self) -> None:
        held = [m.id for c in self.concerns.values() for m in c.mentions]
        if held:
            assert sorted([*held, *self.split_off]) == [11, 12, 21, 22]

    def somebody_can_go_on(self) -> None:
        """Nothing that has not ended is stuck: somebody there may make some move that leads on."""
        for found in self.concerns.values():
            if found.state in ENDED:
                continue
            tried = {
                ConcernState.SECOND_OPINION: (Move.GIVE_OPINION, Move.DROP_OPINION),
                ConcernState.FOR_APPROVAL: (Move.WITHDRAW,),
                ConcernState.APPROVED: (Move.WITHDRAW,),
                ConcernState.OPEN: (Move.ACKNOWLEDGE,),
            }.get(found.state, (Move.FALSE_ALARM,))
            assert any(
                isinstance(ask(move, found, who, rules=self.rules, at=self.now), Change)
                for move in tried
                for who in IDS
            ), f"stuck in {found.state}"


@pytest.mark.parametrize("profile", sorted(RULES))
@settings(max_examples=6, deadline=None)
@given(luck=st.integers(0, 2**32).map(Random))
def test_nothing_forbidden_ever_comes_about(profile: str, luck: Random) -> None:
    """No sequence of permitted moves gets a reply out by one person or past a hard stop, acts against
    criticism, leaves a merged concern, loses a post, rewrites the history, or ends in a dead end."""
    life_of = Life(profile, luck)
    for _ in range(70):
        life_of.step()


def test_the_walks_go_everywhere() -> None:
    """The random lives above make every kind of move: otherwise they would prove nothing of it."""
    made: Counter[Move] = Counter()
    for seed in range(40):
        walk = Life("base", Random(seed))
        for _ in range(70):
            walk.step()
        made += walk.made
    assert set(made) == set(Move)
