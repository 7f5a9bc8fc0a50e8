"""Which rung, and what is said: the base ladder."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from classifiers.verdict import Label, Severity
from monitor.domain import AuthorRole, Fact, Flag, MetBy, Role
from monitor.policy import ladder
from monitor.policy.deadlines import Calendar
from monitor.policy.ladder import LONGEST_DRAFT
from monitor.policy.ladder.stops import ANSWERABLE, HARM_FLAGS, STOPS, rank
from monitor.policy.ladder.words import facts_in_words
from monitor.policy.triage import HARMS
from tests.policy.standing import BASE, PROFILES, standing, suggested

L, F = Label, Fact
ALL_LABEL_SETS = [
    frozenset(chosen)
    for size in range(len(Label) + 1)
    for chosen in itertools.combinations(Label, size)
]
STOPPING = {stop.condition for stop in STOPS}
TUESDAY = datetime(2026, 3, 10, 9, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("labels", "rung"),
    [
        ({L.PRAISE}, "L0"),
        ({L.COMPLAINT}, "L1"),
        ({L.QUERY}, "L1"),
        ({L.COMPLAINT, L.PRAISE}, "L1"),
        ({L.CAMPAIGN, L.COMPLAINT}, "C1"),
        ({L.MEDIA, L.QUERY}, "M1"),
        ({L.ABUSE, L.COMPLAINT}, "L7"),
        ({L.HATE}, "L7"),
        ({L.ALLEGATION, L.ABUSE, L.COMPLAINT}, "S2"),
        ({L.THREAT, L.HATE, L.CAMPAIGN}, "L10"),
        ({L.SECURITY, L.QUERY}, "L10"),
        ({L.IDENTIFIES_CHILD, L.PRAISE}, "S1"),
        ({L.SAFEGUARDING, L.THREAT}, "S1"),
        (set(), "R0"),
    ],
)
def test_the_most_restrictive_rung_wins(labels, rung):
    """A concern starts on the rung of its most restrictive label."""
    assert ladder.place(standing(labels), BASE).id == rung


def test_a_routine_mention_without_labels_is_logged():
    """Nothing is suggested for a neutral mention."""
    said = suggested(standing(severity=Severity.ROUTINE))
    assert (said.rung, said.reply, said.no_reply_because) == ("L0", None, "nothing to answer")


def test_an_individual_matter_is_invited_into_private():
    """A complaint that brushes against an accusation goes to private contact at once."""
    said = suggested(standing({L.COMPLAINT}, hints={L.ALLEGATION: 0.3}))
    assert said.rung == "L2"
    assert "individual matters" in (said.reply or "")
    assert said.private_reply


def test_a_label_from_an_earlier_post_still_chooses_the_rung():
    """What counts for the concern decides, even when the latest post scores low on it."""
    c = standing({L.SAFEGUARDING, L.QUERY})
    low = replace(c.triage, scores=dict(c.triage.scores) | {L.SAFEGUARDING: 0.0})
    assert ladder.place(replace(c, triage=low), BASE).id == "S1"


def test_the_order_of_restrictiveness_is_total():
    """Every label has its own place in one order; all harms and the press come before the rest."""
    conditions = [*(stop.condition for stop in STOPS), *ANSWERABLE]
    assert len(set(conditions)) == len(conditions)
    assert [rank(each) for each in conditions] == list(range(len(conditions)))
    assert set(Label) <= set(conditions)
    assert {each for each in conditions if each in set(Label)} - set(ANSWERABLE) == HARMS | {
        L.MEDIA
    }
    assert HARM_FLAGS - {Flag.COPYRIGHT} <= set(conditions) - set(ANSWERABLE)


@pytest.mark.parametrize(
    ("graver", "lesser"),
    list(itertools.pairwise([*(stop.condition for stop in STOPS), *ANSWERABLE])),
)
def test_of_two_the_more_restrictive_decides(graver, lesser):
    """Of any two neighbours in the order, the concern starts where the graver one alone would."""

    def start(*conditions):
        return ladder.place(
            standing(
                [each for each in conditions if isinstance(each, Label)],
                flags=[each for each in conditions if isinstance(each, Flag)],
                author=next(
                    (e for e in conditions if isinstance(e, AuthorRole)), AuthorRole.UNKNOWN
                ),
            ),
            BASE,
        ).id

    if not (isinstance(graver, AuthorRole) and isinstance(lesser, AuthorRole)):  # one author only
        assert start(graver, lesser) == start(graver)


def test_every_reply_fits_and_promises_nothing():
    """Every draft fits 300 characters, has no open placeholder, and confirms no tie and no case."""
    confirming = re.compile(
        r"\b(your (child|son|daughter)|as a parent|investigat|the incident|pupil|case\b|apologi)",
        re.IGNORECASE,
    )
    removing = re.compile(
        r"\b(remove|delete|take (it )?down|block|warn|legal|report)", re.IGNORECASE
    )
    replies = {
        suggested(standing(labels, severity=severity, hints=hints), info_url=info_url).reply
        for labels in ALL_LABEL_SETS
        for severity in Severity
        for hints in ({}, {L.ABUSE: 0.3})
        for info_url in (None, "https://fernhollow.example/faq")
        if not labels & STOPPING
    } - {None}
    assert len(replies) == 6
    for reply in replies:
        assert len(reply) <= LONGEST_DRAFT
        assert not re.search(r"[{}]", reply)
        assert not confirming.search(reply)
        assert not removing.search(reply)


@pytest.mark.parametrize("spec", [rung for rung in BASE.rungs if rung.public], ids=lambda s: s.id)
def test_every_rungs_own_draft_fits_too(spec):
    """The drafts that later steps will use fit as well, with 40 characters for each detail."""
    assert len(re.sub(r"\{\w+\}", "x" * 40, spec.public)) <= LONGEST_DRAFT


def test_a_query_points_to_the_information_page_only_when_there_is_one():
    """Without an information page the shorter draft is used."""
    assert "faq" in (suggested(standing({L.QUERY})).reply or "")
    reply = suggested(standing({L.QUERY}), info_url=None).reply or ""
    assert "office@fernhollow.example" in reply
    assert "None" not in reply


def test_an_overlong_contact_gives_no_reply_but_says_why():
    """A draft is never cut: what doesn't fit is not suggested, with the reason."""
    said = suggested(standing({L.COMPLAINT}), contact="x" * 300)
    assert said.reply is None
    assert "shorten the contact" in (said.no_reply_because or "")


