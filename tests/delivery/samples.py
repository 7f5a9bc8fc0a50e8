"""Sample cases and each kind of mail made from them. All names are invented."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

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
    Role,
    RoutineMention,
    SourceHealth,
    Strength,
    Suggestion,
)

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
DSL = Person(id="dsl-1", name="DSL", email="dsl@lantern.example", roles=frozenset({Role.DSL}))


def mention(
    number: int, text: str, *, school: str = "oakfield", platform: str = "bluesky"
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
    labels=frozenset({Label.THREAT, Label.ABUSE}),
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
    labels=frozenset({Label.CAMPAIGN}),
    organisations=("harbour",),
    suggestion=replace(
        COMPLAINT.suggestion,
        rung="C1",
        rung_name="Campaign statement",
        reply=(
            "We know there is concern about the new timetable. We are listening, and we'll share what we can "
            "with families directly. If this affects your child, please contact office@harbourview.example. "
            "– Lantern Learning Trust"
        ),
        due_at=datetime(2026, 11, 20, 16, 30, tzinfo=UTC),
    ),
    reasons=("Asks others to sign a petition", "Three authors in a day"),
    mentions=(
        mention(1900, "Sign the petition: no more 7.45 starts at Harbour View High. Share widely!"),
    ),
)
IN_HAND = replace(
    QUERY,
    id=28,
    reference="2026-0028",
    state=ConcernState.ACKNOWLEDGED,
    labels=frozenset({Label.MEDIA}),
    organisations=("harbour",),
    history=(
        ConcernEvent(at=NOW, who="comms-1", action="acknowledged", why="rang the reporter back"),
    ),
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


DIGEST = Digest(
    day=date(2026, 11, 21),
    since=NOW - timedelta(days=1),
    until=NOW,
    needs_you=(COMPLAINT, QUERY),
    overdue=(LATE,),
    in_hand=(IN_HAND,),
    with_dsl=(SAFEGUARDING,),
    counts_by_organisation={
        "harbour": {Sentiment.NEGATIVE: 9, Sentiment.NEUTRAL: 4, Sentiment.POSITIVE: 1},
        "marsh-lane": {Sentiment.NEGATIVE: 3, Sentiment.NEUTRAL: 1, Sentiment.POSITIVE: 2},
        "oakfield": {Sentiment.NEGATIVE: 1, Sentiment.NEUTRAL: 1, Sentiment.POSITIVE: 3},
        "st-cedd": {Sentiment.NEUTRAL: 2},
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
            "Road works outside Marsh Lane Academy until Friday.",
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
    needs_you=(),
    overdue=(),
    in_hand=(),
    with_dsl=(),
    counts_by_organisation={},
    routine=(),
    praise=(),
    gaps=(),
)


def samples(renderer: Renderer) -> dict[str, Rendered]:
    """Each kind of mail once, by the name that its file gets."""
    full, withheld = Disclosure.FULL, Disclosure.WITHHELD
    because = "urgent at Oakfield Primary School"
    return {
        "alert": renderer.alert(THREAT, Notice(person=SLT, disclosure=full, because=because)),
        "alert_dsl": renderer.alert(
            SAFEGUARDING, Notice(person=DSL, disclosure=full, because=because)
        ),
        "alert_withheld": renderer.alert(
            replace(
                SAFEGUARDING, suggestion=replace(THREAT.suggestion, who="the safeguarding lead")
            ),
            Notice(person=SLT, disclosure=withheld, because=because),
        ),
        "digest": renderer.digest(DIGEST, COMMS),
        "digest_quiet": renderer.digest(QUIET, COMMS),
    }


def renderer() -> Renderer:
    """Sample posts name nobody, so that there is nothing to mask."""
    return Renderer(trust_name=SCHOOLS["lantern"], organisations=SCHOOLS, redact=lambda text: text)
