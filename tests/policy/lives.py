"""A made-up trust, its people, and a concern to try moves on. Nothing is stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from classifiers.verdict import Label, Sentiment, Severity
from monitor import ladders
from monitor.domain import Concern, ConcernEvent, ConcernState, Mention, Person, Role
from monitor.policy import life
from monitor.policy.assessment import Rulebook, reconsider
from monitor.policy.deadlines import Calendar
from monitor.policy.drafts.check import Finding
from monitor.policy.life import Change, Move, Refusal
from monitor.policy.life.ground import ground
from monitor.policy.matching.organisations import Organisation, Watchlist
from monitor.policy.triage import load_rules
from tests.policy.builders import packaged, person
from tests.store.samples import draft, post

NOW = datetime(2026, 3, 10, 9, 15, tzinfo=UTC)  # a Tuesday
SCHOOL = "fernholt"
WATCHLIST = Watchlist(
    trust=Organisation(id="trust", name="Fernholt Learning Trust", town="Fernholt"),
    schools=(Organisation(id=SCHOOL, name="Fernholt High School", town="Fernholt"),),
)
PEOPLE = (
    person("comms", Role.COMMS),
    person("comms2", Role.COMMS),
    person("slt", Role.SLT),
    person("slt2", Role.SLT, Role.DSL),
    person("dsl", Role.DSL),
    person("deputy", Role.DEPUTY_DSL),
    person("head", Role.HEAD, Role.SLT, schools=[SCHOOL]),
    person("chair", Role.CHAIR),
)
BY_ID = {each.id: each for each in PEOPLE}


def book(profile: str = "base", people: tuple[Person, ...] = PEOPLE) -> Rulebook:
    return Rulebook(
        triage=load_rules(packaged("triage.toml")),
        ladder=ladders.load(profile),
        calendar=Calendar(),
        people=people,
        watchlist=WATCHLIST,
        contact="office@trust.example",
        complaints_url="https://trust.example/complaints",
        info_url=None,
    )


BOOK = book()


def concern(
    *labels: Label, severity: Severity = Severity.CONCERN, number: int = 1, **fields: Any
) -> Concern:
    """An open concern with two posts, as it was logged."""
    opened = Concern(
        id=number,
        reference=f"2026-{number:04d}",
        state=ConcernState.OPEN,
        severity=severity,
        labels=frozenset(labels),
        sentiment=Sentiment.NEGATIVE,
        organisations=(SCHOOL,),
        suggestion=draft().suggestion,
        reasons=(),
        confidential=False,
        needs_review=False,
        opened_at=NOW,
        updated_at=NOW,
        scores=dict.fromkeys(labels, 0.9),
        mentions=tuple(
            Mention(
                id=10 * number + n,
                source="feed",
                post=post(f"{number}-{n}"),
                matches=(),
                first_seen_at=NOW,
                revision=1,
            )
            for n in (1, 2)
        ),
        history=(ConcernEvent(at=NOW, who="monitor", action="opened", why="new"),),
    )
    opened = replace(opened, **fields)
    return replace(opened, suggestion=reconsider(opened, BOOK, now=NOW))


BLOCKING = Finding(rule="names-a-person", blocking=True, why="a name", source="s", span=(0, 1))


def ask(
    move: Move,
    on: Concern,
    who: str,
    *,
    rules: Rulebook = BOOK,
    other: Concern | None = None,
    findings: tuple[Finding, ...] = (),
    why: str = "because",
    at: datetime = NOW + timedelta(hours=1),
    **details: str,
) -> Change | Refusal:
    """One move, decided."""
    people = {each.id: each for each in rules.people}
    return life.permit(
        move,
        on,
        people[who],
        ground(on, rules, findings=findings, other=other),
        details=details,
        why=why,
        now=at,
    )


def do(move: Move, on: Concern, who: str, **more: Any) -> Concern:
    """One move that must be allowed; the concern after it, with what the ladder then suggests."""
    answer = ask(move, on, who, **more)
    assert isinstance(answer, Change), answer
    rules = more.get("rules", BOOK)
    return replace(
        answer.after, suggestion=reconsider(answer.after, rules, now=more.get("at", NOW))
    )


def refused(move: Move, on: Concern, who: str, **more: Any) -> str:
    """The rule that refuses a move."""
    answer = ask(move, on, who, **more)
    assert isinstance(answer, Refusal), f"{move} was allowed"
    assert answer.why
    assert answer.source
    return answer.rule


def acknowledged(*labels: Label, **fields: Any) -> Concern:
    return do(Move.ACKNOWLEDGE, concern(*labels, **fields), "slt2")


def drafted(who: str = "comms", **fields: Any) -> Concern:
    return do(Move.DRAFT, acknowledged(Label.COMPLAINT, **fields), who, text="Hello.")


def approved(**fields: Any) -> Concern:
    return do(Move.APPROVE, drafted(**fields), "slt")
