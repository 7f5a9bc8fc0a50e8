"""Too many alerts at once for one reader: the first go out by themselves, the rest together.

    ten an hour -> 45 s -> one letter of all -> 5 min -> 10 min -> 15 min -> ...

Nothing is dropped and nobody is flooded: what is held has its reason, and its words go out in a bundle.
Escalation goes its own way: it asks who acknowledged, and not who got how many letters. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from monitor.domain import Waiting
from monitor.policy.toml import parse

HOUR = timedelta(hours=1)
BUNDLE = "bundle:"  # how a bundle's key begins

Seconds = Annotated[float, Field(ge=1, le=3600)]


class FloodRules(BaseModel):
    """flood.toml; its comments say what each is for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    per_hour: int = Field(ge=1, le=1000)
    bundle_wait_s: tuple[Seconds, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _never_shorter(self) -> Self:
        if any(later < sooner for sooner, later in pairwise(self.bundle_wait_s)):
            raise ValueError("bundle_wait_s may not fall: each wait is as long as the one before")
        return self

    @property
    def most_bundles(self) -> int:
        """How many bundles one reader can get in any hour: their waits add up to less."""
        number, passed = 1, self._wait_s(1)
        while passed < HOUR.total_seconds():
            number += 1
            passed += self._wait_s(number)
        return number

    def _wait_s(self, bundles: int) -> float:
        return self.bundle_wait_s[min(bundles, len(self.bundle_wait_s) - 1)]

    def wait(self, bundles: int) -> timedelta:
        """How long a bundle waits for more, after `bundles` within the hour."""
        return timedelta(seconds=self._wait_s(bundles))


@dataclass(frozen=True, slots=True)
class Offer:
    """Send the letter now, by itself."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Let it wait for the next bundle."""

    because: str


def load_rules(text: str) -> FloodRules:
    """Read flood.toml's text. Raises ConfigError with every fault and its key path."""
    return parse(FloodRules, text, "flood.toml")


@lru_cache(maxsize=1)
def packaged_rules() -> FloodRules:
    """The rules that come with the program."""
    return load_rules((files("monitor") / "data" / "flood.toml").read_text(encoding="utf-8"))


def admit(key: str, letters: int, rules: FloodRules) -> Offer | Hold:
    """Decide for an alert letter that was never offered. `letters` counts the others that its reader
    got by themselves within the last hour, or is getting. A bundle always goes out."""
    if key.startswith(BUNDLE) or letters < rules.per_hour:
        return Offer()
    return Hold(f"{letters} letters within the hour: this one goes out together with others")


def bundle_at(waiting: Waiting, rules: FloodRules) -> datetime | None:
    """When the letters held for a reader go out in one; None while another bundle is on its way, which
    nobody knows the end of yet."""
    if waiting.busy:
        return None
    return max(waiting.since, waiting.last_at or waiting.since) + rules.wait(waiting.bundles)


def bundle_key(first: int) -> str:
    """The occasion of a bundle: the id of the first of the letters that were held for it."""
    return f"{BUNDLE}{first}"
