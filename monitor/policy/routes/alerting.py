"""Does somebody have to be told now? Each answer carries its reason; silence is recorded, never implied.

An incident's first urgent mention alerts at once. What follows joins it quietly, so that a pile-on is
one alert and not fifty, unless it tells the reader something that they can't know yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.domain import Concern, ConcernState, Triage
from monitor.policy.life.table import Move
from monitor.policy.routes.routing import Routing
from monitor.policy.triage import HARMS

REPEAT = timedelta(hours=4)
ALERTED = "alerted"  # the history's word for a round of alerts
SILENCED = "silenced"  # and for one that a silence held back
ACKNOWLEDGED = (Move.ACKNOWLEDGE.value, "acknowledged")  # now, and in histories from before 0.2


@dataclass(frozen=True, slots=True)
class Alert:
    """Tell the people of the routing now."""

    because: str


@dataclass(frozen=True, slots=True)
class Quiet:
    """The digest is soon enough. `joins`: there would have been an alert, had its readers not got one
    about the same incident."""

    because: str
    joins: bool = False


def alerting(
    before: Concern | None, triage: Triage, routing: Routing, *, now: datetime
) -> Alert | Quiet:
    """Decide for one mention. `before` is the concern that it joins, as it was; None: a new one.

    `triage` is the mention's own, `routing` the whole concern's.
    """
    if not routing.notices:
        return Quiet("nobody needs to know before the digest")
    last = _last(before, ALERTED)
    if before is None:
        return Alert("a new concern that can't wait")
    if last is None:
        return Alert("what came to it now can't wait")
    news = _news(before, triage, last, now)
    if news:
        return Alert(news)
    return Quiet(
        "joins an incident that was alerted, and tells its readers nothing new", joins=True
    )


def _news(before: Concern, triage: Triage, last: datetime, now: datetime) -> str | None:
    """What the readers of the last alert can't know yet; None when there is nothing."""
    harm = triage.labels & HARMS
    added = sorted(harm - before.labels)
    acknowledged, silenced = _last(before, *ACKNOWLEDGED), _last(before, SILENCED)
    news = (
        (before.state is ConcernState.CLOSED, "goes on after it was closed"),
        (triage.severity.rank > before.severity.rank, "graver than what was known"),
        (bool(added), f"new in this incident: {', '.join(added)}"),
        ((silenced or last) > last, "goes on after alerts were silenced"),
        (bool(harm) and (acknowledged or last) > last, "continues after it was acknowledged"),
        (bool(harm) and now - last >= REPEAT, "continues four hours after the last alert"),
    )
    return next((reason for is_news, reason in news if is_news), None)


def _last(concern: Concern | None, *actions: str) -> datetime | None:
    history = concern.history if concern else ()
    return max((event.at for event in history if event.action in actions), default=None)
