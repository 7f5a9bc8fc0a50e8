"""What no ladder file may do, tried on every profile and on hostile ones."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from classifiers.verdict import Label, Severity
from monitor.domain import AuthorRole, Fact, Flag
from monitor.policy import ladder
from monitor.policy.ladder import GATES, HANDOVERS, LAWFUL_RUNGS
from monitor.policy.ladder.stops import STOPS, harmful, may_be_asked, stops
from monitor.policy.triage import HARMS
from tests.policy.standing import (
    PROFILES,
    RUNG_IDS,
    VALUES,
    any_ladder,
    anything,
    lawful,
    standing,
    suggested,
)

HARMLESS = LAWFUL_RUNGS | HANDOVERS
AGAINST = {"L5", "L6", "L7", "L8", "L9", "L10", "G1", "X1"}
ALL_LABEL_SETS = [
    frozenset(chosen)
    for size in range(len(Label) + 1)
    for chosen in itertools.combinations(Label, size)
]


@settings(max_examples=150)
@given(lawful, any_ladder)
@example(standing({Label.COMPLAINT}, *Fact, own_account=True, chosen="L8"), PROFILES["bradgate"])
@example(
    standing({Label.COMPLAINT}, *Fact, flags={Flag.DISREPUTE, Flag.NAMED_STAFF}, chosen="L5"),
    PROFILES["base"],
)
def test_lawful_criticism_never_stands_where_something_is_done_against_it(c, on):
    """Without harm, whatever the file, the facts or the author, no step against a post is open."""
    assert ladder.place(c, on).id in HARMLESS
    for rung_id in AGAINST & set(on.rung):
        assert ladder.may_step(rung_id, c, on) is not None
    said = ladder.suggest(c, on, VALUES, due_at=None)
    assert said.rung in HARMLESS
    assert not AGAINST & set(said.options)
    assert not any(line.split(" ", 1)[0] in AGAINST for line in said.missing)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("severity", list(Severity))
def test_every_set_of_labels_without_harm_stays_lawful(profile, severity):
    """All 4096 sets of labels, on every profile: without a harm label the start is a lawful rung."""
    for labels in ALL_LABEL_SETS:
        if not labels & HARMS:
            assert ladder.place(standing(labels, severity=severity), PROFILES[profile]).id in (
                LAWFUL_RUNGS
            ), labels


@settings(max_examples=150)
@given(anything, any_ladder)
def test_a_hard_stop_emits_no_reply(c, on):
    """Where a hard stop applies nothing is said in public, and it says why and whom it goes to."""
    if not stops(c):
        return
    said = ladder.suggest(c, on, VALUES, due_at=None)
    assert said.reply is None
    assert said.no_reply_because == stops(c)[0].why
    assert all(stop.route in (said.route or "") for stop in stops(c))
    if said.private_reply is not None:  # a request to remove, never an answer
        assert said.rung in {"L5", "L8"}
        assert may_be_asked(c)
        assert GATES[said.rung] <= c.facts


@pytest.mark.parametrize("profile", PROFILES)
def test_every_set_of_labels_with_a_stop_is_silent(profile):
    """All 4096 sets of labels, on every profile: with a stop among them nothing is drafted."""
    stopping = {stop.condition for stop in STOPS}
    for labels in ALL_LABEL_SETS:
        if labels & stopping:
            said = suggested(standing(labels), PROFILES[profile])
            assert (said.reply, said.private_reply) == (None, None), labels
            assert said.no_reply_because, labels
            assert said.route, labels


@settings(max_examples=150)
@given(anything, any_ladder)
def test_no_gate_opens_early(c, on):
    """A concern never stands on a request, a letter or a custom rung before its facts are there;
    reporting and moderation may be its start, but then the step itself is refused."""
    rung = ladder.place(c, on)
    lacking = rung.needs - c.facts
    assert GATES.get(rung.id, frozenset()) <= rung.needs
    if lacking:
        assert rung.id in {"L6", "L7"}
        assert lacking == {Fact.EVIDENCE_KEPT}
        assert "evidence kept" in (ladder.may_step(rung.id, c, on) or "")
    if rung.id == "L6":
        assert c.own_account


@settings(max_examples=150)
@given(anything, any_ladder, st.sampled_from(RUNG_IDS))
def test_what_may_be_chosen_is_where_it_then_stands(c, on, rung_id):
    """A step that is allowed leads there: chosen, with nothing established since, it stands."""
    if rung_id not in on.rung or ladder.may_step(rung_id, c, on) is not None:
        return
    chosen = replace(c, chosen=rung_id, fresh=frozenset())
    assert ladder.place(chosen, on).id == rung_id
    assert rung_id in HARMLESS or harmful(c)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("labels", "flags", "author", "routed"),
    [
        ({Label.SAFEGUARDING}, (), AuthorRole.PARENT, "DSL"),
        ({Label.IDENTIFIES_CHILD}, (), AuthorRole.UNKNOWN, "DSL"),
        ({Label.QUERY}, (), AuthorRole.PUPIL, "DSL"),
        ({Label.QUERY}, {Flag.DOUBTFUL_CONTACT}, AuthorRole.UNKNOWN, "DSL"),
        ({Label.THREAT}, (), AuthorRole.UNKNOWN, "999"),
        ({Label.SECURITY}, (), AuthorRole.UNKNOWN, "101"),
        ({Label.ALLEGATION}, (), AuthorRole.UNKNOWN, "LADO"),
        ({Label.COMPLAINT}, {Flag.DEFAMATION}, AuthorRole.UNKNOWN, "lawyer"),
        ({Label.MEDIA}, (), AuthorRole.UNKNOWN, "media lead"),
        ({Label.QUERY}, (), AuthorRole.PRESS, "media lead"),
        ({Label.COMPLAINT}, (), AuthorRole.STAFF, "human resources"),
        ({Label.COMPLAINT}, (), AuthorRole.GOVERNANCE, "board"),
        ({Label.HATE}, (), AuthorRole.UNKNOWN, "support the person"),
        ({Label.ABUSE}, (), AuthorRole.UNKNOWN, "support the person"),
    ],
)
def test_the_route_instead_of_a_reply(profile, labels, flags, author, routed):
    """Each hard stop names whom the post goes to instead, on every profile."""
    said = suggested(standing(labels, flags=flags, author=author), PROFILES[profile])
    assert said.reply is None
    assert routed in (said.route or "")
