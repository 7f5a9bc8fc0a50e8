"""The school posts, their split, and the parts of training that need no torch."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.training import calibrate, metrics, posts
from classifiers.training.augment import obfuscated, twisted
from classifiers.training.examples import LABELS, NAMES, OFFENSIVE, SEVERITY
from classifiers.verdict import Label, Severity

texts = st.text(st.sampled_from("abcde fghSTU'.!1é💀\n"), max_size=120)


@cache
def everything() -> tuple[list[posts.Post], list[posts.Post], list[posts.Post]]:
    found = posts.read()
    return (found, *posts.divided(found))


def test_split_is_large_enough_in_every_file_and_severity() -> None:
    """At least 15 in 100 of all posts are held out, and about that of each file, severity and label of
    the first files."""
    whole, _, held = everything()
    assert len(held) >= 0.15 * len(whole)
    first, out = [p for p in whole if not p.later], [p for p in held if not p.later]
    for kind in (
        lambda p: [p.file],
        lambda p: [p.severity],
        lambda p: sorted(p.labels),
    ):
        all_of = Counter(value for post in first for value in kind(post))
        held_of = Counter(value for post in out for value in kind(post))
        for value, count in all_of.items():
            assert 0.12 <= held_of[value] / count <= 0.22, value


def test_the_later_files_are_held_out_alike() -> None:
    """About a sixth of each later file is held out too, but for the one that was trained on whole."""
    whole, _, held = everything()
    all_of = Counter(post.file for post in whole if post.later)
    held_of = Counter(post.file for post in held if post.later)
    for file, count in all_of.items():
        if file in posts.TAUGHT_WHOLE:
            assert not held_of[file]
        else:
            assert 0.12 <= held_of[file] / count <= 0.22, file


def test_later_lines_move_nothing() -> None:
    """A family added at the end of a later file leaves what is held out before it as it was."""
    whole, _, _ = everything()
    first = posts.listed(posts.DEVELOPMENT)
    file = max((post for post in whole if post.later), key=lambda post: post.file).file
    line = sum(post.file == file for post in whole)
    for text, severity in (("Zebra quagga okapi", Severity.URGENT), ("Xylem", Severity.CONCERN)):
        line += 1
        extra = replace(whole[0], id=f"{file}:{line}", text=text, severity=severity)
        grown = posts.choose_later([*whole, extra], first)
        assert [at for at in grown if at != extra.id] == posts.choose_later(whole, first)


def test_nothing_is_on_both_sides() -> None:
    """A post is trained on or held out, never both; the split names only posts that are there."""
    whole, taught, held = everything()
    assert not {post.id for post in taught} & {post.id for post in held}
    assert len(taught) + len(held) == len(whole)
    assert not {post.text for post in taught} & {post.text for post in held}


def test_twins_and_near_duplicates_stay_together() -> None:
    """No family of twins or near-duplicates is divided by the split."""
    whole, _, held = everything()
    out = {post.id for post in held}
    for family in posts.families(whole):
        assert len({whole[at].id in out for at in family}) == 1


def test_a_fresh_choice_is_the_fixed_split() -> None:
    """The lists hold what the rules choose, so the split has no hand in it."""
    whole, _, _ = everything()
    first = posts.listed(posts.DEVELOPMENT)
    assert posts.choose(whole) == first
    assert posts.choose_later(whole, first) == posts.listed(posts.DEVELOPMENT_LATER)


@given(texts, st.integers(0, 10_000))
def test_twisting_is_repeatable(text: str, seed: int) -> None:
    """The same seed twists a text in the same way."""
    assert twisted(text, random.Random(seed)) == twisted(text, random.Random(seed))


@given(texts, st.integers(0, 10_000))
def test_strength_nought_changes_nothing(text: str, seed: int) -> None:
    """Without strength a text stays as it is."""
    assert twisted(text, random.Random(seed), 0.0) == text


def test_disguise_keeps_the_other_words() -> None:
    """One word is disguised, the rest of the sentence stays."""
    changed = obfuscated("meet behind the library", random.Random(3), words=1)
    assert changed != "meet behind the library"
    assert " the " in changed


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_recall_at_keeps_its_precision(pairs: list[tuple[float, bool]]) -> None:
    """At the score that recall_at names, precision is what was asked for (no two scores alike)."""
    scores = np.array([score for score, _ in pairs]) + np.arange(len(pairs)) * 2.0
    true = np.array([flag for _, flag in pairs])
    recall, least = metrics.recall_at(scores, true, 0.8)
    if recall:
        assert true[scores >= least].mean() >= 0.8
        assert true[scores >= least].sum() / true.sum() == pytest.approx(recall)


def test_calibration_finds_the_operating_point() -> None:
    """Logits that are right but for a shift are decided rightly after calibration."""
    rng = np.random.default_rng(5)
    truth = calibrate.Truth(
        rng.integers(0, 3, 400), rng.integers(0, 3, 400), rng.random((400, LABELS)) < 0.3
    )
    logits = rng.normal(0, 0.3, (400, len(NAMES)))
    logits[np.arange(400), SEVERITY.start + truth.severity] += 2.0
    logits[:, SEVERITY.start + Severity.URGENT.rank] -= 1.9
    logits[:, :LABELS] += np.where(truth.labels, 1.0, -3.0)
    ranks, labels = calibrate.decided(logits, calibrate.calibrate(logits, truth))
    assert metrics.macro_f1(ranks, truth.severity, 3) > 0.95
    assert metrics.macro_f1(logits[:, SEVERITY].argmax(axis=1), truth.severity, 3) < 0.95
    assert all(metrics.f1(labels[:, at], truth.labels[:, at]) > 0.95 for at in range(LABELS))


def test_names_cover_the_verdict() -> None:
    """Every label and severity has its logit."""
    assert {f"label:{label}" for label in Label} <= set(NAMES)
    assert NAMES[SEVERITY] == [f"severity:{severity}" for severity in Severity]
    assert NAMES[OFFENSIVE] == "aux:offensive"
