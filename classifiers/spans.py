"""Which words moved a score: from a model's own sums over tokens to spans of the text.

A checkpoint of ours may answer with "parts" beside "logits": per token and class, what the token added to
the logit (the pooled tokens go through one linear layer, so that the sum is exact but for rounding). Any
other checkpoint gives no evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from classifiers.verdict import Evidence, Label

Span = tuple[int, int]
MOST = 3  # spans a label
WORTH = 0.35  # of the loudest word's share: what a word must add to be pointed at


def evidence(
    parts: NDArray[np.float32], places: Mapping[Label, int], tokens: Sequence[Span]
) -> list[Evidence]:
    """The loudest words for each label of `places` (its column in `parts`), in the order of the text.
    `tokens`: each token's span of the text, (0, 0) for one that stands for no text."""
    words = _words(tokens)
    found = []
    for label, column in places.items():
        sums = [float(parts[list(members), column].sum()) for _, members in words]
        loud = sorted(range(len(words)), key=lambda at: -sums[at])[:MOST]
        kept = sorted(
            words[at][0] for at in loud if sums[at] > 0 and sums[at] >= WORTH * sums[loud[0]]
        )
        found += [Evidence(label, start, end, f"{label}.model") for start, end in _joined(kept)]
    return found


def _words(tokens: Sequence[Span]) -> list[tuple[Span, list[int]]]:
    """Tokens that touch are one word: its span, and its tokens."""
    words: list[tuple[Span, list[int]]] = []
    for at, (start, end) in enumerate(tokens):
        if end <= start:
            continue
        if words and words[-1][0][1] == start:
            (first, _), members = words.pop()
            words.append(((first, end), [*members, at]))
        else:
            words.append(((start, end), [at]))
    return words


def _joined(spans: Sequence[Span]) -> list[Span]:
    """Neighbouring words (one character between them) as one span."""
    found: list[Span] = []
    for start, end in spans:
        if found and start - found[-1][1] <= 1:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found
