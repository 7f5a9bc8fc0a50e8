"""The five policies' own ladders, walked step by step."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from classifiers.verdict import Label
from monitor.domain import AuthorRole, Fact, Flag, Role
from monitor.policy import ladder
from monitor.policy.deadlines import Calendar
from monitor.policy.ladder.layers import with_rule_of
from tests.policy.standing import PROFILES, standing, suggested

L, F = Label, Fact
POLICIES = Path(__file__).resolve().parents[2] / ".." / "shared" / "policies"
KEPT, CONFIRMED = F.EVIDENCE_KEPT, F.HARM_CONFIRMED
EVERY_RUNG = {"L0", "R0", "L1", "L2", "L3", "L4", "L5", "L6", "L7", "L8", "L9", "L10"} | {
    "S1",
    "S2",
    "C1",
    "M1",
    "H1",
}


def at(profile: str, *args, **kwargs) -> str:
    """The id of the rung where such a concern stands."""
    return ladder.place(standing(*args, **kwargs), PROFILES[profile]).id


def test_the_base_ladder_has_every_rung_that_the_policies_know():
    """Nothing of the ladder is missing, and only what a policy doesn't know is off in its profile."""
    assert set(PROFILES["base"].rung) == EVERY_RUNG
    off = {name: EVERY_RUNG - set(on.rung) for name, on in PROFILES.items()}
    assert off == {
        "base": set(),
        "trust-online-safety": {"L5", "L8"},
        "yes": {"L5", "L8"},
        "coast": {"L8"},
        "fierte": {"L8"},
        "bradgate": set(),
    }


@pytest.mark.parametrize(
    ("profile", "steps"),
    [
        (
            "trust-online-safety",
            [((), "L1"), ((F.CONTACTED,), "L3"), ((F.CONTACTED, F.UNRESOLVED), "L4")],
        ),
        ("yes", [((), "L1"), ((F.CONTACTED,), "L3"), ((F.COMPLAINT_ASKED,), "L4")]),
        ("coast", [((), "L1"), ((F.CONTACTED,), "L3"), ((F.UNRESOLVED,), "L4")]),
        (
            "fierte",
            [((), "L2"), ((F.CONTACTED,), "L3"), ((F.CONTACTED, F.UNRESOLVED), "L4")],
        ),
        (
            "bradgate",
            [((), "L2"), ((F.CONTACTED,), "L3"), ((F.CONTACTED, F.UNRESOLVED), "L4")],
        ),
    ],
)
def test_a_complaint_that_stays_unresolved(profile, steps):
    """A complaint goes into private, to the school, and to the complaints procedure in the end."""
    for facts, rung in steps:
        assert at(profile, {L.COMPLAINT}, *facts) == rung


def test_coast_asks_and_meets_then_points_to_complaints():
    """Coast: harm confirmed leads to the request with a talk; refused, to the complaints procedure."""
    abuse = {L.ABUSE}
    assert at("coast", abuse) == "L7"
    assert at("coast", abuse, KEPT, CONFIRMED) == "L5"
    assert at("coast", abuse, KEPT, CONFIRMED, F.REFUSED) == "L4"
    assert at("coast", abuse, own_account=True) == "L6"
    assert PROFILES["coast"].approval.hold_min == 5
    friday = datetime(2026, 3, 13, 16, 0, tzinfo=UTC)
    due = {
        name: ladder.due_at(
            standing({L.COMPLAINT}), on, with_rule_of(on, Calendar()), received=friday
        )
        for name, on in PROFILES.items()
    }
    assert due["coast"] == datetime(2026, 3, 14, 16, 0, tzinfo=UTC)


def test_fierte_has_a_leader_who_is_a_dsl_approve_and_moderates_at_once():
    """Fierte: whatever is said takes both roles; our own page is moderated first, then a lawyer."""
    on = PROFILES["fierte"]
    for rung in on.rungs:
        if rung.public:
            assert ladder.approvers_for(rung, on) == {Role.SLT, Role.DSL}
    assert at("fierte", {L.ABUSE}, own_account=True) == "L6"
    assert at("fierte", {L.ABUSE}, KEPT, F.MODERATED, F.UNRESOLVED, own_account=True) == "L9"
    assert at("fierte", {L.ABUSE}, F.HOST_DECLINED) == "L9"
    assert "chair of governors" in on.by_id("L3").who
    assert "executive leadership team" in on.by_id("L3").who


