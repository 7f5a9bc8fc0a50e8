"""How grave is it? Scores in, a severity with its reasons out. The rules are data (triage.toml).

A rule fires when every score that it names is high enough; the gravest rule that fires decides. No
rule asks that a harm score be low, so severity never falls when one rises. A model's own severity
head may add to the rules, and may hold back those that say so; `load_rules` refuses a file in which
it could hold back a threat, hate or a security breach, or in which a harm goes unseen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from classifiers.verdict import Label, Sentiment, Severity, Verdict
from monitor.domain import Triage
from monitor.policy.toml import parse

COUNTS_FROM = 0.5  # the verdict's calibration point, not a setting: classifiers/verdict.py
ALWAYS_URGENT = frozenset({Label.THREAT, Label.HATE, Label.SECURITY})
HARMS = ALWAYS_URGENT | {
    Label.ABUSE,
    Label.SAFEGUARDING,
    Label.ALLEGATION,
    Label.IDENTIFIES_CHILD,
}

Score = Annotated[float, Field(ge=0.0, le=1.0)]


class Rule(BaseModel):
    """`severity` holds when every label of `labels` scores at least its value, and at least one of
    `any_of` does, and the severity head gives at least the `head` values. `held_back_below`: a
    severity head that gives its own URGENT less than this keeps the rule from firing; a classifier
    without a head never does. A `vague` rule's reason is told only when it alone decided."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    severity: Severity
    reason: str = Field(min_length=10)
    labels: Mapping[Label, Score] = {}
    any_of: Mapping[Label, Score] = {}
    head: Mapping[Severity, Score] = {}
    held_back_below: Score = 0.0
    vague: bool = False

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if not (self.labels or self.any_of or self.head):
            raise ValueError("a rule must name labels, any_of or head")
        return self

    def fires(self, verdict: Verdict) -> bool:
        """Whether every condition holds for this verdict."""
        scores = verdict.labels
        return (
            self._head_allows(verdict.severity)
            and all(scores[label] >= least for label, least in self.labels.items())
            and (not self.any_of or any(scores[label] >= at for label, at in self.any_of.items()))
        )

    def _head_allows(self, head: Mapping[Severity, float] | None) -> bool:
        if head is None:
            return not self.head
        return head[Severity.URGENT] >= self.held_back_below and all(
            head[severity] >= least for severity, least in self.head.items()
        )

    def catches(self, label: Label, severity: Severity) -> bool:
        """Whether `label` at 0.5 alone gives at least `severity`, whatever the head says."""
        if self.severity.rank < severity.rank or self.head or self.held_back_below > 0.0:
            return False
        if self.labels:
            return (
                set(self.labels) == {label}
                and self.labels[label] <= COUNTS_FROM
                and (not self.any_of or self.any_of.get(label, 2.0) <= COUNTS_FROM)
            )
        return self.any_of.get(label, 2.0) <= COUNTS_FROM


class TriageRules(BaseModel):
    """The whole file. Reasons are given in the file's order, gravest rules first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: tuple[Rule, ...] = Field(min_length=1)
    routine_reason: str = Field(min_length=10)

    @model_validator(mode="after")
    def _no_harm_goes_unseen(self) -> Self:
        for label in sorted(HARMS):
            floor = Severity.URGENT if label in ALWAYS_URGENT else Severity.CONCERN
            if not any(rule.catches(label, floor) for rule in self.rule):
                raise ValueError(f"{label} at {COUNTS_FROM} alone must be at least {floor}")
        return self


def load_rules(text: str) -> TriageRules:
    """Read triage.toml's text. Raises ConfigError with every fault and its key path."""
    return parse(TriageRules, text, "triage.toml")


def triage(verdict: Verdict, rules: TriageRules) -> Triage:
    """Decide the severity of one verdict. Scores that are no numbers make it `unscored`."""
    if not all(math.isfinite(score) for score in _scores(verdict)):
        return unscored("the classifier gave no usable scores")
    fired = sorted(
        (rule for rule in rules.rule if rule.fires(verdict)), key=lambda rule: -rule.severity.rank
    )
    told = [rule for rule in fired if not rule.vague]
    if fired and all(rule.severity is not fired[0].severity for rule in told):
        told = [fired[0], *told]  # the rule that decided always speaks
    reasons = tuple(dict.fromkeys(rule.reason for rule in told)) or (rules.routine_reason,)
    return Triage(
        severity=fired[0].severity if fired else Severity.ROUTINE,
        labels=frozenset(label for label in Label if verdict.labels[label] >= COUNTS_FROM),
        sentiment=max(Sentiment, key=lambda sentiment: verdict.sentiment[sentiment]),
        scores=dict(verdict.labels),
        reasons=reasons,
        evidence=verdict.evidence,
    )


def unscored(reason: str, *, severity: Severity = Severity.CONCERN) -> Triage:
    """A post that no classifier could score: for a person to read, never nothing."""
    return Triage(
        severity=severity,
        labels=frozenset(),
        sentiment=Sentiment.NEUTRAL,
        scores=dict.fromkeys(Label, 0.0),
        reasons=(f"not assessed automatically: {reason}",),
        needs_review=True,
    )


def _scores(verdict: Verdict) -> list[float]:
    head = verdict.severity or {}
    return [*verdict.labels.values(), *verdict.sentiment.values(), *head.values()]
