"""Collecting: one source is polled to its end, and what is about us is stored with the cursor."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from connectors.errors import SourceError, SourceRejected, SourceUnavailable
from connectors.pages import Pages
from connectors.post import Batch, Connector
from monitor.domain import SourceHealth
from monitor.errors import StorageFault
from monitor.pipeline.hosts import Hosts
from monitor.pipeline.meter import Meter, Unmetered
from monitor.policy.sources import backoff
from monitor.policy.sources.rules import SourceRules
from monitor.ports import Matcher, Store

log = structlog.get_logger("monitor.pipeline")


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """A configured source with its connector. `every_s`: seconds between polls; `hosts`: whom it
    asks. Whoever asks its connector anything holds `busy`: a connector knows one thread at a time.
    `fingerprint` is that of its settings: a poll begun under others may not move the cursor.
    `pages` asks for its posts' own pages, where that is the only way to see that one was deleted."""

    id: str
    every_s: float
    connector: Connector
    fingerprint: str | None = None
    hosts: tuple[str, ...] = ()
    pages: Pages | None = None
    busy: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """Polls sources. `clock` returns an aware time in UTC; `wake` is called with "assess" after a
    commit that left work for that handler; `go_on` is False once the program is to end, or another
    configuration has taken over."""

    store: Store
    sources: Mapping[str, Polled]
    matcher: Matcher
    rules: SourceRules
    hosts: Hosts
    clock: Callable[[], datetime]
    wake: Callable[[str], None]
    go_on: Callable[[], bool] = lambda: True
    meter: Meter = field(default_factory=Unmetered)

    def collect(self, source: str) -> None:
        """Poll one source to its end. Failures are the source's own: they are stored, not raised.
        Raises StorageFault: then the cursor stays, and the next poll brings the same again."""
        polled = self.sources[source]
        with self.store.read() as rows:
            before = next((each for each in rows.sources.health() if each.source == source), None)
        if before is None:
            return  # taken out of the configuration a moment ago
        if not backoff.may_poll(before.failures, before.next_poll_at, now=self.clock()):
            return
        with polled.busy, self.hosts.visit(polled.hosts) as welcome:
            if welcome:
                self._poll(polled, before)
            else:
                log.warning("host_busy", source=source)

    def _poll(self, polled: Polled, before: SourceHealth) -> None:
        note: str | None = None
        try:
            with self.store.read() as rows:
                cursor = rows.sources.cursor(polled.id)
            for batch in polled.connector.poll(cursor, now=self.clock()):
                if not self.go_on():
                    return  # uncommitted: whoever polls next reads it again
                self._take(polled, batch, before.last_success_at)
                note = batch.note or note
        except StorageFault:
            raise  # not the source's fault
        except SourceError as error:
            self._failed(polled, before.failures + 1, error)
        except Exception as error:  # a connector's surprise must not stop the others, nor be hidden
            log.exception("connector_failed", source=polled.id)
            surprise = SourceUnavailable(f"unexpected {type(error).__name__}")
            self._failed(polled, before.failures + 1, surprise)
        else:
            now = self.clock()
            due = backoff.next_poll(now, polled.every_s, 0, self.rules.polls)
            with self.store.begin() as rows:
                rows.sources.succeeded(polled.id, now=now, next_poll_at=due, note=note)
            self.meter.polled(polled.id, "ok")

    def _take(self, polled: Polled, batch: Batch, seen_until: datetime | None) -> None:
        """One batch, one commit: posts, deletions, cursor, and what the source could not show."""
        arrived = time.monotonic()
        found = self.matcher.match_many(batch.posts)
        hits = [hit for hit in zip(batch.posts, found, strict=True) if hit[1]]
        now = self.clock()
        platform = polled.connector.platform
        with self.store.begin() as rows:
            new = rows.mentions.record(polled.id, hits, now=now)
            erased = rows.deletions.gone(platform, batch.deleted, batch.gone, now=now)
            rows.sources.advance(polled.id, batch.cursor, fingerprint=polled.fingerprint)
            if batch.backfilled:
                rows.sources.made_up_for(polled.id)
            if batch.gap:
                since = seen_until or now
                rows.sources.record_gap(polled.id, since=since, until=now, reason=batch.gap)
        log.info(
            "collected",
            source=polled.id,
            posts=len(batch.posts),
            matched=len(hits),
            new=new,
            erased=erased,
            skipped=batch.skipped,
            gap=batch.gap,
        )
        if new:
            self.meter.stored(time.monotonic() - arrived)
            self.wake("assess")

    def _failed(self, polled: Polled, failures: int, error: SourceError) -> None:
        now = self.clock()
        rejected = isinstance(error, SourceRejected)
        due = backoff.next_poll(
            now,
            polled.every_s,
            failures,
            self.rules.polls,
            retry_after_s=error.retry_after if isinstance(error, SourceUnavailable) else None,
            rejected=rejected,
            jitter=random.random(),
        )
        with self.store.begin() as rows:
            rows.sources.failed(
                polled.id, now=now, error=str(error), next_poll_at=due, rejected=rejected
            )
        self.meter.polled(polled.id, "rejected" if rejected else "unavailable")
        log.warning("not_collected", source=polled.id, failures=failures, reason=str(error))
