"""At whom is a post aimed? A role, never a name, and only what its own words show: a guess, told as one."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field

from classifiers.verdict import Label
from monitor.domain import Concern
from monitor.policy.toml import parse

_READ = 4000  # characters of a post


class TargetRole(BaseModel):
    """`name` stands in the alert; any of `words` in a post speaks of the role."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=3, max_length=40)
    words: tuple[str, ...] = Field(min_length=1)


class TargetRules(BaseModel):
    """The whole of targets.toml; among roles spoken of equally often the first one counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    head: str
    pupil: str
    nobody: str
    role: tuple[TargetRole, ...]


def aimed_at(concern: Concern) -> str:
    """The role that the concern's posts seem to be aimed at, in words; needs its mentions."""
    rules = _rules()
    if concern.about_head:
        return rules.head
    if Label.IDENTIFIES_CHILD in concern.labels:
        return rules.pupil
    said = " ".join(
        f"{each.post.title or ''} {each.post.text}"[:_READ] for each in concern.mentions
    )
    counts = [(len(pattern.findall(said)), name) for name, pattern in _patterns()]
    most = max((count for count, _ in counts), default=0)
    return next((name for count, name in counts if count == most), "") if most else rules.nobody


@cache
def _rules() -> TargetRules:
    text = (files("monitor") / "data" / "targets.toml").read_text(encoding="utf-8")
    return parse(TargetRules, text, "targets.toml")


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (role.name, re.compile(rf"\b(?:{'|'.join(map(re.escape, role.words))})\b", re.IGNORECASE))
        for role in _rules().role
    )
