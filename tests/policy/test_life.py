"""The table of moves and its rules, one by one: what is allowed, what refuses, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta

import pytest

from classifiers.verdict import Label, Severity
from monitor.domain import (
    ENDED,
    Absence,
    AuthorRole,
    Closing,
    Concern,
    ConcernState,
    Flag,
    ReplyState,
    Role,
)
from monitor.policy import life
from monitor.policy.life import TABLE, Change, Move, Refusal, Rule
from monitor.policy.life.rules import SOURCES
from tests.policy.builders import person
from tests.policy.lives import (
    BLOCKING,
    BY_ID,
    NOW,
    PEOPLE,
    SCHOOL,
    acknowledged,
    approved,
    ask,
    book,
    concern,
    do,
    drafted,
    refused,
)

IN_STATE: Mapping[ConcernState, Callable[[], Concern]] = {
    ConcernState.OPEN: lambda: concern(Label.COMPLAINT),
    ConcernState.ACKNOWLEDGED: lambda: acknowledged(Label.COMPLAINT),
    ConcernState.SECOND_OPINION: lambda: do(
        Move.ASK_OPINION, acknowledged(Label.COMPLAINT), "comms", of="slt"
    ),
    ConcernState.FOR_APPROVAL: drafted,
    ConcernState.APPROVED: approved,
    ConcernState.WAITING: lambda: do(Move.NO_REPLY, acknowledged(Label.COMPLAINT), "comms"),
    ConcernState.CLOSED: lambda: do(
        Move.CLOSE, acknowledged(Label.COMPLAINT), "comms", closing="resolved"
    ),
    ConcernState.MERGED: lambda: do(
        Move.MERGE,
        concern(Label.COMPLAINT),
        "comms",
        into="2026-0002",
        other=concern(Label.QUERY, number=2),
    ),
}
DETAILS: Mapping[Move, dict[str, str]] = {
    Move.ASSIGN: {"to": "comms2"},
    Move.ASK_OPINION: {"of": "chair"},
    Move.DRAFT: {"text": "Hello."},
    Move.EDIT: {"text": "Hello!"},
    Move.SENT: {"where": "there"},
    Move.RECORD: {"fact": "resolved"},
    Move.FLAG: {"flag": "named_staff"},
    Move.UNFLAG: {"flag": "named_staff"},
    Move.AUTHOR: {"role": "parent", "basis": "says_so"},
    Move.ABOUT_HEAD: {"about": "no"},
    Move.STEP: {"rung": "L4"},
    Move.MODERATE: {"action": "hidden", "rule": "no abuse", "audience": "we hid it"},
    Move.IMPACT: {"support": "a talk"},
    Move.LINK_COMPLAINT: {"reference": "C-7"},
    Move.HOLD: {"review": "2026-06-01"},
    Move.MISTAKE: {"kind": "mistake"},
    Move.CLOSE: {"closing": "resolved"},
    Move.MERGE: {"into": "2026-0002"},
    Move.SPLIT: {"mentions": "11"},
}


@pytest.mark.parametrize("state", ConcernState)
@pytest.mark.parametrize("move", Move)
def test_every_pair_is_answered(state: ConcernState, move: Move) -> None:
    """Each move in each state is either made, and leads where the table says, or refused by a rule."""
    before = IN_STATE[state]()
    assert before.state is state
    answer = ask(move, before, "slt", other=concern(Label.QUERY, number=2), **DETAILS.get(move, {}))
    spec = TABLE[move]
    if state not in spec.start:
        assert isinstance(answer, Refusal)
        assert answer.rule is Rule.STATE
        return
    if isinstance(answer, Refusal):
        assert answer.rule in Rule
        assert (state, move, answer.rule) in EXPECTED_REFUSALS
        return
    assert answer.after.state is (spec.to or answer.after.state)
    assert answer.after.history == (*before.history, answer.event)
    assert answer.event.action == move


EXPECTED_REFUSALS = {
    *((state, Move.MODERATE, Rule.OWN_ACCOUNT) for state in ConcernState),
    *((state, Move.RELEASE, Rule.EVIDENCE_HOLD) for state in ConcernState),
    (ConcernState.SECOND_OPINION, Move.DROP_OPINION, Rule.SECOND_OPINION),
    (ConcernState.FOR_APPROVAL, Move.STEP, Rule.STATE),
    (ConcernState.APPROVED, Move.STEP, Rule.STATE),
    (ConcernState.FOR_APPROVAL, Move.SPLIT, Rule.STATE),
    (ConcernState.APPROVED, Move.SPLIT, Rule.STATE),
}


@pytest.mark.parametrize("state", ConcernState)
def test_every_state_leads_to_an_end(state: ConcernState) -> None:
    """From every state some moves of the table lead to closed or merged."""
    reached, ahead = {state}, [state]
    while ahead:
        here = ahead.pop()
        for spec in TABLE.values():
            further = {ConcernState.ACKNOWLEDGED, ConcernState.WAITING} if spec.leads else {spec.to}
            for to in further - reached - {None} if here in spec.start else ():
                reached.add(to)
                ahead.append(to)
    assert reached & ENDED


@pytest.mark.parametrize("move", [move for move, spec in TABLE.items() if spec.because])
def test_a_reason_is_wanted(move: Move) -> None:
    """A move that needs a reason is refused without one, and for blanks."""
    state = min(TABLE[move].start)
    for why in ("", "  \x00 "):
        assert (
            refused(move, IN_STATE[state](), "slt", why=why, **DETAILS.get(move, {}))
            == Rule.MISSING_DETAIL
        )


@pytest.mark.parametrize(
    ("move", "missing"), [(move, name) for move, spec in TABLE.items() for name in spec.needs]
)
def test_each_detail_is_wanted(move: Move, missing: str) -> None:
    """A move is refused when one of its details is left out."""
    state = min(TABLE[move].start)
    given = {k: v for k, v in DETAILS[move].items() if k != missing}
    assert refused(move, IN_STATE[state](), "slt", **given) == Rule.MISSING_DETAIL


def test_an_unknown_detail_is_a_fault_of_ours() -> None:
    """A detail that the table doesn't know is never stored unseen."""
    with pytest.raises(ValueError, match="colour"):
        ask(Move.NOTE, concern(), "slt", colour="red")


