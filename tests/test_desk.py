"""The desk: a move is permitted, stored whole, and followed up, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from classifiers.verdict import Label, Severity
from monitor.domain import Concern, ConcernState, Fact, Flag, Notice, ReplyState, Role
from monitor.errors import MonitorError
from monitor.pipeline.desk import Desk, Refused
from monitor.policy.drafts.check import Finding
from monitor.policy.life import Move, Rule
from monitor.ports import Transaction
from monitor.store.store import SqlStore
from tests.fakes import FakeClock
from tests.policy.builders import person
from tests.policy.lives import BLOCKING, BOOK, SCHOOL
from tests.store.samples import MATCH, draft, post

HERE = replace(MATCH, organisation=SCHOOL)


@dataclass
class Desks:
    """A desk over a real store, whose draft check finds what it is told to."""

    store: SqlStore
    clock: FakeClock = field(default_factory=FakeClock)
    findings: tuple[Finding, ...] = ()
    checked: list[tuple[str, bool, int]] = field(default_factory=list)
    told: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.desk = Desk(
            store=self.store, book=BOOK, clock=self.clock, check=self._check, tell=self._tell
        )

    def _check(self, text: str, public: bool, concern: Concern) -> tuple[Finding, ...]:
        self.checked.append((text, public, len(concern.mentions)))
        return self.findings

    def _tell(
        self,
        rows: Transaction,
        concern: Concern,
        notices: tuple[Notice, ...],
        why: str,
        now: datetime,
    ) -> None:
        self.told.append((concern.reference, tuple(notice.person.id for notice in notices)))

    def opens(self, *labels: Label, posts: int = 1, severity: Severity = Severity.CONCERN) -> str:
        made = replace(draft(severity, *labels), organisations=(SCHOOL,))
        with self.store.begin() as rows:
            concern = rows.concerns.open(made, why="new", now=self.clock())
            for n in range(posts):
                name = f"{concern.reference}-{n}"
                rows.mentions.record("feed", [(post(name, name), (HERE,))], now=self.clock())
                (claimed,) = rows.mentions.claim(owner="t", lease_s=60, limit=9, now=self.clock())
                rows.mentions.assessed(claimed, made.triage, model="t", now=self.clock())
                rows.mentions.belongs_to(claimed.mention.id, concern.id)
        return concern.reference

    def do(self, reference: str, move: Move, who: str, why: str = "so", **details: str) -> Concern:
        return self.desk.do(reference, move, who, why, details)

    def stored(self, reference: str) -> Concern:
        with self.store.read() as rows:
            found = rows.concerns.by_reference(reference)
        assert found is not None
        return found


@pytest.fixture
def desks(store: SqlStore) -> Desks:
    return Desks(store)


def test_a_reply_from_draft_to_sent(desks: Desks) -> None:
    """Drafted by one, approved by another, posted by a person: each step is stored as it was returned,
    with who, when and why."""
    case = desks.opens(Label.COMPLAINT)
    desks.do(case, Move.ACKNOWLEDGE, "comms")
    desks.do(case, Move.DRAFT, "comms", text="Hello.")
    desks.do(case, Move.APPROVE, "slt", why="fine")
    desks.clock.forward(minutes=5)
    after = desks.do(case, Move.SENT, "comms", where="under the post")
    found = desks.stored(case)
    assert (found.state, found.owner) == (ConcernState.WAITING, "comms")
    assert (found.history, found.replies) == (after.history, after.replies)
    assert [(event.who, event.action) for event in found.history] == [
        ("monitor", "opened"),
        ("comms", "acknowledge"),
        ("comms", "draft"),
        ("slt", "approve"),
        ("comms", "sent"),
    ]
    assert found.history[-1].details == {"where": "under the post", "reply": "1"}
    assert "Hello" not in str(found.history)
    (reply,) = found.replies
    assert (reply.state, reply.approver, reply.sent_at) == (
        ReplyState.SENT,
        "slt",
        desks.clock.now,
    )
    assert desks.checked == [("Hello.", True, 1)]


def test_a_refusal_changes_nothing(desks: Desks) -> None:
    """A refused move names rule, clause and what is allowed, and leaves the concern as it was."""
    case = desks.opens(Label.COMPLAINT)
    before = desks.stored(case)
    with pytest.raises(Refused, match="refused by the rule state") as caught:
        desks.do(case, Move.APPROVE, "slt")
    assert caught.value.refusal.rule is Rule.STATE
    assert Move.ACKNOWLEDGE in caught.value.allowed
    desks.do(case, Move.ACKNOWLEDGE, "comms")
    desks.findings = (BLOCKING,)
    with pytest.raises(Refused, match="names-a-person"):
        desks.do(case, Move.DRAFT, "comms", text="Hello Mr Nobody.")
    assert desks.stored(case).replies == before.replies == ()


@pytest.mark.parametrize(
    ("case", "who", "told"),
    [
        ("2026-9999", "comms", "no case 2026-9999"),
        (None, "nobody", "nobody has this id. Known: chair"),
    ],
)
def test_unknown_cases_and_people(desks: Desks, case: str | None, who: str, told: str) -> None:
    """An unknown case or person is named, with what is known."""
    with pytest.raises(MonitorError, match=told):
        desks.do(case or desks.opens(), Move.ACKNOWLEDGE, who)


def test_the_ladder_follows(desks: Desks) -> None:
    """What is recorded moves the concern along the ladder, and a flag with harm stops the reply."""
    case = desks.opens(Label.COMPLAINT)
    desks.do(case, Move.ACKNOWLEDGE, "comms")
    assert (
        desks.do(case, Move.RECORD, "comms", fact="contacted", how="by phone").suggestion.rung
        == "L3"
    )
    assert desks.do(case, Move.RECORD, "comms", fact="unresolved").suggestion.rung == "L4"
    flagged = desks.do(case, Move.FLAG, "slt", flag="defamation")
    assert flagged.suggestion.reply is None
    assert desks.stored(case).suggestion == flagged.suggestion
    assert desks.stored(case).flags == {Flag.DEFAMATION}


def test_whoever_must_hear_is_told(desks: Desks) -> None:
    """A flag that concerns a child makes it confidential and tells the safeguarding leads; an ordinary
    move tells nobody."""
    case = desks.opens(Label.COMPLAINT)
    desks.do(case, Move.ACKNOWLEDGE, "comms")
    assert desks.told == []
    after = desks.do(case, Move.FLAG, "comms", flag="doubtful_contact")
    assert after.confidential
    ((told_of, people),) = desks.told
    assert told_of == case
    assert "dsl" in people
    assert not {"comms", "slt"} & set(people)
    with pytest.raises(Refused, match="confidential"):
        desks.do(case, Move.NOTE, "comms")


def test_merging_moves_the_posts(desks: Desks) -> None:
    """A merged concern's posts, labels and severity are in the other one, and stay there."""
    one = desks.opens(Label.THREAT, posts=2, severity=Severity.URGENT)
    two = desks.opens(Label.COMPLAINT)
    desks.do(one, Move.MERGE, "slt", into=two)
    merged, taken = desks.stored(one), desks.stored(two)
    assert (merged.state, merged.merged_into, merged.mentions) == (ConcernState.MERGED, two, ())
    assert len(taken.mentions) == 3
    assert (taken.labels, taken.severity) == ({Label.THREAT, Label.COMPLAINT}, Severity.URGENT)
    assert taken.suggestion.reply is None
    assert taken.history[-1].details == {"reference": one}
    with pytest.raises(Refused, match="work on that one"):
        desks.do(one, Move.NOTE, "slt")


