"""What single clauses of the five policies ask for, and no other room's test says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from classifiers.verdict import Label, Severity
from monitor.domain import AuthorRole, Closing, Fact, Flag, Mention
from monitor.policy import assessment, ladder
from monitor.policy.deadlines import Calendar
from monitor.policy.life import Move, Refusal, Rule
from monitor.policy.matching.organisations import Watchlist
from tests.policy.builders import triaged
from tests.policy.lives import BOOK, NOW, SCHOOL, WATCHLIST, acknowledged, ask, do, refused
from tests.policy.standing import PROFILES, VALUES, standing, suggested
from tests.store.samples import MATCH, post

L, F = Label, Flag
everywhere = pytest.mark.parametrize("profile", PROFILES)


@everywhere
def test_an_individual_matter_is_invited_to_direct_contact(profile: str) -> None:
    """What touches a person gets an invitation into private, with school and contact, and no more."""
    said = suggested(standing({L.COMPLAINT}, hints={L.ALLEGATION: 0.3}), PROFILES[profile])
    assert said.rung == "L2"
    for words in (VALUES["school"], VALUES["contact"], "can't talk about individual matters here"):
        assert words in (said.reply or "")
    assert "do not need to give any names or details" in (said.private_reply or "")


@everywhere
@pytest.mark.parametrize("fact", [Fact.UNRESOLVED, Fact.COMPLAINT_ASKED])
def test_the_complaints_procedure_comes_with_its_link(profile: str, fact: Fact) -> None:
    """What can't be resolved, or whoever asks, is pointed to the complaints procedure by its link."""
    said = suggested(standing({L.COMPLAINT}, Fact.CONTACTED, fact), PROFILES[profile])
    assert said.rung == "L4"
    assert VALUES["complaints_url"] in (said.reply or "")
    assert VALUES["complaints_url"] in (said.private_reply or "")


@everywhere
def test_an_acknowledgement_is_signed_and_stops_the_clock(profile: str) -> None:
    """A question is acknowledged, signed by the school's team, and that alone is in time."""
    said = suggested(standing({L.QUERY}), PROFILES[profile], info_url=None)
    assert said.rung == "L1"
    assert (said.reply or "").endswith(f"– {VALUES['school']} team")
    assert said.met_by == "reply"


@pytest.mark.parametrize(
    ("labels", "flag", "rung"),
    [
        ((), F.DEFAMATION, "L9"),
        ((L.HATE,), None, "L7"),
        ((L.ABUSE,), None, "L7"),
        ((), F.HARASSMENT, "L9"),
        ((), F.BULLYING, "L7"),
        ((), F.DATA_PROTECTION, "L7"),
        ((), F.CONFIDENTIALITY, "L9"),
        ((), F.COPYRIGHT, "L7"),
        ((), F.IMPERSONATION, "L7"),
        ((), F.DOXXING, "L7"),
        ((L.THREAT,), None, "L10"),
        ((L.SECURITY,), None, "L10"),
    ],
)
def test_each_harm_has_its_own_name_and_way(
    labels: tuple[Label, ...], flag: Flag | None, rung: str
) -> None:
    """Each kind of harm that the policies list is a label or a reviewer's flag, with its own rung."""
    said = suggested(standing(labels, flags={flag} if flag else ()))
    assert said.rung == rung
    assert said.reply is None
    assert said.no_reply_because


@pytest.mark.parametrize(("source", "rung"), [("our-page", "L6"), ("a-forum", "L7")])
def test_a_comment_below_our_own_post_is_ours_to_moderate(source: str, rung: str) -> None:
    """Abuse on an account of ours starts at moderation, the same elsewhere at a report to its host."""
    mention = Mention(
        id=1,
        source=source,
        post=post("1"),
        matches=(replace(MATCH, organisation=SCHOOL),),
        first_seen_at=NOW,
        revision=1,
    )
    book = replace(BOOK, own_sources=frozenset({"our-page"}))
    decided = assessment.decide(mention, triaged({L.ABUSE}), None, book, now=NOW)
    assert decided.draft is not None
    assert decided.draft.own_account is (source == "our-page")
    assert decided.draft.suggestion.rung == rung


def test_a_reply_gives_the_schools_own_contact() -> None:
    """A school's matter names the school's contact, a trust's matter the trust's."""
    (school,) = WATCHLIST.schools
    own = school.model_copy(update={"contact": "01632 960 777"})
    book = replace(BOOK, watchlist=Watchlist(trust=WATCHLIST.trust, schools=(own,)))

    def reply(organisation: str) -> str:
        said = assessment.suggestion(
            standing({L.COMPLAINT}, chosen="L2"), (organisation,), book, due_at=None
        )
        return said.reply or ""

    assert "01632 960 777" in reply(SCHOOL)
    assert "01632 960 777" not in reply("trust")
    assert BOOK.contact in reply("trust")


@everywhere
def test_the_school_has_ten_working_days_to_resolve_it(profile: str) -> None:
    """Once the author and the school talk, the informal stage ends after ten working days."""
    talking = standing({L.COMPLAINT}, Fact.CONTACTED)
    due = ladder.due_at(talking, PROFILES[profile], Calendar(), received=NOW)
    assert due == datetime(2026, 3, 24, 17, 0, tzinfo=UTC)


