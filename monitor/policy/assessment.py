"""One mention's whole decision: triage, incident, rung, route and alert, from one set of rules.

    verdict -> triage -> which concern -> the concern as a whole -> rung and deadline -> who is told

Pure: it reads no clock, touches no row, and returns everything that the pipeline has to store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from classifiers.verdict import Sentiment, Severity, Verdict
from monitor.domain import Candidate, Concern, Mention, Notice, Person, Suggestion, Triage
from monitor.policy import deadlines, identity, ladder, routing
from monitor.policy.alerting import Alert, alerting
from monitor.policy.deadlines import Calendar
from monitor.policy.ladder import Ladder
from monitor.policy.organisations import Watchlist
from monitor.policy.triage import TriageRules, triage, unscored
from monitor.ports import ConcernDraft

MOST_REASONS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulebook:
    """Everything that the decisions are made from, read once at start."""

    triage: TriageRules
    ladder: Ladder
    calendar: Calendar
    people: tuple[Person, ...]
    watchlist: Watchlist
    contact: str
    complaints_url: str | None
    info_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to store for one mention. `draft` None: nothing to do but to know of it."""

    triage: Triage
    draft: ConcernDraft | None
    notices: tuple[Notice, ...]
    because: str


def judge(verdict: Verdict | None, rules: TriageRules) -> Triage:
    """Triage a verdict. None, which is what a failing classifier leaves, goes to a person."""
    if verdict is None:
        return unscored("the classifier could not read this post: please read it yourself")
    return triage(verdict, rules)


def incident(
    mention: Mention, decided: Triage, candidates: Sequence[Candidate], *, now: datetime
) -> int | None:
    """The concern that a mention joins. Routine mentions join nothing."""
    if decided.severity is Severity.ROUTINE:
        return None
    return identity.incident_for(mention.post, mention.organisations, candidates, now=now)


def decide(
    mention: Mention, decided: Triage, before: Concern | None, book: Rulebook, *, now: datetime
) -> Decision:
    """Everything that follows from one mention's triage. `before` is the concern that it joins."""
    if before is None and decided.severity is Severity.ROUTINE:
        return Decision(triage=decided, draft=None, notices=(), because="nothing to do")
    whole = decided if before is None else together(before, decided)
    organisations = tuple(
        dict.fromkeys((*(before.organisations if before else ()), *mention.organisations))
    )
    rung = ladder.choose(whole, book.ladder)
    due_at = deadlines.due_at(now, rung.clock, book.calendar)
    if before and before.suggestion.due_at:
        # A further post never buys more time for the first one.
        due_at = min(filter(None, (due_at, before.suggestion.due_at)))
    route = routing.route(whole, organisations, book.people)
    call = alerting(before, decided, route, now=now)
    return Decision(
        triage=decided,
        draft=ConcernDraft(
            triage=whole,
            organisations=organisations,
            suggestion=suggestion(whole, organisations, book, due_at=due_at),
            confidential=route.confidential or bool(before and before.confidential),
        ),
        notices=route.notices if isinstance(call, Alert) else (),
        because=call.because,
    )


def as_candidate(concern: int, mention: Mention, *, now: datetime) -> Candidate:
    """The concern as the next mention of the same batch sees it, by the mention just added."""
    post = mention.post
    return Candidate(
        concern_id=concern,
        threads=identity.thread_keys(post),
        texts=(identity.normalise(f"{post.title or ''} {post.text}"),),
        organisations=frozenset(mention.organisations),
        last_seen=now,
    )


def suggestion(
    whole: Triage, organisations: Sequence[str], book: Rulebook, *, due_at: datetime | None
) -> Suggestion:
    """The rung and its drafts, in the words of the first organisation concerned."""
    return ladder.suggest(
        whole,
        book.ladder,
        school=_name(organisations[0], book.watchlist),
        contact=_contact(organisations[0], book),
        complaints_url=book.complaints_url,
        info_url=book.info_url,
        trust=book.watchlist.trust.name,
        due_at=due_at,
    )


def together(before: Concern, added: Triage) -> Triage:
    """The concern as a whole: the gravest severity, all labels; a later post never softens it."""
    return Triage(
        severity=max(before.severity, added.severity, key=lambda severity: severity.rank),
        labels=before.labels | added.labels,
        sentiment=_worse(before.sentiment, added.sentiment),
        scores=added.scores,
        reasons=tuple(dict.fromkeys((*added.reasons, *before.reasons)))[:MOST_REASONS],
        evidence=added.evidence,
        needs_review=before.needs_review or added.needs_review,
    )


def _worse(one: Sentiment, other: Sentiment) -> Sentiment:
    order = list(Sentiment)  # negative, neutral, positive
    return min(one, other, key=order.index)


def _name(organisation: str, watchlist: Watchlist) -> str:
    return next(o.name for o in watchlist.organisations if o.id == organisation)


def _contact(organisation: str, book: Rulebook) -> str:
    own = next(o.contact for o in book.watchlist.organisations if o.id == organisation)
    return own or book.contact
