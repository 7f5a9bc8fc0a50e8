"""What every classifier owes, over the table of kinds."""

from __future__ import annotations

from pathlib import Path

import pytest

from classifiers import KINDS, load
from classifiers.verdict import Classifier, Label, Sentiment, Severity
from tests.classifiers.test_transformer import write_checkpoint

TEXTS = [
    "",
    "The fair is on Saturday.",
    "tick tock miss, we know where you live",
    "🔪" * 50,
    "\ud800",
]


def built(kind: str, folder: Path) -> Classifier:
    """One instance of each kind; a new kind adds its line here, or fails the suite."""
    makers = {
        "lexicon": load("lexicon"),
        "transformer": lambda: load("transformer")(write_checkpoint(folder)),
    }
    classifier: Classifier = makers[kind]()
    return classifier


@pytest.mark.parametrize("kind", KINDS)
def test_contract(kind: str, tmp_path: Path) -> None:
    """Every kind gives each text, in order, every label and sentiment within bounds, and spans within it."""
    classifier = built(kind, tmp_path)
    classifier.warm()
    verdicts = classifier.classify(TEXTS)
    assert len(verdicts) == len(TEXTS)
    for text, verdict in zip(TEXTS, verdicts, strict=True):
        assert set(verdict.labels) == set(Label)
        assert set(verdict.sentiment) == set(Sentiment)
        assert all(0 <= score <= 1 for score in verdict.labels.values())
        assert sum(verdict.sentiment.values()) == pytest.approx(1)
        if verdict.severity is not None:
            assert set(verdict.severity) == set(Severity)
            assert sum(verdict.severity.values()) == pytest.approx(1)
        assert all(0 <= e.start < e.end <= len(text) for e in verdict.evidence)
        assert (verdict.model, verdict.version) == (classifier.model, classifier.version)
        assert "unloaded" not in verdict.version
    assert classifier.classify([]) == []
    assert classifier.classify(TEXTS[::-1]) == verdicts[::-1]


def test_unknown_kind() -> None:
    """A kind that isn't in the table is a KeyError, not an import of something else."""
    with pytest.raises(KeyError):
        load("crystal_ball")
