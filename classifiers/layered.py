"""A model's verdict with the lexicon under it as a safety net.

For what must never be missed (threat, hate, safeguarding, security) the higher of both scores counts; for
everything else the model's. A rule can be pointed at, so the evidence is the net's: spans of what counts.
Severity is the model's; where the net alone raised a never-miss label over 0.5, urgent rises to the net's
own urgency. Built by the composition root; not a kind of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from classifiers.verdict import Classifier, Label, Severity, Verdict

NEVER_MISS = frozenset({Label.THREAT, Label.HATE, Label.SAFEGUARDING, Label.SECURITY})


class LayeredClassifier:
    """`primary` decides, `safety_net` may only raise the never-miss labels."""

    def __init__(self, primary: Classifier, safety_net: Classifier) -> None:
        self._primary, self._net = primary, safety_net

    @property
    def model(self) -> str:
        """Both names, "primary+net"."""
        return f"{self._primary.model}+{self._net.model}"

    @property
    def version(self) -> str:
        """Both versions, in the same order."""
        return f"{self._primary.version}+{self._net.version}"

    def warm(self) -> None:
        """Load both. Raises ClassifierError."""
        self._primary.warm()
        self._net.warm()

    def classify(self, texts: Sequence[str]) -> list[Verdict]:
        """One verdict per text, in order. Raises ClassifierError when either can't answer."""
        pairs = zip(self._primary.classify(texts), self._net.classify(texts), strict=True)
        return [self._both(model, net) for model, net in pairs]

    def _both(self, model: Verdict, net: Verdict) -> Verdict:
        labels = {
            label: max(score, net.labels[label]) if label in NEVER_MISS else score
            for label, score in model.labels.items()
        }
        raised = any(net.labels[label] >= 0.5 > model.labels[label] for label in NEVER_MISS)
        return Verdict(
            labels=labels,
            sentiment=model.sentiment,
            severity=_raised(model.severity, net.severity) if raised else model.severity,
            evidence=tuple(e for e in net.evidence if labels[e.label] >= 0.5) + model.evidence,
            model=self.model,
            version=self.version,
        )


def _raised(
    model: Mapping[Severity, float] | None, net: Mapping[Severity, float] | None
) -> Mapping[Severity, float] | None:
    """`model` with urgent lifted to `net`'s, the rest shrunk in proportion."""
    if model is None or net is None or net[Severity.URGENT] <= model[Severity.URGENT]:
        return model
    urgent = net[Severity.URGENT]
    rest = (1 - urgent) / (1 - model[Severity.URGENT])
    return {s: urgent if s is Severity.URGENT else share * rest for s, share in model.items()}