def test_braces_in_a_name_stay_braces():
    """A school called {contact} is filled in once and never expanded again."""
    assert "{contact}" in (suggested(standing({L.PRAISE}), school="{contact}").reply or "")


@pytest.mark.parametrize(
    ("triage", "why"),
    [
        (standing({L.COMPLAINT}, severity=Severity.URGENT), "senior leader"),
        (standing({L.COMPLAINT}, needs_review=True), "read it first"),
        (standing(needs_review=True), "read it first"),
    ],
)
def test_no_reply_before_somebody_has_judged(triage, why):
    """What is urgent or was not assessed is read by a person before anything is drafted."""
    said = suggested(triage)
    assert said.reply is None
    assert why in (said.no_reply_because or "")


def test_the_suggestion_carries_deadline_and_source():
    """Each suggestion names its deadline, what stops it, and the clause that its rung comes from."""
    said = ladder.suggest(standing({L.COMPLAINT}), BASE, {}, due_at=TUESDAY)
    assert said.due_at == TUESDAY
    assert said.met_by is MetBy.REPLY
    assert said.source.startswith("coast")


def test_a_person_who_has_judged_lifts_the_first_reading():
    """Once somebody chose a rung, an unread or urgent complaint gets its draft."""
    for doubt in ({"needs_review": True}, {"severity": Severity.URGENT}):
        assert suggested(standing({L.COMPLAINT}, **doubt)).reply is None
        assert suggested(standing({L.COMPLAINT}, chosen="L1", **doubt)).reply


