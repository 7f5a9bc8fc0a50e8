"""When a mention's text must be gone. The days are data (retention.toml); a legal hold is a
person's decision and lives with the concern, not here.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field

from classifiers.verdict import Label, Severity
from monitor.domain import ConcernState, Settled
from monitor.policy.toml import parse


class RetentionRule(BaseModel):
    """A concern with one of `labels` keeps its text for `days` after it was closed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    labels: frozenset[Label] = Field(min_length=1)
    days: int = Field(ge=0, le=3650)


class RetentionRules(BaseModel):
    """The first rule that fits decides, and `other_days` where none does; what never became a
    concern goes `routine_days` after it was seen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    routine_days: int = Field(ge=0, le=3650)
    other_days: int = Field(ge=0, le=3650)
    rule: tuple[RetentionRule, ...] = ()


def load_rules(text: str) -> RetentionRules:
    """Read retention.toml's text. Raises ConfigError with every fault and its key path."""
    return parse(RetentionRules, text, "retention.toml")


def erase_after(  # noqa: PLR0917 (each is one fact about one mention)
    severity: Severity,
    labels: frozenset[Label],
    state: ConcernState | None,
    closed_at: datetime | None,
    seen_at: datetime,
    rules: RetentionRules,
) -> datetime | None:
    """From when on the text may not be kept; None while something is still to be decided.

    `state` is that of the mention's concern, None for a mention that has none: if routine, it goes
    `routine_days` after it was seen; otherwise its concern is still to be logged. A concern's text
    stays until it is closed. Raises ValueError for a closed concern without `closed_at`.
    """
    if state is None:
        routine = severity is Severity.ROUTINE
        return seen_at + timedelta(days=rules.routine_days) if routine else None
    if state is not ConcernState.CLOSED:
        return None
    if closed_at is None:
        raise ValueError("a closed concern needs closed_at")
    fitting = (rule.days for rule in rules.rule if rule.labels & labels)
    return closed_at + timedelta(days=next(fitting, rules.other_days))


def expired(item: Settled, rules: RetentionRules, *, now: datetime) -> bool:
    """True when the mention's text may be kept no longer."""
    until = erase_after(item.severity, item.labels, item.state, item.closed_at, item.seen_at, rules)
    return until is not None and until <= now
