"""Sample cases and each kind of mail made from them. All names are invented."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from classifiers.verdict import Label, Sentiment, Severity
from connectors.post import Post
from monitor.delivery.render import Rendered, Renderer
from monitor.domain import (
    Concern,
    ConcernEvent,
    ConcernState,
    CoverageGap,
    Digest,
    Disclosure,
    Match,
    Mention,
    Notice,
    Person,
    Rally,
    Reply,
    ReplyState,
    Role,
    RoutineMention,
    SourceHealth,
    Strength,
    Suggestion,
    Week,
)
from monitor.policy import redaction

NOW = datetime(2026, 11, 21, 7, 30, tzinfo=UTC)
SCHOOLS = {
    "lantern": "Lantern Learning Trust",
    "oakfield": "Oakfield Primary School",
    "marsh-lane": "Marsh Lane Academy",
    "st-cedd": "St Cedd's Church of England Primary School",
    "harbour": "Harbour View High School",
}
COMMS = Person(
    id="comms-1", name="Comms", email="comms@lantern.example", roles=frozenset({Role.COMMS})
)
SLT = Person(id="slt-1", name="SLT", email="slt@lantern.example", roles=frozenset({Role.SLT}))
MEDIA = Person(
    id="media-1", name="Media", email="media@lantern.example", roles=frozenset({Role.MEDIA})
)
PEOPLE = {"comms-1": "Priya Okonjo", "comms-2": "Tom Ashdown", "slt-1": "Helen Marlowe"}
SHORT = ("Oakfield Primary", "Marsh Lane", "St Cedd's", "Harbour View High", "Oakfield")
HEADS = ("Agatha Trenchard",)
DSL = Person(id="dsl-1", name="DSL", email="dsl@lantern.example", roles=frozenset({Role.DSL}))


def mention(
    number: int,
    text: str,
    *,
    school: str = "oakfield",
    platform: str = "bluesky",
    author: str | None = None,
) -> Mention:
    """A stored post that was seen `number` minutes before NOW."""
    seen = NOW - timedelta(minutes=number)
    return Mention(
        id=number,
        source=platform,
        post=Post(
            platform=platform,
            native_id=str(number),
            text=text,
            url=f"https://social.example/post/{number}",
            published_at=seen - timedelta(minutes=2),
            author=author,
        ),
        matches=(
            Match(
                organisation=school,
                term=SCHOOLS[school],
                field="text",
                span=(0, 4),
                strength=Strength.DISTINCTIVE,
                reason="full name",
            ),
        ),
        first_seen_at=seen,
        revision=1,
    )


THREAT = Concern(
    id=42,
    reference="2026-0042",
    state=ConcernState.OPEN,
    severity=Severity.URGENT,
    labels=frozenset({Label.THREAT}),
    sentiment=Sentiment.NEGATIVE,
    organisations=("oakfield",),
    suggestion=Suggestion(
        rung="L10",
        rung_name="Police",
        who="senior leader on duty",
        approver="chief executive",
        reply=None,
        private_reply=None,
        no_reply_because="A threat is never answered in public.",
        do=(
            "If anyone is in danger, ring 999.",
            "Save the link and a screenshot.",
            "Tell the head.",
        ),
        dont=("Do not reply to or share the post.", "Do not contact the author."),
        due_at=NOW + timedelta(minutes=13),
        source="five policies",
    ),
    reasons=("Says that somebody will wait for staff at the gates", "Names the school and a time"),
    confidential=False,
    needs_review=False,
    opened_at=NOW - timedelta(minutes=2),
    updated_at=NOW - timedelta(minutes=2),
    mentions=(
        mention(
            2,
            "I'll be waiting at the Oakfield Primary gates on Monday, he'll find out what happens.",
        ),
    ),
)
COMPLAINT = replace(
    THREAT,
    id=39,
    reference="2026-0039",
    severity=Severity.CONCERN,
    labels=frozenset({Label.COMPLAINT}),
    organisations=("marsh-lane",),
    suggestion=Suggestion(
        rung="L2",
        rung_name="Offer private contact",
        who="communications officer",
        approver="senior leader on duty",
        reply=(
            "Thank you for raising this. We can't talk about individual matters here, but we would "
            "very much like to listen and help. Please contact Marsh Lane on office@marshlane.example "
            "and we'll find a time to talk."
        ),
        private_reply=None,
        no_reply_because=None,
        do=(),
        dont=(),
        due_at=datetime(2026, 11, 23, 10, 5, tzinfo=UTC),
        source="five policies",
    ),
    reasons=("Says that three emails about the bus went unanswered",),
    mentions=(
        mention(
            900,
            "Third email to Marsh Lane about the bus cuts and still no answer. Not good enough.",
        ),
        mention(
            870, "Same here, Marsh Lane never ring back about the bus either.", platform="reddit"
        ),
    ),
)
QUERY = replace(
    COMPLAINT,
    id=40,
    reference="2026-0040",
    labels=frozenset({Label.QUERY}),
    sentiment=Sentiment.NEUTRAL,
    organisations=("st-cedd", "oakfield"),
    suggestion=replace(
        COMPLAINT.suggestion,
        rung="L1",
        rung_name="Acknowledge",
        reply=(
            "Hello, thank you for letting us know. We've seen your message and we'd like to help. So that "
            "the right person can look into it, please contact us on 01632 960 101. – St Cedd's team"
        ),
        due_at=datetime(2026, 11, 23, 17, 0, tzinfo=UTC),
    ),
    reasons=("A question that the school can answer",),
    mentions=(
        mention(
            640, "Does anyone know when St Cedd's open morning is this term?", platform="forum"
        ),
    ),
)
LATE = replace(
    COMPLAINT,
    id=31,
    reference="2026-0031",
    organisations=("harbour",),
    suggestion=replace(
        COMPLAINT.suggestion,
        due_at=datetime(2026, 11, 20, 16, 30, tzinfo=UTC),
        missing=("a second person agrees with the reply",),
        exits=("contacted: Resolve with the school", "silent for five working days: closed"),
    ),
    reasons=("Says that lost property is never looked for",),
    mentions=(
        mention(
            1900, "Harbour View High lose everything and nobody ever looks for it. Third coat."
        ),
    ),
)
IN_HAND = replace(
    QUERY,
    id=28,
    reference="2026-0028",
    state=ConcernState.ACKNOWLEDGED,
    owner="comms-1",
    labels=frozenset({Label.MEDIA}),
    organisations=("harbour",),
    suggestion=replace(
        QUERY.suggestion,
        rung="M1",
        rung_name="Media",
        exits=("media taken: closed",),
    ),
    history=(
        ConcernEvent(at=NOW, who="comms-1", action="acknowledged", why="rang the reporter back"),
    ),
)
FOR_APPROVAL = replace(
    COMPLAINT,
    id=33,
    reference="2026-0033",
    state=ConcernState.FOR_APPROVAL,
    owner="comms-2",
    organisations=("st-cedd",),
    suggestion=replace(
        COMPLAINT.suggestion,
        approvers=frozenset({Role.SLT, Role.DSL}),
        due_at=NOW + timedelta(hours=4),
    ),
    replies=(
        Reply(
            number=1,
            public=True,
            text="We hear you.",
            state=ReplyState.DRAFTED,
            drafter="comms-2",
            drafted_at=NOW - timedelta(hours=2),
        ),
    ),
)
READY = replace(
    FOR_APPROVAL,
    id=34,
    reference="2026-0034",
    state=ConcernState.APPROVED,
    replies=(replace(FOR_APPROVAL.replies[0], state=ReplyState.APPROVED, approver="slt-1"),),
)
SECOND_OPINION = replace(
    COMPLAINT, id=35, reference="2026-0035", state=ConcernState.SECOND_OPINION, owner="comms-1"
)
WAITING = replace(
    COMPLAINT,
    id=27,
    reference="2026-0027",
    state=ConcernState.WAITING,
    owner="comms-2",
    suggestion=replace(
        COMPLAINT.suggestion, due_at=None, exits=("contacted: Resolve with the school",)
    ),
)
ABUSE = replace(
    THREAT,
    id=43,
    reference="2026-0043",
    labels=frozenset({Label.ABUSE}),
    organisations=("marsh-lane",),
    suggestion=replace(
        THREAT.suggestion,
        rung="L7",
        rung_name="Report to the platform",
        no_reply_because="Abuse is reported and never answered.",
        do=(
            "Tell the person it is about, and offer support.",
            "Report the post to the platform.",
            "Note the report's number.",
        ),
        dont=("Do not reply to it.", "Do not repeat it, not even in mail."),
    ),
    reasons=("Very probably severe abuse of a person",),
    mentions=tuple(
        mention(
            number,
            f"Mrs Trenchard at Marsh Lane is a useless lying cow, ask any teacher. Number {number}",
            school="marsh-lane",
            author=author,
        )
        for number, author in ((4, "grudge-42"), (7, "pelican-9"), (9, "grudge-42"))
    ),
)
PRESS = replace(
    IN_HAND,
    id=44,
    reference="2026-0044",
    state=ConcernState.OPEN,
    owner=None,
    history=(),
    suggestion=replace(
        THREAT.suggestion,
        rung="M1",
        rung_name="Media",
        who="media lead",
        no_reply_because="The press: the media lead answers.",
        do=("Hand it to the media lead.", "Note the deadline that the journalist gives."),
        dont=("Don't comment, not even off the record.",),
        due_at=datetime(2026, 11, 23, 10, 0, tzinfo=UTC),
    ),
    mentions=(
        mention(
            30,
            "Doing a piece on school start times, any Harbour View High parents up for a chat before 5pm?",
            school="harbour",
        ),
    ),
)
CAMPAIGN = replace(
    COMPLAINT,
    id=50,
    reference="2026-0050",
    campaign="2026-0050",
    labels=frozenset({Label.CAMPAIGN}),
    organisations=("harbour",),
    suggestion=replace(
        COMPLAINT.suggestion,
        rung="C1",
        rung_name="Campaign",
        who="communications with a senior leader",
        reply=(
            "We know there is concern about the times of the school day. We are listening, and we'll share "
            "what we can with families directly. If this affects your child, please contact "
            "office@harbourview.example. – Lantern Learning Trust"
        ),
        do=("Agree one statement and use it everywhere.", "Answer what is asked, once."),
        dont=("Don't answer each post.", "Don't treat a petition or a protest as misuse."),
        due_at=datetime(2026, 11, 23, 11, 0, tzinfo=UTC),
    ),
    reasons=("41 posts by 28 people on one theme: the times of the school day",),
    mentions=(),
)
RALLY = Rally(
    concern=CAMPAIGN,
    topic="the times of the school day",
    posts=41,
    authors=28,
    first=NOW - timedelta(hours=17),
    last=NOW - timedelta(minutes=12),
    until=NOW,
    per_2h=(0, 0, 0, 2, 9, 14, 7, 3, 0, 0, 2, 4),
    cases=("2026-0045", "2026-0046", "2026-0047"),
)
SAFEGUARDING = replace(
    THREAT, id=41, reference="2026-0041", labels=frozenset({Label.SAFEGUARDING}), confidential=True
)


def seen(
    number: int, text: str, school: str, sentiment: Sentiment, *labels: Label
) -> RoutineMention:
    return RoutineMention(
        organisations=(school,),
        sentiment=sentiment,
        labels=frozenset(labels),
        platform="news",
        url=f"https://gazette.example/{number}",
        text=text,
        seen_at=NOW - timedelta(minutes=number),
    )


def week(this: tuple[int, int, int], last: tuple[int, int, int]) -> Week:
    return Week(
        this=dict(zip(Sentiment, this, strict=True)), last=dict(zip(Sentiment, last, strict=True))
    )


DIGEST = Digest(
    day=date(2026, 11, 21),
    since=NOW - timedelta(days=1),
    until=NOW,
    overdue=(LATE,),
    needs_you=(COMPLAINT, QUERY),
    ready=(),
    for_approval=(FOR_APPROVAL,),
    second_opinion=(),
    in_hand=(IN_HAND,),
    waiting=(WAITING,),
    campaigns=(),
    late_campaigns=frozenset(),
    with_dsl=(SAFEGUARDING,),
    counts_by_organisation={
        "harbour": {Sentiment.NEGATIVE: 9, Sentiment.NEUTRAL: 4, Sentiment.POSITIVE: 1},
        "marsh-lane": {Sentiment.NEGATIVE: 3, Sentiment.NEUTRAL: 1, Sentiment.POSITIVE: 2},
        "oakfield": {Sentiment.NEGATIVE: 1, Sentiment.NEUTRAL: 1, Sentiment.POSITIVE: 3},
        "st-cedd": {Sentiment.NEUTRAL: 2},
    },
    weeks={
        "harbour": week((9, 4, 1), (4, 5, 2)),
        "marsh-lane": week((3, 1, 2), (0, 0, 0)),
        "oakfield": week((1, 1, 3), (0, 2, 4)),
        "st-cedd": week((0, 2, 0), (1, 0, 0)),
    },
    routine=(
        seen(
            300,
            "Harbour View High to host county chess final in March.",
            "harbour",
            Sentiment.NEUTRAL,
        ),
        seen(
            420,
            "The road outside Marsh Lane Academy is closed until Friday.",
            "marsh-lane",
            Sentiment.NEUTRAL,
        ),
    ),
    praise=(
        seen(
            200,
            "So proud of the Oakfield choir last night, what a lovely evening.",
            "oakfield",
            Sentiment.POSITIVE,
            Label.PRAISE,
        ),
    ),
    sources=(
        SourceHealth(
            source="Gazette feed",
            kind="rss",
            interval_s=300,
            last_success_at=NOW - timedelta(minutes=3),
            last_attempt_at=NOW - timedelta(minutes=3),
            failures=0,
            last_error=None,
            next_poll_at=NOW + timedelta(minutes=2),
        ),
        SourceHealth(
            source="Reddit",
            kind="reddit",
            interval_s=300,
            last_success_at=NOW - timedelta(minutes=8),
            last_attempt_at=NOW - timedelta(minutes=3),
            failures=1,
            last_error="HTTP 429: asked us to wait 5 minutes",
            next_poll_at=NOW + timedelta(minutes=2),
        ),
    ),
    gaps=(
        CoverageGap(
            source="Reddit",
            started_at=datetime(2026, 11, 21, 2, 0, tzinfo=UTC),
            ended_at=datetime(2026, 11, 21, 5, 0, tzinfo=UTC),
            reason="HTTP 429",
        ),
    ),
    undelivered=0,
)
QUIET = replace(
    DIGEST,
    overdue=(),
    needs_you=(),
    for_approval=(),
    in_hand=(),
    waiting=(),
    with_dsl=(),
    counts_by_organisation={},
    weeks={},
    routine=(),
    praise=(),
    gaps=(),
)
HEAVY = replace(
    DIGEST,
    overdue=(LATE, replace(LATE, id=32, reference="2026-0032", organisations=("st-cedd",))),
    needs_you=(
        ABUSE,
        COMPLAINT,
        QUERY,
        replace(COMPLAINT, id=48, reference="2026-0048", organisations=("oakfield",)),
    ),
    ready=(READY,),
    second_opinion=(SECOND_OPINION,),
    campaigns=(RALLY,),
    weeks=dict(DIGEST.weeks)
    | {"harbour": week((52, 9, 1), (9, 4, 1)), "lantern": week((6, 11, 2), (7, 8, 5))},
    gaps=(
        *DIGEST.gaps,
        CoverageGap(
            source="Gazette feed",
            started_at=datetime(2026, 11, 20, 22, 10, tzinfo=UTC),
            ended_at=None,
            reason="no answer",
        ),
    ),
    undelivered=1,
)


def samples(renderer: Renderer) -> dict[str, Rendered]:
    """Each kind of mail once, by the name that its file gets."""
    full, withheld, ring = Disclosure.FULL, Disclosure.WITHHELD, Disclosure.RING
    because = "urgent: for the senior leaders of the school"
    child = "a child may be at risk: for the safeguarding lead"
    with_lead = replace(
        SAFEGUARDING, suggestion=replace(THREAT.suggestion, who="the safeguarding lead")
    )

    def alert(concern: Concern, person: Person, why: str, **more: Any) -> Rendered:
        disclosure = more.pop("disclosure", full)
        notice = Notice(person=person, disclosure=disclosure, because=why)
        return renderer.alert(concern, notice, **more)

    return {
        "alert": alert(THREAT, SLT, because),
        "alert_abuse": alert(ABUSE, SLT, because),
        "alert_escalated": alert(ABUSE, SLT, because, still=True),
        "alert_dsl": alert(SAFEGUARDING, DSL, child),
        "alert_withheld": alert(with_lead, SLT, because, disclosure=withheld),
        "alert_ring": alert(with_lead, SLT, child, disclosure=ring),
        "alert_media": alert(PRESS, MEDIA, "the press: for the media lead"),
        "alert_campaign": renderer.campaign(
            RALLY,
            Notice(
                person=COMMS,
                disclosure=full,
                because="a campaign: for communications and the senior leaders",
            ),
        ),
        "digest": renderer.digest(DIGEST, COMMS),
        "digest_heavy": renderer.digest(HEAVY, COMMS),
        "digest_quiet": renderer.digest(QUIET, COMMS),
    }


def masked(text: str) -> str:
    """As the trust's own mail is masked: heads' names known, schools' names kept."""
    return redaction.redact(text, known_names=HEADS, keep=(*SCHOOLS.values(), *SHORT), limit=1200)


def renderer(**options: Any) -> Renderer:
    """The trust's words, with an address for acknowledging."""
    given: dict[str, Any] = {
        "trust_name": SCHOOLS["lantern"],
        "organisations": SCHOOLS,
        "redact": masked,
        "people": PEOPLE,
        "acknowledge": lambda case, who: f"https://monitor.lantern.example/a/{case}-{who}",
    }
    return Renderer(**(given | options))
