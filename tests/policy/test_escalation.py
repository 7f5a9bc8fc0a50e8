"""Who is told next while nobody acknowledges."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.verdict import Label, Sentiment, Severity
from monitor.domain import (
    Absence,
    Concern,
    ConcernEvent,
    ConcernState,
    Disclosure,
    Role,
)
from monitor.errors import ConfigError
from monitor.policy.routes import escalation
from monitor.policy.routes.escalation import Escalate, Rest, Wait
from monitor.policy.routes.routing import CHILD_AT_RISK
from tests.policy.builders import labels_sets, packaged, person
from tests.store.samples import draft

HILL, MILL = "hill", "mill"
NOW = datetime(2026, 3, 10, 9, 15, tzinfo=UTC)
DAY = date(2026, 3, 10)
RULES = escalation.load_rules(packaged("escalation.toml"))

AMARA = person("amara", Role.SLT, schools=[HILL])
BRUNO = person("bruno", Role.SLT)
CELIA = person("celia", Role.DSL, schools=[HILL])
DILIP = person("dilip", Role.DEPUTY_DSL, schools=[HILL])
EDIE = person("edie", Role.DSL, schools=[MILL])
FRANS = person("frans", Role.COMMS)
GWEN = person("gwen", Role.HEAD, schools=[HILL])
HAMID = person("hamid", Role.CHAIR, schools=[HILL])
IDA = person("ida", Role.SLT, schools=[MILL])
PEOPLE = (AMARA, BRUNO, CELIA, DILIP, EDIE, FRANS, GWEN, HAMID, IDA)


def concern(*labels: Label, severity: Severity = Severity.URGENT, **more: object) -> Concern:
    made = Concern(
        id=1,
        reference="2026-0001",
        state=ConcernState.OPEN,
        severity=severity,
        labels=frozenset(labels),
        sentiment=Sentiment.NEGATIVE,
        organisations=(HILL,),
        suggestion=draft().suggestion,
        reasons=(),
        confidential=bool(CHILD_AT_RISK & set(labels)),
        needs_review=False,
        opened_at=NOW,
        updated_at=NOW,
        history=(
            ConcernEvent(at=NOW, who="monitor", action="opened", why="x"),
            ConcernEvent(
                at=NOW,
                who="monitor",
                action="alerted",
                why="x",
                details={"people": "amara,bruno", "round": "1"},
            ),
        ),
    )
    return replace(made, **more)  # type: ignore[arg-type] - a test's shorthand


def happened(before: Concern, at: datetime, action: str, **details: str) -> Concern:
    event = ConcernEvent(at=at, who="monitor", action=action, why="x", details=details)
    return replace(before, history=(*before.history, event))


def decide(asked: Concern, minutes: float = 0, people=PEOPLE, dead=frozenset(), day=DAY):
    now = NOW + timedelta(minutes=minutes)
    return escalation.due(asked, people, RULES, day=day, now=now, dead=dead)


def play(asked: Concern, steps: int, people=PEOPLE) -> list[tuple[float, set[str]]]:
    """Let nobody answer: (minutes since the alert, who is told) of the first steps."""
    told = []
    now = NOW
    while len(told) < steps:
        step = escalation.due(asked, people, RULES, day=DAY, now=now)
        if isinstance(step, Wait):
            assert step.until > now
            now = step.until
            continue
        assert isinstance(step, Escalate), step
        told.append(((now - NOW) / timedelta(minutes=1), {n.person.id for n in step.notices}))
        asked = happened(asked, now, "escalated", **step.details)
    return told


def test_the_line_goes_on_until_everybody_knows_and_then_starts_again() -> None:
    """Every 15 minutes the next in line; then, each hour, the first and the last again."""
    assert play(concern(Label.THREAT), 7) == [
        (15, {"ida"}),
        (30, {"gwen"}),
        (45, {"hamid"}),
        (60, {"frans"}),
        (120, {"amara", "bruno", "frans"}),
        (180, {"amara", "bruno", "frans"}),
        (240, {"amara", "bruno", "frans"}),
    ]


def test_the_pace_of_repeats_has_a_bound() -> None:
    """After twelve hours of silence the first and the last are told every four hours, for ever."""
    times = [at for at, _ in play(concern(Label.THREAT), 20)]
    waits = [after - before for before, after in pairwise(times[3:])]
    assert waits == [60.0] * 12 + [240.0] * 4


def test_a_child_at_risk_stays_with_the_safeguarding_leads() -> None:
    """The lead, the deputy, the other leads of the trust; then senior leaders are asked to ring."""
    asked = concern(Label.SAFEGUARDING, severity=Severity.CONCERN)
    asked = replace(asked, history=asked.history[:1])
    asked = happened(asked, NOW, "alerted", people="celia", round="1")
    assert play(asked, 4) == [
        (15, {"dilip"}),
        (30, {"edie"}),
        (45, {"amara", "bruno"}),
        (105, {"celia", "amara", "bruno"}),
    ]
    asked = happened(asked, NOW, "escalated", people="dilip,edie", round="1", tier="1")
    step = decide(asked, 15)
    assert isinstance(step, Escalate)
    assert {notice.disclosure for notice in step.notices} == {Disclosure.RING}
    assert "by phone" in step.because


def test_who_only_heard_that_it_exists_is_still_asked_to_ring() -> None:
    """A senior leader with a withheld notice of a threat to a child has not been asked yet."""
    asked = concern(Label.SAFEGUARDING, Label.THREAT)
    asked = replace(asked, history=asked.history[:1])
    asked = happened(asked, NOW, "alerted", people="celia", withheld="amara,bruno", round="1")
    told = [people for _, people in play(asked, 3)]
    assert told[-1] == {"amara", "bruno"}


@pytest.mark.parametrize("state", [state for state in ConcernState if state != "open"])
def test_whoever_takes_it_ends_it(state: ConcernState) -> None:
    """Any state but open is an answer."""
    assert isinstance(decide(concern(Label.THREAT, state=state), 600), Rest)


def test_what_is_not_urgent_does_not_escalate() -> None:
    """A media question waits for its own clock, in the digest."""
    assert isinstance(decide(concern(Label.MEDIA, severity=Severity.CONCERN), 600), Rest)


def test_not_a_minute_early() -> None:
    """Fourteen minutes and 59 seconds are no 15 minutes."""
    assert decide(concern(Label.THREAT), 14.98) == Wait(until=NOW + timedelta(minutes=15))
    assert isinstance(decide(concern(Label.THREAT), 15), Escalate)


def test_a_letter_that_will_never_arrive_is_no_reason_to_wait() -> None:
    """A dead alert brings the next in line at once, and once: the next step's own letters count."""
    asked = concern(Label.THREAT)
    step = decide(asked, 1, dead={"alert:2026-0001:1"})
    assert isinstance(step, Escalate)
    assert "can't be delivered" in step.because
    asked = happened(asked, NOW + timedelta(minutes=1), "escalated", **step.details)
    assert isinstance(decide(asked, 2, dead={"alert:2026-0001:1"}), Wait)
    assert isinstance(decide(asked, 2, dead={step.key("2026-0001")}), Escalate)


