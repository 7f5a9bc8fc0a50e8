"""A monitor whose parts are run by hand, on a clock that jumps.

Database, mailer and mail server are real; only the time is not. Six hours of a dead mail server, or a
hundred waits of 15 minutes, pass in seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from bench.faults import source
from bench.faults.offering import Feed
from bench.faults.world import write_config
from monitor import app as house
from monitor.config_file import load_config
from monitor.daemon import App
from monitor.delivery.email import Relay, SmtpMailer
from monitor.domain import DeliveryKind
from monitor.policy.routes.flood import FloodRules
from monitor.store.migrate import migrate

BEGIN = datetime(2026, 3, 10, 9, 15, tzinfo=UTC)
ONE_BY_ONE = FloodRules.model_construct(per_hour=1_000_000_000, bundle_wait_s=(45.0,))
STEP = timedelta(seconds=15)


@dataclass
class Jumping:
    """The clock."""

    now: datetime = BEGIN

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Driven:
    """The monitor, its feed and its clock."""

    app: App
    feed: Feed
    clock: Jumping

    def judge(self, urgent: int) -> None:
        """Offer so many urgent posts, fetch and judge them: their alerts stand in the outbox."""
        for _ in range(urgent):
            self.feed.add("urgent")
        self.app.collector.collect("numbered")
        while self.app.assessor.assess():
            pass

    def look_round(self) -> int:
        """Whatever is due now, once; how many things happened."""
        app = self.app
        done = sum(1 for _ in iter(lambda: app.deliverer.deliver([DeliveryKind.ALERT]), False))
        for step in (app.escalator.escalate, app.bundler.look, app.fallback.look):
            done += bool(step())
        return done + sum(1 for _ in iter(lambda: app.caller.deliver([DeliveryKind.OTHER]), False))

    def until(self, over: Callable[[], bool], *, within: timedelta) -> bool:
        """Let the time jump on by 15 seconds whenever nothing is due, until `over`; False when that takes
        longer than `within`."""
        end = self.clock.now + within
        while not over():
            if self.look_round():
                continue
            if self.clock.now >= end:
                return False
            self.clock.now = min(end, self.clock.now + STEP)
        return True

    def owes(self, *, before: datetime | None = None) -> bool:
        """Whether mail waits in the outbox (that was queued before a moment)."""
        query = sa.text(
            "SELECT count(*) FROM delivery WHERE kind = 'alert' AND created_at < :before "
            "AND state NOT IN ('sent', 'bundled', 'dead')"
        )
        latest = (before or self.clock.now + STEP).strftime("%Y-%m-%d %H:%M:%S.%f")
        with self.app.database.connect() as connection:
            return bool(connection.execute(query, {"before": latest}).scalar_one())


@contextmanager
def driven(
    folder: Path,
    relays: Sequence[Relay],
    *,
    exchange_s: float = 2.0,
    answer_s: float = 0.4,
    more: str = "",
    clock: Callable[[], datetime] | None = None,
    bundles: bool = False,
) -> Iterator[Driven]:
    """A monitor in `folder` that mails by `relays`, each exchange within `exchange_s` seconds and the
    answer to the final dot within `answer_s`; on `clock` instead of the jumping one, where given. Without
    `bundles` every alert is a letter of its own, so that exchanges can be counted."""
    source.register()
    jumping = Jumping()
    with Feed(lambda _: 0) as feed:
        config = write_config(folder, url=feed.url, port=relays[0].port, more=more)
        app = house.build(load_config(config), clock=clock or jumping)
        mailer = SmtpMailer(
            relays, sender="monitor@trust.example", exchange_s=exchange_s, answer_s=answer_s
        )
        flood = app.deliverer.flood if bundles else ONE_BY_ONE
        app = replace(app, deliverer=replace(app.deliverer, mailer=mailer, flood=flood))
        migrate(app.database)
        app.register()
        app.assessor.classifier.warm()
        try:
            yield Driven(app, feed, jumping)
        finally:
            app.database.dispose()
