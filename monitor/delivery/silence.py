"""Silent sources as a notice shows them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from monitor.delivery.words import clean, clip
from monitor.domain import Outage


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceView:
    """One silent source. `since` is local; `rejected`: only a person can mend it."""

    source: str
    kind: str
    since: str
    reason: str
    rejected: bool


def silence_views(
    outage: Outage, when: Callable[[datetime | None], str | None]
) -> tuple[SilenceView, ...]:
    """Its sources in order; `when` writes a moment in the trust's zone."""
    return tuple(
        SilenceView(
            source=silence.source,
            kind=silence.kind,
            since=when(silence.since) or "",
            reason=clip(clean(silence.reason), characters=200).removesuffix("."),
            rejected=silence.rejected,
        )
        for silence in outage.silences
    )