def test_splitting_makes_a_concern(desks: Desks) -> None:
    """Chosen posts become a concern of their own, in the hands of whoever split it; none is lost."""
    case = desks.opens(Label.COMPLAINT, posts=3)
    ids = [mention.id for mention in desks.stored(case).mentions]
    new = desks.do(case, Move.SPLIT, "comms", mentions=f"{ids[0]}, {ids[2]}")
    assert new.reference != case
    assert [mention.id for mention in desks.stored(case).mentions] == [ids[1]]
    found = desks.stored(new.reference)
    assert [mention.id for mention in found.mentions] == [ids[0], ids[2]]
    assert (found.state, found.owner, found.labels) == (
        ConcernState.ACKNOWLEDGED,
        "comms",
        {Label.COMPLAINT},
    )
    assert found.history[-1].details == {"reference": case}


def test_the_clock_writes_down_silence(desks: Desks) -> None:
    """Five working days after the reply the silence is in the history, once, and it is our turn."""
    case = desks.opens(Label.COMPLAINT)
    steps: tuple[tuple[Move, str, Mapping[str, str]], ...] = (
        (Move.ACKNOWLEDGE, "comms", {}),
        (Move.DRAFT, "comms", {"text": "Hello."}),
        (Move.APPROVE, "slt", {}),
        (Move.SENT, "comms", {"where": "there"}),
    )
    for move, who, details in steps:
        desks.do(case, move, who, **details)
    desks.clock.now = datetime(2026, 3, 17, 16, 59, tzinfo=UTC)
    desks.desk.tick()
    assert desks.stored(case).state is ConcernState.WAITING
    desks.clock.forward(minutes=1)
    desks.desk.tick()
    desks.desk.tick()
    found = desks.stored(case)
    assert [event.action for event in found.history].count(Fact.SILENT) == 1
    assert found.state is ConcernState.ACKNOWLEDGED
    assert desks.do(case, Move.CLOSE, "comms", closing="no_contact").state is ConcernState.CLOSED


