"""Assessing: mentions are claimed, classified, decided about, and settled in one commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from classifiers.verdict import Classifier, Verdict
from monitor.domain import Candidate, Concern, ConcernState, DeliveryKind
from monitor.policy import assessment, identity
from monitor.policy.alerting import ALERTED
from monitor.policy.assessment import Decision, Rulebook
from monitor.ports import Claimed, Letters, NewDelivery, Store, Transaction

log = structlog.get_logger("monitor.pipeline")

BATCH = 64  # posts classified together and committed together
LEASE_S = 300.0
POISON_CLAIMS = 5  # a post that killed the process this often is left to a person, unread


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessor:
    """Turns mentions into verdicts, concerns and queued alerts. `channel` is the one that alerts go
    out by; `wake` is called with "deliver" after a commit that left mail to send."""

    store: Store
    classifier: Classifier
    book: Rulebook
    letters: Letters
    channel: str
    owner: str
    clock: Callable[[], datetime]
    wake: Callable[[str], None]

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
        if before and before.state is ConcernState.CLOSED:
            before = None  # nobody looks there any more: what follows a closed concern is a new one
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
                    channel=self.channel,
                    message=self.letters.alert(concern, notice, key=key, now=now),
                )
                for notice in decision.notices
            ],
            now=now,
        )
