"""Queueing a round of alerts: its letters and its line in the history, in the caller's commit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from monitor.domain import MONITOR, DeliveryKind, Notice
from monitor.policy.routes import escalation
from monitor.policy.routes.alerting import ALERTED
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