def test_only_one_of_many_takes_it(desks: Desks) -> None:
    """When eight people acknowledge at the same moment, one has it and seven are told so."""
    case = desks.opens(Label.COMPLAINT)
    outcomes: list[str] = []

    def take() -> None:
        try:
            desks.do(case, Move.ACKNOWLEDGE, "comms")
            outcomes.append("taken")
        except Refused as refused:
            outcomes.append(refused.refusal.rule)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["state"] * 7 + ["taken"]
    assert [event.action for event in desks.stored(case).history] == ["opened", "acknowledge"]


def test_two_merges_never_wait_for_each_other(desks: Desks) -> None:
    """One merges A into B while another merges B into A: one is done, the other refused."""
    a, b = desks.opens(Label.COMPLAINT), desks.opens(Label.COMPLAINT)
    outcomes: list[str] = []

    def merge(one: str, other: str) -> None:
        try:
            outcomes.append(desks.do(one, Move.MERGE, "comms", into=other).state)
        except Refused as refused:
            outcomes.append(refused.refusal.rule)

    threads = [threading.Thread(target=merge, args=pair) for pair in ((a, b), (b, a))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["merged", "state"]
    assert {desks.stored(name).state for name in (a, b)} == {ConcernState.MERGED, ConcernState.OPEN}


def test_evidence_on_hold_outlives_its_time(desks: Desks) -> None:
    """While a senior leader holds it, nothing erases a post."""
    case = desks.opens(Label.COMPLAINT)
    (mention,) = desks.stored(case).mentions
    desks.do(case, Move.HOLD, "slt", review="2026-06-01")
    later = desks.clock() + timedelta(days=400)
    with desks.store.begin() as rows:
        assert rows.mentions.erase_ids([mention.id], now=later) == 0
        assert rows.mentions.settled() == ()
    desks.do(case, Move.RELEASE, "slt")
    with desks.store.begin() as rows:
        assert [settled.mention for settled in rows.mentions.settled()] == [mention.id]
        assert rows.mentions.erase_ids([mention.id], now=later) == 1


@pytest.mark.parametrize("kind", ["breach", "mistake"])
def test_a_breach_reaches_the_data_protection_officer(desks: Desks, kind: str) -> None:
    """A reported breach of personal data is told to the DPO at once; a plain mistake is not."""
    people = (*BOOK.people, person("dpo", Role.DPO))
    desks.desk = replace(desks.desk, book=replace(BOOK, people=people))
    case = desks.opens(Label.COMPLAINT)
    desks.do(case, Move.MISTAKE, "comms", "sent the draft to the wrong parent", kind=kind)
    assert desks.told == ([(case, ("dpo",))] if kind == "breach" else [])
