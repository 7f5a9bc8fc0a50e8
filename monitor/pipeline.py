"""The way a post takes: handlers, each of which claims its rows, does one thing and commits.

    collect(source)  poll* -> match                        -> COMMIT* {mentions, cursor}
    assess()         claim* -> classify -> decide          -> COMMIT* {verdicts, concerns, outbox}
    deliver(kinds)   claim* -> send*                       -> COMMIT* {mark}
    digest()         gather* -> compose -> words           -> COMMIT* {day, outbox}
    tidy()           what may be kept no longer            -> COMMIT* {erasures}

(* = effect.) No network, model or mail call happens inside a transaction. A crash anywhere leaves
rows that say what is still due, and every handler may be run again. The pipeline decides nothing:
`policy/` does. Logs name sources, ids and outcomes, never what a post says or who wrote it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog

from classifiers.verdict import Classifier, Verdict
from connectors.errors import SourceError, SourceUnavailable
from connectors.post import Connector
from monitor.domain import (
    Candidate,
    Concern,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Outcome,
    Role,
    Sent,
)
from monitor.policy import assessment, backoff, digest, identity, retention, schedule
from monitor.policy.alerting import ALERTED
from monitor.policy.assessment import Decision, Rulebook
from monitor.policy.backoff import GiveUp
from monitor.policy.retention import RetentionRules
from monitor.ports import Claimed, Letters, Mailer, Matcher, NewDelivery, Store, Transaction

log = structlog.get_logger("monitor.pipeline")

ASSESS_BATCH = 64  # posts classified together and committed together
ASSESS_LEASE_S = 300.0
POISON_CLAIMS = 5  # a post that killed the process this often is left to a person, unread
DELIVER_LEASE_S = 900.0  # longer than the longest exchange: 60 s, and 600 s after the final dot
KEEP_MESSAGES = timedelta(hours=12)  # after the end: they quote posts that may be deleted since


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """A configured source with its connector. `every_s`: seconds between polls."""

    id: str
    every_s: float
    connector: Connector


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """The rooms that the handlers walk through. `clock` returns an aware time in UTC; `wake` is
    called with "assess" or "deliver" after a commit that left work for that handler."""

    store: Store
    sources: Mapping[str, Polled]
    matcher: Matcher
    classifier: Classifier
    book: Rulebook
    retention: RetentionRules
    letters: Letters
    mailer: Mailer
    digest_at: time
    timezone: ZoneInfo
    owner: str
    clock: Callable[[], datetime]
    wake: Callable[[str], None]

    # -- collect ------------------------------------------------------------------------------

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

    # -- assess -------------------------------------------------------------------------------

    def assess(self) -> bool:
        """Assess one batch of mentions; False when there was none."""
        # Loading a model may take seconds: nothing is held meanwhile, so that being killed then
        # says nothing against the posts that wait.
        self.classifier.warm()
        with self.store.begin() as rows:
            claimed = rows.mentions.claim(
                owner=self.owner, lease_s=ASSESS_LEASE_S, limit=ASSESS_BATCH, now=self.clock()
            )
        if not claimed:
            return False
        verdicts = self._verdicts(claimed)
        try:
            self._settle(list(zip(claimed, verdicts, strict=True)))
        except Exception:
            if len(claimed) == 1:
                raise
            log.exception("batch_failed", mentions=len(claimed))
            self._settle_singly(claimed, verdicts)
        return True

    def _settle_singly(
        self, claimed: Sequence[Claimed], verdicts: Sequence[Verdict | None]
    ) -> None:
        """One post that can't be settled must not hold back the others of its batch."""
        for item, verdict in zip(claimed, verdicts, strict=True):
            try:
                self._settle([(item, verdict)])
            except Exception:
                log.exception("mention_failed", mention=item.mention.id, attempts=item.attempts)

    def _verdicts(self, claimed: Sequence[Claimed]) -> list[Verdict | None]:
        """A verdict per post; None for one that can't be scored, and for one that keeps killing us."""
        readable = [item for item in claimed if item.attempts <= POISON_CLAIMS]
        found = dict(
            zip((item.mention.id for item in readable), self._classify(readable), strict=True)
        )
        return [found.get(item.mention.id) for item in claimed]

    def _classify(self, claimed: Sequence[Claimed]) -> list[Verdict | None]:
        texts = [
            f"{item.mention.post.title or ''}\n{item.mention.post.text}".strip() for item in claimed
        ]
        try:
            return list(self.classifier.classify(texts))
        except Exception:
            log.exception("not_classified", mentions=[item.mention.id for item in claimed])
            if len(claimed) == 1:
                return [None]
            return [self._classify([item])[0] for item in claimed]

    def _settle(self, work: Sequence[tuple[Claimed, Verdict | None]]) -> None:
        now = self.clock()
        events: list[dict[str, object]] = []
        with self.store.begin() as rows:
            candidates = list(rows.concerns.candidates(since=now - identity.WINDOW))
            for claimed, verdict in work:
                event = self._settle_one(rows, claimed, verdict, candidates, now)
                if event:
                    events.append(event)
        for event in events:
            log.info("assessed", **event)
        if any(event["notices"] for event in events):
            self.wake("deliver")

    def _settle_one(
        self,
        rows: Transaction,
        claimed: Claimed,
        verdict: Verdict | None,
        candidates: list[Candidate],
        now: datetime,
    ) -> dict[str, object] | None:
        mention = claimed.mention
        triage = assessment.judge(verdict, self.book.triage)
        model = f"{verdict.model} {verdict.version}" if verdict else "none"
        if not rows.mentions.assessed(claimed, triage, model=model, now=now):
            return None  # edited or erased meanwhile: the newer wording has its own turn
        joins = claimed.concern
        if joins is None:
            joins = assessment.incident(mention, triage, candidates, now=now)
        before = rows.concerns.standing(joins) if joins is not None else None
        decision = assessment.decide(mention, triage, before, self.book, now=now)
        concern = self._log(rows, before, decision, now)
        if concern is not None:
            rows.mentions.belongs_to(mention.id, concern.id)
            candidates.append(assessment.as_candidate(concern.id, mention, now=now))
            self._queue_alerts(rows, concern.id, decision, now)
        return {
            "mention": mention.id,
            "organisations": list(mention.organisations),
            "severity": triage.severity.value,
            "labels": sorted(label.value for label in triage.labels),
            "concern": concern.reference if concern else None,
            "notices": len(decision.notices),
            "because": decision.because,
        }

    def _log(
        self, rows: Transaction, before: Concern | None, decision: Decision, now: datetime
    ) -> Concern | None:
        if decision.draft is None:
            return None
        if before is None:
            return rows.concerns.open(decision.draft, why=decision.because, now=now)
        rows.concerns.update(before.id, decision.draft, why=decision.because, now=now)
        return before

    def _queue_alerts(
        self, rows: Transaction, concern_id: int, decision: Decision, now: datetime
    ) -> None:
        if not decision.notices:
            return
        number = rows.concerns.alerted(concern_id)
        rows.concerns.note(concern_id, who="monitor", action=ALERTED, why=decision.because, now=now)
        concern = rows.concerns.get(concern_id)
        key = f"alert:{concern.reference}:{number}"
        rows.outbox.enqueue(
            [
                NewDelivery(
                    key=key,
                    kind=DeliveryKind.ALERT,
                    concern=concern_id,
                    recipient=notice.person.email,
                    channel=self.mailer.channel,
                    message=self.letters.alert(concern, notice, key=key, now=now),
                )
                for notice in decision.notices
            ],
            now=now,
        )

    # -- deliver ------------------------------------------------------------------------------

    def deliver(self, kinds: Sequence[DeliveryKind]) -> bool:
        """Offer the delivery that is due longest; False when none is. Sends, then marks: a crash
        between the two repeats the message, and never loses it."""
        with self.store.begin() as rows:
            delivery = rows.outbox.claim(
                kinds, owner=self.owner, lease_s=DELIVER_LEASE_S, now=self.clock()
            )
        if delivery is None:
            return False
        sent = self.mailer.send(delivery.recipient, delivery.message, attempt=delivery.attempts - 1)
        state = self._mark(delivery, sent)
        say = log.info if sent.outcome is Outcome.ACCEPTED else log.warning
        say(
            "delivered" if sent.outcome is Outcome.ACCEPTED else "not_delivered",
            kind=delivery.kind.value,
            key=delivery.key,
            delivery=delivery.id,
            attempt=delivery.attempts,
            outcome=sent.outcome.value,
            state=state.value,
            detail=sent.detail,
            seconds=round((self.clock() - delivery.created_at).total_seconds(), 1),
        )
        return True

    def _mark(self, delivery: Delivery, sent: Sent) -> DeliveryState:
        now = self.clock()
        ambiguous = sent.outcome is Outcome.AMBIGUOUS
        state, due_at, detail = DeliveryState.SENT, now, sent.detail
        if sent.outcome is not Outcome.ACCEPTED:
            step = backoff.next_attempt(
                delivery.kind,
                sent,
                attempts=delivery.attempts,
                ambiguous_attempts=delivery.ambiguous_attempts + int(ambiguous),
                created_at=delivery.created_at,
                now=now,
            )
            detail = step.reason
            if isinstance(step, GiveUp):
                state = DeliveryState.DEAD
            else:
                state, due_at = step.state, step.due_at
        with self.store.begin() as rows:
            rows.outbox.mark(
                delivery, state, detail=detail, due_at=due_at, ambiguous=ambiguous, now=now
            )
        return state

    # -- the day ------------------------------------------------------------------------------

    def begin_days(self) -> None:
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
                undelivered=rows.outbox.undelivered(now=now),
                organisations=[o.id for o in self.book.watchlist.organisations],
            )
            key = f"digest:{day.isoformat()}"
            queued = rows.outbox.enqueue(
                [
                    NewDelivery(
                        key=key,
                        kind=DeliveryKind.DIGEST,
                        concern=None,
                        recipient=person.email,
                        channel=self.mailer.channel,
                        message=self.letters.digest(composed, person, key=key, now=now),
                    )
                    for person in self.book.people
                    if Role.COMMS in person.roles
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
            erased = rows.mentions.erase_ids(expired, now=now)
            forgotten = rows.outbox.forget(before=now - KEEP_MESSAGES)
        log.info("tidied", erased=erased, messages_emptied=forgotten)