def test_yes_has_authorised_drafters_and_hands_staff_matters_over():
    """YES: drafters need a leader's authorisation; staff posts go to human resources, contact with
    pupils to the safeguarding lead and a leader."""
    assert PROFILES["yes"].approval.authorised_drafters
    assert not PROFILES["trust-online-safety"].approval.authorised_drafters
    assert at("yes", {L.COMPLAINT}, author=AuthorRole.STAFF) == "H1"
    doubtful = standing({L.QUERY}, flags={Flag.DOUBTFUL_CONTACT})
    said = suggested(doubtful, PROFILES["yes"])
    assert said.rung == "S1"
    assert "senior leader" in (said.route or "")


def test_bradgate_talks_first_then_both_facts_open_the_formal_actions():
    """Bradgate: talk, ask, and only refused AND continued opens options, none of them next."""
    abuse = {L.ABUSE}
    asked = (KEPT, CONFIRMED)
    assert at("bradgate", abuse) == "L3"
    assert at("bradgate", abuse, *asked) == "L5"
    assert at("bradgate", abuse, *asked, F.REFUSED) == "L5"
    assert at("bradgate", abuse, *asked, F.CONTINUED) == "L5"
    assert at("bradgate", abuse, *asked, F.REFUSED, F.CONTINUED) == "G1"
    gate = suggested(
        standing(abuse, *asked, F.REFUSED, F.CONTINUED, own_account=True), PROFILES["bradgate"]
    )
    assert {"L6", "L7", "L9", "L10"} <= set(gate.options)
    assert "L8 (Formal letter): a lawyer checked the wording" in gate.missing


@pytest.mark.parametrize("rung", ["L6", "L7", "L8"])
@pytest.mark.parametrize("labels", [{L.ABUSE}, {L.HATE}, {L.ABUSE, L.COMPLAINT}])
@pytest.mark.parametrize("lacking", [F.REFUSED, F.CONTINUED])
@pytest.mark.parametrize("chosen", [None, "L3", "L4", "L5", "L9", "R0"])
def test_bradgates_gate_has_no_way_round(rung, labels, lacking, chosen):
    """Without both facts no choice leads to a block, a report to the host or a letter."""
    facts = set(Fact) - {lacking, F.COMPLAINT_ASKED, F.UNRESOLVED}
    c = standing(labels, *facts, own_account=True, chosen=chosen)
    assert ladder.may_step(rung, c, PROFILES["bradgate"]) is not None


@pytest.mark.parametrize("profile", PROFILES)
def test_a_child_and_a_threat_wait_for_no_talk(profile):
    """On every ladder a child goes to the DSL and a threat to the police, at once."""
    assert at(profile, {L.SAFEGUARDING, L.COMPLAINT}) == "S1"
    assert at(profile, {L.THREAT, L.ABUSE}) == "L10"
    assert at(profile, {L.COMPLAINT}, flags={Flag.DEFAMATION}) == "L9"


@pytest.mark.parametrize("profile", PROFILES)
def test_challenging_a_policy_and_complaining_stay_lawful(profile):
    """Fierte's "publicly challenge" and Bradgate's "Making complaints" lead to help, not to action."""
    flags = {Flag.DISREPUTE, Flag.NAMED_STAFF}
    for labels in ({L.COMPLAINT}, {L.CAMPAIGN, L.COMPLAINT}, {L.COMPLAINT, L.QUERY}):
        said = suggested(standing(labels, *Fact, flags=flags, own_account=True), PROFILES[profile])
        assert said.rung in ladder.LAWFUL_RUNGS
        assert not {"L5", "L6", "L7", "L8", "L9", "L10", "G1"} & set(said.options)


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.translate({0x2019: "'", 0x2018: "'"}))


@pytest.mark.parametrize("profile", PROFILES)
def test_every_rung_quotes_its_clause(profile):
    """Each rung's source is a policy and words that stand in it, last read on a known day."""
    if not POLICIES.is_dir():
        pytest.skip("LOUD: shared/policies is not here, so no quotation was checked")
    for rung in PROFILES[profile].rungs:
        policy, _, quote = rung.source.partition(": ")
        text = (POLICIES / f"{policy}.txt").read_text(encoding="utf-8")
        assert quote.startswith('"'), rung.id
        assert plain(quote.strip('"')) in plain(text), f"{rung.id}: {quote}"
        assert rung.reviewed_on is not None
