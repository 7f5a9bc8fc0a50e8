"""`trust-monitor report`: a week's or a term's figures, as a page and as a PDF."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from monitor.delivery.report import to_html, to_pdf
from monitor.domain import ConcernState
from monitor.errors import MonitorError
from monitor.policy import report
from monitor.policy.matching.organisations import Watchlist
from monitor.ports import Store

LONGEST = timedelta(days=370)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What a report is about: local days, both included."""

    title: str
    first: date
    last: date


def week_before(day: date) -> Period:
    """The last whole week, Monday to Sunday, before the local `day`."""
    last = day - timedelta(days=day.isoweekday())
    return Period(title="Weekly report", first=last - timedelta(days=6), last=last)


def term(name: str, first: date, last: date) -> Period:
    """A term, by its name. Raises MonitorError for days in the wrong order or over a year apart."""
    if last < first:
        raise MonitorError("--from is later than --until: swap the two days.")
    if last - first > LONGEST:
        raise MonitorError("--from and --until are more than a year apart: report term by term.")
    return Period(title=f"{name} report", first=first, last=last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """Makes reports from the store."""

    store: Store
    watchlist: Watchlist
    timezone: ZoneInfo

    def compose(self, period: Period, *, now: datetime) -> report.Report:
        """The report on `period`. A day that is not over is reported as far as it has gone."""
        since, until = self._starts(period.first), self._starts(period.last + timedelta(days=1))
        length = period.last - period.first + timedelta(days=1)
        before = (period.first - length, period.first - timedelta(days=1))
        with self.store.read() as rows:
            return report.compose(
                title=period.title,
                since=since,
                until=min(until, now),
                days=(period.first, period.last),
                now=now,
                organisations={o.id: o.name for o in self.watchlist.organisations},
                counts=rows.tally.between(period.first, period.last),
                counts_before=rows.tally.between(*before),
                concerns=rows.concerns.listed(states=list(ConcernState)),
                gaps=rows.sources.gaps(since=since, until=min(until, now)),
                sources=rows.sources.health(),
            )

    def write(self, period: Period, folder: Path, *, pdf: bool, now: datetime) -> tuple[Path, ...]:
        """Write the report into `folder` as HTML, and as PDF if asked; return the files' paths.

        Raises MonitorError when the folder can't be written, or PDF can't be made here: the page is
        there all the same.
        """
        if self._starts(period.first) > now:
            raise MonitorError(f"{period.first} is not here yet: there is nothing to report on.")
        made_on = now.astimezone(self.timezone).date()
        html = to_html(
            self.compose(period, now=now), trust=self.watchlist.trust.name, made_on=made_on
        )
        stem = f"report-{period.first}-to-{period.last}"
        page = folder / f"{stem}.html"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            page.write_text(html, encoding="utf-8")
            if not pdf:
                return (page,)
            printed = folder / f"{stem}.pdf"
            printed.write_bytes(to_pdf(html))
        except OSError as error:
            raise MonitorError(
                f"{folder}: {error.strerror or error}. Name another --out."
            ) from error
        return page, printed

    def _starts(self, day: date) -> datetime:
        return datetime.combine(day, time(), tzinfo=self.timezone)
