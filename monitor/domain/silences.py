"""Silences: somebody asked, for a time and with a reason, that alerts wait for the digest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SilenceScope(StrEnum):
    """What a silence is about."""

    CONCERN = "concern"  # one case, by its number
    SOURCE = "source"  # what one source brings, and that it is stale
    ORGANISATION = "organisation"  # whatever is said of one school, or of the trust


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSilence:
    """Alerts about `target` (a case number, a source's or an organisation's id) wait for the digest
    from `since` until `until`, because `owner` (a person's id) said so. `ended_at` and `ended_by`:
    somebody ended it before its time. A source that says nothing is a `Silence`, and something else."""

    id: int
    scope: SilenceScope
    target: str
    owner: str
    reason: str
    since: datetime
    until: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None

    def stands(self, now: datetime) -> bool:
        """True while it holds: from `since` on, before `until`, and until somebody ends it."""
        return self.ended_at is None and self.since <= now < self.until
