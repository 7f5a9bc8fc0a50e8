"""One mention's whole decision: triage, incident, rung, route and alert, from one set of rules.

    verdict -> triage -> which concern -> the concern as a whole -> rung and deadline -> who is told

Pure: it reads no clock, touches no row, and returns everything that the pipeline has to store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from classifiers.verdict import Label, Sentiment, Severity, Verdict
from monitor.domain import (
    AlertSilence,
    AuthorRole,
    Candidate,
    Circumstances,
    Concern,
    ConcernEvent,
    ConcernState,
    Flag,
    Mention,
    Notice,
    Person,
    Role,
    Suggestion,
    Triage,
)
from monitor.policy import identity, ladder
from monitor.policy.campaigns.case import topic
from monitor.policy.deadlines import Calendar
from monitor.policy.ladder import Ladder
from monitor.policy.ladder.authorship import AuthorshipRules, apparent_author, packaged_rules
from monitor.policy.life import facts as life_facts
from monitor.policy.life.joining import highest
from monitor.policy.matching.organisations import Organisation, Watchlist
from monitor.policy.routes import routing, silences
from monitor.policy.routes.about_head import about_head
from monitor.policy.routes.alerting import Alert, Quiet, alerting
from monitor.policy.routes.routing import Matter, Routing
from monitor.policy.triage import TriageRules, triage, unscored
from monitor.ports import ConcernDraft

MOST_REASONS = 6
REPORTED = "reported"  # the source of what a member of staff has seen where we can't look


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
    rules_url: str | None = None
    authorship: AuthorshipRules = field(default_factory=packaged_rules)
    own_sources: frozenset[str] = frozenset()
    """Ids of the sources that read accounts and sites of the trust's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to store for one mention. `draft` None: nothing to do but to know of it."""

    triage: Triage
    draft: ConcernDraft | None
    notices: tuple[Notice, ...]
    because: str
    silenced: AlertSilence | None = None
    """The silence that held back the notices that there would have been."""
    grouped: bool = False
    """There are none because their readers know of the incident."""


def judge(verdict: Verdict | None, rules: TriageRules, *, deadly: bool = False) -> Triage:
    """Triage a verdict. None, which is what a failing classifier leaves, goes to a person. `deadly`:
    the program ended each time that it read the post, so that nothing is known of it, not even what
    the phrase rules would say; it can't wait for the next working day."""
    if verdict is None and deadly:
        return unscored("reading it ended the program each time", severity=Severity.URGENT)
    if verdict is None:
        return unscored("the classifier could not read this post: please read it yourself")
    return triage(verdict, rules)


def heeded(mention: Mention, judged: Triage) -> Triage:
    """What a member of staff found worth reporting is never mere routine."""
    if mention.source != REPORTED or judged.severity is not Severity.ROUTINE:
        return judged
    reasons = ("reported by a member of staff", *judged.reasons)
    return replace(judged, severity=Severity.CONCERN, reasons=reasons[:MOST_REASONS])


def incident(
    mention: Mention, decided: Triage, candidates: Sequence[Candidate], *, now: datetime
) -> int | None:
    """The concern that a mention joins. Routine mentions join nothing."""
    if decided.severity is Severity.ROUTINE:
        return None
    return identity.incident_for(mention.post, mention.organisations, candidates, now=now)


def decide(
    mention: Mention,
    decided: Triage,
    before: Concern | None,
    book: Rulebook,
    *,
    now: datetime,
    silenced: Sequence[AlertSilence] = (),
) -> Decision:
    """Everything that follows from one mention's triage. `before` is the concern that it joins;
    `silenced` are the silences that stand."""
    if before is None and decided.severity is Severity.ROUTINE:
        return Decision(triage=decided, draft=None, notices=(), because="nothing to do")
    whole = _together_with(mention, decided, before, book)
    suggested = _suggested(whole, before, book, now=now)
    route = _route(whole, book, now=now)
    call = alerting(before, decided, route, now=now)
    quiet = None
    if isinstance(call, Alert):
        quiet = silences.holding(
            whole.matter,
            before.reference if before else None,
            (mention.source,),
            silenced,
            people=book.people,
            now=now,
        )
    return Decision(
        triage=decided,
        draft=ConcernDraft(
            triage=whole.triage,
            organisations=whole.organisations,
            suggestion=suggested,
            confidential=route.confidential or whole.confidential,
            ladder=book.ladder.name,
            own_account=whole.own_account,
            author=whole.author,
            about_head=whole.about_head,
        ),
        notices=route.notices if isinstance(call, Alert) and quiet is None else (),
        because=silences.because(quiet, call.because) if quiet else call.because,
        silenced=quiet,
        grouped=isinstance(call, Quiet) and call.joins,
    )


def routed(concern: Concern, book: Rulebook, *, now: datetime) -> Routing:
    """Who is to be told of a concern as it stands."""
    return _route(_Whole.of(concern), book, now=now)


def circumstances(concern: Concern) -> Circumstances:
    """What the ladder may know of a concern; needs its history."""
    return _Whole.of(concern).circumstances


