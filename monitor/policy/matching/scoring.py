"""How good were the decisions? Figures from decided and true severities and labels; no text, no state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from classifiers.verdict import Label, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One labelled post and what became of it. `urgency` 0..1: how urgent it scored (orders the curve)."""

    id: str
    true: Severity
    said: Severity
    urgency: float
    true_labels: frozenset[Label]
    scores: Mapping[Label, float]


def confusion(cases: Sequence[Case]) -> dict[tuple[Severity, Severity], int]:
    """How many posts of each (true, said) pair; every pair is there."""
    counted = Counter((case.true, case.said) for case in cases)
    return {(true, said): counted[true, said] for true in Severity for said in Severity}


def precision_recall(pairs: Sequence[tuple[bool, bool]]) -> tuple[float, float]:
    """(precision, recall) of (said, true) pairs; 0 where there is nothing to divide by."""
    hits = sum(said and true for said, true in pairs)
    return (
        hits / max(1, sum(said for said, _ in pairs)),
        hits / max(1, sum(true for _, true in pairs)),
    )


def f1(pairs: Sequence[tuple[bool, bool]]) -> float:
    """Harmonic mean of precision and recall of (said, true) pairs, 0..1."""
    precision, recall = precision_recall(pairs)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def severity_f1(cases: Sequence[Case]) -> float:
    """Macro-F1 over the three severities, 0..1."""
    return sum(
        f1([(case.said is severity, case.true is severity) for case in cases])
        for severity in Severity
    ) / len(Severity)


def label_f1(cases: Sequence[Case]) -> dict[Label, float]:
    """F1 per label that any post carries, from 0.5."""
    carried = {label for case in cases for label in case.true_labels}
    return {
        label: f1([(case.scores[label] >= 0.5, label in case.true_labels) for case in cases])
        for label in Label
        if label in carried
    }


def urgent_curve(
    cases: Sequence[Case], precisions: Sequence[float] = (0.95, 0.9, 0.8, 0.7, 0.6, 0.5)
) -> list[tuple[float, float, float]]:
    """(wanted precision, best recall at it or more, the urgency from which that holds)."""
    ranked = sorted(cases, key=lambda case: -case.urgency)
    true = sum(case.true is Severity.URGENT for case in cases)
    best = dict.fromkeys(precisions, (0.0, 1.0))
    hits = 0
    for taken, case in enumerate(ranked, 1):
        hits += case.true is Severity.URGENT
        if taken < len(ranked) and ranked[taken].urgency == case.urgency:
            continue  # a threshold can't part equals
        for wanted in precisions:
            if hits / taken >= wanted:
                best[wanted] = (hits / max(1, true), case.urgency)
    return [(wanted, *best[wanted]) for wanted in precisions]


def calibration(cases: Sequence[Case], parts: int = 5) -> list[tuple[float, float, float, int]]:
    """(from, mean urgency, share truly urgent, posts) of each fifth of the scale that has posts."""
    told = []
    for part in range(parts):
        low, high = part / parts, (part + 1) / parts
        some = [c for c in cases if low <= c.urgency < high or (high == 1.0 <= c.urgency)]
        if some:
            mean = sum(case.urgency for case in some) / len(some)
            share = sum(case.true is Severity.URGENT for case in some) / len(some)
            told.append((low, mean, share, len(some)))
    return told


def worst(cases: Sequence[Case], most: int = 10) -> list[Case]:
    """The misses that would hurt most: graver than said, least urgent first; then false alarms."""
    missed = sorted(
        (case for case in cases if case.true.rank > case.said.rank),
        key=lambda case: (case.said.rank - case.true.rank, -case.true.rank, case.urgency),
    )
    alarms = sorted(
        (c for c in cases if c.said is Severity.URGENT and c.true is Severity.ROUTINE),
        key=lambda case: -case.urgency,
    )
    return [*missed[:most], *alarms[: max(0, most - len(missed))]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """What people made of the alarms of one kind: `confirmed` and `false` are closed, `open` are not."""

    confirmed: int
    false: int
    open: int

    @property
    def raised(self) -> int:
        return self.confirmed + self.false + self.open

    @property
    def precision(self) -> float | None:
        """The share that was right, 0..1; None while nobody has judged any."""
        judged = self.confirmed + self.false
        return self.confirmed / judged if judged else None


def outcomes(
    alarms: Sequence[tuple[Severity, frozenset[Label], bool | None]],
) -> dict[Severity | Label, Outcomes]:
    """Count alarms by severity and label: each is (severity, labels, whether it was confirmed; None:
    nobody has said yet). What was never raised is left out."""
    counted: Counter[tuple[Severity | Label, bool | None]] = Counter()
    for severity, labels, confirmed in alarms:
        counted[severity, confirmed] += 1
        counted.update((label, confirmed) for label in labels)
    kinds: tuple[Severity | Label, ...] = (*Severity, *Label)
    return {
        kind: Outcomes(
            confirmed=counted[kind, True], false=counted[kind, False], open=counted[kind, None]
        )
        for kind in kinds
        if any(counted[kind, said] for said in (True, False, None))
    }
