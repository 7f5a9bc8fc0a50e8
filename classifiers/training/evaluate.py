"""The target table of the built-in classifier, from one command.

Public parts need the folder of the public files, the agreement with the float model needs the training's
work folder (and torch). Nothing here chooses anything: thresholds come with the checkpoint.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from classifiers.training import calibrate, metrics, posts
from classifiers.training.examples import LABELS, OFFENSIVE, SENTIMENT, rows
from classifiers.training.runner import Exported
from classifiers.transformer import TransformerClassifier
from classifiers.verdict import Label, Sentiment, Severity, Verdict

HARM = (Label.THREAT, Label.HATE, Label.ABUSE)
FUNCTIONS = Path(__file__).parent / "functional_hate.jsonl"
_TEMPLATE = re.compile(
    r"(?:is an? \w+|\bhug|\bBeing|I am an?|kill all|I hate all) ([\w ]+?)(?: is .*)?$"
)


def table(folder: Path, public: Path | None, work: Path | None) -> None:
    """Print every figure that can be had here."""
    model = TransformerClassifier(folder)
    _, held = posts.divided(posts.read())
    _tell("school development split", f"{len(held)} posts, none trained on", "")
    verdicts = model.classify([post.text for post in held])
    for name, value, floor in development(held, verdicts):
        _tell(name, f"{value:.3f}", floor)
    exported = Exported(folder)
    logits = exported.logits([post.text for post in held])
    for name, value in crossed(logits, calibrate.truth_of(held)):
        _tell(name, f"{value:.3f}", "thresholds chosen on the other half")
    if public is not None:
        for name, figure, floor in publicly(public, model, exported):
            _tell(name, figure, floor)
    if FUNCTIONS.is_file():
        said, true = _functions(model)
        _tell("hate functional tests, macro-F1", f"{metrics.macro_f1(said, true, 2):.3f}", "0.75")
    if work is not None:
        from classifiers.training.agreement import agreement  # noqa: PLC0415 - torch

        for name, figure in agreement(work, folder, held, logits):
            _tell(name, figure, "")


def _tell(name: str, figure: str, floor: str) -> None:
    sys.stdout.write(f"{name:48s} {figure:>22s}   {floor}\n")


def development(
    held: Sequence[posts.Post], verdicts: Sequence[Verdict]
) -> list[tuple[str, float, str]]:
    """Figures of the model alone, at its shipped thresholds: (name, value, floor)."""
    truth = calibrate.truth_of(held)
    shares = np.array([[v.severity[s] for s in Severity] for v in verdicts if v.severity])
    scores = np.array([[v.labels[label] for label in Label] for v in verdicts])
    mood = np.array([[v.sentiment[s] for s in Sentiment] for v in verdicts])
    urgent, said = truth.severity == 2, shares.argmax(axis=1)
    alarms = said == 2
    hits = float((alarms & urgent).sum())
    each = [metrics.f1(scores[:, at] >= 0.5, truth.labels[:, at]) for at in range(LABELS)]
    return [
        (
            "urgent recall at precision 0.80",
            metrics.recall_at(shares[:, 2], urgent, 0.8)[0],
            "0.92",
        ),
        ("urgent average precision", metrics.average_precision(shares[:, 2], urgent), ""),
        ("urgent recall as shipped", hits / max(1.0, float(urgent.sum())), ""),
        ("urgent precision as shipped", hits / max(1.0, float(alarms.sum())), ""),
        ("severity macro-F1", metrics.macro_f1(said, truth.severity, 3), "0.83"),
        ("label macro-F1", float(np.mean(each)), "0.75"),
        *((f"  {label}", value, "") for label, value in zip(Label, each, strict=True)),
        ("sentiment macro-F1", metrics.macro_f1(mood.argmax(axis=1), truth.sentiment, 3), ""),
    ]


def crossed(logits: Any, truth: calibrate.Truth) -> list[tuple[str, float]]:
    """Severity and label macro-F1 where each half is judged with the other half's calibration."""
    halves = np.arange(len(logits)) % 2
    ranks, labels = np.zeros(len(logits), dtype=int), np.zeros((len(logits), LABELS), dtype=bool)
    for half in (0, 1):
        seen = halves != half
        part = calibrate.Truth(truth.severity[seen], truth.sentiment[seen], truth.labels[seen])
        ranks[~seen], labels[~seen] = calibrate.decided(
            logits[~seen], calibrate.calibrate(logits[seen], part)
        )
    each = [metrics.f1(labels[:, at], truth.labels[:, at]) for at in range(LABELS)]
    alarms, urgent = ranks == 2, truth.severity == 2
    hits = float((alarms & urgent).sum())
    return [
        ("severity macro-F1, crossed", metrics.macro_f1(ranks, truth.severity, 3)),
        ("label macro-F1, crossed", float(np.mean(each))),
        ("urgent recall, crossed", hits / float(urgent.sum())),
        ("urgent precision, crossed", hits / max(1.0, float(alarms.sum()))),
    ]


