"""The safety net under a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.layered import NEVER_MISS, LayeredClassifier
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


@given(scores, scores, st.floats(0, 1) | st.none(), st.floats(0, 1))
def test_net_only_raises(
    model: dict[Label, float], net: dict[Label, float], urgent: float | None, net_urgent: float
) -> None:
    """Never-miss labels take the higher score, the rest the model's; urgency never falls."""
    both = LayeredClassifier(
        FakeClassifier("m", model, urgent), FakeClassifier("l", net, net_urgent)
    )
    (verdict,) = both.classify(["x"])
    for label in Label:
        expected = max(model[label], net[label]) if label in NEVER_MISS else model[label]
        assert verdict.labels[label] == expected
    if urgent is None:
        assert verdict.severity is None
    else:
        assert verdict.severity is not None
        assert verdict.severity[Severity.URGENT] >= urgent - 1e-9
        assert sum(verdict.severity.values()) == pytest.approx(1)


def test_missed_threat_becomes_urgent() -> None:
    """A threat that only the net saw lifts the model's severity to the net's."""
    span = Evidence(Label.THREAT, 0, 4, "threat.violence")
    other = Evidence(Label.COMPLAINT, 0, 4, "complaint.strong")
    both = LayeredClassifier(
        FakeClassifier("m", {}, 0.1),
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
