"""`trust-monitor sources`: how each source stands, and when it was seen in the last seven days."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from monitor.domain import CoverageGap, SourceHealth
from monitor.errors import MonitorError
from monitor.policy.sources import backoff, coverage
from monitor.policy.sources.backoff import Circuit
from monitor.policy.sources.coverage import Cover, Interval
from monitor.policy.sources.rules import PollRules
from monitor.ports import Store

DAYS = timedelta(days=7)
WORDS = {
    Cover.SEEN: "seen",
    Cover.READ_LATER: "closed by back-fill: nothing missed",
    Cover.NOT_SEEN: "not seen yet",
    Cover.LOST: "lost: posts may have been missed",
}
SHOWN = 6  # intervals of one source in the table; --json has all


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One source, ready to be shown. `since` is since when it is covered, or not."""

    health: SourceHealth
    circuit: Circuit
    parts: Sequence[Interval]
    apply_for: str | None

    @property
    def now(self) -> Interval | None:
        return self.parts[-1] if self.parts else None

    @property
    def needs_somebody(self) -> bool:
        return self.health.rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """What `sources` needs of the house. `apply_for` says, by kind, what a platform asks for first."""

    store: Store
    polls: PollRules
    apply_for: Mapping[str, str | None]
    timezone: ZoneInfo

    def standings(self, *, now: datetime) -> tuple[Standing, ...]:
        """Every source that the monitor has been started with, by id."""
        with self.store.read() as rows:
            sources = rows.sources.health()
            gaps = rows.sources.gaps(since=now - DAYS, until=now)
        return tuple(self._standing(source, gaps, now) for source in sources)

    def _standing(
        self, source: SourceHealth, gaps: Sequence[CoverageGap], now: datetime
    ) -> Standing:
        return Standing(
            health=source,
            circuit=backoff.circuit(source.failures, source.next_poll_at, self.polls, now=now),
            parts=coverage.intervals(source, gaps, since=now - DAYS, until=now),
            apply_for=self.apply_for.get(source.kind) if source.rejected else None,
        )

    def again(self, source: str) -> None:
        """Let a source that waits be polled at its next turn: somebody has changed what was missing.
        Raises MonitorError for a source that is not there."""
        with self.store.begin() as rows:
            if not rows.sources.again(source):
                known = ", ".join(each.source for each in rows.sources.health()) or "none"
                raise MonitorError(f"--again {source}: no such source. There is: {known}.")

    def show(self, console: Console, *, as_json: bool, now: datetime) -> None:
        """Print the table, or one JSON document."""
        standings = self.standings(now=now)
        if as_json:
            text = json.dumps([_json(each) for each in standings], indent=2, ensure_ascii=False)
            console.print(text, markup=False, highlight=False, soft_wrap=True)
            return
        if not standings:
            console.print("No source yet: the monitor has not been started with this database.")
            return
        table = Table(show_lines=True, title=f"sources, last {DAYS.days} days")
        for column in ("source", "stands", "last 7 days"):
            table.add_column(column, overflow="fold")
        for each in standings:
            table.add_row(
                f"{escape(each.health.source)}\n({escape(each.health.kind)})",
                escape("\n".join(self._stands(each))),
                escape("\n".join(self._week(each))),
            )
        console.print(table)

    def _stands(self, each: Standing) -> list[str]:
        health, part = each.health, each.now
        if part is None:
            lines = ["has just been added"]
        elif part.covered:
            lines = [f"covered since {self._at(_covered_since(each.parts))}"]
        else:
            lines = [f"NOT SEEN since {self._at(part.since)}", f"why: {part.reason}"]
        if health.last_error and (part is None or part.covered):
            lines.append(f"the last poll failed: {health.last_error}")
        if each.circuit is not Circuit.CLOSED or health.failures:
            lines.append(f"circuit {each.circuit.value}, {health.failures} failures in a row")
        if each.needs_somebody:
            again = f"trust-monitor sources --again {health.source}"
            lines.append(f"A PERSON MUST CHANGE SOMETHING, and then run: {again}")
        if each.apply_for:
            lines.append(each.apply_for)
        if health.next_poll_at:
            lines.append(f"next poll: {self._at(health.next_poll_at)}")
        if health.note:
            lines.append(health.note)
        return lines

    def _week(self, each: Standing) -> list[str]:
        part = coverage.share(each.parts)
        if part is None:
            return ["nothing yet"]
        gaps = [one for one in each.parts if one.cover is not Cover.SEEN][::-1]
        lines = [f"{_percent(part)} covered"]
        lines += [f"{self._span(gap)}: {gap.reason} ({WORDS[gap.cover]})" for gap in gaps[:SHOWN]]
        more = len(gaps) - SHOWN
        return [*lines, f"and {more} more: --json has all"] if more > 0 else lines

    def _span(self, part: Interval) -> str:
        since, until = (each.astimezone(self.timezone) for each in (part.since, part.until))
        end = f"{until:%H:%M}" if since.date() == until.date() else self._at(until)
        return f"{self._at(since)} to {end}"

    def _at(self, moment: datetime) -> str:
        local = moment.astimezone(self.timezone)
        return f"{local:%a} {local.day} {local:%b %H:%M}"


def _covered_since(parts: Sequence[Interval]) -> datetime:
    """Where the covered stretch that reaches to now begins."""
    since = parts[-1].since
    for part in reversed(parts):
        if not part.covered:
            break
        since = part.since
    return since


def _percent(part: float) -> str:
    """Never "100 %" for what is not whole."""
    return "100 %" if part >= 1 else f"{min(part, 0.999):.1%}".replace("%", " %")


def _json(each: Standing) -> dict[str, Any]:
    health, part = each.health, coverage.share(each.parts)
    return {
        "source": health.source,
        "kind": health.kind,
        "interval_s": health.interval_s,
        "covered": each.now.covered if each.now else None,
        "since": _iso(_covered_since(each.parts) if each.now and each.now.covered else None)
        or _iso(each.now.since if each.now else None),
        "why": each.now.reason if each.now and not each.now.covered else None,
        "circuit": each.circuit.value,
        "failures": health.failures,
        "needs_somebody": each.needs_somebody,
        "apply_for": each.apply_for,
        "last_success_at": _iso(health.last_success_at),
        "last_error": health.last_error,
        "next_poll_at": _iso(health.next_poll_at),
        "note": health.note,
        "share_7_days": None if part is None else round(part, 6),
        "intervals": [
            {
                "since": _iso(one.since),
                "until": _iso(one.until),
                "cover": one.cover.name.lower(),
                "reason": one.reason,
            }
            for one in each.parts
        ],
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
