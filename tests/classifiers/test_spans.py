"""From sums over tokens to the words of a text."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from classifiers.spans import MOST, evidence
from classifiers.verdict import Label

T = {Label.THREAT: 0}


def spans(
    values: list[float], tokens: list[tuple[int, int]], text: str = "kit " * 40
) -> list[tuple[int, int]]:
    parts = np.array([[value] for value in values], dtype=np.float32)
    return [(item.start, item.end) for item in evidence(text, parts, T, tokens)]


def test_pieces_of_a_word_are_one_word() -> None:
    """Tokens that touch add up, and their word is pointed at whole."""
    tokens = [(0, 0), (0, 2), (2, 5), (6, 9), (0, 0)]
    assert spans([9.0, 1.0, 1.0, 0.1, 9.0], tokens, "stabs now") == [(0, 5)]


def test_empty_words_and_marks_are_not_pointed_at() -> None:
    """A function word tells a reader nothing; punctuation at a word's end isn't the word; emoji are."""
    tokens = [(0, 3), (4, 8), (8, 9), (10, 11)]
    assert spans([5.0, 1.0, 1.0, 0.9], tokens, "the stab! 🔪") == [(4, 8), (10, 11)]
    assert spans([5.0], [(0, 3)], "the") == []


def test_neighbours_are_one_span() -> None:
    """Two loud words beside each other are told together."""
    assert spans([1.0, 0.9, 0.0, 0.8], [(0, 3), (4, 7), (8, 11), (12, 15)]) == [(0, 7), (12, 15)]


def test_what_speaks_against_a_label_is_no_evidence() -> None:
    """Words that lower the score are never pointed at."""
    assert spans([-3.0, -0.1], [(0, 3), (4, 7)]) == []


@given(st.lists(st.floats(-5, 5, width=32), max_size=30))
def test_spans_are_few_ordered_and_inside(values: list[float]) -> None:
    """At most three, in order, none overlapping."""
    tokens = [(3 * at, 3 * at + 2) for at in range(len(values))]
    found = spans(values, tokens) if values else []
    assert len(found) <= MOST
    assert all(one[1] <= other[0] for one, other in pairwise(found))
    assert all(0 <= start < end <= 3 * len(values) for start, end in found)
