"""What was seen, and when a source was not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageGap:
    """A stretch in which a source was not seen. `ended_at` None: it still isn't. `lost`: the source
    itself says that posts may have been missed; otherwise what was late came with the next poll."""

    source: str
    started_at: datetime
    ended_at: datetime | None
    reason: str
    lost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """How one source stands. `interval_s` is its configured poll interval in seconds."""

    source: str
    kind: str
    interval_s: float
    last_success_at: datetime | None
    last_attempt_at: datetime | None
    failures: int
    last_error: str | None
    next_poll_at: datetime | None
