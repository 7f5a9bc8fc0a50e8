"""Draws views from the domain: times in the trust's zone, names for ids, excerpts as the trust allows
them, everything within bounds. It orders and withholds nothing by itself: what a person may know was
decided before (`Notice.disclosure`, `Concern.confidential`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from classifiers.verdict import Label
from monitor.delivery import figures
from monitor.delivery.quoting import NEVER_QUOTED, Excerpt, Quoting, post_words
from monitor.delivery.views import (
    DigestView,
    GapView,
    ItemView,
    Listed,
    MentionView,
    ParkedView,
    PostView,
    RallyView,
    SourceView,
)
from monitor.delivery.words import clean, clip, fit, host
from monitor.domain import (
    Concern,
    CoverageGap,
    Digest,
    Mention,
    Parked,
    Person,
    Rally,
    Role,
    RoutineMention,
    SourceHealth,
)
from monitor.policy.campaigns.campaign import voices_count
from monitor.policy.campaigns.target import aimed_at

COMMAND = "trust-monitor concerns ack {reference} --who {person}"
READ = "trust-monitor concerns show {reference} --who {person}"

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
ROLES = {
    Role.COMMS: "somebody of communications",
    Role.SLT: "a senior leader",
    Role.DSL: "a safeguarding lead",
    Role.DEPUTY_DSL: "a deputy safeguarding lead",
    Role.HEAD: "a head",
    Role.CHAIR: "the chair",
    Role.MEDIA: "the media lead",
    Role.HR: "somebody of human resources",
    Role.DPO: "the data protection officer",
}
_LISTED = 20  # items in one list of a digest; the rest is counted and left to the command line


@dataclass(frozen=True, slots=True)
class Room:
    """How many words each variable part may take."""

    excerpt: int
    reasons: int
    steps: int
    because: int = 0
    name: int = 8


# Tried in turn until the alert is short enough: why it is you gives way first, then the reasons and the
# post; what to do comes last.
ALERT_ROOMS = (
    Room(40, 36, 36, 14),
    Room(34, 20, 36, 14),
    Room(30, 14, 36),
    Room(24, 12, 36),
    Room(16, 10, 32),
    Room(10, 8, 26),
    Room(8, 8, 20),
    Room(6, 6, 14),
    Room(4, 4, 8, name=4),
    Room(3, 3, 4, name=3),
)
DIGEST_ROOM = Room(40, 40, 0)

Acknowledge = Callable[[str, str], str | None]
"""(case number, person's id) to the address at which that person acknowledges that case, or None."""


class Viewer:
    """Draws views for one trust. `redact` masks people's names and slurs in whatever is quoted;
    `people` gives names for ids; `acknowledge` gives addresses, where the trust has some."""

    def __init__(
        self,
        *,
        organisations: Mapping[str, str],
        timezone: str,
        excerpt: Excerpt,
        redact: Callable[[str], str],
        people: Mapping[str, str],
        acknowledge: Acknowledge | None,
    ) -> None:
        self._organisations = organisations
        self._zone = ZoneInfo(timezone)
        self._quoting = Quoting(excerpt, redact)
        self._people = people
        self._acknowledge = acknowledge

    def item(self, concern: Concern, person: Person, room: Room, *, late: bool = False) -> ItemView:
        suggestion = concern.suggestion
        latest = max(concern.mentions, key=lambda mention: mention.first_seen_at, default=None)
        reply = concern.reply_in_hand
        steps = room.steps
        return ItemView(
            reference=concern.reference,
            number=concern.reference.rpartition("-")[2],
            severity=concern.severity.value,
            state=concern.state.value,
            category=_category(concern.labels, needs_review=concern.needs_review),
            school=self._school(concern.organisations, words=room.name),
            more_schools=max(0, len(concern.organisations) - 1),
            posts=len(concern.mentions),
            authors=voices_count((m.post.platform, m.post.author) for m in concern.mentions),
            post=self._mention(latest, concern, room) if latest else None,
            quotable=not (concern.labels & NEVER_QUOTED or concern.needs_review),
            target=aimed_at(concern),
            reasons=fit([_sentence(reason) for reason in concern.reasons], words=room.reasons),
            step=_line(suggestion.rung_name),
            who=_line(suggestion.who),
            approver=_line(suggestion.approver),
            approval=_approval(suggestion.approvers),
            reply=clip(clean(suggestion.reply), characters=600) if suggestion.reply else None,
            no_reply_because=(
                clip(clean(suggestion.no_reply_because), characters=200)
                if suggestion.no_reply_because
                else None
            ),
            do=fit(suggestion.do, words=steps) if steps else (),
            dont=fit(suggestion.dont, words=steps) if steps else (),
            missing=tuple(map(_line, suggestion.missing[:3])),
            exits=tuple(map(_line, suggestion.exits[:4])),
            due=self.when(suggestion.due_at),
            late=late,
            read=READ.format(reference=concern.reference, person=person.id),
            command=COMMAND.format(reference=concern.reference, person=person.id),
            acknowledge=(
                self._acknowledge(concern.reference, person.id) if self._acknowledge else None
            ),
            owner=self._name(concern.owner),
            drafter=self._name(reply.drafter) if reply else None,
            needs_review=concern.needs_review,
        )

    def rally(self, rally: Rally, person: Person, room: Room, *, late: bool = False) -> RallyView:
        """A campaign; `topic` "this" is no name for one."""
        return RallyView(
            item=self.item(_bare(rally.concern), person, room, late=late),
            topic=None if rally.topic == "this" else _line(rally.topic),
            posts=rally.posts,
            authors=rally.authors,
            cases=len(rally.cases),
            first=self.when(rally.first),
            bars=figures.bars(rally.per_2h, rally.until, self._hour),
        )

    def digest(self, digest: Digest, person: Person) -> DigestView:
        yours = (*digest.overdue, *digest.needs_you, *digest.ready)
        heads = [rally.concern for rally in digest.campaigns]
        ahead = [
            (concern.suggestion.due_at, concern.reference)
            for concern in (*digest.needs_you, *digest.ready, *digest.for_approval, *heads)
            if concern.suggestion.due_at and concern.reference not in digest.late_campaigns
        ]
        next_due, next_reference = min(ahead, default=(None, None))
        counts = [sum(by.values()) for by in digest.counts_by_organisation.values()]
        schools = figures.schools(
            [(self._school((name,)), week.this, week.last) for name, week in digest.weeks.items()]
        )
        open_heads = sum(head.state.value == "open" for head in heads)
        return DigestView(
            day=f"{digest.day:%A} {digest.day.day} {digest.day:%B %Y}",
            since=self.when(digest.since) or "",
            until=self.when(digest.until) or "",
            yours=len(yours) + open_heads,
            late=len(digest.overdue) + len(digest.late_campaigns),
            next_due=self.when(next_due),
            next_reference=next_reference,
            overdue=self._listed(digest.overdue, person, late=True),
            needs_you=self._listed(digest.needs_you, person),
            ready=self._listed(digest.ready, person),
            for_approval=self._listed(digest.for_approval, person),
            second_opinion=self._listed(digest.second_opinion, person),
            in_hand=self._listed(digest.in_hand, person),
            waiting=self._listed(digest.waiting, person),
            campaigns=tuple(
                self.rally(
                    rally,
                    person,
                    DIGEST_ROOM,
                    late=rally.concern.reference in digest.late_campaigns,
                )
                for rally in digest.campaigns
            ),
            with_dsl=tuple(concern.reference for concern in digest.with_dsl),
            posts=sum(counts),
            organisations=sum(map(bool, counts)),
            schools=schools[:_LISTED],
            more_schools=max(0, len(schools) - _LISTED),
            few=figures.FEW,
            posts_a_sign=figures.posts_a_sign(digest.weeks.values()),
            routine=tuple(map(self._routine, digest.routine[:_LISTED])),
            more_routine=max(0, len(digest.routine) - _LISTED),
            praise=tuple(map(self._routine, digest.praise[:_LISTED])),
            more_praise=max(0, len(digest.praise) - _LISTED),
            sources=tuple(map(self._source, digest.sources)),
            gaps=tuple(map(self._gap, digest.gaps)),
            undelivered=digest.undelivered,
            parked=tuple(map(self._parked, digest.parked)),
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

    def _hour(self, moment: datetime) -> str:
        return f"{moment.astimezone(self._zone):%a %H:%M}"

    def _name(self, person: str | None) -> str | None:
        return _line(self._people.get(person, person)) if person else None

    def _listed(
        self, concerns: tuple[Concern, ...], person: Person, *, late: bool = False
    ) -> Listed:
        shown = tuple(
            self.item(_bare(concern), person, DIGEST_ROOM, late=late)
            for concern in concerns[:_LISTED]
        )
        return Listed(items=shown, more=len(concerns) - len(shown))

    def _school(self, organisations: tuple[str, ...], *, words: int = 8) -> str:
        if not organisations:
            return "the trust"
        name = self._organisations.get(organisations[0], organisations[0])
        return clip(clean(name), characters=60, words=words)

    def _mention(self, mention: Mention, concern: Concern, room: Room) -> PostView:
        post = mention.post
        words = self._quoting.longest(room.excerpt) if room is DIGEST_ROOM else room.excerpt
        return self._post(
            platform=post.platform,
            link=self._quoting.link(post.url, post.author),
            posted=self.when(post.published_at),
            seen=mention.first_seen_at,
            excerpt=post_words(
                self._quoting,
                post,
                labels=concern.labels,
                unread=concern.needs_review,
                words=words,
            ),
        )

    def _parked(self, parked: Parked) -> ParkedView:
        return ParkedView(
            school=self._school(parked.organisations),
            platform=parked.platform,
            seen=self.when(parked.seen_at) or "",
            link=self._quoting.link(parked.url, parked.author),
        )

    def _routine(self, mention: RoutineMention) -> MentionView:
        return MentionView(
            school=self._school(mention.organisations),
            category=_category(mention.labels, needs_review=False),
            sentiment=mention.sentiment.value,
            post=self._post(
                platform=mention.platform,
                link=self._quoting.link(mention.url, mention.author),
                posted=None,
                seen=mention.seen_at,
                excerpt=self._quoting.words(
                    None, mention.text, labels=mention.labels, unread=False, words=30
                ),
            ),
        )

    def _post(
        self,
        *,
        platform: str,
        link: str | None,
        posted: str | None,
        seen: datetime,
        excerpt: str | None,
    ) -> PostView:
        return PostView(
            platform=clip(clean(platform), characters=30, words=3),
            link=link,
            host=host(link) if link else None,
            posted=posted,
            seen=self.when(seen) or "",
            seen_after=_same_day(posted, self.when(seen) or ""),
            excerpt=excerpt,
        )

    def _gap(self, gap: CoverageGap) -> GapView:
        since = self.when(gap.started_at) or ""
        until = self.when(gap.ended_at)
        return GapView(
            source=_line(gap.source),
            since=since,
            until=_same_day(since, until) if until else None,
            reason=clip(clean(gap.reason), characters=160),
            closed_by=gap.closed_by.value if gap.closed_by else None,
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


def _same_day(first: str | None, then: str) -> str:
    """`then` without its day, where `first` has said it."""
    day, _, hour = then.rpartition(" ")
    return hour if first and first.rpartition(" ")[0] == day else then


def _approval(roles: frozenset[Role]) -> str:
    """Whose agreement is missing: all of these roles, in one person."""
    held = [ROLES[role] for role in Role if role in roles]
    return " who is also ".join(held) if held else "a second person"


def _line(text: str) -> str:
    return clip(clean(text), characters=60, words=8)


def _bare(concern: Concern) -> Concern:
    """`concern`, without what only the safeguarding lead may know."""
    if not concern.confidential:
        return concern
    suggestion = replace(
        concern.suggestion,
        reply=None,
        no_reply_because=None,
        rung_name="With DSL",
        missing=(),
        exits=(),
    )
    return replace(
        concern,
        mentions=(),
        reasons=(),
        labels=frozenset(),
        organisations=(),
        suggestion=suggestion,
        replies=(),
    )