def test_dead_letters_to_everybody_keep_to_the_pace() -> None:
    """Where no letter arrives at all, the repeats still come by the hour."""
    everybody = concern(Label.THREAT)
    ids = ",".join(p.id for p in PEOPLE)
    everybody = happened(everybody, NOW, "escalated", people=ids, round="1", tier="1")
    dead = {"alert:2026-0001:1", "escalate:2026-0001:1:1"}
    assert isinstance(decide(everybody, 59, dead=dead), Wait)
    assert isinstance(decide(everybody, 60, dead=dead), Escalate)


def test_another_alert_to_the_same_people_buys_them_no_time() -> None:
    """A thread that goes on at minute 10 doesn't put the next in line off to minute 25."""
    asked = happened(
        concern(Label.THREAT), NOW + timedelta(minutes=10), "alerted", people="amara", round="2"
    )
    assert isinstance(decide(asked, 15), Escalate)


def test_what_becomes_urgent_later_starts_its_clock_then() -> None:
    """Senior leaders told for the first time on the second day have their own 15 minutes."""
    asked = concern(Label.THREAT, Label.MEDIA)
    asked = replace(asked, history=asked.history[:1])
    asked = happened(asked, NOW, "alerted", people="frans", round="1")
    later = NOW + timedelta(days=1)
    asked = happened(asked, later, "alerted", people="amara,bruno", round="2")
    assert escalation.due(asked, PEOPLE, RULES, day=DAY, now=later) == Wait(
        until=later + timedelta(minutes=15)
    )


def test_a_reopened_concern_begins_anew() -> None:
    """What was told before it was closed counts for nothing: the first in line come first."""
    later = NOW + timedelta(days=3)
    asked = happened(concern(Label.THREAT), later, "reopened")
    step = escalation.due(asked, PEOPLE, RULES, day=DAY, now=later + timedelta(minutes=15))
    assert isinstance(step, Escalate)
    assert {n.person.id for n in step.notices} == {"amara", "bruno"}
    assert step.key(asked.reference) == "escalate:2026-0001:2:1"


