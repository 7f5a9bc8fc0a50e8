"""Which rung, and what is said."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.verdict import Label, Severity
from monitor.errors import ConfigError
from monitor.policy.ladder import (
    LAWFUL_RUNGS,
    LONGEST_DRAFT,
    STOPS,
    choose,
    load_ladder,
    suggest,
)
from monitor.policy.triage import HARMS
from tests.policy.builders import labels_sets, packaged, triaged

TEXT = packaged("ladders/base.toml")
LADDER = load_ladder(TEXT)
L = Label
ALL_LABEL_SETS = [
    frozenset(chosen)
    for size in range(len(Label) + 1)
    for chosen in itertools.combinations(Label, size)
]
DUE = datetime(2026, 3, 11, 9, 15, tzinfo=UTC)

# A ladder as bad as a file can be: everything leads to a reply, and criticism to removal.
RECKLESS = """
name = "reckless"
nothing = "L0"
review = "L0"
[[rung]]
id = "L0"
name = "Reply"
who = "anybody"
approver = "nobody"
clock = "none"
source = "none"
public = "Please delete this."
[[rung]]
id = "L5"
name = "Ask to remove"
who = "anybody"
approver = "nobody"
clock = "none"
source = "none"
public = "Please delete this."
private = "Please delete this."
[[choice]]
labels = { complaint = 0.5, abuse = 0.0 }
rung = "L5"
[[choice]]
labels = { threat = 0.5 }
rung = "L0"
"""


def suggestion(triage, ladder=LADDER, **changes):
    """A suggestion for a school with everything configured."""
    details = {
        "school": "Fernhollow Primary",
        "contact": "office@fernhollow.example",
        "complaints_url": "https://fernhollow.example/complaints",
        "info_url": "https://fernhollow.example/faq",
        "trust": "Larkmoor Trust",
        "due_at": DUE,
    }
    return suggest(triage, ladder, **details | changes)


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
    assert choose(triaged(labels), LADDER).id == rung


def test_a_routine_mention_without_labels_is_logged():
    """Nothing is suggested for a neutral mention."""
    said = suggestion(triaged(severity=Severity.ROUTINE))
    assert (said.rung, said.reply, said.no_reply_because) == ("L0", None, "nothing to answer")


def test_an_individual_matter_is_invited_into_private():
    """A complaint that brushes against an accusation goes to private contact at once."""
    said = suggestion(triaged({L.COMPLAINT}, hints={L.ALLEGATION: 0.3}))
    assert said.rung == "L2"
    assert "individual matters" in (said.reply or "")
    assert said.private_reply


def test_a_label_from_an_earlier_post_still_chooses_the_rung():
    """What counts for the concern decides, even when the latest post scores low on it."""
    merged = triaged({L.SAFEGUARDING, L.QUERY})
    low = dict(merged.scores) | {L.SAFEGUARDING: 0.0}
    again = type(merged)(
        severity=merged.severity,
        labels=merged.labels,
        sentiment=merged.sentiment,
        scores=low,
        reasons=merged.reasons,
    )
    assert choose(again, LADDER).id == "S1"


def test_there_are_4096_label_sets():
    """The exhaustive tests below walk over every set of the twelve labels."""
    assert len(set(ALL_LABEL_SETS)) == 4096


def test_every_harm_is_a_hard_stop():
    """Whatever counts as a harm forbids a reply, and so does the press."""
    assert set(STOPS) == HARMS | {L.MEDIA}


@pytest.mark.parametrize("ladder", [LADDER, load_ladder(RECKLESS)], ids=["base", "reckless"])
def test_hard_stops_never_reply(ladder):
    """No set with a hard stop gets a reply, even from a ladder file that drafts one."""
    for labels in ALL_LABEL_SETS:
        if labels & set(STOPS):
            said = suggestion(triaged(labels), ladder)
            assert said.reply is None, labels
            assert said.private_reply is None, labels
            assert said.no_reply_because, labels


@pytest.mark.parametrize("ladder", [LADDER, load_ladder(RECKLESS)], ids=["base", "reckless"])
@pytest.mark.parametrize("severity", list(Severity))
def test_lawful_criticism_never_meets_a_measure(ladder, severity):
    """Without a harm label, no set of labels leads to removal, warning, reporting or blocking."""
    for labels in ALL_LABEL_SETS:
        if not labels & HARMS:
            assert choose(triaged(labels, severity), ladder).id in LAWFUL_RUNGS, labels


@given(labels_sets, st.dictionaries(st.sampled_from(Label), st.floats(0, 0.49)))
def test_hints_below_the_threshold_open_no_measure(labels, hints):
    """Harm scores that do not count can't lead lawful criticism to a measure either."""
    lawful = labels - HARMS
    chosen = choose(triaged(lawful, hints=hints), LADDER)
    assert chosen.id in LAWFUL_RUNGS


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
        suggestion(triaged(labels, severity, hints=hints), info_url=info_url).reply
        for labels in ALL_LABEL_SETS
        for severity in Severity
        for hints in ({}, {L.ABUSE: 0.3})
        for info_url in (None, "https://fernhollow.example/faq")
        if not labels & set(STOPS)
    } - {None}
    assert len(replies) == 6
    for reply in replies:
        assert len(reply) <= LONGEST_DRAFT
        assert not re.search(r"[{}]", reply)
        assert not confirming.search(reply)
        assert not removing.search(reply)


