"""Temperatures, thresholds and the severity head's operating point, chosen on the development split.

Severity's shift moves its logits so that the most probable class is the decision: urgent recall first.
It is written into the exported bias. A label's threshold is where its F1 is best, kept away from the
ends; for the three labels that are urgent by themselves it is where precision reaches ALARM_PRECISION,
if that is higher. Figures with a calibration from the other half of the split say what the choice is
worth on posts that it didn't see (`crossed`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from classifiers.training import metrics
from classifiers.training.examples import LABELS, NAMES, SENTIMENT, SEVERITY
from classifiers.training.posts import Post
from classifiers.verdict import Label, Sentiment, Severity

ALARMS = (Label.THREAT, Label.HATE, Label.SECURITY)
ALARM_PRECISION = 0.80
URGENT_PRECISION = 0.80
TEMPERATURES = np.exp(np.linspace(np.log(0.3), np.log(3), 47))
EDGES = (0.05, 0.95)
SHIFTS = np.linspace(-1.5, 1.5, 31)


@dataclass(frozen=True, slots=True)
class Calibration:
    """`temperature` per head, `threshold` per label (on the tempered probability), `shift` per severity
    logit, by NAMES."""

    temperature: Mapping[str, float]
    threshold: Mapping[str, float]
    shift: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Truth:
    """What posts are: ranks, and labels as a boolean matrix."""

    severity: Any
    sentiment: Any
    labels: Any


def truth_of(posts: Sequence[Post]) -> Truth:
    return Truth(
        np.array([post.severity.rank for post in posts]),
        np.array([list(Sentiment).index(post.sentiment) for post in posts]),
        np.array([[label in post.labels for label in Label] for post in posts]),
    )


def calibrate(logits: Any, truth: Truth) -> Calibration:
    """Choose everything from raw logits (posts x NAMES)."""
    labels = logits[:, :LABELS]
    warmth = {
        "label": _coolest(lambda t: _binary_loss(labels / t, truth.labels)),
        "sentiment": _coolest(lambda t: _choice_loss(logits[:, SENTIMENT] / t, truth.sentiment)),
        "severity": _coolest(lambda t: _choice_loss(logits[:, SEVERITY] / t, truth.severity)),
    }
    chances = metrics.sigmoid(labels / warmth["label"])
    thresholds = {
        str(label): float(np.clip(_threshold(label, chances[:, at], truth.labels[:, at]), *EDGES))
        for at, label in enumerate(Label)
    }
    urgent, concern = _shift(logits[:, SEVERITY], truth.severity)
    shift = {f"severity:{Severity.URGENT}": urgent, f"severity:{Severity.CONCERN}": concern}
    return Calibration(warmth, thresholds, shift)


def decided(logits: Any, calibration: Calibration) -> tuple[Any, Any]:
    """(severity ranks by the head alone, labels as a boolean matrix)."""
    ranks = (logits + added(calibration))[:, SEVERITY].argmax(axis=1)
    chances = metrics.sigmoid(logits[:, :LABELS] / calibration.temperature["label"])
    return ranks, chances >= np.array([calibration.threshold[str(label)] for label in Label])


def added(calibration: Calibration) -> Any:
    """What the calibration adds to each logit."""
    return np.array([calibration.shift.get(name, 0.0) for name in NAMES], dtype=np.float32)


def read(folder: Path) -> Calibration:
    """The calibration that a checkpoint was exported with."""
    ours = json.loads((folder / "config.json").read_text(encoding="utf-8"))["trust_monitor"]
    return Calibration(ours["temperature"], ours["threshold"], ours["shift"])


def _coolest(loss: Callable[[float], float]) -> float:
    return float(min(TEMPERATURES, key=loss))


def _binary_loss(logits: Any, true: Any) -> float:
    return float(np.mean(np.logaddexp(0, logits) - logits * true))


def _choice_loss(logits: Any, ranks: Any) -> float:
    top = logits.max(axis=1)
    whole = np.log(np.exp(logits - top[:, None]).sum(axis=1)) + top
    return float(np.mean(whole - logits[np.arange(len(ranks)), ranks]))


def _threshold(label: Label, chances: Any, true: Any) -> float:
    best, _ = metrics.best_cut(chances, true)
    if label in ALARMS:
        _, enough = metrics.recall_at(chances, true, ALARM_PRECISION)
        return max(best, min(enough, 0.9)) if metrics.f1(chances >= enough, true) else best
    return best


def _shift(logits: Any, ranks: Any) -> tuple[float, float]:
    """(urgent, concern): best macro-F1 among those whose urgent recall is the highest that the wanted
    precision allows, less two points."""
    tried = []
    for urgent in SHIFTS:
        for concern in SHIFTS[8:-8]:
            said = (logits + np.array([0.0, concern, urgent])).argmax(axis=1)
            alarms = said == 2
            hits = float((alarms & (ranks == 2)).sum())
            precision = hits / max(1.0, float(alarms.sum()))
            if precision >= URGENT_PRECISION:
                recall = hits / max(1.0, float((ranks == 2).sum()))
                tried.append(
                    (recall, metrics.macro_f1(said, ranks, 3), float(urgent), float(concern))
                )
    if not tried:
        return 0.0, 0.0
    most = max(recall for recall, *_ in tried)
    best = max((t for t in tried if t[0] >= most - 0.02), key=lambda t: t[1])
    return best[2], best[3]
