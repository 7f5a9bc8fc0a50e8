"""The shape of `data/sources.toml`: how sources are polled, when one is silent, whom to ask what."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from monitor.policy.toml import parse


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PollRules(_Table):
    """When a source is polled again. Waits in seconds; the last of `rejected_wait_s` repeats."""

    longest_wait_s: float = Field(gt=0)
    longest_retry_after_s: float = Field(gt=0)
    jitter: float = Field(ge=0, le=1)
    open_after: int = Field(ge=1)
    rejected_wait_s: tuple[float, ...] = Field(min_length=1)


class HostRules(_Table):
    """How many polls a host gets at the same time, how many seconds apart they begin, and how many
    seconds a source waits for its turn."""

    at_once: int = Field(ge=1)
    apart_s: float = Field(ge=0)
    patience_s: float = Field(gt=0)


class SilenceRules(_Table):
    """When people are mailed about stale sources, and how seldom. In seconds; `many` is from how many
    silent sources on the machine itself is suspected."""

    not_before_s: float = Field(ge=0)
    gather_s: float = Field(ge=0)
    quiet_s: float = Field(ge=0)
    same_again_s: float = Field(ge=0)
    many: int = Field(ge=2)


class GoneRules(_Table):
    """How often, and how many at a time, stored posts are asked about at their source."""

    every_s: float = Field(gt=0)
    at_once: int = Field(ge=1)
    most: int = Field(ge=1)
    pages_every_s: float = Field(gt=0)
    confirm_s: float = Field(gt=0)
    pages_per_host: int = Field(ge=0)


class SourceRules(_Table):
    """The whole file."""

    polls: PollRules
    hosts: HostRules
    silence: SilenceRules
    gone: GoneRules


def load_rules(text: str) -> SourceRules:
    """Read sources.toml's text. Raises ConfigError with every fault and its key path."""
    return parse(SourceRules, text, "sources.toml")
