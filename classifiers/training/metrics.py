"""Figures from scores and truths; numpy only."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any


def f1(said: Array, true: Array) -> float:
    """F1 of two boolean arrays; 0 where nothing is both."""
    hits = float((said & true).sum())
    return 2 * hits / max(1.0, float(said.sum() + true.sum()))


def macro_f1(said: Array, true: Array, classes: int) -> float:
    """Mean F1 of the classes 0..classes-1."""
    return float(np.mean([f1(said == c, true == c) for c in range(classes)]))


def macro_recall(said: Array, true: Array, classes: int) -> float:
    return float(np.mean([(said[true == c] == c).mean() for c in range(classes)]))


def recall_at(scores: Array, true: Array, precision: float) -> tuple[float, float]:
    """(best recall at `precision` or more, the score from which it holds); (0, 1) when never."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(true[order])
    enough = np.flatnonzero(hits / np.arange(1, len(order) + 1) >= precision)
    if not len(enough) or not hits[-1]:
        return 0.0, 1.0
    return float(hits[enough[-1]] / hits[-1]), float(scores[order[enough[-1]]])


def average_precision(scores: Array, true: Array) -> float:
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(true[order])
    return float(((hits / np.arange(1, len(order) + 1)) * true[order]).sum() / max(1, true.sum()))


def softmax(logits: Array) -> Array:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def sigmoid(logits: Array) -> Array:
    return 1 / (1 + np.exp(-logits))


def best_cut(scores: Array, true: Array) -> tuple[float, float]:
    """(score from which F1 is best, that F1)."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(true[order])
    values = 2 * hits / (np.arange(1, len(order) + 1) + true.sum())
    at = int(np.argmax(values))
    after = scores[order[at + 1]] if at + 1 < len(order) else 0.0
    return float((scores[order[at]] + after) / 2), float(values[at])