def test_the_notice_gives_the_page_rules() -> None:
    """The words for the audience lead to the published rules and invite criticism."""
    notice = suggested(standing({L.ABUSE}, own_account=True)).do[-1]
    assert VALUES["rules_url"] in notice
    assert "Questions and criticism are welcome here" in notice


@pytest.mark.parametrize("basis", ["looked_up", "guessed", ""])
def test_an_author_is_never_looked_up(basis: str) -> None:
    """Who wrote is recorded because the post says so or somebody reported it, and in no other way."""
    on = acknowledged(L.COMPLAINT)
    assert refused(Move.AUTHOR, on, "comms", role="staff", basis=basis) == Rule.MISSING_DETAIL
    for known in ("says_so", "reported"):
        after = do(Move.AUTHOR, on, "comms", role="staff", basis=known)
        assert after.author is AuthorRole.STAFF


def test_harm_and_support_are_noted() -> None:
    """What a post did to whom it was aimed at is noted with the support offered, also once closed."""
    on = acknowledged(L.ABUSE)
    assert refused(Move.IMPACT, on, "slt") == Rule.MISSING_DETAIL
    after = do(
        Move.IMPACT, on, "slt", support="a talk, and a day at home", why="lost sleep over it"
    )
    noted = after.history[-1]
    assert (noted.why, noted.details) == (
        "lost sleep over it",
        {"support": "a talk, and a day at home"},
    )


def test_an_open_complaint_is_tied_to_it() -> None:
    """A post about what is being looked into carries the complaint's reference, and keeps its rung."""
    on = acknowledged(L.COMPLAINT)
    after = do(Move.LINK_COMPLAINT, on, "comms", reference="C-2026-07")
    assert after.history[-1].details == {"reference": "C-2026-07"}
    assert after.suggestion.rung == on.suggestion.rung


@pytest.mark.parametrize(
    ("fact", "details"),
    [
        ("police_told", {"agency": "Northshire Police", "reference": "CR/1/26"}),
        ("host_told", {"agency": "the forum", "reference": "T-9"}),
        ("advice_taken", {"advice": "wait", "by": "solicitor"}),
        ("lado_told", {"reference": "L-3"}),
        ("passed_on", {"record": "human resources", "reference": "HR-12"}),
    ],
)
def test_what_was_done_outside_is_logged_with_its_reference(
    fact: str, details: dict[str, str]
) -> None:
    """Police, host, lawyer, local authority, HR: the step is in the history with its reference, and
    is refused without."""
    on = do(Move.RECORD, acknowledged(L.ABUSE), "slt", fact="evidence_kept", where="the drive")
    bare = ask(Move.RECORD, on, "slt", fact=fact)
    assert isinstance(bare, Refusal)
    assert bare.rule is Rule.MISSING_DETAIL
    after = do(Move.RECORD, on, "slt", fact=fact, **details)
    assert after.history[-1].details == {"fact": fact, **details}


def test_somebody_leads_on_it() -> None:
    """Whoever takes a concern owns it, and may give it to a senior leader to look into."""
    on = acknowledged(L.ABUSE)
    assert on.owner == "slt2"
    assert do(Move.ASSIGN, on, "slt2", to="slt").owner == "slt"


def test_a_staff_matter_ends_in_human_resources() -> None:
    """A post by somebody who works for us is closed once human resources have it, by reference."""
    on = do(Move.AUTHOR, acknowledged(L.COMPLAINT), "comms", role="staff", basis="says_so")
    assert on.suggestion.rung == "H1"
    assert refused(Move.DRAFT, on, "comms", text="Hello.") == Rule.HARD_STOP
    assert refused(Move.CLOSE, on, "slt", closing="passed_on") == Rule.GATE
    taken = do(Move.RECORD, on, "slt", fact="passed_on", record="HR", reference="HR-12")
    assert do(Move.CLOSE, taken, "slt", closing="passed_on").closing is Closing.PASSED_ON


def test_mistakes_of_ours_are_reported_and_undone() -> None:
    """A mistake or breach is a line in the history, and a fact recorded in error holds no longer."""
    on = do(Move.RECORD, acknowledged(L.COMPLAINT), "comms", fact="resolved")
    assert refused(Move.MISTAKE, on, "comms", kind="blunder") == Rule.MISSING_DETAIL
    after = do(Move.MISTAKE, on, "comms", kind="breach", fact="resolved", why="wrong family")
    assert after.history[-1].details == {"kind": "breach", "fact": "resolved"}
    assert assessment.circumstances(after).facts == frozenset()


def test_a_first_assessment_is_a_persons() -> None:
    """An urgent post is only drafted for once a person has judged it, in a step with its reason."""
    on = acknowledged(L.COMPLAINT, severity=Severity.URGENT)
    assert on.suggestion.reply is None
    judged = do(Move.STEP, on, "slt", rung="L1", why="read it: a question about lunch")
    assert judged.suggestion.reply
    assert judged.history[-1].why == "read it: a question about lunch"


def test_a_threat_waits_for_no_working_day() -> None:
    """A threat of Christmas night is due within a quarter of an hour, on every profile."""
    night = datetime(2026, 12, 25, 3, 0, tzinfo=UTC)
    threat = standing({L.THREAT}, severity=Severity.URGENT)
    for profile in PROFILES.values():
        due = ladder.due_at(threat, profile, Calendar(), received=night)
        assert due == night + timedelta(minutes=15)