@pytest.mark.parametrize(
    ("c", "rung"),
    [
        (standing({L.COMPLAINT}, F.CONTACTED), "L3"),
        (standing({L.COMPLAINT}, F.CONTACTED, F.UNRESOLVED), "L4"),
        (standing({L.COMPLAINT}, F.COMPLAINT_ASKED), "L4"),
        (standing({L.COMPLAINT}, F.REPLIED), "L1"),
        (standing({L.COMPLAINT}, F.CONTACTED, chosen="L2", fresh=()), "L2"),
        (standing({L.COMPLAINT}, F.CONTACTED, chosen="L2"), "L3"),
        (standing({L.ABUSE}), "L7"),
        (standing({L.ABUSE}, own_account=True), "L6"),
        (standing({L.ABUSE}, F.HARM_CONFIRMED, F.EVIDENCE_KEPT, chosen="L5"), "L5"),
        (standing({L.ABUSE}, F.EVIDENCE_KEPT, chosen="L5"), "L7"),
        (standing({L.QUERY}, author=AuthorRole.STAFF), "H1"),
        (standing({L.QUERY}, author=AuthorRole.GOVERNANCE), "H1"),
        (standing({L.PRAISE}, author=AuthorRole.PUPIL), "S1"),
        (standing({L.QUERY}, author=AuthorRole.PRESS), "M1"),
        (standing({L.COMPLAINT}, author=AuthorRole.PARENT), "L1"),
        (standing({L.COMPLAINT}, flags={Flag.DEFAMATION}), "L9"),
        (standing({L.COMPLAINT}, flags={Flag.DISREPUTE, Flag.NAMED_STAFF}), "L1"),
        (standing({L.COMPLAINT}, flags={Flag.COPYRIGHT}), "L1"),
        (standing(flags={Flag.COPYRIGHT}), "L7"),
        (standing({L.COMPLAINT}, chosen="L77"), "L1"),
    ],
)
def test_where_a_concern_stands(c, rung):
    """Labels, flags and author give the start, facts the way on, and a person's choice a new start."""
    assert ladder.place(c, BASE).id == rung


def test_a_child_or_a_threat_overrides_what_was_chosen_before():
    """A rung that somebody chose for a complaint no longer holds once a child is at risk."""
    assert ladder.place(standing({L.COMPLAINT}, chosen="L3"), BASE).id == "L3"
    assert ladder.place(standing({L.COMPLAINT, L.SAFEGUARDING}, chosen="L3"), BASE).id == "S1"
    assert ladder.place(standing({L.COMPLAINT, L.THREAT}, chosen="L2"), BASE).id == "L10"


@pytest.mark.parametrize(
    ("rung", "c", "because"),
    [
        ("L4", standing({L.COMPLAINT}), None),
        ("S1", standing({L.COMPLAINT}), None),
        ("L77", standing({L.COMPLAINT}), "not on this trust's ladder"),
        ("L5", standing({L.COMPLAINT}, *Fact), "lawful criticism"),
        ("L8", standing({L.COMPLAINT}, *Fact, flags={Flag.DISREPUTE}), "lawful criticism"),
        ("L6", standing({L.ABUSE}, F.EVIDENCE_KEPT), "accounts of our own"),
        ("L6", standing({L.ABUSE}, own_account=True), "evidence kept"),
        ("L6", standing({L.ABUSE}, F.EVIDENCE_KEPT, own_account=True), None),
        ("L7", standing({L.ABUSE}), "evidence kept"),
        ("L7", standing({L.ABUSE}, F.EVIDENCE_KEPT), None),
        ("L5", standing({L.ABUSE}, F.EVIDENCE_KEPT), "harm confirmed by two people"),
        ("L8", standing({L.ABUSE}, F.REFUSED, F.CONTINUED), "a lawyer checked the wording"),
        ("L1", standing({L.ABUSE}), "can't be reached"),
        ("M1", standing({L.ABUSE}), "no way to deal with"),
        ("C1", standing({L.COMPLAINT}, chosen="L3"), "can't be reached from L3"),
    ],
)
def test_a_refused_step_says_which_rule_refuses(rung, c, because):
    """A person may choose what is open; what isn't is refused with its rule, in a sentence."""
    refused = ladder.may_step(rung, c, BASE)
    assert refused is None if because is None else because in (refused or "")


def test_a_talk_is_no_silence():
    """Where the school talks with the author, nothing is said in public, and that is why."""
    said = suggested(standing({L.COMPLAINT}, F.REPLIED, F.CONTACTED))
    assert (said.rung, said.reply) == ("L3", None)
    assert said.no_reply_because == "it is talked about in private now"


def test_what_is_missing_reads_as_a_sentence():
    """One thing, two, or a list: with commas, and one "and"."""
    letter = (F.REFUSED, F.CONTINUED, F.WORDING_CHECKED)
    assert [facts_in_words(letter[:many]) for many in range(4)] == [
        "",
        "refused",
        "refused and continues after refusing",
        "refused, continues after refusing and a lawyer checked the wording",
    ]


def test_words_of_a_stop_contradict_no_ladder():
    """Whether a post is reported the rung says: one policy talks with its author first."""
    for label in (L.ABUSE, L.HATE):
        for trusts in PROFILES.values():
            said = suggested(standing({label}), on=trusts)
            assert "report" not in f"{said.no_reply_because} {said.route}"


