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
# Words that gather what stands around them, and tell a reader nothing.
_EMPTY = """
a an the and or but so to of in on at by for with from as is are was were be been am it its it's
this that these those there here i i'm i've me my we us our you your he him his she her they them
their who what which what's if then than not no do does did has have had will would can could just all
"""
EMPTY = frozenset(_EMPTY.split())
MOST = 3  # spans a label
WORTH = 0.35  # of the loudest word's share: what a word must add to be pointed at


def evidence(
    text: str, parts: NDArray[np.float32], places: Mapping[Label, int], tokens: Sequence[Span]
) -> list[Evidence]:
    """The loudest words for each label of `places` (its column in `parts`), in the order of the text.
    `tokens`: each token's span of the text, (0, 0) for one that stands for no text."""
    words = [
        (span, members)
        for whole, members in _words(tokens)
        if text[slice(*(span := _bare(text, whole)))].lower() not in EMPTY and span[0] < span[1]
    ]
    if not words:
        return []
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


def _bare(text: str, span: Span) -> Span:
    """`span` without punctuation at its ends; as it is when it holds nothing else (an emoji)."""
    start, end = span
    while start < end and not text[start].isalnum():
        start += 1
    while end > start and not text[end - 1].isalnum():
        end -= 1
    return (start, end) if start < end else span


def _joined(spans: Sequence[Span]) -> list[Span]:
    """Neighbouring words (one character between them) as one span."""
    found: list[Span] = []
    for start, end in spans:
        if found and start - found[-1][1] <= 1:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found
