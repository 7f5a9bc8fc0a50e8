"""What was seen, and when a source was not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ClosedBy(StrEnum):
    """How a gap in coverage ended."""

    BACKFILL = "backfill"  # what was said meanwhile was read afterwards: nothing missed
    LOST = "lost"  # the source itself says that it could not show all of it


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageGap:
    """A stretch in which a source was not seen. `ended_at` None: it still isn't. `lost`: the source
    itself says that posts may have been missed; otherwise what was late came with the next poll.

    `closed_by` says how it ended; `told_at` is when people were mailed about it. `id` is the row's.
    """

    source: str
    started_at: datetime
    ended_at: datetime | None
    reason: str
    lost: bool = False
    closed_by: ClosedBy | None = None
    told_at: datetime | None = None
    id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """How one source stands. `interval_s` is its configured poll interval in seconds.

    `registered_at` is since when it is to be watched; `rejected` says that a person must change
    something before it can be read; `note` is what the source last said of itself.
    """

    source: str
    kind: str
    interval_s: float
    last_success_at: datetime | None
    last_attempt_at: datetime | None
    failures: int
    last_error: str | None
    next_poll_at: datetime | None
    registered_at: datetime | None = None
    rejected: bool = False
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A source that has been silent for too long, and what is known of why. `kind` is its platform's
    connector; `gap` its open gap; `rejected` as in `SourceHealth`."""

    source: str
    kind: str
    since: datetime
    reason: str
    rejected: bool
    gap: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """What one notice tells: the silent sources, of how many that are configured. `many`: so many at
    once that the machine itself is suspected."""

    silences: tuple[Silence, ...]
    configured: int
    many: bool