# -- replies --------------------------------------------------------------------------------------


def test_two_people_for_a_reply() -> None:
    """Whoever drafted, or edited, a reply never approves it; somebody else with the role does."""
    own = do(Move.DRAFT, acknowledged(Label.COMPLAINT), "slt", text="Hello.")
    assert refused(Move.APPROVE, own, "slt") == Rule.TWO_PEOPLE
    edited = do(Move.EDIT, drafted("comms"), "slt", text="Hello there.")
    assert refused(Move.APPROVE, edited, "slt") == Rule.TWO_PEOPLE
    assert refused(Move.APPROVE, edited, "comms") == Rule.APPROVER_ROLE
    assert do(Move.APPROVE, edited, "slt2").state is ConcernState.APPROVED


def test_an_edited_text_is_approved_anew() -> None:
    """Editing an approved reply takes it back to the draft, and keeps the earlier wording."""
    edited = do(Move.EDIT, approved(), "comms2", text="Other words.")
    assert edited.state is ConcernState.FOR_APPROVAL
    assert [(r.text, r.state, r.drafter) for r in edited.replies] == [
        ("Hello.", ReplyState.WITHDRAWN, "comms"),
        ("Other words.", ReplyState.DRAFTED, "comms2"),
    ]
    assert refused(Move.SENT, edited, "comms2", where="there") == Rule.STATE


def test_fierte_wants_slt_and_dsl() -> None:
    """Under the Fierte policy only a senior leader who is a DSL approves."""
    rules = book("fierte")
    waiting = do(Move.DRAFT, acknowledged(Label.COMPLAINT), "comms", text="Hello.", rules=rules)
    for who in ("slt", "dsl", "head"):
        assert refused(Move.APPROVE, waiting, who, rules=rules) == Rule.APPROVER_ROLE
    assert do(Move.APPROVE, waiting, "slt2", rules=rules).state is ConcernState.APPROVED


def test_coast_makes_one_wait() -> None:
    """Under the Coast policy a reply is approved five minutes after drafting at the soonest."""
    rules = book("coast")
    waiting = do(
        Move.DRAFT, acknowledged(Label.COMPLAINT), "comms", text="Hello.", rules=rules, at=NOW
    )
    soon, then = NOW + timedelta(minutes=4, seconds=59), NOW + timedelta(minutes=5)
    assert refused(Move.APPROVE, waiting, "slt", rules=rules, at=soon) == Rule.COOLING
    assert do(Move.APPROVE, waiting, "slt", rules=rules, at=then).state is ConcernState.APPROVED


