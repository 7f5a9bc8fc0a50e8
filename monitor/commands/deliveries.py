"""`trust-monitor deliveries`: what was sent, what waits and why, and what was not sent by itself."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rich.markup import escape
from rich.table import Table

from monitor.commands.concerns import Office
from monitor.domain import DeliveryKind, DeliveryState, Posted, Suppression, SuppressionKind
from monitor.errors import MonitorError

SHOWN_FOR = timedelta(hours=24)  # what went well; what waits is shown however old
GIVEN_UP_FOR = timedelta(days=7)
NOT_SENT = {
    SuppressionKind.GROUPED: "joined an incident that was alerted",
    SuppressionKind.BUNDLED: "put into one letter with others",
    SuppressionKind.SILENCED: "silenced",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be shown. `case` is a case number; None: all."""

    case: str | None = None
    everything: bool = False
    addresses: bool = False
    as_json: bool = False


def show(office: Office, asked: Asked) -> None:
    """Print the post book and what was suppressed, or one JSON document. Raises MonitorError for a
    case that there is not."""
    now = office.now
    since = None if asked.everything or asked.case else now - GIVEN_UP_FOR
    with office.store.read() as rows:
        if asked.case and rows.concerns.by_reference(asked.case) is None:
            raise MonitorError(f"There is no case {asked.case}.")
        book = rows.outbox.listed(case=asked.case, since=since)
        suppressed = rows.suppressions.listed(
            case=asked.case, since=now - SHOWN_FOR if since else None
        )
    if since:
        book = tuple(posted for posted in book if _of_interest(posted, now))
    clerk = _Clerk(office, addresses=asked.addresses)
    if asked.as_json:
        document = {
            "deliveries": [clerk.as_data(posted) for posted in book],
            "suppressed": [_suppressed_as_data(each) for each in suppressed],
        }
        text = json.dumps(document, indent=2, ensure_ascii=False)
        office.console.print(text, markup=False, highlight=False, soft_wrap=True)
        return
    clerk.print_book(book)
    clerk.print_suppressed(suppressed)


def _of_interest(posted: Posted, now: datetime) -> bool:
    """What has not ended or was given up; of the rest the last day's, without canaries that arrived."""
    if posted.finished_at is None or posted.ending is DeliveryState.DEAD:
        return True
    return posted.kind is not DeliveryKind.CANARY and posted.finished_at > now - SHOWN_FOR


class _Clerk:
    """Words for the post book. People by their ids; addresses only when asked for."""

    def __init__(self, office: Office, *, addresses: bool) -> None:
        self._office = office
        self._addresses = addresses
        self._ids = {person.email.casefold(): person.id for person in office.book.people}

    def print_book(self, book: Sequence[Posted]) -> None:
        console = self._office.console
        if not book:
            console.print("Nothing was sent, and nothing waits.")
            return
        table = Table(title="deliveries")
        for column in ("no.", "queued", "what", "to", "how it stands"):
            table.add_column(column, overflow="fold")
        for posted in book:
            table.add_row(
                str(posted.id),
                self._office.time(posted.created_at),
                escape(posted.key),
                escape(self._to(posted)),
                escape(self._stands(posted)),
            )
        console.print(table)
        counted = Counter(posted.state.value for posted in book)
        summary = ", ".join(f"{number} {state}" for state, number in sorted(counted.items()))
        console.print(summary, markup=False, highlight=False)

    def print_suppressed(self, suppressed: Sequence[Suppression]) -> None:
        if not suppressed:
            return
        table = Table(title="not sent, or not by itself")
        for column in ("times", "from", "to", "case", "what", "why"):
            table.add_column(column, overflow="fold")
        for each in suppressed:
            by = f" by {each.silenced_by} (no. {each.silence})" if each.silenced_by else ""
            table.add_row(
                str(each.count),
                self._office.time(each.since),
                self._office.time(each.until),
                escape(each.case or "–"),
                escape(NOT_SENT[each.kind] + by),
                escape(each.reason),
            )
        self._office.console.print(table)

    def as_data(self, posted: Posted) -> dict[str, Any]:
        return {
            "id": posted.id,
            "key": posted.key,
            "kind": posted.kind.value,
            "case": posted.case,
            "to": self._person(posted),
            "channel": posted.channel,
            "state": posted.state.value,
            "ending": posted.ending.value,
            "attempts": posted.attempts,
            "queued_at": posted.created_at.isoformat(),
            "next_try_at": posted.due_at.isoformat() if _is_tried(posted) else None,
            "held_since": posted.due_at.isoformat() if _is_held(posted) else None,
            "ended_at": posted.finished_at.isoformat() if posted.finished_at else None,
            "last_answer": posted.detail,
            "bundled_in": posted.bundled_in,
            "instead_of": posted.instead_of,
        } | ({"address": posted.recipient} if self._addresses else {})

    def _person(self, posted: Posted) -> str | None:
        """The reader's id, or the other channel's; None for an address that is nobody's any more."""
        if posted.kind is DeliveryKind.OTHER:
            return posted.recipient
        return self._ids.get(posted.recipient.casefold())

    def _to(self, posted: Posted) -> str:
        who = self._person(posted) or "an address that is nobody's"
        who = f"channel {who}" if posted.kind is DeliveryKind.OTHER else who
        return f"{who} <{posted.recipient}>" if self._addresses else who

    def _stands(self, posted: Posted) -> str:
        instead = f"instead of no. {posted.instead_of}: " if posted.instead_of else ""
        return instead + self._state(posted)

    def _state(self, posted: Posted) -> str:
        answer = f": {posted.detail}" if posted.detail else ""
        tried = f"{posted.attempts} {'attempt' if posted.attempts == 1 else 'attempts'}"
        ended = self._office.time(posted.finished_at) if posted.finished_at else ""
        next_at = self._office.time(posted.due_at)
        if posted.state is DeliveryState.PENDING and posted.attempts == 0:
            return "waits to be sent"
        words = {
            DeliveryState.PENDING: f"waits after {tried}, next try {next_at}{answer}",
            DeliveryState.AMBIGUOUS: f"perhaps arrived, {tried}, repeated at {next_at}{answer}",
            DeliveryState.HELD: f"held since {next_at}{answer}",
            DeliveryState.BUNDLED: (
                f"in letter no. {posted.bundled_in}, which is {posted.ending.value}"
            ),
            DeliveryState.SENT: f"sent {ended}, {tried}",
            DeliveryState.UNNEEDED: f"not needed any more{answer}",
            DeliveryState.DEAD: f"GIVEN UP {ended} after {tried}{answer}",
        }
        return words[posted.state]


def _is_tried(posted: Posted) -> bool:
    return posted.state in {DeliveryState.PENDING, DeliveryState.AMBIGUOUS}


def _is_held(posted: Posted) -> bool:
    return posted.state is DeliveryState.HELD


def _suppressed_as_data(each: Suppression) -> dict[str, Any]:
    return {
        "key": each.key,
        "kind": each.kind.value,
        "case": each.case,
        "silence": each.silence,
        "silenced_by": each.silenced_by,
        "reason": each.reason,
        "since": each.since.isoformat(),
        "until": each.until.isoformat(),
        "count": each.count,
    }
