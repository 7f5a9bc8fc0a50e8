"""Weigh the lexicon's cues: single words and pairs that speak for a label, from hand-labelled posts.

    python -m classifiers.training.fit_cues FOLDER [--without NAME ...]

reads FOLDER/train_*.jsonl (text, labels, sentiment, severity) and writes `classifiers/lexicon_cues.toml`.
Twelve labels, two sentiments and "urgent" are each one sparse logistic regression (L1, proximal
gradient, numpy only, about half a minute). Left out on purpose: names and other words mostly written
with a capital, every word for a group of people, so that who is spoken of never weighs, and words that
are about nothing ("he", "was"). Where 0.5 lies is decided on files that a fit has not seen; a label
whose cues don't hold there gets none.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.cues import grams, words_of
from classifiers.folding import Vocabulary, fold
from classifiers.verdict import Label

HERE = Path(__file__).resolve().parents[1]
TARGETS = [*(str(label) for label in Label), "negative", "positive", "urgent"]
RARE = 5  # posts in which a cue must stand
SPARSITY = 5e-4  # L1 weight per post
STEPS = 160
FOLDS = 4
LEAST = 0.3  # F on unseen files; below it, a label gets no cues
NEVER_MISS = {"threat", "hate", "safeguarding", "security"}

# Words that are about nothing: they may stand in a pair, never make a cue alone or among themselves.
EMPTY = set((Path(__file__).parent / "empty_words.txt").read_text(encoding="utf-8").split())

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Posts:
    grams: list[list[str]]
    truth: Array  # posts x targets
    files: NDArray[np.int64]


def read(folder: Path, without: set[str]) -> tuple[Posts, Counter[str], Counter[str]]:
    """The posts, and how often each word stands (capitalised inside a sentence, at all)."""
    none = Vocabulary([])
    found, truth, files = [], [], []
    capital: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for number, path in enumerate(sorted(folder.glob("train_*.jsonl"))):
        if path.stem in without:
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            found.append(sorted({gram for gram, _ in grams(fold(row["text"], none).text)}))
            said = {*row["labels"], row["sentiment"], row["severity"]}
            truth.append([float(target in said) for target in TARGETS])
            files.append(number)
            inside = re.findall(r"(?<=[\w,;'’] )([A-Za-z]\w+)", row["text"])
            capital.update(word.lower() for word in inside if word[0].isupper())
            seen.update(word.lower() for word in inside)
    return Posts(found, np.array(truth), np.array(files)), capital, seen


def unweighable(capital: Counter[str], seen: Counter[str]) -> set[str]:
    """Words that may not be cues: names, and words for groups of people."""
    groups: dict[str, Any] = tomllib.loads((HERE / "lexicon.toml").read_text(encoding="utf-8"))
    people = re.findall(r"\w+", groups["groups"]["group"])
    names = {word for word, count in capital.items() if count > 0.4 * seen[word]}
    common = {
        "i",
        "school",
        "year",
        "people",
        "down",
        "the",
        "no",
        "men",
        "in",
        "kids",
        "needs",
        "special",
    }
    return (names | set(people)) - common


def fit(columns: list[NDArray[np.int64]], truth: Array, width: int) -> tuple[Array, Array]:
    """Weights (cues x targets) and biases of one sparse logistic regression per target."""
    flat = np.concatenate(columns)
    rows = np.repeat(np.arange(len(columns)), [len(c) for c in columns])
    starts = np.concatenate([[0], np.cumsum([len(c) for c in columns])[:-1]])
    share = truth.mean(axis=0)
    balance = np.where(truth > 0, np.sqrt((1 - share) / np.maximum(share, 1e-9)), 1.0)
    weights, ahead = np.zeros((width, truth.shape[1])), np.zeros((width, truth.shape[1]))
    bias = np.log(np.maximum(share, 1e-9) / (1 - share))
    pace, momentum = 4.0, 1.0
    for _ in range(STEPS):
        score = np.add.reduceat(ahead[flat], starts, axis=0) + bias
        error = (1 / (1 + np.exp(-score)) - truth) * balance / len(truth)
        slope = np.stack(
            [np.bincount(flat, error[rows, t], minlength=width) for t in range(truth.shape[1])],
            axis=1,
        )
        moved = ahead - pace * slope
        new = np.sign(moved) * np.maximum(np.abs(moved) - pace * SPARSITY, 0)
        faster = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = new + (momentum - 1) / faster * (new - weights)
        weights, momentum = new, faster
        bias = bias - pace * error.sum(axis=0)
    return weights, bias


def scores(columns: list[NDArray[np.int64]], weights: Array, bias: Array) -> Array:
    return np.stack([weights[c].sum(axis=0) for c in columns]) + bias


def best_threshold(score: Array, truth: Array, beta: float) -> tuple[float, float]:
    """(log-odds at which F-beta is best, that F-beta)."""
    order = np.argsort(-score)
    hits = np.cumsum(truth[order])
    f = (1 + beta**2) * hits / (np.arange(1, len(order) + 1) + beta**2 * truth.sum())
    at = int(np.argmax(f))
    return float(score[order[at]]), float(f[at])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--without", nargs="*", default=[], help="file stems to leave out")
    options = parser.parse_args()
    posts, capital, seen = read(options.folder, set(options.without))
    barred = unweighable(capital, seen)
    counts = Counter(gram for some in posts.grams for gram in some)
    kept = [
        gram
        for gram, n in counts.items()
        if n >= RARE
        and not barred.intersection(words_of(gram))
        and not EMPTY.issuperset(gram.split())
    ]
    number = {gram: i + 1 for i, gram in enumerate(sorted(kept))}  # 0 stands in every post
    columns = [np.array([0, *(number[g] for g in some if g in number)]) for some in posts.grams]
    width = len(number) + 1
    unseen = np.zeros_like(posts.truth)
    folds = posts.files % FOLDS
    for fold_number in range(FOLDS):
        inside = np.flatnonzero(folds != fold_number)
        outside = np.flatnonzero(folds == fold_number)
        weights, bias = fit([columns[i] for i in inside], posts.truth[inside], width)
        unseen[outside] = scores([columns[i] for i in outside], weights, bias)
    weights, bias = fit(columns, posts.truth, width)
    write(number, weights, bias + weights[0], unseen, posts.truth)


def write(number: dict[str, int], weights: Array, bias: Array, unseen: Array, truth: Array) -> None:
    lines = [
        "# Written by classifiers/training/fit_cues.py: don't edit, fit again.",
        "# Log-odds that each word or pair adds; `bias` is set so that 0 in sum is where a label counts.",
    ]
    for t, target in enumerate(TARGETS):
        beta = 0.65 if target in NEVER_MISS else 0.45
        threshold, f = best_threshold(unseen[:, t], truth[:, t], beta)
        held = sum(1 for w in weights[1:, t] if abs(w) >= 0.05)
        sys.stderr.write(f"{target:17s} F{beta} {f:.2f} on unseen files, {held} cues\n")
        if f < LEAST:
            continue
        lines += ["", f"[{target}]", f"bias = {bias[t] - threshold:.2f}", f"[{target}.words]"]
        ranked = sorted(number.items(), key=lambda item: (-weights[item[1], t], item[0]))
        lines += [
            f"{json.dumps(gram, ensure_ascii=False)} = {weights[n, t]:.2f}"
            for gram, n in ranked
            if abs(weights[n, t]) >= 0.05
        ]
    (HERE / "lexicon_cues.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