def test_what_is_missing_and_where_it_leads_is_said():
    """A suggestion says what must be recorded first, what may be chosen, and what leads on."""
    said = suggested(standing({L.ABUSE}))
    assert "L7 (Report and support): evidence kept" in said.missing
    assert "L5 (Ask to remove it): evidence kept and harm confirmed by two people" in said.missing
    assert "L4" in said.options
    assert not {"L5", "L6", "L8"} & set(said.options)
    assert "removed: close it" in said.exits
    assert "contact made: Resolve with the school" in suggested(standing({L.COMPLAINT})).exits


def test_a_request_to_remove_is_drafted_only_for_abuse_and_hate():
    """On the request's own rung abuse gets a private draft; a child or an allegation gets none."""
    kept = (F.EVIDENCE_KEPT, F.HARM_CONFIRMED)
    asked = suggested(standing({L.ABUSE}, *kept, chosen="L5"))
    assert asked.rung == "L5"
    assert asked.reply is None
    assert "[what is wrong with it, in plain words]" in (asked.private_reply or "")
    c = standing({L.IDENTIFIES_CHILD, L.ABUSE}, *kept, chosen="L5")
    assert suggested(c).rung == "L5"
    assert suggested(c).private_reply is None


def test_the_audience_is_told_why_without_naming_anybody():
    """The notice that goes with moderation has its rule for a person to fill in."""
    said = suggested(standing({L.ABUSE}, own_account=True), rules_url=None)
    notice = said.do[-1]
    assert said.reply is None
    assert notice.startswith("Words for the audience: We've removed a comment")
    assert "[the rule, in a few words]" in notice
    assert "[link to our page rules]" in notice
    assert not any("Words for" in line for line in suggested(standing({L.ABUSE})).do)


def test_who_may_approve():
    """All roles must be held, and a deputy DSL may act for the DSL but for nobody else."""
    slt, dsl, deputy = Role.SLT, Role.DSL, Role.DEPUTY_DSL
    both = frozenset({slt, dsl})
    assert ladder.approvers_for(BASE.by_id("L1"), BASE) == {slt}
    assert ladder.approvers_for(BASE.by_id("L3"), BASE) == {Role.HEAD}
    assert ladder.holds(frozenset({slt, deputy}), both)
    assert not ladder.holds(frozenset({slt}), both)
    assert not ladder.holds(frozenset({deputy}), both)
    assert not ladder.holds(frozenset({dsl}), frozenset({deputy}))


@pytest.mark.parametrize(
    ("c", "after"),
    [
        (standing({L.COMPLAINT}), timedelta(hours=24)),
        (standing({L.ABUSE}), timedelta(hours=24)),
        (standing({L.ABUSE}, own_account=True), timedelta(hours=1)),
        (standing({L.THREAT}), timedelta(minutes=15)),
        (standing({L.SAFEGUARDING, L.COMPLAINT}), timedelta(minutes=15)),
        (standing({L.THREAT, L.IDENTIFIES_CHILD}), timedelta(minutes=15)),
        (standing({L.CAMPAIGN}), timedelta(hours=2)),
        (standing({L.MEDIA}), timedelta(hours=1)),
        (standing({L.ALLEGATION}), timedelta(hours=7, minutes=45)),
        (standing({L.PRAISE}), None),
    ],
)
def test_the_rung_and_the_danger_set_the_deadline(c, after):
    """Each start has its deadline, for something seen on a Tuesday morning."""
    due = ladder.due_at(c, BASE, Calendar(), received=TUESDAY)
    assert due == (TUESDAY + after if after else None)


def test_abuse_on_our_own_page_at_night_waits_no_longer_than_a_day():
    """Staffed hours never stretch the 24 hours that abuse has, nor a threat's 15 minutes."""
    friday_night = datetime(2026, 3, 13, 22, 0, tzinfo=UTC)
    due = ladder.due_at(
        standing({L.ABUSE}, own_account=True), BASE, Calendar(), received=friday_night
    )
    assert due == friday_night + timedelta(hours=24)
    further = standing({L.ABUSE}, F.EVIDENCE_KEPT, F.HARM_CONFIRMED, chosen="L5")
    due = ladder.due_at(further, BASE, Calendar(), received=friday_night)
    assert due == datetime(2026, 3, 17, 17, 0, tzinfo=UTC)


def test_a_stopped_start_is_met_by_somebody_taking_it():
    """Where no reply may be given, taking it in hand is what the clock waits for."""
    assert suggested(standing({L.ABUSE}, own_account=True)).met_by is MetBy.ACCEPTANCE
    assert suggested(standing({L.COMPLAINT})).met_by is MetBy.REPLY
