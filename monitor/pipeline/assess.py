"""Assessing: mentions are claimed, classified, decided about, and settled in one commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from classifiers.verdict import Classifier, Severity, Verdict
from monitor.domain import (
    Candidate,
    Closing,
    Concern,
    ConcernState,
    Triage,
)
from monitor.pipeline.alerts import queue_alerts
from monitor.policy import assessment, identity
from monitor.policy.assessment import Decision, Rulebook
from monitor.ports import Claimed, Letters, Store, Transaction

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
            candidates = list(
                rows.concerns.candidates(
                    since=now - identity.WINDOW, closed_since=now - identity.TAKEN_UP_WITHIN
                )
            )
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
        triage = assessment.heeded(mention, assessment.judge(verdict, self.book.triage))
        model = f"{verdict.model} {verdict.version}" if verdict else "none"
        if not rows.mentions.assessed(claimed, triage, model=model, now=now):
            return None  # edited or erased meanwhile: the newer wording has its own turn
        before = self._before(rows, claimed, triage, candidates, now)
        decision = assessment.decide(mention, triage, before, self.book, now=now)
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
