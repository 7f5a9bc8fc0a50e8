"""The safety net under a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.layered import CONSENT, DOUBT, NEVER_MISS, LayeredClassifier
from classifiers.verdict import Evidence, Label, Sentiment, Severity, Verdict

EVEN = dict.fromkeys(Sentiment, 1 / 3)


class FakeClassifier:
    """Answers every text with the scores it was told."""

    version = "1"

    def __init__(
        self, model: str, scores: Mapping[Label, float], urgent: float | None, *evidence: Evidence
    ) -> None:
        self.model, self.scores, self.urgent, self.evidence = model, scores, urgent, evidence
        self.warmed = False

    def warm(self) -> None:
        self.warmed = True

    def classify(self, texts: Sequence[str]) -> list[Verdict]:
        rest = None if self.urgent is None else (1 - self.urgent) / 2
        severity = (
            None
            if rest is None or self.urgent is None
            else {Severity.ROUTINE: rest, Severity.CONCERN: rest, Severity.URGENT: self.urgent}
        )
        labels = dict.fromkeys(Label, 0.0) | dict(self.scores)
        return [
            Verdict(
                labels=labels,
                sentiment=EVEN,
                severity=severity,
                evidence=self.evidence,
                model=self.model,
                version=self.version,
            )
            for _ in texts
        ]


scores = st.fixed_dictionaries({label: st.floats(0, 1) for label in Label})


urgencies = st.floats(0, 1) | st.none()


def said(
    model: dict[Label, float], urgent: float | None, net: dict[Label, float], net_urgent: float
) -> Verdict:
    both = LayeredClassifier(
        FakeClassifier("m", model, urgent), FakeClassifier("l", net, net_urgent)
    )
    return both.classify(["x"])[0]


@given(scores, scores, urgencies, st.floats(0, 1))
def test_net_only_raises(
    model: dict[Label, float], net: dict[Label, float], urgent: float | None, net_urgent: float
) -> None:
    """The net raises never-miss labels only, as far as the model consents; urgency never falls."""
    verdict = said(model, urgent, net, net_urgent)
    most = 1.0 if urgent is None or urgent >= CONSENT else DOUBT
    for label in Label:
        raised = max(model[label], min(net[label], most))
        assert verdict.labels[label] == (raised if label in NEVER_MISS else model[label])
    if urgent is None:
        assert verdict.severity is None
    else:
        assert verdict.severity is not None
        assert verdict.severity[Severity.URGENT] >= urgent - 1e-9
        assert sum(verdict.severity.values()) == pytest.approx(1)


@given(
    scores,
    scores,
    st.floats(0, 1),
    st.floats(0, 1),
    st.tuples(
        st.sampled_from(["model", "net", "urgent"]), st.sampled_from(list(Label)), st.floats(0, 1)
    ),
)
def test_no_score_falls_when_one_rises(
    model: dict[Label, float],
    net: dict[Label, float],
    urgent: float,
    net_urgent: float,
    rise: tuple[str, Label, float],
) -> None:
    """Raising a label of either, or the model's urgency, lowers no label of both together."""
    whose, label, higher = rise
    before = said(model, urgent, net, net_urgent)
    if whose == "urgent":
        after = said(model, max(urgent, higher), net, net_urgent)
    elif whose == "net":
        after = said(model, urgent, net | {label: max(net[label], higher)}, net_urgent)
    else:
        after = said(model | {label: max(model[label], higher)}, urgent, net, net_urgent)
    assert all(after.labels[each] >= before.labels[each] for each in Label)


def test_a_word_alone_is_a_doubt() -> None:
    """What only the net saw, and the model denies, is heard as a doubt, with its evidence."""
    span = Evidence(Label.THREAT, 0, 4, "threat.violence")
    both = LayeredClassifier(
        FakeClassifier("m", {}, 0.02), FakeClassifier("l", {Label.THREAT: 0.9}, 0.9, span)
    )
    (verdict,) = both.classify(["x"])
    assert verdict.labels[Label.THREAT] == DOUBT < 0.5
    assert verdict.severity is not None
    assert verdict.severity[Severity.URGENT] == pytest.approx(0.02)
    assert verdict.evidence == (span,)


def test_missed_threat_becomes_urgent() -> None:
    """A threat that only the net named lifts the severity to the net's where the model suspects too."""
    span = Evidence(Label.THREAT, 0, 4, "threat.violence")
    other = Evidence(Label.COMPLAINT, 0, 4, "complaint.strong")
    both = LayeredClassifier(
        FakeClassifier("m", {}, 0.3),
        FakeClassifier("l", {Label.THREAT: 0.9, Label.COMPLAINT: 0.9}, 0.9, span, other),
    )
    (verdict,) = both.classify(["x"])
    assert verdict.severity is not None
    assert verdict.severity[Severity.URGENT] == pytest.approx(0.9)
    assert verdict.evidence == (span,)


def test_names_both_and_warms_both() -> None:
    """Model and version name both classifiers, and warming loads both."""
    model, net = FakeClassifier("m", {}, None), FakeClassifier("l", {}, None)
    both = LayeredClassifier(model, net)
    both.warm()
    assert (both.model, both.version) == ("m+l", "1+1")
    assert model.warmed
    assert net.warmed
