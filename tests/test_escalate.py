"""Unacknowledged alerts walk through the real store, on both databases, until somebody answers."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from email import message_from_bytes, policy

import pytest
import sqlalchemy as sa

from connectors.post import Post
from monitor import app, ladders
from monitor.delivery.letters import Letters
from monitor.delivery.render import Renderer
from monitor.domain import (
    Absence,
    Concern,
    ConcernState,
    DeliveryKind,
    Match,
    Outcome,
    Person,
    Role,
    Strength,
)
from monitor.pipeline.assess import Assessor
from monitor.pipeline.deliver import Deliverer
from monitor.pipeline.escalate import Escalator
from monitor.policy import triage
from monitor.policy.assessment import Rulebook
from monitor.policy.deadlines import Calendar
from monitor.policy.life import Move
from monitor.policy.matching.organisations import Organisation, Watchlist
from monitor.policy.routes import escalation
from monitor.store.store import SqlStore
from tests.fakes import FakeClassifier, FakeClock, FakeMailer
from tests.store.samples import leave

NAME = "Wrenfold Community School"
WATCHLIST = Watchlist(
    trust=Organisation(id="trust", name="Tarnbeck Learning Trust", town="Tarnbeck"),
    schools=(Organisation(id="wrenfold", name=NAME, town="Wrenfold"),),
)
MATCH = Match(
    organisation="wrenfold",
    term=NAME,
    field="text",
    span=(0, 8),
    strength=Strength.DISTINCTIVE,
    reason="the full name",
)


def somebody(name: str, *roles: Role, schools: tuple[str, ...] = ()) -> Person:
    return Person(
        id=name,
        name=name.title(),
        email=f"{name}@tarnbeck.example",
        roles=frozenset(roles),
        schools=frozenset(schools),
    )


PEOPLE = (
    somebody("comms", Role.COMMS),
    somebody("slt", Role.SLT),
    somebody("dsl", Role.DSL, schools=("wrenfold",)),
    somebody("deputy", Role.DEPUTY_DSL, schools=("wrenfold",)),
    somebody("lead", Role.DSL),
    somebody("head", Role.HEAD, schools=("wrenfold",)),
    somebody("chair", Role.CHAIR),
)


@dataclass
class House:
    """Assessing, delivering and escalating, and a clock to steer."""

    assessor: Assessor
    deliverer: Deliverer
    escalator: Escalator
    store: SqlStore
    mailer: FakeMailer
    clock: FakeClock
    woken: list[str]

    def says(self, text: str, native_id: str = "a1", **more: str) -> None:
        post = Post(platform="rss", native_id=native_id, text=f"{text} {NAME}", **more)
        with self.store.begin() as rows:
            rows.mentions.record("feed", [(post, (MATCH,))], now=self.clock())
        while self.assessor.assess():
            pass
        self.deliver()

    def deliver(self) -> list[str]:
        """Send what is due; who got it, by the part of the address before the @."""
        before = len(self.mailer.sent)
        while self.deliverer.deliver(list(DeliveryKind)):
            pass
        return sorted(who.partition("@")[0] for who in self.mailer.recipients()[before:])

    def after(self, minutes: float) -> list[str]:
        """Let time pass, look once, and say who got mail."""
        self.clock.forward(minutes=minutes)
        self.escalator.escalate()
        return self.deliver()

    def concern(self) -> Concern:
        with self.store.read() as rows:
            return rows.concerns.listed(states=list(ConcernState))[0]

    def answer(self) -> None:
        with self.store.begin() as rows:
            leave(rows, self.concern().id, Move.ACKNOWLEDGE, who="slt", now=self.clock())

    def meets(self, people: tuple[Person, ...]) -> None:
        """A new rota."""
        book = replace(self.assessor.book, people=people)
        self.assessor = replace(self.assessor, book=book)
        self.escalator = replace(self.escalator, book=book)


@pytest.fixture
def house(database: sa.Engine) -> House:
    store, mailer, clock, woken = SqlStore(database), FakeMailer(), FakeClock(), []
    book = Rulebook(
        triage=triage.load_rules(app.data("triage.toml")),
        ladder=ladders.load("base"),
        calendar=Calendar(),
        people=PEOPLE,
        watchlist=WATCHLIST,
        contact="office@tarnbeck.example",
        complaints_url=None,
        info_url=None,
    )
    renderer = Renderer(
        trust_name=WATCHLIST.trust.name,
        organisations={o.id: o.name for o in WATCHLIST.organisations},
        excerpt="full",
        redact=lambda text: text,
    )
    letters = Letters(renderer, "monitor@tarnbeck.example")
    return House(
        assessor=Assessor(
            store=store,
            classifier=FakeClassifier(),
            book=book,
            letters=letters,
            channel="email",
            owner="test",
            clock=clock,
            wake=woken.append,
        ),
        deliverer=Deliverer(store=store, mailer=mailer, owner="test", clock=clock),
        escalator=Escalator(
            store=store,
            book=book,
            rules=escalation.load_rules(app.data("escalation.toml")),
            letters=letters,
            channel="email",
            clock=clock,
            wake=woken.append,
        ),
        store=store,
        mailer=mailer,
        clock=clock,
        woken=woken,
    )


def test_the_next_in_line_every_quarter_of_an_hour(house: House) -> None:
    """A threat that nobody acknowledges goes down the line, and begins again after an hour."""
    house.says("THREAT at")
    assert house.mailer.recipients() == ["slt@tarnbeck.example"]
    assert house.after(14) == []
    assert house.after(1) == ["head"]
    assert house.after(14) == []
    assert house.after(1) == ["chair"]
    assert house.after(15) == ["comms"]
    assert house.after(59) == []
    assert house.after(1) == ["comms", "slt"]
    said = [event for event in house.concern().history if event.action == "escalated"]
    assert [event.details["tier"] for event in said] == ["1", "2", "3", "4"]
    assert said[0].details["people"] == "head"
    assert house.woken == ["deliver"] * 5


def test_an_answer_ends_it(house: House) -> None:
    """Once somebody has it, nobody else is told."""
    house.says("THREAT at")
    assert house.after(15) == ["head"]
    house.answer()
    assert house.after(600) == []


def test_a_look_in_between_changes_nothing(house: House) -> None:
    """However often it looks, a step is taken once."""
    house.says("THREAT at")
    assert house.after(15) == ["head"]
    for _ in range(5):
        assert house.after(1) == []


def test_a_long_silence_of_the_monitor_itself_takes_one_step(house: House) -> None:
    """After three hours' standstill the next in line is told, not everybody at once."""
    house.says("THREAT at")
    assert house.after(180) == ["head"]
    assert house.after(1) == []
    assert house.after(14) == ["chair"]