def test_yes_wants_authorised_drafters() -> None:
    """Under the YES policy whoever drafts must be authorised by a senior leader."""
    known = replace(BY_ID["comms2"], authorised_by="slt", authorised_on=date(2026, 1, 5))
    people = tuple(known if one.id == "comms2" else one for one in PEOPLE)
    rules = book("yes", people)
    before = acknowledged(Label.COMPLAINT)
    assert refused(Move.DRAFT, before, "comms", rules=rules, text="Hello.") == Rule.AUTHORISED
    assert do(Move.DRAFT, before, "comms2", rules=rules, text="Hello.").reply_in_hand


@pytest.mark.parametrize(
    "stop",
    [
        {"labels": frozenset({Label.THREAT})},
        {"labels": frozenset({Label.COMPLAINT, Label.ALLEGATION})},
        {"author": AuthorRole.PUPIL},
        {"flags": frozenset({Flag.DEFAMATION})},
    ],
)
def test_a_hard_stop_stops_every_step(stop: dict[str, object]) -> None:
    """Under a hard stop nothing is drafted, and what was drafted or approved before goes no further."""
    assert refused(Move.DRAFT, acknowledged(**stop), "comms", text="Hello.") == Rule.HARD_STOP
    assert refused(Move.APPROVE, replace(drafted(), **stop), "slt") == Rule.HARD_STOP
    assert refused(Move.SENT, replace(approved(), **stop), "slt", where="there") == Rule.HARD_STOP


def test_the_draft_check_blocks() -> None:
    """A blocking finding keeps a text from being drafted; a remark does not."""
    before = acknowledged(Label.COMPLAINT)
    named = refused(Move.DRAFT, before, "comms", text="Hello.", findings=(BLOCKING,))
    assert named == Rule.DRAFT_CHECK
    remark = replace(BLOCKING, blocking=False)
    assert do(Move.DRAFT, before, "comms", text="Hello.", findings=(remark,)).reply_in_hand


def test_a_second_opinion_holds_everything() -> None:
    """While a second opinion is open nothing is approved or sent; given by another, it goes on."""
    asked = do(Move.ASK_OPINION, drafted(), "comms", of="chair")
    assert refused(Move.APPROVE, asked, "slt") == Rule.STATE
    assert refused(Move.GIVE_OPINION, asked, "comms") == Rule.SECOND_OPINION
    assert do(Move.GIVE_OPINION, asked, "comms2").state is ConcernState.FOR_APPROVAL
    assert do(Move.DROP_OPINION, asked, "comms").state is ConcernState.FOR_APPROVAL
    after = do(Move.ASK_OPINION, approved(), "comms", of="chair")
    assert do(Move.GIVE_OPINION, after, "chair").state is ConcernState.APPROVED


def test_nobody_is_named_who_is_away() -> None:
    """Somebody away approves nothing, and is neither asked nor given a concern; their cover is named."""
    off = Absence(since=date(2026, 3, 9), until=date(2026, 3, 13), cover="slt2")
    people = tuple(replace(one, absences=(off,)) if one.id == "slt" else one for one in PEOPLE)
    rules = book(people=people)
    assert refused(Move.APPROVE, drafted(), "slt", rules=rules) == Rule.AWAY
    answer = ask(Move.ASSIGN, concern(), "comms", to="slt", rules=rules)
    assert isinstance(answer, Refusal)
    assert "slt2 stands in" in answer.why


# -- who may see it -------------------------------------------------------------------------------


def test_where_every_lead_is_barred_the_chair_reads_it() -> None:
    """A child's case about a head who is the only safeguarding lead goes to the chair, who may read
    it; the head may not, nor who isn't told all of it."""
    head = person("head", Role.HEAD, Role.DSL, schools=[SCHOOL])
    people = (person("comms", Role.COMMS), head, person("chair", Role.CHAIR))
    secret = concern(Label.SAFEGUARDING, Label.ALLEGATION, confidential=True, about_head=True)
    assert {each.id for each in people if life.may_see(secret, each, people) is None} == {"chair"}


