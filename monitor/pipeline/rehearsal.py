"""A made-up urgent post is decided about and written of, before the first real one is claimed.

Templates and patterns are compiled when they are first used: half a second that would otherwise pass
between a post's claim and its commit, with the database's write lock held, in which whatever ends the
process counts against the post. And a template that can't be rendered is found at the start, not by the
first threat.
"""

from __future__ import annotations

from datetime import datetime

from classifiers.verdict import Label, Sentiment, Severity
from connectors.post import Post
from monitor.domain import Concern, ConcernState, Match, Mention, Triage
from monitor.domain.mentions import Strength
from monitor.policy import assessment
from monitor.policy.assessment import Rulebook
from monitor.ports import Letters

HARMS = (Label.THREAT, Label.SAFEGUARDING)  # the first goes to senior leaders, the other to the DSL


def rehearse(book: Rulebook, letters: Letters, organisation: str, *, now: datetime) -> int:
    """Decide about one made-up post of each harm about `organisation`, and write its letters; nothing
    is stored or sent. How many letters there were."""
    return sum(_letters(book, letters, _mention(organisation, now), harm, now) for harm in HARMS)


def _letters(book: Rulebook, letters: Letters, mention: Mention, harm: Label, now: datetime) -> int:
    triage = Triage(
        severity=Severity.URGENT,
        labels=frozenset({harm}),
        sentiment=Sentiment.NEGATIVE,
        scores=dict.fromkeys(Label, 0.0) | {harm: 1.0},
        reasons=("a rehearsal",),
    )
    decision = assessment.decide(mention, triage, None, book, now=now)
    draft = decision.draft
    if draft is None:
        return 0
    concern = Concern(
        id=0,
        reference="0000-0000",
        state=ConcernState.OPEN,
        severity=draft.triage.severity,
        labels=draft.triage.labels,
        sentiment=draft.triage.sentiment,
        organisations=draft.organisations,
        suggestion=draft.suggestion,
        reasons=draft.triage.reasons,
        confidential=draft.confidential,
        needs_review=draft.triage.needs_review,
        opened_at=now,
        updated_at=now,
        mentions=(mention,),
        ladder=book.ladder.name,
    )
    for notice in decision.notices:
        letters.alert(concern, notice, key="rehearsal", now=now)
    return len(decision.notices)


def _mention(organisation: str, now: datetime) -> Mention:
    text = "A rehearsal, of nobody and by nobody."
    return Mention(
        id=0,
        source="rehearsal",
        post=Post(platform="rehearsal", native_id="0", text=text, published_at=now),
        matches=(
            Match(
                organisation=organisation,
                term="rehearsal",
                field="text",
                span=(2, 11),
                strength=Strength.DISTINCTIVE,
                reason="a rehearsal",
            ),
        ),
        first_seen_at=now,
        revision=1,
    )
