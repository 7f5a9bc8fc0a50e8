"""From scores to severity."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.verdict import Label, Sentiment, Severity
from monitor.errors import ConfigError
from monitor.policy.triage import ALWAYS_URGENT, HARMS, load_rules, triage, unscored
from tests.policy.builders import packaged, scores, verdict

RULES = load_rules(packaged("triage.toml"))
L, S = Label, Severity

heads = st.none() | st.tuples(scores, scores, scores).map(
    lambda shares: dict(zip(Severity, shares, strict=True))
)
label_scores = st.fixed_dictionaries(dict.fromkeys(Label, scores))

CASES = [
    ({}, None, S.ROUTINE),
    ({L.PRAISE: 0.99}, None, S.ROUTINE),
    ({L.COMPLAINT: 0.5}, None, S.CONCERN),
    ({L.COMPLAINT: 0.49}, None, S.ROUTINE),
    ({L.COMPLAINT: 0.99, L.CAMPAIGN: 0.99, L.QUERY: 0.99}, None, S.CONCERN),
    ({L.QUERY: 0.7, L.PRAISE: 0.8}, None, S.CONCERN),
    ({L.MEDIA: 0.7}, None, S.CONCERN),
    ({L.THREAT: 0.5}, None, S.URGENT),
    ({L.HATE: 0.5}, {S.ROUTINE: 1.0}, S.URGENT),
    ({L.SECURITY: 0.5}, {S.ROUTINE: 1.0}, S.URGENT),
    ({L.SAFEGUARDING: 0.6}, None, S.CONCERN),
    ({L.SAFEGUARDING: 0.8}, None, S.URGENT),
    ({L.SAFEGUARDING: 0.95}, {S.CONCERN: 0.9, S.URGENT: 0.1}, S.CONCERN),
    ({L.SAFEGUARDING: 0.5}, {S.URGENT: 0.5}, S.URGENT),
    ({L.SAFEGUARDING: 0.5, L.ALLEGATION: 0.5}, None, S.URGENT),
    ({L.SAFEGUARDING: 0.9, L.ALLEGATION: 0.9}, {S.CONCERN: 0.95, S.URGENT: 0.05}, S.CONCERN),
    ({L.IDENTIFIES_CHILD: 0.9}, None, S.CONCERN),
    ({L.IDENTIFIES_CHILD: 0.5, L.ABUSE: 0.5}, None, S.URGENT),
    ({L.IDENTIFIES_CHILD: 0.5, L.ALLEGATION: 0.5}, None, S.URGENT),
    ({L.IDENTIFIES_CHILD: 0.5, L.SAFEGUARDING: 0.5}, None, S.URGENT),
    ({L.IDENTIFIES_CHILD: 0.5, L.COMPLAINT: 0.9}, None, S.CONCERN),
    ({L.ABUSE: 0.7}, None, S.CONCERN),
    ({L.ABUSE: 0.7}, {S.URGENT: 0.6}, S.URGENT),
    ({L.ALLEGATION: 0.7}, None, S.CONCERN),
    ({L.ALLEGATION: 0.7}, {S.URGENT: 0.6}, S.URGENT),
    ({L.COMPLAINT: 0.9}, {S.URGENT: 0.6}, S.CONCERN),
    ({L.THREAT: 0.3}, {S.URGENT: 0.7}, S.URGENT),
    ({}, {S.URGENT: 0.9}, S.URGENT),
    ({}, {S.URGENT: 0.5, S.ROUTINE: 0.5}, S.CONCERN),
    ({}, {S.CONCERN: 0.7, S.ROUTINE: 0.3}, S.CONCERN),
    ({L.PRAISE: 0.9}, {S.ROUTINE: 0.9, S.CONCERN: 0.1}, S.ROUTINE),
    ({L.THREAT: 0.49}, {S.ROUTINE: 0.9, S.URGENT: 0.1}, S.CONCERN),
    ({L.THREAT: 0.44}, {S.ROUTINE: 0.9, S.URGENT: 0.1}, S.ROUTINE),
    ({L.ABUSE: 0.49}, None, S.ROUTINE),
    ({L.PRAISE: 0.9}, {S.ROUTINE: 0.6, S.URGENT: 0.4}, S.CONCERN),
]


@pytest.mark.parametrize(("labels", "head", "severity"), CASES)
def test_the_guides_rulings(labels, head, severity):
    """The packaged rules decide as the label guide does, with and without a severity head."""
    decided = triage(verdict(labels, head=head), RULES)
    assert decided.severity is severity
    assert decided.reasons


def test_negative_sentiment_alone_is_routine():
    """Being unhappy in public is nothing to act on."""
    assert triage(verdict(sentiment=Sentiment.NEGATIVE), RULES).severity is S.ROUTINE


def test_labels_count_from_a_half():
    """The labels of a triage are those that score 0.5 or more."""
    decided = triage(verdict({L.QUERY: 0.5, L.CAMPAIGN: 0.499}), RULES)
    assert decided.labels == {L.QUERY}


def test_the_gravest_reason_comes_first():
    """A threat inside a complaint is told before the complaint."""
    decided = triage(verdict({L.COMPLAINT: 0.9, L.THREAT: 0.6}), RULES)
    assert "violence" in decided.reasons[0]
    assert any("dissatisfied" in reason for reason in decided.reasons)


def test_vague_reasons_are_told_only_when_they_decided():
    """A named reason stands alone; a vague one speaks where it alone made the case urgent."""
    head = {Severity.URGENT: 0.95, Severity.CONCERN: 0.05}
    named = triage(verdict({Label.THREAT: 0.9}, head=head), RULES)
    assert not any("as a whole" in reason for reason in named.reasons)
    raised = triage(verdict({Label.COMPLAINT: 0.9}, head=head), RULES)
    assert raised.severity is Severity.URGENT
    assert "as a whole" in raised.reasons[0]
    assert len(raised.reasons) == 2


def test_doubt_says_so() -> None:
    """What is only suspected becomes a concern whose reason is that it is unsure."""
    doubted = triage(verdict({L.SAFEGUARDING: 0.49}, head={S.ROUTINE: 0.95, S.URGENT: 0.05}), RULES)
    assert doubted.severity is S.CONCERN
    assert doubted.reasons[0].startswith("unsure")
    assert not doubted.labels


@given(label_scores, heads, st.sampled_from(sorted(HARMS)), scores)
def test_more_harm_never_lowers_severity(labels, head, harm, raised):
    """Raising any harm score, whatever the other scores are, never lowers the severity."""
    before = triage(verdict(labels, head=head), RULES)
    after = triage(verdict(labels | {harm: max(labels[harm], raised)}, head=head), RULES)
    assert after.severity.rank >= before.severity.rank


@given(label_scores, heads)
def test_no_head_excuses_a_harm(labels, head):
    """A counting threat, hate or security label is urgent, and no counting harm is routine."""
    decided = triage(verdict(labels, head=head), RULES)
    if decided.labels & ALWAYS_URGENT:
        assert decided.severity is S.URGENT
    if decided.labels & HARMS:
        assert decided.severity is not S.ROUTINE


def test_what_cannot_be_scored_goes_to_a_person():
    """An unscored post is a concern for review, with the reason."""
    decided = unscored("the model ran out of memory")
    assert decided.severity is S.CONCERN
    assert decided.needs_review
    assert "ran out of memory" in decided.reasons[0]


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_scores_that_are_no_numbers_count_as_unscored(score):
    """A broken model's NaN never compares its way to routine."""
    assert triage(verdict({L.THREAT: score}), RULES).needs_review


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("threat = 0.5 }", "threat = 0.6 }", "threat"),
        ("{ hate = 0.5 }", "{ hate = 0.5 }\nheld_back_below = 0.2", "hate"),
        ("{ security = 0.5 }", "{ security = 0.5 }\nhead = { urgent = 0.2 }", "security"),
        ("labels = { abuse = 0.5 }", "labels = { complaint = 0.5 }", "abuse"),
        ("{ threat = 0.5 }", "{ threat = 1.5 }", "rule.0.labels.threat"),
        ("{ threat = 0.5 }", "{ menace = 0.5 }", "rule.0.labels.menace"),
        ("routine_reason", "routine_raeson", "routine_raeson"),
        ("[[rule]]", "[[rule]", "not TOML"),
    ],
)
def test_a_weakened_file_is_refused(old, new, named):
    """Rules that would let a harm pass, or that hold a typing error, are refused by name."""
    text = packaged("triage.toml")
    assert old in text
    with pytest.raises(ConfigError, match=named):
        load_rules(text.replace(old, new, 1))
