"""`trust-monitor silences ...`: asked for, shown, and ended before their time."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rich.markup import escape
from rich.table import Table

from monitor.commands.concerns import Office
from monitor.domain import AlertSilence, Role, SilenceScope
from monitor.errors import MonitorError
from monitor.policy.routes import silences

_SPAN = re.compile(r"(\d{1,4})\s*([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
NEVER_SILENCED = "Still alerted at once: a child at risk, a named child, a threat."


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The command's words as typed."""

    scope: str
    target: str
    who: str
    why: str
    until: str


def add(office: Office, asked: Asked, *, as_json: bool) -> None:
    """Store the silence and say until when it stands. Raises MonitorError with the rule that is
    against it."""
    if asked.scope not in set(SilenceScope):
        raise MonitorError(f"{asked.scope}: write one of {', '.join(SilenceScope)}.")
    scope, person, now = SilenceScope(asked.scope), office.person(asked.who), office.now
    until = _until(asked.until, office)
    with office.store.begin() as rows:
        refused = silences.refusal(
            scope,
            asked.target,
            who=person,
            reason=asked.why,
            until=until,
            concern=(
                rows.concerns.by_reference(asked.target) if scope is SilenceScope.CONCERN else None
            ),
            sources=[source.id for source in office.config.sources],
            organisations=[o.id for o in office.book.watchlist.organisations],
            people=office.book.people,
            rules=silences.packaged_rules(),
            now=now,
        )
        if refused:
            raise MonitorError(f"{asked.scope} {asked.target}: {refused}.")
        made = rows.silences.add(
            scope, asked.target, owner=person.id, reason=asked.why.strip(), until=until, now=now
        )
    if as_json:
        _print(office, _as_data(made, held=0, now=now))
        return
    office.console.print(
        f"Silence {made.id}: alerts about {scope.value} {made.target} wait for the digest until "
        f"{office.time(made.until)}. {NEVER_SILENCED}",
        markup=False,
        highlight=False,
    )


def show(office: Office, *, everything: bool, as_json: bool) -> None:
    """Print the silences that stand, or all there ever were; newest first."""
    now = office.now
    with office.store.read() as rows:
        found = [each for each in rows.silences.listed() if everything or each.stands(now)]
        counted = Counter[int]()
        for row in rows.suppressions.listed():
            counted[row.silence or 0] += row.count
    if as_json:
        _print(office, [_as_data(each, held=counted[each.id], now=now) for each in found])
        return
    if not found:
        office.console.print("Nothing is silenced." if not everything else "There was no silence.")
        return
    table = Table(title="silences")
    for column in ("no.", "about", "until", "asked for by", "why", "held back"):
        table.add_column(column, overflow="fold")
    for each in found:
        table.add_row(
            str(each.id),
            escape(f"{each.scope.value} {each.target}"),
            escape(_end(each, office)),
            escape(each.owner),
            escape(each.reason),
            str(counted[each.id]),
        )
    office.console.print(table)


def end(office: Office, number: int, *, who: str) -> None:
    """End a silence. Raises MonitorError when none of that number stands, or it is not theirs to."""
    person = office.person(who)
    if Role.SLT not in person.roles:
        raise MonitorError(f"--who {who}: {silences.NOT_YOURS}.")
    with office.store.begin() as rows:
        if not rows.silences.end(number, who=person.id, now=office.now):
            raise MonitorError(f"No silence {number} stands. See: trust-monitor silences list")
    office.console.print(f"Silence {number} is over: what comes next is alerted.")


def _until(given: str, office: Office) -> datetime:
    span = _SPAN.fullmatch(given.strip())
    if span:
        return office.now + timedelta(**{_UNITS[span[2]]: int(span[1])})
    try:
        moment = datetime.fromisoformat(given)
    except ValueError as error:
        raise MonitorError(
            f'--until {given}: write day and time, such as "2026-03-10 17:00", or "4h", "30m", "2d".'
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=office.config.timezone)


def _end(each: AlertSilence, office: Office) -> str:
    if each.ended_at:
        return f"ended {office.time(each.ended_at)} by {each.ended_by}"
    return office.time(each.until)


def _as_data(each: AlertSilence, *, held: int, now: datetime) -> dict[str, Any]:
    return {
        "id": each.id,
        "scope": each.scope.value,
        "target": each.target,
        "owner": each.owner,
        "reason": each.reason,
        "since": each.since.isoformat(),
        "until": each.until.isoformat(),
        "ended_at": each.ended_at.isoformat() if each.ended_at else None,
        "ended_by": each.ended_by,
        "stands": each.stands(now),
        "held_back": held,
    }


def _print(office: Office, data: object) -> None:
    text = json.dumps(data, indent=2, ensure_ascii=False)
    office.console.print(text, markup=False, highlight=False, soft_wrap=True)