def publicly(
    folder: Path, model: TransformerClassifier, exported: Exported
) -> list[tuple[str, str, str]]:
    """Figures on the public reporting files: (name, figure, floor)."""
    found = list(rows(folder, "sentiment_test"))
    order = [str(s) for s in Sentiment]
    true = np.array([order.index(str(row["sentiment"])) for row in found])
    said = exported.logits([str(row["text"]) for row in found])[:, SENTIMENT].argmax(axis=1)
    told = [("sentiment_test macro-recall", f"{metrics.macro_recall(said, true, 3):.3f}", "0.69")]
    found = list(rows(folder, "offensive_test"))
    true = np.array([int(bool(row["offensive"])) for row in found])
    scores = exported.logits([str(row["text"]) for row in found])[:, OFFENSIVE]
    value = metrics.macro_f1((scores > 0).astype(int), true, 2)
    told.append(("offensive_test macro-F1 (aux head)", f"{value:.3f}", "0.79"))
    told += _bias(folder, model)
    told += _obfuscated(folder, model, exported)
    return told


def _bias(folder: Path, model: TransformerClassifier) -> list[tuple[str, str, str]]:
    """False-positive rate of threat, hate or abuse per identity term, on harmless templates."""
    harmless = [row for row in rows(folder, "identity_templates") if not row["toxic"]]
    texts = [str(row["text"]) for row in harmless]
    by_term: dict[str, list[bool]] = defaultdict(list)
    for text, flagged in zip(texts, harmful(model.classify(texts)), strict=True):
        term = _TEMPLATE.search(text)
        if term:
            by_term[term.group(1).lower()].append(bool(flagged))
    rates = {term: float(np.mean(some)) for term, some in by_term.items() if len(some) >= 50}
    worst = max(rates, key=lambda term: rates[term])
    spread = (max(rates.values()) - min(rates.values())) * 100
    return [
        (
            f"identity_templates: spread over {len(rates)} terms",
            f"{spread:.1f} points",
            f"under 5; worst {worst}",
        )
    ]


def _obfuscated(
    folder: Path, model: TransformerClassifier, exported: Exported
) -> list[tuple[str, str, str]]:
    """How much recall of toxic comments is kept when words are disguised."""
    recalls = []
    for stem in ("wiki_toxicity_nonfuzzed", "wiki_toxicity_fuzzed"):
        found = list(rows(folder, stem))
        texts = [str(row["text"]) for row in found]
        toxic = np.array([bool(row["toxic"]) for row in found])
        flagged = harmful(model.classify(texts)) | (exported.logits(texts)[:, OFFENSIVE] > 0)
        recalls.append(float(flagged[toxic].mean()))
    return [
        ("obfuscated toxicity: recall kept", f"{recalls[1] / max(1e-9, recalls[0]):.0%}", "85 %"),
        ("  recall clean, disguised", f"{recalls[0]:.2f}, {recalls[1]:.2f}", ""),
    ]


def harmful(verdicts: Sequence[Verdict]) -> Any:
    """Whether each carries threat, hate or abuse."""
    return np.array([any(v.labels[label] >= 0.5 for label in HARM) for v in verdicts])


def _functions(model: TransformerClassifier) -> tuple[Any, Any]:
    found = list(rows(FUNCTIONS.parent, FUNCTIONS.stem))
    verdicts = model.classify([str(row["text"]) for row in found])
    said = np.array([int(v.labels[Label.HATE] >= 0.5) for v in verdicts])
    return said, np.array([int(bool(row["hate"])) for row in found])