@pytest.mark.parametrize("move", Move)
def test_confidential_ones_are_the_leads_alone(move: Move) -> None:
    """Nobody but a safeguarding lead makes any move on a confidential concern."""
    secret = concern(Label.SAFEGUARDING, confidential=True)
    for who in ("comms", "slt", "head", "chair"):
        assert refused(move, secret, who, **DETAILS.get(move, {})) == Rule.CONFIDENTIAL
    assert do(Move.ACKNOWLEDGE, secret, "deputy").owner == "deputy"


def test_it_goes_round_the_head() -> None:
    """The head neither moves nor is given what is about them, and can't take the mark away."""
    about = do(Move.ABOUT_HEAD, concern(Label.ALLEGATION), "slt", about="yes")
    assert refused(Move.ABOUT_HEAD, about, "head", about="no") == Rule.ABOUT_THE_HEAD
    assert refused(Move.ASSIGN, about, "slt", to="head") == Rule.ABOUT_THE_HEAD
    assert life.may_see(about, BY_ID["chair"], PEOPLE) is None


# -- steps against a post -------------------------------------------------------------------------


def harmful(**fields: object) -> Concern:
    return acknowledged(Label.ABUSE, **fields)


def recorded(on: Concern, *facts: tuple[str, str, dict[str, str]]) -> Concern:
    for fact, who, details in facts:
        on = do(Move.RECORD, on, who, fact=fact, **details)
    return on


EVIDENCE = ("evidence_kept", "comms", {"where": "the trust's drive"})
CONFIRMED = (("harm_confirmed", "comms", {}), ("harm_confirmed", "slt", {}))


@pytest.mark.parametrize("fact", ["removal_asked", "host_told", "letter_sent", "harm_confirmed"])
def test_nothing_is_done_against_criticism(fact: str) -> None:
    """A complaint is never asked away, reported, warned or called harmful, whoever wants it."""
    details = {"agency": "the forum", "reference": "7"} if fact != "harm_confirmed" else {}
    on = recorded(acknowledged(Label.COMPLAINT, own_account=True), EVIDENCE)
    assert refused(Move.RECORD, on, "slt", fact=fact, **details) == Rule.LAWFUL_CRITICISM
    assert refused(Move.MODERATE, on, "slt", **DETAILS[Move.MODERATE]) == Rule.LAWFUL_CRITICISM
    assert refused(Move.STEP, on, "slt", rung="L7") == Rule.LAWFUL_CRITICISM


def test_evidence_first_then_two_people() -> None:
    """A comment on our own account is moderated only with the evidence kept, and by two people."""
    on = harmful(own_account=True)
    act = DETAILS[Move.MODERATE]
    assert refused(Move.MODERATE, on, "comms", **act) == Rule.EVIDENCE_FIRST
    kept = recorded(on, EVIDENCE)
    assert refused(Move.MODERATE, kept, "comms", **act) == Rule.TWO_PEOPLE
    own = recorded(kept, CONFIRMED[0])
    assert refused(Move.MODERATE, own, "comms", **act) == Rule.TWO_PEOPLE
    done = do(Move.MODERATE, recorded(kept, CONFIRMED[1]), "comms", **act)
    assert life.established(done.history).facts >= {"moderated"}
    annulled = do(
        Move.MISTAKE,
        recorded(kept, *CONFIRMED),
        "slt",
        kind="mistake",
        fact="harm_confirmed",
    )
    assert refused(Move.MODERATE, annulled, "comms", **act) == Rule.TWO_PEOPLE


def test_only_our_own_accounts() -> None:
    """What stands elsewhere is never moderated by us."""
    on = recorded(harmful(), EVIDENCE, *CONFIRMED)
    assert refused(Move.MODERATE, on, "comms", **DETAILS[Move.MODERATE]) == Rule.OWN_ACCOUNT


def test_the_letters_gate() -> None:
    """A letter takes removal asked, refused and continued, and its wording checked, in that order."""
    on = recorded(harmful(), EVIDENCE)
    letter = ("letter_sent", "slt", {"reference": "7"})
    assert refused(Move.RECORD, on, "slt", fact="removal_asked") == Rule.GATE
    on = recorded(on, *CONFIRMED)
    assert refused(Move.RECORD, on, "slt", fact="refused") == Rule.GATE
    on = recorded(on, ("removal_asked", "slt", {}))
    assert on.state is ConcernState.WAITING
    assert refused(Move.RECORD, on, "slt", fact="continued") == Rule.GATE
    on = recorded(on, ("refused", "slt", {}))
    assert on.state is ConcernState.ACKNOWLEDGED
    on = recorded(on, ("continued", "slt", {}))
    assert refused(Move.RECORD, on, "slt", fact="letter_sent", reference="7") == Rule.GATE
    on = recorded(on, ("wording_checked", "slt", {"by": "solicitor"}), letter)
    assert "letter_sent" in life.established(on.history).facts