@pytest.mark.parametrize("spec", [spec for spec in LADDER.rung if spec.public], ids=lambda s: s.id)
def test_every_rungs_own_draft_fits_too(spec):
    """The drafts that later steps will use fit as well, with 40 characters for each detail."""
    assert len(re.sub(r"\{\w+\}", "x" * 40, spec.public)) <= LONGEST_DRAFT


def test_a_query_points_to_the_information_page_only_when_there_is_one():
    """Without an information page the shorter draft is used."""
    assert "faq" in (suggestion(triaged({L.QUERY})).reply or "")
    reply = suggestion(triaged({L.QUERY}), info_url=None).reply or ""
    assert "office@fernhollow.example" in reply
    assert "None" not in reply


def test_an_overlong_contact_gives_no_reply_but_says_why():
    """A draft is never cut: what doesn't fit is not suggested, with the reason."""
    said = suggestion(triaged({L.COMPLAINT}), contact="x" * 300)
    assert said.reply is None
    assert "shorten the contact" in (said.no_reply_because or "")


def test_braces_in_a_name_stay_braces():
    """A school called {contact} is filled in once and never expanded again."""
    assert "{contact}" in (suggestion(triaged({L.PRAISE}), school="{contact}").reply or "")


@pytest.mark.parametrize(
    ("triage", "why"),
    [
        (triaged({L.COMPLAINT}, Severity.URGENT), "senior leader"),
        (triaged({L.COMPLAINT}, needs_review=True), "read it first"),
        (triaged(needs_review=True), "read it first"),
    ],
)
def test_no_reply_before_somebody_has_judged(triage, why):
    """What is urgent or was not assessed is read by a person before anything is drafted."""
    said = suggestion(triage)
    assert said.reply is None
    assert why in (said.no_reply_because or "")


def test_the_suggestion_carries_deadline_and_source():
    """Each suggestion names its deadline and the clause that its rung comes from."""
    said = suggestion(triaged({L.COMPLAINT}))
    assert said.due_at == DUE
    assert said.source.startswith("Coast")


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('rung = "L7"', 'rung = "L9"', "no such rung"),
        (
            'labels = { campaign = 0.5 }\nrung = "C1"',
            'labels = { campaign = 0.5 }\nrung = "L7"',
            "lawful",
        ),
        ('review = "R0"', 'review = "L7"', "acts against"),
        ("{school} team", "{shcool} team", "shcool"),
        ('clock = "standard"', 'clock = "soonish"', "clock"),
        ('id = "L2"', 'id = "L1"', "same id"),
        ('who = "media lead"', 'whom = "media lead"', "whom"),
    ],
)
def test_a_faulty_ladder_is_refused(old, new, named):
    """A ladder file that contradicts itself or the law is refused, and says where."""
    assert old in TEXT
    with pytest.raises(ConfigError, match=named):
        load_ladder(TEXT.replace(old, new, 1))
