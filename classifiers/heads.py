"""What a checkpoint's logits mean: from `id2label` and the `trust_monitor` section of its config.json.

Our own multi-task checkpoints name each logit with its head, and may be calibrated:

    "id2label": {"0": "label:threat", ..., "12": "sentiment:negative", ..., "15": "severity:routine", ...},
    "trust_monitor": {"temperature": {"label": 1.0, "sentiment": 1.2}, "threshold": {"threat": 0.31}}

`label:*` logits go through a sigmoid, `sentiment:*` and `severity:*` through a softmax each; a logit is
divided by its head's temperature first. A label's threshold (on the probability, 0..1) is moved to 0.5.
`aux:*` logits served the training only and are passed over.

Any other checkpoint must name its classes by words of `PLAIN`. A head that a checkpoint lacks is
neutral: labels 0, sentiment a third each, no severity.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from classifiers.errors import ClassifierError
from classifiers.verdict import Label, Sentiment, Severity

# The class names of well-known public checkpoints, as (head, member); None: the absence of the others.
PLAIN: Mapping[str, tuple[str, str] | None] = {
    **dict.fromkeys(("negative", "neg"), ("sentiment", "negative")),
    **dict.fromkeys(("neutral", "neu"), ("sentiment", "neutral")),
    **dict.fromkeys(("positive", "pos"), ("sentiment", "positive")),
    **dict.fromkeys(
        ("toxic", "toxicity", "severe_toxic", "offensive", "insult", "abusive", "abuse"),
        ("label", "abuse"),
    ),
    **dict.fromkeys(
        ("hate", "hateful", "hate_speech", "identity_hate", "identity_attack"), ("label", "hate")
    ),
    "threat": ("label", "threat"),
    **dict.fromkeys(
        (
            "non_toxic",
            "not_toxic",
            "non_offensive",
            "not_offensive",
            "non_hate",
            "not_hate",
            "nothate",
        ),
        None,
    ),
    **dict.fromkeys(("normal", "neither", "none", "obscene"), None),
}
MEMBERS = {"label": Label, "sentiment": Sentiment, "severity": Severity}


@dataclass(frozen=True, slots=True)
class Reading:
    """One row of logits, read. Each probability is in 0..1; sentiment and severity sum to 1."""

    labels: Mapping[Label, float]
    sentiment: Mapping[Sentiment, float] | None
    severity: Mapping[Severity, float] | None


@dataclass(frozen=True, slots=True)
class Heads:
    """Which logit is what. `places` is per logit; `shared` when all logits are one softmax (an ordinary
    checkpoint with one label per text), so that labels are shares of it."""

    places: tuple[tuple[str, str] | None, ...]
    shared: bool
    temperature: Mapping[str, float]
    threshold: Mapping[str, float]

    def read(self, logits: Sequence[float]) -> Reading:
        """Read one row. Raises ClassifierError when a logit is not a number."""
        if not all(math.isfinite(logit) for logit in logits):
            raise ClassifierError(
                "the model answered with something that is no number; check its export"
            )
        shares = softmax(logits) if self.shared else None
        labels = dict.fromkeys(Label, 0.0)
        for at, place in enumerate(self.places):
            if place is not None and place[0] == "label":
                label = Label(place[1])
                chance = shares[at] if shares else sigmoid(logits[at] / self.temperature["label"])
                labels[label] = max(labels[label], moved(chance, self.threshold.get(label, 0.5)))
        return Reading(
            labels,
            self._spread("sentiment", Sentiment, logits),
            self._spread("severity", Severity, logits),
        )

    def _spread(self, head: str, members: Any, logits: Sequence[float]) -> Any:
        found = [
            (members(place[1]), logit / self.temperature[head])
            for place, logit in zip(self.places, logits, strict=True)
            if place is not None and place[0] == head
        ]
        if not found:
            return None
        shares = softmax([logit for _, logit in found])
        spread = dict.fromkeys(members, 0.0)
        for (member, _), share in zip(found, shares, strict=True):
            spread[member] += share
        return spread


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, x))))


def softmax(logits: Sequence[float]) -> list[float]:
    top = max(logits)
    exps = [math.exp(logit - top) for logit in logits]
    return [value / sum(exps) for value in exps]


def moved(chance: float, threshold: float) -> float:
    """`chance` with `threshold` moved to 0.5, in log-odds: order is kept, 0 and 1 stay where they are."""
    if threshold == 0.5 or not 0 < chance < 1:
        return chance
    return sigmoid(math.log(chance / (1 - chance)) - math.log(threshold / (1 - threshold)))


def heads_of(config: Any, where: str) -> Heads:
    """Heads of a `PretrainedConfig`. `where` names the checkpoint in errors. Raises ClassifierError."""
    names = [
        str(name) for _, name in sorted(config.id2label.items(), key=lambda item: int(item[0]))
    ]
    ours = getattr(config, "trust_monitor", None) or {}
    if any(":" in name for name in names):
        places: list[tuple[str, str] | None] = [_ours(name, where) for name in names]
        shared = False
    else:
        places = _plain(names, where)
        shared = getattr(config, "problem_type", None) != "multi_label_classification"
    return Heads(
        tuple(places),
        shared,
        dict.fromkeys(MEMBERS, 1.0) | _numbers(ours, "temperature", MEMBERS, (0.01, 100.0), where),
        _numbers(ours, "threshold", set(Label), (0.001, 0.999), where),
    )


def _ours(name: str, where: str) -> tuple[str, str] | None:
    head, _, member = name.partition(":")
    if head == "aux":
        return None
    if head not in MEMBERS or member not in set(MEMBERS[head]):
        raise ClassifierError(
            f"{where}: id2label names {name!r}; expected label:, sentiment: or severity: and a member of it"
        )
    return head, member


def _plain(names: list[str], where: str) -> list[tuple[str, str] | None]:
    keys = [name.strip().lower().replace("-", "_").replace(" ", "_") for name in names]
    if keys == ["label_0", "label_1", "label_2"]:  # the custom of three-way sentiment models
        keys = ["negative", "neutral", "positive"]
    unknown = [name for name, key in zip(names, keys, strict=True) if key not in PLAIN]
    if unknown:
        raise ClassifierError(
            f"{where}: can't tell what the classes {', '.join(unknown)} mean. Rename them in config.json's "
            "id2label, e.g. label:abuse or sentiment:negative (classifiers/heads.py lists what is known)"
        )
    return [PLAIN[key] for key in keys]


def _numbers(
    ours: Mapping[str, Any], key: str, known: Any, bounds: tuple[float, float], where: str
) -> dict[str, float]:
    found = {str(name): value for name, value in dict(ours.get(key) or {}).items()}
    for name, value in found.items():
        if (
            name not in known
            or not isinstance(value, int | float)
            or not bounds[0] <= value <= bounds[1]
        ):
            raise ClassifierError(
                f"{where}: config.json trust_monitor.{key}.{name} must be a known name with a number "
                f"from {bounds[0]} to {bounds[1]}"
            )
    return {name: float(value) for name, value in found.items()}
