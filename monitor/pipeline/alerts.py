"""Queueing a round of alerts, or holding it back: its letters and its line in the history, in the
caller's commit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from monitor.domain import (
    MONITOR,
    AlertSilence,
    Concern,
    DeliveryKind,
    Notice,
    SuppressionKind,
)
from monitor.policy.routes import escalation
from monitor.policy.routes.alerting import ALERTED, SILENCED
from monitor.ports import Letters, NewDelivery, Transaction


def queue_alerts(
    rows: Transaction,
    concern: int,
    notices: Sequence[Notice],
    *,
    why: str,
    letters: Letters,
    channel: str,
    now: datetime,
) -> None:
    """Queue one letter for each notice about the concern of that id, as it is stored by now."""
    number = rows.concerns.alerted(concern)
    rows.concerns.note(
        concern,
        who=MONITOR,
        action=ALERTED,
        why=why,
        details=escalation.alert_details(tuple(notices), number=number),
        now=now,
    )
    whole = rows.concerns.get(concern)
    key = escalation.alert_key(whole.reference, number)
    rows.outbox.enqueue(
        [
            NewDelivery(
                key=key,
                kind=DeliveryKind.ALERT,
                concern=concern,
                recipient=notice.person.email,
                channel=channel,
                message=letters.alert(whole, notice, key=key, now=now),
            )
            for notice in notices
        ],
        now=now,
    )


def count_grouped(rows: Transaction, concern: Concern, *, why: str, now: datetime) -> None:
    """Count a mention that joined an incident quietly, by the round of alerts that its readers got;
    `concern` is as it was before."""
    number = sum(event.action == ALERTED for event in concern.history)
    rows.suppressions.count(
        f"{SuppressionKind.GROUPED.value}:{concern.reference}:{number}",
        SuppressionKind.GROUPED,
        reason=why,
        now=now,
        concern=concern.id,
    )


def hold_back(
    rows: Transaction, concern: Concern, silence: AlertSilence, *, why: str, now: datetime
) -> None:
    """Count an alert that a silence held back; `concern` is as it was before. The first of each
    silence stands in the concern's history too: what goes on after it is news."""
    rows.suppressions.count(
        f"silenced:{silence.id}:{concern.id}",
        SuppressionKind.SILENCED,
        reason=why,
        now=now,
        concern=concern.id,
        silence=silence.id,
    )
    known = {event.details.get("silence") for event in concern.history if event.action == SILENCED}
    if str(silence.id) not in known:
        rows.concerns.note(
            concern.id,
            who=MONITOR,
            action=SILENCED,
            why=why,
            details={"silence": str(silence.id)},
            now=now,
        )
