"""A campaign's own case: what it is called, why it is one, who hears of it, and when. Its deadline and
drafts come from the ladder, as everybody's do.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from classifiers.verdict import Label, Sentiment, Severity
from monitor.domain import (
    MONITOR,
    Concern,
    ConcernEvent,
    ConcernState,
    Disclosure,
    Notice,
    Person,
    Role,
    Suggestion,
)
from monitor.policy.campaigns.campaign import Cluster
from monitor.policy.routes.roster import Roster

NAMED = "campaign"  # the history's word for what a campaign is called
NAMED_WHY = "many voices, one theme"
TOLD_BECAUSE = "a campaign: for communications and the senior leaders"
_UNDECIDED = Suggestion(
    rung="",
    rung_name="",
    who="",
    approver="",
    reply=None,
    private_reply=None,
    no_reply_because=None,
    do=(),
    dont=(),
    due_at=None,
    source="",
)


def topic(concern: Concern) -> str:
    """What stands for {topic_neutral} in the drafts of a campaign's case: a phrase of campaign.toml,
    or "this". `concern` with its history."""
    return next(
        (
            event.details["topic"]
            for event in reversed(concern.history)
            if event.action == NAMED and event.details.get("topic")
        ),
        "this",
    )


def as_concern(cluster: Cluster, before: Concern | None, *, now: datetime) -> Concern:
    """The campaign's case as it stands with `cluster`: a new one, or `before` carried on. What the
    ladder suggests for it is not decided here."""
    named = (
        ConcernEvent(
            at=now, who=MONITOR, action=NAMED, why=NAMED_WHY, details={"topic": cluster.theme[0]}
        )
        if cluster.theme
        else None
    )
    reasons = (reason(cluster),)
    if before is not None:
        history = (*before.history, named) if named else before.history
        organisations = dict.fromkeys((*before.organisations, cluster.organisation))
        return replace(before, reasons=reasons, organisations=tuple(organisations), history=history)
    return Concern(
        id=0,
        reference="",
        state=ConcernState.OPEN,
        severity=Severity.CONCERN,
        labels=frozenset({Label.CAMPAIGN}),
        sentiment=Sentiment.NEGATIVE,
        organisations=(cluster.organisation,),
        suggestion=_UNDECIDED,
        reasons=reasons,
        confidential=False,
        needs_review=False,
        opened_at=now,
        updated_at=now,
        history=(named,) if named else (),
        scores={Label.CAMPAIGN: 1.0},
    )


def reason(cluster: Cluster) -> str:
    """Why it is a campaign, in figures; nothing of what was said."""
    people = f" by {cluster.authors} people" if cluster.authors > 1 else ""
    about = f": {' and '.join(cluster.theme)}" if cluster.theme else ""
    return f"{cluster.posts} posts{people} on one theme{about}"


def notices(cluster: Cluster, people: tuple[Person, ...], *, day: date) -> tuple[Notice, ...]:
    """Whoever speaks for the trust and the senior leaders, of this organisation or else of any."""
    roster = Roster(people=people, organisations=(cluster.organisation,), day=day)
    told = [
        person
        for role in (Role.COMMS, Role.SLT)
        for person in roster.covering(role) or roster.anywhere(role)
    ]
    return tuple(
        Notice(person=person, disclosure=Disclosure.FULL, because=TOLD_BECAUSE)
        for person in {person.id: person for person in told}.values()
    )


def closed_with(
    concern: Concern, head: Concern, ending: ConcernEvent
) -> tuple[Concern, ConcernEvent]:
    """A case that was folded into the campaign `head`, closed by the same `ending`, and the line that
    its history gains. Only for one that nobody has taken up by itself."""
    event = replace(ending, why=f"with the campaign {head.reference}: {ending.why}")
    after = replace(
        concern,
        state=ConcernState.CLOSED,
        updated_at=event.at,
        closed_at=event.at,
        closing=head.closing,
        history=(*concern.history, event),
    )
    return after, event
