"""Silences in the house: what they hold back, what they don't, and what comes when they are over."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.domain import AlertSilence, SilenceScope, Suppression
from monitor.pipeline.watch import SourceWatch
from monitor.ports import SourceSpec
from monitor.sources import load_rules
from tests.test_campaigns import Scene, scene  # noqa: F401 - a fixture
from tests.test_escalate import House, house  # noqa: F401 - a fixture

CONCERN, SOURCE, ORGANISATION = SilenceScope


def silence(house: House, scope: SilenceScope, target: str, hours: float = 2) -> AlertSilence:  # noqa: F811
    now = house.clock()
    with house.store.begin() as rows:
        return rows.silences.add(
            scope,
            target,
            owner="slt",
            reason="the sports day",
            until=now + timedelta(hours=hours),
            now=now,
        )


def held_back(house: House) -> tuple[Suppression, ...]:  # noqa: F811
    with house.store.read() as rows:
        return rows.suppressions.listed()


@pytest.mark.parametrize(("scope", "target"), [(SOURCE, "feed"), (ORGANISATION, "wrenfold")])
def test_what_is_silenced_waits_and_comes_when_the_silence_is_over(
    house: House,  # noqa: F811
    scope: SilenceScope,
    target: str,
) -> None:
    """Logged and not alerted, nor escalated; written down with its reason, once for each post; and
    when the silence is over, what nobody took goes to the first in line by itself."""
    made = silence(house, scope, target)
    house.says("HATE one at", "a1", thread_id="t1")
    house.says("HATE two at", "a2", thread_id="t1")
    assert house.mailer.sent == []
    assert house.after(60) == []
    (row,) = held_back(house)
    assert (row.silence, row.silenced_by, row.case, row.count) == (made.id, "slt", "2026-0001", 2)
    assert "until 2026-03-10 11:15 UTC" in row.reason
    assert "sports day" not in row.reason, "the owner's words stand with the silence alone"
    events = [event.action for event in house.concern().history]
    assert events.count("silenced") == 1
    assert house.after(59.9) == []
    assert house.after(0.2) == ["slt"]


def test_an_ended_silence_lets_the_next_alert_out(house: House) -> None:  # noqa: F811
    """Ended before its time, and the next post of the incident is told of at once."""
    made = silence(house, ORGANISATION, "wrenfold")
    house.says("HATE one at", "a1", thread_id="t1")
    house.clock.forward(minutes=5)
    with house.store.begin() as rows:
        assert rows.silences.end(made.id, who="slt", now=house.clock())
        assert not rows.silences.end(made.id, who="slt", now=house.clock()), "it ends once"
    house.says("HATE two at", "a2", thread_id="t1")
    assert house.mailer.recipients() == ["slt@tarnbeck.example"]


def test_what_was_held_back_of_an_alerted_incident_is_news_afterwards(
    house: House,  # noqa: F811
) -> None:
    """The incident was alerted, its case silenced, and it grew graver meanwhile: the first post after
    the silence is told of, though nothing in it is new any more."""
    house.says("HATE one at", "a1", thread_id="t1")
    house.answer()
    silence(house, CONCERN, "2026-0001", hours=1)
    house.clock.forward(minutes=1)
    house.says("HATE ABUSE two at", "a2", thread_id="t1")
    assert len(house.mailer.sent) == 1
    house.clock.forward(minutes=60)
    house.says("ABUSE three at", "a3", thread_id="t1")
    assert len(house.mailer.sent) == 2
    assert house.concern().history[-1].why == "goes on after alerts were silenced"


@pytest.mark.parametrize("label", ["THREAT", "SAFEGUARDING", "IDENTIFIES_CHILD"])
def test_the_gravest_is_never_silenced(house: House, label: str) -> None:  # noqa: F811
    """A threat, a child at risk and a named child come through every silence, and escalate."""
    for scope, target in ((SOURCE, "feed"), (ORGANISATION, "wrenfold"), (CONCERN, "2026-0001")):
        silence(house, scope, target)
    house.says(f"{label} at")
    assert house.mailer.sent
    assert held_back(house) == ()
    assert house.after(15) != []


def test_an_escalation_that_has_begun_goes_on(house: House) -> None:  # noqa: F811
    """A silence of the school stops no escalation of what somebody was told before; one of the case
    does, until it is over."""
    house.says("HATE at")
    silence(house, ORGANISATION, "wrenfold")
    assert house.after(15) == ["head"]
    silence(house, CONCERN, "2026-0001", hours=1)
    assert house.after(59) == []
    assert house.after(2) == ["chair"]


def test_another_source_and_another_school_are_heard(house: House) -> None:  # noqa: F811
    """What is not silenced is alerted as ever, beside what is."""
    silence(house, SOURCE, "forum")
    silence(house, ORGANISATION, "elsewhere")
    house.says("HATE at")
    assert house.mailer.recipients() == ["slt@tarnbeck.example"]


def test_nobody_keeps_from_the_chair_what_is_about_themselves(house: House) -> None:  # noqa: F811
    """A head who is a senior leader as well silences the school: the allegation about them goes to
    the chair all the same."""
    people = tuple(
        replace(each, roles=each.roles | {"slt"}) if each.id == "head" else each
        for each in house.assessor.book.people
    )
    house.meets(people)
    now = house.clock()
    with house.store.begin() as rows:
        rows.silences.add(
            ORGANISATION,
            "wrenfold",
            owner="head",
            reason="x",
            until=now + timedelta(hours=1),
            now=now,
        )
    house.says("ALLEGATION The headteacher hit a boy at")
    assert "chair@tarnbeck.example" in house.mailer.recipients()


def test_a_silenced_source_is_told_of_afterwards(house: House) -> None:  # noqa: F811
    """While the silence stands its staleness is written down once, and nobody is mailed; when it is
    over and the source still not seen, they are."""
    store, clock = house.store, house.clock
    spec = SourceSpec(id="feed", kind="rss", interval_s=300, fingerprint="x")
    with store.begin() as rows:
        rows.sources.register([spec], now=clock())
    watch = SourceWatch(
        store=store,
        rules=load_rules().silence,
        people=house.assessor.book.people,
        letters=house.assessor.letters,
        channel="email",
        timezone=house.assessor.book.calendar.tz,
        started_at=clock(),
        clock=clock,
        wake=house.woken.append,
    )
    made = silence(house, SOURCE, "feed", hours=2)
    for _ in range(10):
        clock.forward(minutes=11)
        assert not watch.look()
    (row,) = held_back(house)
    assert (row.silence, row.count, row.case) == (made.id, 1, None)
    assert "feed is not being seen" in row.reason
    clock.forward(minutes=11)
    assert watch.look()
    assert house.deliver() == ["comms"]


def test_a_silenced_campaign_stands_in_the_digest_alone(scene: Scene) -> None:  # noqa: F811
    """Many voices against a silenced school become one case, and its notice is held back and counted."""
    now = scene.clock()
    with scene.store.begin() as rows:
        rows.silences.add(
            ORGANISATION,
            "wrenbury",
            owner="slt",
            reason="x",
            until=now + timedelta(hours=2),
            now=now,
        )
    scene.petition()
    assert scene.campaigns.look()
    assert scene.letters() == []
    (head,) = scene.heads()
    with scene.store.read() as rows:
        (row,) = rows.suppressions.listed(case=head.reference)
    assert row.count == 1