@pytest.mark.parametrize(
    ("fact", "missing"),
    [("police_told", "agency"), ("lado_told", "reference"), ("advice_taken", "advice")],
)
def test_facts_come_with_their_references(fact: str, missing: str) -> None:
    """Telling the police or the LADO, and taking advice, is recorded with its reference."""
    answer = ask(Move.RECORD, harmful(), "slt", fact=fact)
    assert isinstance(answer, Refusal)
    assert answer.rule is Rule.MISSING_DETAIL
    assert missing in answer.why


def test_facts_of_moves_and_clocks_are_not_recorded_by_hand() -> None:
    """That a reply was posted, or that nobody answered, can't be claimed by hand."""
    for fact in ("replied", "moderated", "silent", "quiet", "nonsense"):
        assert refused(Move.RECORD, concern(), "slt", fact=fact) == Rule.MISSING_DETAIL


def test_a_step_takes_the_rungs_roles() -> None:
    """A step against a post is chosen by whoever may approve it, and only once it is open."""
    kept = recorded(harmful(), EVIDENCE)
    assert refused(Move.STEP, harmful(), "slt", rung="L7") == Rule.GATE
    assert refused(Move.STEP, kept, "comms", rung="L7") == Rule.APPROVER_ROLE
    assert do(Move.STEP, kept, "slt", rung="L7").suggestion.rung == "L7"
    assert refused(Move.STEP, kept, "slt", rung="L99") == Rule.MISSING_DETAIL


def test_a_refused_step_cites_the_clause_that_refuses_it() -> None:
    """What is out of reach is refused by the clause on which the case stands, and not by the one that
    asks for the very step; what something is missing for, by the clause that asks for it."""
    threat = concern(Label.THREAT, state=ConcernState.ACKNOWLEDGED)
    talk, report = (
        ask(Move.STEP, each, "slt", rung=rung) for each, rung in ((threat, "L2"), (harmful(), "L7"))
    )
    assert isinstance(talk, Refusal)
    assert isinstance(report, Refusal)
    assert (talk.rule, report.rule) == (Rule.GATE, Rule.GATE)
    ladder = book().ladder
    assert talk.source == ladder.by_id("L10").source != ladder.by_id("L2").source
    assert report.source == ladder.by_id("L7").source


# -- endings --------------------------------------------------------------------------------------


def test_an_urgent_one_is_a_leaders_to_end() -> None:
    """An urgent concern ends by a leader, once somebody took it; comms can't call it a false alarm."""
    urgent = concern(Label.THREAT, severity=Severity.URGENT)
    for move, details in ((Move.CLOSE, {"closing": "resolved"}), (Move.FALSE_ALARM, {})):
        assert refused(move, urgent, "slt", **details) == Rule.STATE
        taken = do(Move.ACKNOWLEDGE, urgent, "comms")
        assert refused(move, taken, "comms", **details) == Rule.APPROVER_ROLE
        assert do(move, taken, "slt", **details).state is ConcernState.CLOSED


def test_a_child_is_not_closed_away() -> None:
    """What concerns a child closes only once the safeguarding lead has accepted it, or as false."""
    secret = do(Move.ACKNOWLEDGE, concern(Label.SAFEGUARDING, confidential=True), "dsl")
    assert refused(Move.CLOSE, secret, "dsl", closing="no_action") == Rule.GATE
    accepted = do(Move.RECORD, secret, "dsl", fact="dsl_accepted")
    assert do(Move.CLOSE, accepted, "dsl", closing="passed_on").closing is Closing.PASSED_ON
    assert do(Move.FALSE_ALARM, secret, "dsl").closing is Closing.FALSE_ALARM