def reconsider(concern: Concern, book: Rulebook, *, now: datetime) -> Suggestion:
    """What the ladder suggests for a concern as it stands, after somebody did something about it.

    The deadline stays that of the rung for as long as the concern stands on it, and is gone once
    the rung's clock was stopped; a new rung starts its own.
    """
    standing = circumstances(concern)
    before = concern.suggestion
    fresh = ladder.due_at(standing, book.ladder, book.calendar, received=now)
    suggested = suggestion(
        standing, concern.organisations, book, due_at=fresh, topic=topic(concern)
    )
    if suggested.rung != before.rung:
        return replace(suggested, since=now)
    suggested = replace(suggested, due_at=before.due_at or fresh, since=before.since)
    stopped = life_facts.met(replace(concern, suggestion=suggested))
    return replace(suggested, due_at=None) if stopped else suggested


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
    standing: Circumstances,
    organisations: Sequence[str],
    book: Rulebook,
    *,
    due_at: datetime | None,
    topic: str | None = None,
) -> Suggestion:
    """The rung and its drafts, in the words of the first organisation concerned; `topic` is what a
    campaign is about."""
    first = _organisation(organisations[0], book.watchlist)
    values = {
        "school": first.name,
        "contact": first.contact or book.contact,
        "trust": book.watchlist.trust.name,
        "complaints_url": book.complaints_url,
        "info_url": book.info_url,
        "rules_url": book.rules_url,
        "topic_neutral": topic,
    }
    return ladder.suggest(standing, book.ladder, values, due_at=due_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whole:
    """What of a concern, logged or about to be, decides its rung and its readers."""

    triage: Triage
    organisations: tuple[str, ...]
    author: AuthorRole
    own_account: bool
    about_head: bool
    confidential: bool = False
    flags: frozenset[Flag] = frozenset()
    history: tuple[ConcernEvent, ...] = ()

    @classmethod
    def of(cls, concern: Concern) -> _Whole:
        return cls(
            triage=concern.triage,
            organisations=concern.organisations,
            author=concern.author,
            own_account=concern.own_account,
            about_head=concern.about_head,
            confidential=concern.confidential,
            flags=concern.flags,
            history=concern.history,
        )

    @property
    def matter(self) -> Matter:
        return Matter(
            severity=self.triage.severity,
            labels=self.triage.labels,
            organisations=self.organisations,
            author=self.author,
            flags=self.flags,
            about_head=self.about_head,
            confidential=self.confidential,
        )

    @property
    def circumstances(self) -> Circumstances:
        known = life_facts.established(self.history)
        return Circumstances(
            triage=self.triage,
            flags=self.flags,
            author=self.author,
            own_account=self.own_account,
            facts=known.facts,
            fresh=known.fresh,
            chosen=known.chosen,
        )


def _together_with(
    mention: Mention, decided: Triage, before: Concern | None, book: Rulebook
) -> _Whole:
    """The concern that `before` and one more mention make."""
    said = f"{mention.post.title or ''}\n{mention.post.text}"
    found = apparent_author(said, book.authorship)
    heads = [person.name for person in book.people if Role.HEAD in person.roles]
    new = _Whole(
        triage=decided,
        organisations=mention.organisations,
        author=found[0] if found else AuthorRole.UNKNOWN,
        own_account=mention.source in book.own_sources,
        about_head=any(
            about_head(said, o, heads, accused=Label.ALLEGATION in decided.labels)
            for o in book.watchlist.organisations
            if o.id in mention.organisations
        ),
    )
    if before is None:
        return new
    was = _Whole.of(before)
    return replace(
        was,
        triage=together(before, decided),
        organisations=tuple(dict.fromkeys((*was.organisations, *new.organisations))),
        # What a person said of the author stands; a later post may only fill a blank.
        author=new.author if was.author is AuthorRole.UNKNOWN else was.author,
        own_account=was.own_account or new.own_account,
        about_head=was.about_head or new.about_head,
    )


def _route(whole: _Whole, book: Rulebook, *, now: datetime) -> Routing:
    return routing.route(
        whole.triage,
        whole.organisations,
        book.people,
        day=now.astimezone(book.calendar.tz).date(),
        author=whole.author,
        about_head=whole.about_head,
        flags=whole.flags,
        confidential=whole.confidential,
    )


def _suggested(
    whole: _Whole, before: Concern | None, book: Rulebook, *, now: datetime
) -> Suggestion:
    standing = whole.circumstances
    fresh = ladder.due_at(standing, book.ladder, book.calendar, received=now)
    suggested = replace(suggestion(standing, whole.organisations, book, due_at=fresh), since=now)
    if before is None or before.state is ConcernState.CLOSED:
        return suggested
    was = before.suggestion
    if suggested.rung == was.rung:
        suggested = replace(suggested, since=was.since)
        if was.due_at is None:
            return replace(
                suggested, due_at=None
            )  # its clock was stopped, and nothing new is asked
    # A further post never buys more time for the first one.
    return replace(suggested, due_at=min((at for at in (fresh, was.due_at) if at), default=None))


def together(before: Concern, added: Triage) -> Triage:
    """The concern as a whole: the gravest severity, all labels; a later post never softens it."""
    return Triage(
        severity=max(before.severity, added.severity, key=lambda severity: severity.rank),
        labels=before.labels | added.labels,
        sentiment=_worse(before.sentiment, added.sentiment),
        scores=highest(before.scores, added.scores),
        reasons=tuple(dict.fromkeys((*added.reasons, *before.reasons)))[:MOST_REASONS],
        evidence=added.evidence,
        needs_review=before.needs_review or added.needs_review,
    )


def _worse(one: Sentiment, other: Sentiment) -> Sentiment:
    order = list(Sentiment)  # negative, neutral, positive
    return min(one, other, key=order.index)


def _organisation(id_: str, watchlist: Watchlist) -> Organisation:
    """The organisation of that id; the trust speaks for a school that has left the watchlist."""
    return next((o for o in watchlist.organisations if o.id == id_), watchlist.trust)