def test_a_restart_in_between_forgets_nothing(house: House) -> None:
    """A new monitor over the same database goes on where the old one stopped."""
    house.says("THREAT at")
    assert house.after(15) == ["head"]
    house.clock.forward(minutes=10)
    house.store.release(now=house.clock())
    house.escalator = replace(house.escalator)
    assert house.after(4) == []
    assert house.after(1) == ["chair"]


def test_two_monitors_at_once_take_a_step_once(house: House) -> None:
    """Two processes that look at the same moment queue one letter and write one line."""
    house.says("THREAT at")
    house.clock.forward(minutes=15)
    together = threading.Barrier(4)
    took = []

    def look() -> None:
        together.wait(10)
        took.append(replace(house.escalator).escalate())

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(took) == [False, False, False, True]
    assert house.deliver() == ["head"]
    assert sum(event.action == "escalated" for event in house.concern().history) == 1


def test_a_pile_on_escalates_once(house: House) -> None:
    """Fifty posts of one incident are one alert and one step."""
    for number in range(50):
        house.says("THREAT at", f"a{number}", thread_id="t1")
    assert house.after(15) == ["head"]


def test_a_child_at_risk_stays_with_the_leads_until_somebody_has_to_ring(house: House) -> None:
    """DSL, deputy, the trust's lead; then senior leaders learn that nobody has accepted it, and
    neither school nor category nor a word of the post."""
    house.says("SAFEGUARDING a zebra-striped secret at")
    assert house.mailer.recipients() == ["dsl@tarnbeck.example", "lead@tarnbeck.example"]
    assert house.after(15) == ["deputy"]
    assert house.after(15) == ["slt"]
    letter = message_from_bytes(house.mailer.sent[-1][1], policy=policy.default)
    said = str(letter["Subject"]) + "".join(part.get_content() for part in letter.iter_parts())
    for secret in ("zebra", "Wrenfold", "at risk", "rss"):
        assert secret not in said
    assert "ring the safeguarding lead" in said
    house.answer()
    assert house.after(600) == []


def test_cover_and_absence(house: House) -> None:
    """Who is away is passed over, whoever stands in for them is told, from that day's midnight on."""
    day = date(2026, 3, 11)
    away = Absence(since=day, until=day, cover="vice")
    people = tuple(
        replace(each, absences=(away,)) if each.id == "head" else each for each in PEOPLE
    )
    house.meets((*people, somebody("vice", Role.HEAD, schools=("elsewhere",))))
    house.clock.now = datetime(2026, 3, 10, 23, 40, tzinfo=UTC)
    house.says("THREAT at")
    assert house.after(15) == ["head"], "five to midnight: still there"
    house.meets((*people, somebody("vice", Role.HEAD, schools=("elsewhere",))))
    assert house.after(15) == ["vice"], "ten past midnight"


def test_a_refused_letter_brings_the_next_at_once(house: House) -> None:
    """A mailbox that no longer exists costs no quarter of an hour."""
    house.mailer.answers = [Outcome.REJECTED]
    house.says("THREAT at")
    assert house.mailer.sent == []
    assert house.after(0.25) == ["head"]
    assert house.after(1) == []
    assert house.after(14) == ["chair"]


def test_the_night_of_the_clock_change(house: House) -> None:
    """In the night when the clocks go back, steps are 15 elapsed minutes apart."""
    house.clock.now = datetime(2026, 10, 25, 0, 50, tzinfo=UTC)
    house.says("THREAT at")
    assert house.after(14.9) == []
    assert house.after(0.1) == ["head"]
    assert house.after(14.9) == []
    assert house.after(0.1) == ["chair"]


def test_several_incidents_each_have_their_line(house: House) -> None:
    """Two urgent concerns escalate apart; answering one leaves the other in its line."""
    house.says("THREAT one at", "a1", thread_id="t1")
    house.clock.forward(minutes=5)
    house.says("HATE another thing entirely at", "b1", thread_id="t2")
    assert house.after(10) == ["head"]
    house.answer()
    assert house.after(5) == ["head"]
