"""What the pipeline tells of its pace: figures only, never ids or words."""

from __future__ import annotations

from typing import Protocol

from monitor.domain import DeliveryKind, Outcome


class Meter(Protocol):
    """All times in seconds."""

    def stored(self, seconds: float) -> None:
        """From a batch's arrival to the commit of its posts, for batches with something new."""

    def assessed(self, seconds: float) -> None:
        """From a post's commit to the commit of its verdict."""

    def model(self, posts: int, seconds: float) -> None:
        """One call of the model."""

    def delivered(self, kind: DeliveryKind, outcome: Outcome, seconds: float) -> None:
        """One attempt, and how long the message had been queued when it ended."""

    def polled(self, source: str, outcome: str) -> None:
        """One poll: "ok", "unavailable" or "rejected". `source` is a configured id."""

    def canary(self, seconds: float) -> None:
        """A canary has arrived, so long after it was let fly."""


class Unmetered:
    """Nobody counts: commands, and tests of something else."""

    def stored(self, seconds: float) -> None: ...
    def assessed(self, seconds: float) -> None: ...
    def model(self, posts: int, seconds: float) -> None: ...
    def delivered(self, kind: DeliveryKind, outcome: Outcome, seconds: float) -> None: ...
    def polled(self, source: str, outcome: str) -> None: ...
    def canary(self, seconds: float) -> None: ...
