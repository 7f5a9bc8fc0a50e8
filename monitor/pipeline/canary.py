"""The canary: once an hour a made-up urgent post flies the whole way, and its mail must arrive.

    step()   feed --HTTP--> fetch -> match                       -> COMMIT* {mention}
    assess() claim* -> classify -> urgent? (Canary's own ending) -> COMMIT* {mention gone, outbox}
    deliver  claim* -> send*                                     -> COMMIT* {mark}
    step()   is its mail accepted? then it has passed

It goes where a real post goes: our own feed connector over HTTP, the mention table, the same claim,
the same batch, the same model, the outbox and the same relay. Why it can touch nothing else:

- What marks it is its source, ":canary". The configuration takes no id with a colon, and the source of
  a post is written by us and never read from a feed: nobody can pass a post off as the canary (and so
  keep it from being alerted), and no post of ours can be taken for a real one.
- It ends in `settle`, before anything is decided. There its row is deleted, in the commit that would
  have stored its verdict. Digest, figures, campaigns, retention and reports read assessed mentions,
  concerns and the tally: it never becomes the first, opens none of the second, and adds to the third
  nowhere. Whatever is added to the house later can't see a row that isn't there.
- Its mail has a kind of its own: flood control, the other channels, escalation and "could not be
  delivered" look at alerts. It goes to the one address of [canary], which may be nobody's of [[people]]
  (the configuration is refused), and says in its subject that nothing is to be done.
- Its feed is served on loopback, and what comes back must be the very post that was let fly.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from html import escape

import structlog

from classifiers.verdict import Severity
from connectors.errors import SourceError
from connectors.post import Connector, Post
from monitor.domain import DeliveryKind, DeliveryState, Mention, Triage
from monitor.domain.health import CANARY, CanaryStanding
from monitor.pipeline.meter import Meter, Unmetered
from monitor.policy.health import CanaryRules
from monitor.ports import CanaryRow, Letters, Matcher, NewDelivery, Store, Transaction

log = structlog.get_logger("monitor.pipeline")

SCHOOL = "Brackwater Fold Academy"  # made up, and on the canary's own watchlist only
# As plain a threat as can be: a model that does not find it urgent must not be relied on.
THREAT = f"I will bring a gun into {SCHOOL} tomorrow and shoot everybody there."
LINK = "https://canary.example/"
KEEP_MAIL = timedelta(days=7)


@dataclass(slots=True)
class _Flight:
    key: str
    since: float


@dataclass(slots=True, kw_only=True)
class Canary:
    """`connector` reads the feed that `feed` is served as; `matcher` knows the canary's school alone.
    `monotonic` is in seconds; `ready` says whether the model is loaded; `wake` is called with the name
    of the loop that has work."""

    store: Store
    connector: Connector
    matcher: Matcher
    rules: CanaryRules
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    ready: Callable[[], bool]
    wake: Callable[[str], None]
    meter: Meter = field(default_factory=Unmetered)
    _flight: _Flight | None = None
    _next_at: float | None = None
    _standing: CanaryStanding | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def feed(self) -> str:
        """The feed that the canary is read from: one post while one flies, else none."""
        flight = self._flight
        item = ""
        if flight:
            item = (
                f'<item><guid isPermaLink="false">{flight.key}</guid><link>{LINK}{flight.key}</link>'
                f"<description>{escape(THREAT)}</description></item>"
            )
        return f'<rss version="2.0"><channel><title>Canary</title>{item}</channel></rss>'

    def ask(self) -> None:
        """Let one fly now: something was mended, and the outside waits to hear it."""
        with self._lock:
            self._next_at = self.monotonic()
        self.wake("canary")

    def standing(self) -> CanaryStanding:
        """How it fares. Known from the last pass in the database until one has flown."""
        return self._standing or CanaryStanding()

    def step(self) -> bool:
        """Let one fly when it is time, or look where it is. False always: the engine calls again."""
        if self._standing is None:
            with self.store.read() as rows:
                self._standing = CanaryStanding(passed_at=rows.canaries.last_passed())
        if self._flight is not None:
            self._look(self._flight)
        elif self.ready() and (self._next_at is None or self.monotonic() >= self._next_at):
            self._fly()
        return False

    def _fly(self) -> None:
        flight = _Flight(f"canary:{secrets.token_hex(8)}", self.monotonic())
        self._flight = flight
        with self._lock:
            self._next_at = None
        try:
            problem = self._release(flight.key)
        except BaseException:  # the engine names it; this flight is over
            self._failed("it could not be stored")
            raise
        if problem:
            self._failed(problem)
        else:
            self.wake("assess")

    def _release(self, key: str) -> str | None:
        """Fetch, match, store. What went wrong, in words, or None."""
        now = self.clock()
        with self.store.begin() as rows:
            rows.canaries.forget(mail_before=now - KEEP_MAIL)
        try:
            post = self._fetch(key, now)
        except SourceError as error:
            return f"its feed could not be read ({error})"
        if post is None:
            return "its feed does not hold it; another program may serve the [health] port"
        matches = self.matcher.match(post)
        if not matches:
            return "it was not matched"
        with self.store.begin() as rows:
            rows.mentions.record(
                CANARY, [(replace(post, platform=CANARY, native_id=key), matches)], now=now
            )
        return None

    def _fetch(self, key: str, now: datetime) -> Post | None:
        for batch in self.connector.poll({}, now=now):
            for post in batch.posts:
                if post.url == LINK + key and post.text == THREAT:
                    return post
        return None

    def _look(self, flight: _Flight) -> None:
        with self.store.read() as rows:
            row = rows.canaries.standing(flight.key)
        took = self.monotonic() - flight.since
        if row.mail is DeliveryState.SENT:
            self._arrived(took)
        elif row.mail is None and not row.unread:
            self._failed("the classifier did not find it urgent")
        elif row.mail is DeliveryState.DEAD or took > self.rules.patience_s:
            self._failed(_where(row))

    def _arrived(self, took_s: float) -> None:
        self._standing = CanaryStanding(passed_at=self.clock(), took_s=took_s)
        self._flight = None
        with self._lock:
            self._next_at = self._next_at or self.monotonic() + self.rules.every_s
        self.meter.canary(took_s)
        log.info("canary_passed", seconds=round(took_s, 1))
        self.wake("heartbeat")

    def _failed(self, why: str) -> None:
        before = self.standing()
        self._standing = CanaryStanding(passed_at=before.passed_at, failure=why)
        self._flight = None
        with self._lock:
            self._next_at = self.monotonic() + self.rules.again_s
        log.error("canary_failed", reason=why)


def settle(
    rows: Transaction,
    mention: Mention,
    triage: Triage,
    *,
    letters: Letters,
    channel: str,
    to: str | None,
    now: datetime,
) -> None:
    """Where the canary's post ends: its row goes, and its mail is queued if it was judged urgent.
    `to` is None when no canary is configured (any more)."""
    rows.canaries.remove(mention.id)
    key = mention.post.native_id
    if to is None or triage.severity is not Severity.URGENT:
        return
    rows.outbox.enqueue(
        [
            NewDelivery(
                key=key,
                kind=DeliveryKind.CANARY,
                concern=None,
                recipient=to,
                channel=channel,
                message=letters.canary(to, key=key, now=now),
            )
        ],
        now=now,
    )


def _where(row: CanaryRow) -> str:
    if row.mail is None:
        return "it was stored, and not assessed in time"
    if row.detail:
        return f"the mail server did not take it ({row.detail})"
    return "its mail was queued, and not offered to the mail server in time"
