"""Assessing: mentions are claimed, classified, decided about, and settled in one commit."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from classifiers.verdict import Classifier, Severity, Verdict
from monitor.domain import (
    Candidate,
    Closing,
    Concern,
    ConcernState,
    Mention,
    Triage,
)
from monitor.domain.health import CANARY
from monitor.errors import StorageFault
from monitor.pipeline.alerts import count_grouped, hold_back, queue_alerts
from monitor.pipeline.canary import settle
from monitor.pipeline.meter import Meter, Unmetered
from monitor.pipeline.patience import insist
from monitor.policy import assessment, identity
from monitor.policy.assessment import Decision, Rulebook
from monitor.ports import Claimed, Letters, Store, Transaction

log = structlog.get_logger("monitor.pipeline")

BATCH = 64  # posts classified together and committed together
LEASE_S = 300.0
GIVE_BACK_S = 120.0  # for trying to free what a database in trouble kept us from settling
POISON_CLAIMS = 5  # a post that killed the process this often goes to senior leaders, unread
PARK_CLAIMS = 8  # one that can't even be logged unread is put aside, and the digest names it


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessor:
    """Turns mentions into verdicts, concerns and queued alerts. `channel` is the one that alerts go
    out by; `wake` is called with "deliver" after a commit that left mail to send; `canary_to` is where
    the canary's mail goes."""

    store: Store
    classifier: Classifier
    book: Rulebook
    letters: Letters
    channel: str
    owner: str
    clock: Callable[[], datetime]
    wake: Callable[[str], None]
    canary_to: str | None = None
    meter: Meter = field(default_factory=Unmetered)

    def assess(self) -> bool:
        """Assess one batch of mentions; False when there was none."""
        # Loading a model may take seconds: nothing is held meanwhile, so that being killed then
        # says nothing against the posts that wait.
        self.classifier.warm()
        with self.store.begin() as rows:
            claimed = rows.mentions.claim(
                owner=self.owner, lease_s=LEASE_S, limit=BATCH, now=self.clock()
            )
        if not claimed:
            return False
        if claimed[0].attempts > PARK_CLAIMS:  # such a one is claimed alone
            self._park(claimed[0])
            return True
        verdicts = self._verdicts(claimed)
        try:
            self._settle(list(zip(claimed, verdicts, strict=True)))
        except StorageFault:
            self._give_back(claimed)
            raise
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
            except StorageFault:
                self._give_back(claimed)
                raise
            except Exception:
                log.exception("mention_failed", mention=item.mention.id, attempts=item.attempts)

    def _give_back(self, claimed: Sequence[Claimed]) -> None:
        """The database failed us: that is no fault of the posts, and counts as no attempt."""

        def commit() -> None:
            with self.store.begin() as rows:
                rows.mentions.give_back([item.mention.id for item in claimed], owner=self.owner)

        with suppress(StorageFault):
            insist(commit, for_s=GIVE_BACK_S)

    def _park(self, item: Claimed) -> None:
        with self.store.begin() as rows:
            rows.mentions.park(item.mention.id, owner=self.owner)
        log.error("mention_parked", mention=item.mention.id, attempts=item.attempts)

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
        started = time.monotonic()
        try:
            verdicts: list[Verdict | None] = list(self.classifier.classify(texts))
        except Exception:
            log.exception("not_classified", mentions=[item.mention.id for item in claimed])
            if len(claimed) == 1:
                return [None]
            return [self._classify([item])[0] for item in claimed]
        if texts:
            self.meter.model(len(texts), time.monotonic() - started)
        return verdicts

    def _settle(self, work: Sequence[tuple[Claimed, Verdict | None]]) -> None:
        now = self.clock()
        events: list[dict[str, object]] = []
        with self.store.begin() as rows:
            candidates = list(
                rows.concerns.candidates(
                    since=now - identity.WINDOW, closed_since=now - identity.TAKEN_UP_WITHIN
                )
            )
            for claimed, verdict in work:
                event = self._settle_one(rows, claimed, verdict, candidates, now)
                if event:
                    events.append(event)
        self._measure(claimed.mention for claimed, _ in work)
        for event in events:
            log.info("assessed", **event)
        if any(event["notices"] for event in events):
            self.wake("deliver")

    def _measure(self, mentions: Iterable[Mention]) -> None:
        now = self.clock()
        for mention in mentions:
            if mention.revision == 1 and mention.source != CANARY:
                self.meter.assessed((now - mention.first_seen_at).total_seconds())

    def _settle_one(
        self,
        rows: Transaction,
        claimed: Claimed,
        verdict: Verdict | None,
        candidates: list[Candidate],
        now: datetime,
    ) -> dict[str, object] | None:
        mention = claimed.mention
        deadly = claimed.attempts > POISON_CLAIMS
        judged = assessment.judge(verdict, self.book.triage, deadly=deadly)
        triage = assessment.heeded(mention, judged)
        model = f"{verdict.model} {verdict.version}" if verdict else "none"
        if mention.source == CANARY:  # it ends here, before anything is decided: see canary.py
            settle(
                rows,
                mention,
                triage,
                letters=self.letters,
                channel=self.channel,
                to=self.canary_to,
                now=now,
            )
            return None
        if not rows.mentions.assessed(claimed, triage, model=model, now=now):
            return None  # edited or erased meanwhile: the newer wording has its own turn
        before = self._before(rows, claimed, triage, candidates, now)
        silenced = rows.silences.standing(now=now)
        decision = assessment.decide(mention, triage, before, self.book, now=now, silenced=silenced)
        concern = self._log(rows, before, decision, now)
        if concern is not None:
            rows.mentions.belongs_to(mention.id, concern.id)
            candidates.append(assessment.as_candidate(concern.id, mention, now=now))
        if concern is not None and decision.notices:
            queue_alerts(
                rows,
                concern.id,
                decision.notices,
                why=decision.because,
                letters=self.letters,
                channel=self.channel,
                now=now,
            )
        if before is not None and decision.grouped:
            count_grouped(rows, before, why=decision.because, now=now)
        if concern is not None and decision.silenced:
            hold_back(rows, concern, decision.silenced, why=decision.because, now=now)
        self._count(rows, claimed, decision, now)
        return {
            "mention": mention.id,
            "organisations": list(mention.organisations),
            "severity": triage.severity.value,
            "labels": sorted(label.value for label in triage.labels),
            "concern": concern.reference if concern else None,
            "notices": len(decision.notices),
            "because": decision.because,
        }

    def _before(
        self,
        rows: Transaction,
        claimed: Claimed,
        triage: Triage,
        candidates: Sequence[Candidate],
        now: datetime,
    ) -> Concern | None:
        """The concern that the mention joins, as it stands; a merged one's heir. One that ended is
        taken up again by what needs somebody, unless it was a false alarm: that proves nothing of
        what follows."""
        joins = claimed.concern
        if joins is None:
            joins = assessment.incident(claimed.mention, triage, candidates, now=now)
        before = rows.concerns.standing(joins) if joins is not None else None
        while before and before.merged_into:
            heir = rows.concerns.by_reference(before.merged_into)
            before = rows.concerns.standing(heir.id) if heir else None
        if before is None or before.state is not ConcernState.CLOSED:
            return before
        over = before.closing is Closing.FALSE_ALARM or triage.severity is Severity.ROUTINE
        return None if over else before

    def _log(
        self, rows: Transaction, before: Concern | None, decision: Decision, now: datetime
    ) -> Concern | None:
        if decision.draft is None:
            return None
        if before is None:
            return rows.concerns.open(decision.draft, why=decision.because, now=now)
        if before.state is ConcernState.CLOSED:
            rows.concerns.reopen(before.id, why="its thread went on", now=now)
        rows.concerns.update(before.id, decision.draft, why=decision.because, now=now)
        return before

    def _count(
        self, rows: Transaction, claimed: Claimed, decision: Decision, now: datetime
    ) -> None:
        """Count each post once. Those with the safeguarding lead are not counted by school: with
        few posts a figure would tell which school it was."""
        confidential = decision.draft is not None and decision.draft.confidential
        if claimed.mention.revision == 1 and not confidential:
            day = now.astimezone(self.book.calendar.tz).date()
            rows.tally.add(day, claimed.mention.organisations, decision.triage.sentiment)
