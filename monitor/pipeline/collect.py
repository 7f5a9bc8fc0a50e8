"""Collecting: one source is polled to its end, and what is about us is stored with the cursor."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog

from connectors.errors import SourceError, SourceUnavailable
from connectors.post import Connector
from monitor.policy import backoff
from monitor.ports import Matcher, Store

log = structlog.get_logger("monitor.pipeline")


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """A configured source with its connector. `every_s`: seconds between polls."""

    id: str
    every_s: float
    connector: Connector


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """Polls sources. `clock` returns an aware time in UTC; `wake` is called with "assess" after a
    commit that left work for that handler."""

    store: Store
    sources: Mapping[str, Polled]
    matcher: Matcher
    clock: Callable[[], datetime]
    wake: Callable[[str], None]

    def collect(self, source: str) -> None:
        """Poll one source to its end. Failures are the source's own: they are stored, not raised."""
        polled = self.sources[source]
        with self.store.read() as rows:
            cursor = rows.sources.cursor(source)
            failures, seen_until, not_before = next(
                (health.failures, health.last_success_at, health.next_poll_at)
                for health in rows.sources.health()
                if health.source == source
            )
        if failures and not_before and self.clock() < not_before:
            return  # backing off
        try:
            for batch in polled.connector.poll(cursor, now=self.clock()):
                found = self.matcher.match_many(batch.posts)
                hits = [hit for hit in zip(batch.posts, found, strict=True) if hit[1]]
                now = self.clock()
                with self.store.begin() as rows:
                    new = rows.mentions.record(source, hits, now=now)
                    rows.mentions.erase(polled.connector.platform, batch.deleted, now=now)
                    rows.sources.advance(source, batch.cursor)
                    if batch.gap:
                        since = seen_until or now
                        rows.sources.record_gap(source, since=since, until=now, reason=batch.gap)
                log.info(
                    "collected",
                    source=source,
                    posts=len(batch.posts),
                    matched=len(hits),
                    new=new,
                    skipped=batch.skipped,
                    gap=batch.gap,
                )
                if new:
                    self.wake("assess")
        except SourceError as error:
            self._failed(polled, failures + 1, error)
        except Exception as error:  # a connector's surprise must not stop the others, nor be hidden
            log.exception("connector_failed", source=source)
            self._failed(
                polled, failures + 1, SourceUnavailable(f"unexpected {type(error).__name__}")
            )
        else:
            now = self.clock()
            due = backoff.next_poll(now, polled.every_s, 0, None, 0.0)
            with self.store.begin() as rows:
                rows.sources.succeeded(source, now=now, next_poll_at=due)

    def _failed(self, polled: Polled, failures: int, error: SourceError) -> None:
        now = self.clock()
        retry_after = error.retry_after if isinstance(error, SourceUnavailable) else None
        due = backoff.next_poll(now, polled.every_s, failures, retry_after, random.random())
        with self.store.begin() as rows:
            rows.sources.failed(polled.id, now=now, error=str(error), next_poll_at=due)
        log.warning("not_collected", source=polled.id, failures=failures, reason=str(error))
