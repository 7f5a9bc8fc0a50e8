"""Identity words in training: sentences and swaps that keep what a row says."""

from __future__ import annotations

import random
import re

from hypothesis import given
from hypothesis import strategies as st

from classifiers.training import identity
from classifiers.verdict import Label, Severity

seeds = st.integers(0, 10_000)


@given(seeds)
def test_sentences_know_what_they_carry(seed: int) -> None:
    """Harmless ones carry none of the three labels that the bias is measured on; attacks carry hate."""
    found = identity.sentences(5, 3, random.Random(seed))
    assert [example.severity for example in found] == [Severity.ROUTINE.rank] * 5 + [
        Severity.URGENT.rank
    ] * 3
    for example in found[:5]:
        assert set(example.flags.values()) == {0}
        assert len(example.flags) == len(identity.HARMFUL)
    for example in found[5:]:
        assert example.flags == {list(Label).index(Label.HATE): 1}
    assert all("{" not in example.text and example.text for example in found)


def test_every_term_meets_every_frame_of_its_kind() -> None:
    """No term is kept for attacks: both sides draw from the same lists."""
    drawn = identity.sentences(6_000, 6_000, random.Random(1))
    for side in (drawn[:6_000], drawn[6_000:]):
        text = " ".join(example.text.lower() for example in side)
        for term in ("lesbian", "muslim", "deaf", "mexican", "elderly", "paralyzed", "taoist"):
            assert re.search(rf"\b{term}", text), term


@given(seeds)
def test_swapping_keeps_the_rest(seed: int) -> None:
    """Other words stay; one word becomes one other throughout; capitals stay."""
    text = "Muslims next door fed our cat. Thank you, muslims! A white fence."
    changed = identity.swapped(text, random.Random(seed))
    found = re.fullmatch(
        r"(\w+) next door fed our cat\. Thank you, (\w+)! A white fence\.", changed
    )
    assert found is not None
    assert found[1].lower() == found[2]
    assert found[1][0].isupper()