def test_an_urgent_concern_that_nobody_was_told_of_is_not_forgotten() -> None:
    """A concern made by splitting another reaches the first in line after 15 minutes."""
    asked = replace(concern(Label.THREAT), history=concern().history[:1])
    step = decide(asked, 15)
    assert isinstance(step, Escalate)
    assert {n.person.id for n in step.notices} == {"amara", "bruno"}


def test_a_rota_that_changes_at_midnight_changes_who_comes_next() -> None:
    """Whoever comes back, or stands in from today, is told today; who is away is passed over."""
    away = replace(GWEN, absences=(Absence(since=DAY, until=DAY, cover="joan"),))
    joan = person("joan", Role.HEAD, schools=[MILL])
    people = (AMARA, BRUNO, away, joan)
    step = decide(concern(Label.THREAT), 15, people)
    assert isinstance(step, Escalate)
    assert [n.person.id for n in step.notices] == ["joan"]
    step = decide(concern(Label.THREAT), 15, people, day=DAY + timedelta(days=1))
    assert isinstance(step, Escalate)
    assert [n.person.id for n in step.notices] == ["gwen"]


def test_fifteen_minutes_are_elapsed_minutes_when_the_clocks_change() -> None:
    """At 00:50 GMT before the clocks go forward, the next in line is told at 02:05 BST."""
    at = datetime(2026, 3, 29, 0, 50, tzinfo=UTC)
    asked = replace(
        concern(Label.THREAT),
        history=tuple(replace(event, at=at) for event in concern().history),
    )
    step = escalation.due(asked, PEOPLE, RULES, day=DAY, now=at)
    assert isinstance(step, Wait)
    local = step.until.astimezone(ZoneInfo("Europe/London"))
    assert f"{local:%H:%M %Z}" == "02:05 BST"


def test_histories_from_before_people_were_noted() -> None:
    """An alert without names is followed by the first in line again: twice is better than never."""
    bare = replace(
        concern(Label.THREAT),
        history=tuple(replace(event, details={}) for event in concern().history),
    )
    step = decide(bare, 15)
    assert isinstance(step, Escalate)
    assert {n.person.id for n in step.notices} == {"amara", "bruno"}


people = st.lists(
    st.tuples(
        st.frozensets(st.sampled_from(Role), min_size=1, max_size=3),
        st.frozensets(st.sampled_from([HILL, MILL]), max_size=1),
        st.booleans(),
    ),
    min_size=1,
    max_size=7,
).map(
    lambda drawn: tuple(
        replace(
            person(f"p{number}", *roles, schools=schools),
            absences=(Absence(since=DAY, until=DAY),) if away else (),
        )
        for number, (roles, schools, away) in enumerate(drawn)
    )
)


@given(labels_sets, people, st.booleans())
def test_the_chain_tells_nobody_who_must_not_know(labels, staff, about_head) -> None:
    """Whoever is configured: a child's case stays with the leads where one may be told, others are
    only asked to ring; no head is told of an allegation about them; nobody stands in two tiers."""
    asked = concern(*labels, about_head=about_head)
    tiers = escalation.chain(asked, staff, day=DAY)
    told = [(p, tier.disclosure) for tier in tiers for p in tier.people]
    assert len({p.id for p, _ in told}) == len(told)
    heads = {p.id for p in staff if Role.HEAD in p.roles and p.covers((HILL,))}
    barred = heads if about_head else set()
    assert not barred & {p.id for p, _ in told}
    leads = {p.id for p in staff if p.roles & {Role.DSL, Role.DEPUTY_DSL}} - barred
    if asked.confidential and leads:
        assert {p.id for p, disclosure in told if disclosure is Disclosure.FULL} <= leads
        assert not leads & {p.id for p, disclosure in told if disclosure is Disclosure.RING}
    if (
        {p.id for p in staff}
        - barred
        - {p.id for p in staff if about_head and Role.HEAD in p.roles}
    ):
        assert any(disclosure is Disclosure.FULL for _, disclosure in told)


@given(labels_sets, people)
def test_silence_is_never_the_end(labels, staff) -> None:
    """However long nobody answers, there is always a next step, and never two at one time."""
    times = [at for at, _ in play(concern(*labels), 12, staff)]
    assert times == sorted(set(times))
    assert times[0] >= 15


def test_a_file_that_would_flood_is_refused() -> None:
    """Neither a step without a wait nor an endless list of none."""
    for text in ("after_min = 0\nrepeat_min = [60]", "after_min = 15\nrepeat_min = []", "x = 1"):
        with pytest.raises(ConfigError):
            escalation.load_rules(text)
