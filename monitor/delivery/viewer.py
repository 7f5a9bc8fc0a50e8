"""Draws views from the domain: times in the trust's zone, names for ids, excerpts as the trust allows
them, everything within bounds. It orders and withholds nothing by itself: what a person may know was
decided before (`Notice.disclosure`, `Concern.confidential`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from classifiers.verdict import Label, Sentiment
from monitor.delivery.views import (
    DigestView,
    GapView,
    ItemView,
    Listed,
    MentionView,
    PostView,
    SchoolView,
    SourceView,
)
from monitor.delivery.words import clean, clip, fit, host, safe_link, without_links
from monitor.domain import (
    Concern,
    ConcernState,
    CoverageGap,
    Digest,
    Mention,
    Person,
    RoutineMention,
    SourceHealth,
)

Excerpt = Literal["none", "redacted", "full"]

# The label that names the case when a post carries several.
GRAVEST_FIRST = (
    Label.THREAT,
    Label.SAFEGUARDING,
    Label.HATE,
    Label.SECURITY,
    Label.IDENTIFIES_CHILD,
    Label.ALLEGATION,
    Label.ABUSE,
    Label.MEDIA,
    Label.CAMPAIGN,
    Label.COMPLAINT,
    Label.QUERY,
    Label.PRAISE,
)
_READ_AT_MOST = 4000  # characters of a post that redaction gets to see
_LISTED = 20  # items in one list of a digest; the rest is counted and left to the command line


@dataclass(frozen=True, slots=True)
class Room:
    """How many words each variable part may take."""

    excerpt: int
    reasons: int
    steps: int
    name: int = 8


# Tried in turn until the alert is short enough: the reasons give way first, then the steps and the post.
ALERT_ROOMS = (
    Room(40, 36, 36),
    Room(34, 20, 30),
    Room(30, 12, 26),
    Room(26, 12, 22),
    Room(20, 12, 20),
    Room(16, 12, 16),
    Room(8, 8, 8, 4),
)
DIGEST_ROOM = Room(40, 40, 0)


class Viewer:
    """Draws views for one trust. `redact` masks people's names and slurs; it is called only when
    `excerpt` is "redacted". `acknowledge` has {reference} and {person}."""

    def __init__(
        self,
        *,
        organisations: Mapping[str, str],
        timezone: str,
        excerpt: Excerpt,
        redact: Callable[[str], str],
        acknowledge: str,
    ) -> None:
        self._organisations = organisations
        self._zone = ZoneInfo(timezone)
        self._excerpt = excerpt
        self._redact = redact
        self._acknowledge = acknowledge

    def item(self, concern: Concern, person: Person, room: Room) -> ItemView:
        suggestion = concern.suggestion
        latest = max(concern.mentions, key=lambda mention: mention.first_seen_at, default=None)
        return ItemView(
            reference=concern.reference,
            number=concern.reference.rpartition("-")[2],
            severity=concern.severity.value,
            state=concern.state.value,
            category=_category(concern.labels, needs_review=concern.needs_review),
            school=self._school(concern.organisations, words=room.name),
            more_schools=max(0, len(concern.organisations) - 1),
            posts=len(concern.mentions),
            post=self._mention(latest, room) if latest else None,
            reasons=fit([_sentence(reason) for reason in concern.reasons], words=room.reasons),
            step=_line(suggestion.rung_name),
            who=_line(suggestion.who),
            approver=_line(suggestion.approver),
            reply=clip(clean(suggestion.reply), characters=600) if suggestion.reply else None,
            no_reply_because=(
                clip(clean(suggestion.no_reply_because), characters=200)
                if suggestion.no_reply_because
                else None
            ),
            do=fit(suggestion.do, words=room.steps) if room.steps else (),
            dont=fit(suggestion.dont, words=room.steps) if room.steps else (),
            due=self.when(suggestion.due_at),
            acknowledge=self._acknowledge.format(reference=concern.reference, person=person.id),
            holder=next(
                (
                    _line(event.who)
                    for event in reversed(concern.history)
                    if event.action == ConcernState.ACKNOWLEDGED
                ),
                None,
            ),
            needs_review=concern.needs_review,
        )

    def digest(self, digest: Digest, person: Person) -> DigestView:
        waiting = (*digest.overdue, *digest.needs_you)
        ahead = [
            (concern.suggestion.due_at, concern.reference)
            for concern in digest.needs_you
            if concern.suggestion.due_at
        ]
        next_due, next_reference = min(ahead, default=(None, None))
        schools = self._schools(digest.counts_by_organisation)
        return DigestView(
            day=f"{digest.day:%A} {digest.day.day} {digest.day:%B %Y}",
            since=self.when(digest.since) or "",
            until=self.when(digest.until) or "",
            waiting=len(waiting),
            next_due=self.when(next_due),
            next_reference=next_reference,
            needs_you=self._listed(digest.needs_you, person),
            overdue=self._listed(digest.overdue, person),
            in_hand=self._listed(digest.in_hand, person),
            with_dsl=tuple(concern.reference for concern in digest.with_dsl),
            posts=sum(school.total for school in schools),
            schools=schools[:_LISTED],
            more_schools=max(0, len(schools) - _LISTED),
            routine=tuple(map(self._routine, digest.routine[:_LISTED])),
            more_routine=max(0, len(digest.routine) - _LISTED),
            praise=tuple(map(self._routine, digest.praise[:_LISTED])),
            more_praise=max(0, len(digest.praise) - _LISTED),
            sources=tuple(map(self._source, digest.sources)),
            gaps=tuple(map(self._gap, digest.gaps)),
            undelivered=digest.undelivered,
        )

    def when(self, moment: datetime | None) -> str | None:
        """ "Sat 21 Nov 09:12" in the trust's zone; None for None and for dates beyond any calendar."""
        if moment is None:
            return None
        try:
            local = moment.astimezone(self._zone)
        except OverflowError:
            return None
        return f"{local:%a} {local.day} {local:%b %H:%M}"

    def _listed(self, concerns: tuple[Concern, ...], person: Person) -> Listed:
        shown = tuple(
            self.item(_bare(concern), person, DIGEST_ROOM) for concern in concerns[:_LISTED]
        )
        return Listed(items=shown, more=len(concerns) - len(shown))

    def _school(self, organisations: tuple[str, ...], *, words: int = 8) -> str:
        if not organisations:
            return "the trust"
        name = self._organisations.get(organisations[0], organisations[0])
        return clip(clean(name), characters=60, words=words)

    def _said(self, title: str | None, text: str, words: int) -> str | None:
        if self._excerpt == "none":
            return None
        said = f"{title} – {text}" if title and not text.startswith(title) else text
        said = clean(said[:_READ_AT_MOST])
        if self._excerpt == "redacted":
            said = self._redact(said)
        return clip(without_links(said), characters=words * 8, words=words) or None

    def _mention(self, mention: Mention, room: Room) -> PostView:
        post = mention.post
        return self._post(
            platform=post.platform,
            url=post.url,
            posted=self.when(post.published_at),
            seen=mention.first_seen_at,
            excerpt=self._said(post.title, post.text, room.excerpt),
        )

    def _routine(self, mention: RoutineMention) -> MentionView:
        return MentionView(
            school=self._school(mention.organisations),
            category=_category(mention.labels, needs_review=False),
            sentiment=mention.sentiment.value,
            post=self._post(
                platform=mention.platform,
                url=mention.url,
                posted=None,
                seen=mention.seen_at,
                excerpt=self._said(None, mention.text, 30),
            ),
        )

    def _post(
        self,
        *,
        platform: str,
        url: str | None,
        posted: str | None,
        seen: datetime,
        excerpt: str | None,
    ) -> PostView:
        link = safe_link(url)
        return PostView(
            platform=clip(clean(platform), characters=30, words=3),
            link=link,
            host=host(link) if link else None,
            posted=posted,
            seen=self.when(seen) or "",
            excerpt=excerpt,
        )

    def _schools(self, counts: Mapping[str, Mapping[Sentiment, int]]) -> tuple[SchoolView, ...]:
        totals = {organisation: sum(by.values()) for organisation, by in counts.items()}
        busiest = max(totals.values(), default=0) or 1
        ordered = sorted(
            (organisation for organisation, total in totals.items() if total),
            key=lambda organisation: (-totals[organisation], self._school((organisation,))),
        )
        return tuple(
            SchoolView(
                name=self._school((organisation,)),
                total=totals[organisation],
                negative=counts[organisation].get(Sentiment.NEGATIVE, 0),
                neutral=counts[organisation].get(Sentiment.NEUTRAL, 0),
                positive=counts[organisation].get(Sentiment.POSITIVE, 0),
                shares=tuple(
                    (sentiment.value, max(1, round(100 * count / busiest)))
                    for sentiment in Sentiment
                    if (count := counts[organisation].get(sentiment, 0))
                ),
            )
            for organisation in ordered
        )

    def _gap(self, gap: CoverageGap) -> GapView:
        since = self.when(gap.started_at) or ""
        until = self.when(gap.ended_at)
        if until and until.rpartition(" ")[0] == since.rpartition(" ")[0]:
            until = until.rpartition(" ")[2]  # same day: the hour says it
        return GapView(
            source=_line(gap.source),
            since=since,
            until=until,
            reason=clip(clean(gap.reason), characters=160),
        )

    def _source(self, health: SourceHealth) -> SourceView:
        return SourceView(
            source=_line(health.source),
            last_success=self.when(health.last_success_at),
            failures=health.failures,
            error=clip(clean(health.last_error), characters=160) if health.last_error else None,
        )


def _category(labels: frozenset[Label], *, needs_review: bool) -> str:
    gravest = next((label for label in GRAVEST_FIRST if label in labels), None)
    if gravest is not None:
        return gravest.value
    return "review" if needs_review else "mention"


def _sentence(reason: str) -> str:
    """A reason as triage words it ("threatens ...") with a capital, to stand in mail."""
    return reason[:1].upper() + reason[1:]


def _line(text: str) -> str:
    return clip(clean(text), characters=60, words=8)


def _bare(concern: Concern) -> Concern:
    """`concern`, without what only the safeguarding lead may know."""
    if not concern.confidential:
        return concern
    suggestion = replace(
        concern.suggestion, reply=None, no_reply_because=None, rung_name="With DSL"
    )
    return replace(
        concern,
        mentions=(),
        reasons=(),
        labels=frozenset(),
        organisations=(),
        suggestion=suggestion,
    )
