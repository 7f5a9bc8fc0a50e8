"""What has its hour: the daily digest, and forgetting what may be kept no longer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog

from monitor.domain import DeliveryKind
from monitor.policy import digest, retention, schedule
from monitor.policy.assessment import Rulebook
from monitor.policy.retention import RetentionRules
from monitor.policy.routes import readers
from monitor.ports import Letters, NewDelivery, Store

log = structlog.get_logger("monitor.pipeline")

DAY = timedelta(days=1)
KEEP_PARKED = timedelta(days=30)  # a post that nobody could judge, and every digest has named
KEEP_MESSAGES = timedelta(hours=12)  # after the end: they quote posts that may be deleted since


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The day's work. `digest_at` is local in `timezone`; `channel` is the one that digests go out
    by; `wake` is called with "deliver" when a digest was queued."""

    store: Store
    book: Rulebook
    retention: RetentionRules
    letters: Letters
    channel: str
    digest_at: time
    timezone: ZoneInfo
    clock: Callable[[], datetime]
    wake: Callable[[str], None]

    def begin(self) -> None:
        """On the very first start, let the first digest begin now and be due at its next hour."""
        now = self.clock()
        with self.store.begin() as rows:
            if rows.digests.last_until() is None:
                today = now.astimezone(self.timezone).date()
                due = schedule.day_due(now, self.digest_at, self.timezone)
                rows.digests.record(due or today - timedelta(days=1), since=now, until=now)

    def digest(self) -> bool:
        """Queue today's digest if its hour has come and it is not queued yet. Safe to call often."""
        now = self.clock()
        with self.store.read() as rows:
            day = schedule.day_due(now, self.digest_at, self.timezone)
            if day is None or rows.digests.exists(day):
                return False
        with self.store.begin() as rows:
            since = rows.digests.last_until() or now - timedelta(days=1)
            if not rows.digests.record(day, since=since, until=now):
                return False
            composed = digest.compose(
                day=day,
                since=since,
                until=now,
                now=now,
                concerns=rows.concerns.current(since=since),
                routine=rows.mentions.routine(since=since, until=now),
                sources=rows.sources.health(),
                gaps=rows.sources.gaps(since=since, until=now),
                undelivered=rows.outbox.undelivered(since=since, now=now),
                parked=rows.mentions.parked(),
                organisations=[o.id for o in self.book.watchlist.organisations],
                this_week=rows.tally.between(day - 7 * DAY, day - DAY),
                last_week=rows.tally.between(day - 14 * DAY, day - 8 * DAY),
            )
            key = f"digest:{day.isoformat()}"
            queued = rows.outbox.enqueue(
                [
                    NewDelivery(
                        key=key,
                        kind=DeliveryKind.DIGEST,
                        concern=None,
                        recipient=person.email,
                        channel=self.channel,
                        message=self.letters.digest(
                            readers.as_read_by(composed, person, self.book.people),
                            person,
                            key=key,
                            now=now,
                        ),
                    )
                    for person in readers.digest_readers(self.book.people, day)
                ],
                now=now,
            )
        log.info("digest_queued", day=day.isoformat(), recipients=queued)
        self.wake("deliver")
        return True

    def tidy(self) -> None:
        """Erase what may be kept no longer: texts by the retention rules, the bytes of ended mail."""
        now = self.clock()
        with self.store.begin() as rows:
            expired = [
                item.mention
                for item in rows.mentions.settled()
                if retention.expired(item, self.retention, now=now)
            ]
            expired += [
                each.mention for each in rows.mentions.parked() if each.seen_at < now - KEEP_PARKED
            ]
            erased = rows.mentions.erase_ids(expired, now=now)
            forgotten = rows.outbox.forget(before=now - KEEP_MESSAGES)
        log.info("tidied", erased=erased, messages_emptied=forgotten)
