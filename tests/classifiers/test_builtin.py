"""The shipped checkpoint: it loads as any other, is small, and is as good as it says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import classifiers
from classifiers.layered import LayeredClassifier
from classifiers.lexicon import LexiconClassifier
from classifiers.training import evaluate, posts
from classifiers.transformer import TransformerClassifier
from classifiers.verdict import Label, Severity, Verdict
from monitor.policy.triage import load_rules, triage
from tests.policy.builders import packaged

BUILTIN = Path(classifiers.__file__).parent / "builtin"
RECORDED = Path(__file__).parent / "builtin_recorded.json"

pytestmark = pytest.mark.skipif(
    not (BUILTIN / "config.json").is_file(),
    reason="LOUD: classifiers/builtin is absent, so the built-in classifier is NOT MEASURED here",
)


class Said:
    """A classifier that has given its verdicts already."""

    model, version = "said", "1"

    def __init__(self, verdicts: list[Verdict]) -> None:
        self.verdicts = verdicts

    def warm(self) -> None:
        """Nothing to load."""

    def classify(self, texts: Sequence[str]) -> list[Verdict]:
        assert len(texts) == len(self.verdicts)
        return self.verdicts


@cache
def model() -> TransformerClassifier:
    return TransformerClassifier(BUILTIN)


@cache
def development() -> tuple[list[posts.Post], list[Verdict]]:
    _, held = posts.divided(posts.read())
    return held, model().classify([post.text for post in held])


@cache
def figures() -> dict[str, float]:
    return {name.strip(): value for name, value, _ in evaluate.development(*development())}


def test_small_enough() -> None:
    """The whole directory is at most 30 MB and holds its model card."""
    assert sum(path.stat().st_size for path in BUILTIN.iterdir()) <= 30_000_000
    assert (BUILTIN / "README.md").is_file()


def test_recorded_predictions() -> None:
    """A few sentences score as they did when the model was exported, whatever the processor."""
    rows = json.loads(RECORDED.read_text(encoding="utf-8"))
    for row, verdict in zip(rows, model().classify([r["text"] for r in rows]), strict=True):
        assert verdict.severity is not None
        got = [verdict.severity[severity] for severity in Severity]
        assert got == pytest.approx(row["severity"], abs=0.08)
        labels = [verdict.labels[label] for label in Label]
        assert labels == pytest.approx(row["labels"], abs=0.12)


def test_loads_without_transformers_or_torch() -> None:
    """A first verdict needs neither transformers nor torch: start-up and memory stay small."""
    code = (
        "import sys; from classifiers.transformer import TransformerClassifier as T; "
        f"T({str(BUILTIN)!r}).classify(['hello']); "
        "sys.exit('transformers' in sys.modules or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_order_and_batches_change_little() -> None:
    """A text's verdict hardly depends on the company it is classified in."""
    texts = [
        "Lovely summer fair today",
        "Where do I pay for the coach?",
        "he wants sorting out " * 40,
    ]
    together = model().classify(texts)
    for text, one in zip(texts, together, strict=True):
        (alone,) = model().classify([text])
        for label in Label:
            assert alone.labels[label] == pytest.approx(one.labels[label], abs=0.08)


FLOORS = {
    "urgent recall at precision 0.80": 0.68,
    "urgent average precision": 0.84,
    "urgent recall as shipped": 0.68,
    "urgent precision as shipped": 0.77,
    "severity macro-F1": 0.74,
    "label macro-F1": 0.65,
    "sentiment macro-F1": 0.68,
}


@pytest.mark.parametrize(("name", "least"), FLOORS.items())
def test_floors_on_the_development_split(name: str, least: float) -> None:
    """The figures of the model card hold, less a margin for another processor's rounding."""
    assert figures()[name] >= least


def test_model_lexicon_and_rules_together() -> None:
    """Triage finds more urgent posts than the model alone, as precisely, and lets few pass as routine."""
    held, verdicts = development()
    both = LayeredClassifier(Said(verdicts), LexiconClassifier())
    rules = load_rules(packaged("triage.toml"))
    texts = [post.text for post in held]
    said = [triage(verdict, rules).severity for verdict in both.classify(texts)]
    true = [post.severity for post in held]
    pairs = list(zip(said, true, strict=True))
    urgent = [found for found, wanted in pairs if wanted is Severity.URGENT]
    alarms = [wanted for found, wanted in pairs if found is Severity.URGENT]
    assert urgent.count(Severity.URGENT) / len(urgent) >= 0.74
    assert alarms.count(Severity.URGENT) / len(alarms) >= 0.77
    assert urgent.count(Severity.ROUTINE) / len(urgent) <= 0.08
    assert alarms.count(Severity.ROUTINE) / true.count(Severity.ROUTINE) <= 0.07


def test_criticism_is_seldom_abuse() -> None:
    """Of held-out posts that are complaints and nothing else, few count as abuse and none as hate."""
    held, verdicts = development()
    only = [v for p, v in zip(held, verdicts, strict=True) if p.labels == {Label.COMPLAINT}]
    assert len(only) > 100
    assert np.mean([v.labels[Label.ABUSE] >= 0.5 for v in only]) < 0.04
    assert np.mean([v.labels[Label.HATE] >= 0.5 for v in only]) < 0.02
