"""A model's verdict with the lexicon under it as a safety net.

The model decides. For what must never be missed (threat, hate, safeguarding, security) the net may raise a
score, in two steps, so that a stray word floods nobody and yet nothing that a rule saw passes as routine:

- Where the model itself gives urgent at least CONSENT, the higher of both scores counts. On posts that
  neither had seen, about half of what the net adds there is truly urgent; below it, one in five.
- Elsewhere the net's word is worth DOUBT at most: no label counts, but triage hears that somebody should
  look.

A rule can be pointed at, so the evidence is the net's: spans of what counts or is doubted. Severity is the
model's; where the net raised a never-miss label over 0.5, urgent rises to the net's own urgency. No score
falls when one of the model's or the net's rises. A model without a severity head has no say in it: the
higher score counts. Built by the composition root; not a kind of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from classifiers.verdict import Classifier, Label, Severity, Verdict

NEVER_MISS = frozenset({Label.THREAT, Label.HATE, Label.SAFEGUARDING, Label.SECURITY})
CONSENT = 0.2  # the model's share for urgent
DOUBT = 0.49  # under 0.5, where a label counts; triage.toml has a rule for it


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
        most = 1.0 if _consents(model) else DOUBT
        labels = {
            label: max(score, min(net.labels[label], most)) if label in NEVER_MISS else score
            for label, score in model.labels.items()
        }
        raised = any(labels[label] >= 0.5 > model.labels[label] for label in NEVER_MISS)
        return Verdict(
            labels=labels,
            sentiment=model.sentiment,
            severity=_raised(model.severity, net.severity) if raised else model.severity,
            evidence=tuple(e for e in net.evidence if labels[e.label] >= DOUBT) + model.evidence,
            model=self.model,
            version=self.version,
        )


def _consents(model: Verdict) -> bool:
    return model.severity is None or model.severity[Severity.URGENT] >= CONSENT


def _raised(
    model: Mapping[Severity, float] | None, net: Mapping[Severity, float] | None
) -> Mapping[Severity, float] | None:
    """`model` with urgent lifted to `net`'s, the rest shrunk in proportion."""
    if model is None or net is None or net[Severity.URGENT] <= model[Severity.URGENT]:
        return model
    urgent = net[Severity.URGENT]
    rest = (1 - urgent) / (1 - model[Severity.URGENT])
    return {s: urgent if s is Severity.URGENT else share * rest for s, share in model.items()}
