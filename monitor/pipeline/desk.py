"""People's moves: one transaction each. The concern is read again under the lock, the move permitted or
refused, and what follows from it stored: state, history, replies, mentions, the ladder's suggestion.

    take* -> check a draft -> permit -> apply -> reconsider -> COMMIT*             (* = effect)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from monitor.domain import (
    ENDED,
    MONITOR,
    Concern,
    ConcernEvent,
    ConcernState,
    Disclosure,
    Notice,
    Person,
    Role,
)
from monitor.errors import MonitorError
from monitor.pipeline.alerts import queue_alerts
from monitor.policy import life
from monitor.policy.assessment import Rulebook, reconsider, routed
from monitor.policy.campaigns.campaign import is_campaign
from monitor.policy.campaigns.case import closed_with
from monitor.policy.drafts.check import Finding
from monitor.policy.life import Change, Move, Refusal
from monitor.policy.life.effects import TEXT, turn
from monitor.policy.life.end_rules import Kind, chosen_mentions
from monitor.policy.life.ground import ground
from monitor.policy.life.joining import judged_together, parted
from monitor.policy.life.reply_rules import is_private
from monitor.policy.life.table import LIVE
from monitor.ports import ConcernDraft, Letters, Store, Transaction

log = structlog.get_logger("monitor.pipeline")

Check = Callable[[str, bool, Concern], tuple[Finding, ...]]
Tell = Callable[[Transaction, Concern, tuple[Notice, ...], str, datetime], None]


class Refused(MonitorError):
    """A move that is not allowed. `refusal` names the rule, why, and the clause; `allowed` are the
    moves that the concern's state knows."""

    def __init__(self, reference: str, move: Move, refusal: Refusal, state: ConcernState) -> None:
        self.reference, self.move, self.refusal = reference, move, refusal
        self.allowed = life.allowed(state)
        super().__init__(
            f"{reference}: {move} is refused by the rule {refusal.rule}. {refusal.why}\n"
            f"Source: {refusal.source}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where people work on concerns. `check` finds what is wrong with a draft (its words, whether it
    is public, the concern); `tell` queues alerts to people who must now hear of a concern at once
    and did not have to before, with the reason."""

    store: Store
    book: Rulebook
    clock: Callable[[], datetime]
    check: Check
    tell: Tell

    def do(
        self,
        reference: str,
        move: Move,
        who: str,
        why: str = "",
        details: Mapping[str, str] | None = None,
    ) -> Concern:
        """Make one move and return the concern after it (for a split, the new one).

        Raises Refused when a rule is against it, MonitorError for an unknown case or person.
        """
        given = dict(details or {})
        person = self._person(who)
        now = self.clock()
        with self.store.begin() as rows:
            concern, other = _take(rows, reference, given.get("into"))
            answer = life.permit(
                move,
                concern,
                person,
                ground(
                    concern,
                    self.book,
                    findings=self._findings(move, concern, given),
                    other=other,
                ),
                details=given,
                why=why,
                now=now,
            )
            if isinstance(answer, Refusal):
                raise Refused(reference, move, answer, concern.state)
            after = self._keep(rows, concern, other, answer, now)
            if move is Move.SPLIT:
                after = self._part(rows, concern, answer, now)
        log.info("moved", concern=after.reference, state=after.state.value, kind=move.value)
        if move is Move.CLOSE and is_campaign(after):
            self._close_folded(after, answer.event)
        return after

    def tick(self) -> None:
        """Write down what has come about by the clock alone: silence, no answer, quiet. Safe to call
        often."""
        now = self.clock()
        with self.store.read() as rows:
            found = rows.concerns.outlines(states=sorted(LIVE))
        due = [
            outline.concern.reference
            for outline in found
            if life.due_facts(outline.concern, self.book.calendar, now)
        ]
        for reference in due:
            self._tick_one(reference, now)

    def _tick_one(self, reference: str, now: datetime) -> None:
        with self.store.begin() as rows:
            before = rows.concerns.take(reference)
            facts = life.due_facts(before, self.book.calendar, now) if before else ()
            if before is None or not facts:
                return  # somebody moved it meanwhile
            events = tuple(
                ConcernEvent(at=now, who=MONITOR, action=fact.value, why=CAME_ABOUT)
                for fact in facts
            )
            state = before.state
            for fact in facts:
                state = turn(replace(before, state=state), fact)
            after = replace(before, state=state, updated_at=now, history=(*before.history, *events))
            rows.concerns.save(self._reconsidered(after, now), *events)
        log.info("came_about", concern=reference, kind=",".join(facts))

    def _close_folded(self, head: Concern, ending: ConcernEvent) -> None:
        """A campaign ends together with the cases folded into it that nobody took up by themselves:
        one statement answered them all. One transaction each, so that no two locks are held."""
        with self.store.read() as rows:
            found = rows.concerns.outlines(states=[ConcernState.OPEN])
        for outline in found:
            if outline.concern.campaign != head.reference:
                continue
            with self.store.begin() as rows:
                folded = rows.concerns.take(outline.concern.reference)
                if folded is not None and folded.state is ConcernState.OPEN:
                    after, event = closed_with(folded, head, ending)
                    rows.concerns.save(after, event)

    def _person(self, who: str) -> Person:
        found = next((person for person in self.book.people if person.id == who), None)
        if found is None:
            known = ", ".join(sorted(person.id for person in self.book.people))
            raise MonitorError(f"--who {who}: nobody has this id. Known: {known}.")
        return found

    def _findings(
        self, move: Move, concern: Concern, details: Mapping[str, str]
    ) -> tuple[Finding, ...]:
        text = details.get(TEXT, "").strip()
        if move not in {Move.DRAFT, Move.EDIT} or not text:
            return ()
        return self.check(text, not is_private(move, concern, details), concern)

    def _keep(
        self,
        rows: Transaction,
        before: Concern,
        other: Concern | None,
        change: Change,
        now: datetime,
    ) -> Concern:
        after = self._reconsidered(change.after, now)
        rows.concerns.save(after, change.event)
        rows.replies.put(after.id, change.replies)
        self._tell_news(
            rows, before, after, now, breach=change.event.details.get("kind") == Kind.BREACH
        )
        if other is not None and change.other is not None and change.other_event is not None:
            taken = self._reconsidered(change.other, now)
            rows.concerns.save(taken, change.other_event)
            for mention in before.mentions:
                rows.mentions.belongs_to(mention.id, taken.id)
            self._tell_news(rows, other, taken, now)
        return after

    def _part(self, rows: Transaction, before: Concern, change: Change, now: datetime) -> Concern:
        """The concern that a split makes: judged by its own posts, as confidential as the old one,
        and in the hands of whoever split it."""
        chosen = chosen_mentions(change.event.details)
        gone = [mention for mention in before.mentions if str(mention.id) in chosen]
        triages = rows.mentions.triages([mention.id for mention in gone])
        new = rows.concerns.open(
            ConcernDraft(
                triage=judged_together(triages) if triages else before.triage,
                organisations=parted(gone) or before.organisations,
                suggestion=before.suggestion,
                confidential=before.confidential,
                ladder=before.ladder,
                own_account=before.own_account,
                author=before.author,
                about_head=before.about_head,
            ),
            why=f"split from {before.reference}",
            now=now,
        )
        event = replace(
            change.event, action=life.SPLIT_FROM, details={"reference": before.reference}
        )
        new = replace(
            new,
            state=ConcernState.ACKNOWLEDGED,
            owner=change.event.who,
            mentions=tuple(gone),
            history=(*new.history, event),
        )
        new = self._reconsidered(new, now)
        rows.concerns.save(new, event)
        for mention in gone:
            rows.mentions.belongs_to(mention.id, new.id)
        return new

    def _reconsidered(self, concern: Concern, now: datetime) -> Concern:
        """With what the ladder suggests now, and confidential for good once a child is concerned."""
        if concern.state in ENDED:
            return concern
        return replace(
            concern,
            suggestion=reconsider(concern, self.book, now=now),
            ladder=self.book.ladder.name,
            confidential=life.matter(concern).child,
        )

    def _tell_news(
        self,
        rows: Transaction,
        before: Concern,
        after: Concern,
        now: datetime,
        *,
        breach: bool = False,
    ) -> None:
        """Alert whoever must hear of the concern at once by what it has become, and the data
        protection officer of a breach of ours: the regulator wants to know within 72 hours."""
        if breach and (officers := self._officers(after)):
            self.tell(rows, after, officers, "a breach of personal data was reported", now)
        if after.state in ENDED:
            return
        known = {notice.person.id for notice in routed(before, self.book, now=now).notices}
        notices = routed(after, self.book, now=now).notices
        new = tuple(notice for notice in notices if notice.person.id not in known)
        if new:
            self.tell(rows, after, new, "by what a colleague has found out", now)

    def _officers(self, concern: Concern) -> tuple[Notice, ...]:
        disclosure = Disclosure.WITHHELD if concern.confidential else Disclosure.FULL
        return tuple(
            Notice(
                person=person,
                disclosure=disclosure,
                because="a breach of personal data was reported: for the data protection officer",
            )
            for person in self.book.people
            if Role.DPO in person.roles and person.covers(concern.organisations)
        )


CAME_ABOUT = "by the clock"


def by_mail(letters: Letters, channel: str) -> Tell:
    """A `tell` that queues alerts like any other; the running monitor sends them."""

    def tell(
        rows: Transaction, concern: Concern, notices: tuple[Notice, ...], why: str, now: datetime
    ) -> None:
        queue_alerts(rows, concern.id, notices, why=why, letters=letters, channel=channel, now=now)

    return tell


def _take(rows: Transaction, reference: str, into: str | None) -> tuple[Concern, Concern | None]:
    """Lock one concern, or two: always in the same order, so that two merges can't wait for each
    other."""
    wanted = sorted({reference, into} if into else {reference})
    found = {name: rows.concerns.take(name) for name in wanted}
    concern = found[reference]
    if concern is None:
        raise MonitorError(f"no case {reference}. `trust-monitor concerns list` shows them.")
    return concern, found.get(into) if into else None