def test_closings_must_be_true() -> None:
    """Passed on takes a record that took it, no contact takes the silence."""
    on = acknowledged(Label.COMPLAINT)
    assert refused(Move.CLOSE, on, "comms", closing="passed_on") == Rule.GATE
    assert refused(Move.CLOSE, on, "comms", closing="no_contact") == Rule.GATE
    assert refused(Move.CLOSE, on, "comms", closing="false_alarm") == Rule.MISSING_DETAIL


def test_reopened_ones_start_over() -> None:
    """A reopened concern is in the hands of whoever reopened it, without the earlier end."""
    again = do(Move.REOPEN, IN_STATE[ConcernState.CLOSED](), "comms2")
    assert (again.state, again.owner) == (ConcernState.ACKNOWLEDGED, "comms2")
    assert (again.closed_at, again.closing) == (None, None)


def test_a_closed_one_stays_closed_as_it_was() -> None:
    """A note or a hold on a closed concern keeps when and how it ended."""
    closed = IN_STATE[ConcernState.CLOSED]()
    held = do(Move.HOLD, closed, "slt", review="2026-06-01")
    assert (held.closed_at, held.closing) == (closed.closed_at, closed.closing)
    assert life.on_hold(held)
    assert not life.on_hold(do(Move.RELEASE, held, "slt"))


@pytest.mark.parametrize(
    ("review", "rule"),
    [
        ("soon", Rule.MISSING_DETAIL),
        ("2026-03-10", Rule.EVIDENCE_HOLD),
        ("2026-09-11", Rule.EVIDENCE_HOLD),
    ],
)
def test_holds_are_reviewed_within_six_months(review: str, rule: Rule) -> None:
    """A hold needs a date in the future, half a year away at the most."""
    assert refused(Move.HOLD, concern(), "slt", review=review) == rule
    assert refused(Move.HOLD, concern(), "comms", review="2026-06-01") == Rule.APPROVER_ROLE


# -- merging and splitting ------------------------------------------------------------------------


def test_merging_softens_nothing() -> None:
    """The concern that takes another in has all posts, labels and the gravest severity of both."""
    into = concern(Label.QUERY, number=2)
    answer = ask(
        Move.MERGE,
        concern(Label.THREAT, severity=Severity.URGENT),
        "slt",
        into=into.reference,
        other=into,
    )
    assert isinstance(answer, Change)
    assert answer.other is not None
    assert answer.after.mentions == ()
    assert answer.after.merged_into == into.reference
    assert [mention.id for mention in answer.other.mentions] == [11, 12, 21, 22]
    assert answer.other.labels == {Label.QUERY, Label.THREAT}
    assert answer.other.severity is Severity.URGENT


@pytest.mark.parametrize(
    ("other", "rule"),
    [
        (None, Rule.MISSING_DETAIL),
        (concern(Label.QUERY), Rule.STATE),
        (concern(Label.QUERY, number=2, state=ConcernState.CLOSED), Rule.STATE),
        (concern(Label.SAFEGUARDING, number=2, confidential=True), Rule.CONFIDENTIAL),
        (concern(Label.QUERY, number=2, about_head=True), Rule.ABOUT_THE_HEAD),
    ],
)
def test_what_is_not_merged(other: Concern | None, rule: Rule) -> None:
    """Nothing goes into itself, into what has ended, or over a border of confidence."""
    on = concern(Label.COMPLAINT)
    assert refused(Move.MERGE, on, "slt", into="2026-0002", other=other) == rule


def test_evidence_on_hold_stays_where_it_is() -> None:
    """Posts on hold are not moved into another concern."""
    held = do(Move.HOLD, concern(), "slt", review="2026-06-01")
    other = concern(number=2)
    assert refused(Move.MERGE, held, "slt", into="2026-0002", other=other) == Rule.EVIDENCE_HOLD
    assert refused(Move.SPLIT, held, "slt", mentions="11") == Rule.EVIDENCE_HOLD


@pytest.mark.parametrize(
    ("mentions", "rule"), [("99", "missing-detail"), ("x", "missing-detail"), ("11,12", "state")]
)
def test_what_is_not_split(mentions: str, rule: str) -> None:
    """Only its own posts leave a concern, and never all of them."""
    assert refused(Move.SPLIT, concern(), "slt", mentions=mentions) == rule


def test_every_rule_names_its_source() -> None:
    """Every rule that can refuse a move has the clause or law that it comes from."""
    assert set(SOURCES) == set(Rule)
