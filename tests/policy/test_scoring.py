"""The figures of `trust-monitor evaluate`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.verdict import Label, Severity
from monitor.policy.matching import scoring
from monitor.policy.matching.scoring import Case

R, C, U = Severity
NONE = dict.fromkeys(Label, 0.0)


def case(
    true: Severity, said: Severity, urgency: float, at: str = "x", *labels: Label, **scores: float
) -> Case:
    return Case(
        id=at,
        true=true,
        said=said,
        urgency=urgency,
        true_labels=frozenset(labels),
        scores=NONE | {Label(name): score for name, score in scores.items()},
    )


SOME = [
    case(U, U, 0.9, "1", Label.THREAT, threat=0.8),
    case(U, R, 0.2, "2", Label.THREAT, threat=0.1),
    case(U, C, 0.4, "3"),
    case(R, U, 0.8, "4", threat=0.7),
    case(C, C, 0.3, "5", Label.COMPLAINT, complaint=0.9),
    case(R, R, 0.1, "6"),
]


def test_confusion_counts_every_pair() -> None:
    """Each post stands in one cell, and empty cells are there."""
    counted = scoring.confusion(SOME)
    assert len(counted) == 9
    assert sum(counted.values()) == len(SOME)
    assert (counted[U, U], counted[U, R], counted[R, U], counted[C, R]) == (1, 1, 1, 0)


def test_label_f1_leaves_out_what_nobody_carries() -> None:
    """Only labels with examples are told; a half-found label has F1 a half."""
    assert scoring.label_f1(SOME) == {Label.THREAT: pytest.approx(0.5), Label.COMPLAINT: 1.0}


def test_curve_finds_the_best_recall() -> None:
    """At each precision the lowest score that still keeps it counts."""
    curve = {p: (r, s) for p, r, s in scoring.urgent_curve(SOME, (0.9, 0.65, 0.55))}
    assert curve[0.9] == (pytest.approx(1 / 3), 0.9)
    assert curve[0.65] == (pytest.approx(2 / 3), 0.4)
    assert curve[0.55] == (pytest.approx(1.0), 0.2)


def test_equal_scores_are_not_parted() -> None:
    """Posts with one score are taken together: the order of lines can't flatter."""
    tied = [case(U, U, 0.5), case(R, R, 0.5)]
    assert scoring.urgent_curve(tied, (0.9,)) == [(0.9, 0.0, 1.0)]


def test_the_worst_miss_comes_first() -> None:
    """An urgent post passed as routine is worse than one passed as a concern or a false alarm."""
    assert [c.id for c in scoring.worst(SOME)] == ["2", "3", "4"]


def test_calibration_counts_every_post_once() -> None:
    """The parts of the scale hold all posts, the top one included."""
    parts = scoring.calibration([*SOME, case(U, U, 1.0)])
    assert sum(count for *_, count in parts) == len(SOME) + 1
    assert parts[-1][2] == pytest.approx(2 / 3)


@given(st.lists(st.tuples(st.booleans(), st.booleans())))
def test_f1_lies_between_precision_and_recall(pairs: list[tuple[bool, bool]]) -> None:
    """F1 is a mean of the two, and 0 for nothing."""
    precision, recall = scoring.precision_recall(pairs)
    low, high = sorted((precision, recall))
    found = scoring.f1(pairs)
    assert found == 0.0 or low - 1e-9 <= found <= high + 1e-9
