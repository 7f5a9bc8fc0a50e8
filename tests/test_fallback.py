"""Mail doesn't get through: the calls that stand in for it, in the real store, on both databases."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from monitor.delivery.other import CallWriter, words_of
from monitor.domain import Channel, DeliveryKind, DeliveryState, Outcome, Posted
from monitor.pipeline.bundle import Bundler
from monitor.pipeline.deliver import Deliverer
from monitor.pipeline.fallback import Fallback
from monitor.policy.routes import fallback
from monitor.store.store import SqlStore
from tests.fakes import FakeMailer
from tests.test_escalate import PEOPLE, House, house  # noqa: F401 - a fixture

REFUSED, LATER, UNCLEAR = Outcome.REJECTED, Outcome.DEFERRED, Outcome.AMBIGUOUS
SLTS = Channel(id="sms-slt", people=("slt",))
ROOM = Channel(id="room", people=("slt", "head", "chair"))


class FakeGateways(FakeMailer):
    """Other channels that accept everything unless `answers` says otherwise."""

    channel = "other"


@dataclass
class Home:
    """The house of the escalations with other channels beside it. Its mail fails until told not to."""

    house: House
    look: Fallback
    caller: Deliverer
    bundler: Bundler
    gateways: FakeGateways = field(default_factory=FakeGateways)

    def says(self, text: str, native_id: str = "a1", **more: str) -> None:
        self.house.says(text, native_id, **more)

    def mail(self, outcome: Outcome, times: int = 500) -> None:
        self.house.mailer.answers = [outcome] * times

    def after(self, minutes: float) -> list[str]:
        """Let time pass, let mail and calls go out; the words of the calls by channel."""
        before = len(self.gateways.sent)
        self.house.clock.forward(minutes=minutes)
        self.bundler.look()
        self.post()
        self.look.look()
        while self.caller.deliver([DeliveryKind.OTHER]):
            pass
        return [
            f"{channel}: {' '.join(words_of(words))}"
            for channel, words in self.gateways.sent[before:]
        ]

    def post(self) -> list[str]:
        """Send the mail that is due; who got it."""
        before = len(self.house.mailer.sent)
        while self.house.deliverer.deliver([DeliveryKind.ALERT]):
            pass
        return [who.partition("@")[0] for who in self.house.mailer.recipients()[before:]]

    def posted(self, kind: DeliveryKind = DeliveryKind.OTHER) -> list[Posted]:
        with self.house.store.read() as rows:
            return [each for each in rows.outbox.listed() if each.kind is kind]


@pytest.fixture
def home(house: House) -> Home:  # noqa: F811
    writer = CallWriter(
        trust_name="Tarnbeck Learning Trust",
        organisations={"wrenfold": "Wrenfold Community School"},
        acknowledge=lambda case, person: f"https://monitor.example/a/{case}-{person}",
    )
    gateways = FakeGateways()
    return Home(
        house=house,
        look=Fallback(
            store=house.store,
            channels=(SLTS, ROOM),
            people=PEOPLE,
            rules=fallback.packaged_rules(),
            calls=writer,
            clock=house.clock,
            wake=house.woken.append,
        ),
        bundler=Bundler(
            store=house.store,
            letters=house.assessor.letters,
            clock=house.clock,
            wake=house.woken.append,
        ),
        caller=Deliverer(store=house.store, mailer=gateways, owner="test", clock=house.clock),
        gateways=gateways,
    )


def test_after_five_minutes_each_channel_is_told_once(home: Home) -> None:
    """Number, school and how to take it, for their own telephone with a link, for a room without;
    the mail goes on being offered."""
    home.mail(LATER)
    home.says("THREAT a zebra-striped secret at")
    assert home.after(4.9) == []
    own, room = home.after(0.2)
    assert own.startswith("sms-slt: Urgent: case 2026-0001 waits for somebody")
    assert "Wrenfold Community School" in own
    assert "https://monitor.example/a/2026-0001-slt" in own
    assert room.startswith("room: Urgent: case 2026-0001")
    assert "https://" not in room
    assert "concerns acknowledge 2026-0001 --who YOUR-ID" in room
    for secret in ("zebra", "threat", "THREAT"):
        assert secret not in own + room
    assert home.house.woken[-1] == "deliver-other"
    assert home.after(60) == []
    (letter,) = home.posted(DeliveryKind.ALERT)
    assert letter.state is DeliveryState.PENDING
    assert [each.instead_of for each in home.posted()] == [letter.id] * 2


def test_what_is_refused_for_good_is_told_at_once_and_goes_to_the_next_at_once(home: Home) -> None:
    """A mailbox that is no more: the other channel, and the next in line, without five minutes or a
    quarter of an hour."""
    home.mail(REFUSED, 1)
    home.says("THREAT at")
    assert len(home.after(0.25)) == 2
    assert home.house.after(0) == ["head"]


def test_an_unclear_answer_is_repeated_twice_first(home: Home) -> None:
    """Sent without an answer it has probably arrived: 15 minutes, 15 minutes, and then the call."""
    home.mail(UNCLEAR)
    home.says("THREAT at")
    assert home.after(14.9) == []
    assert home.after(15) == []
    assert len(home.house.mailer.sent) == 2
    assert len(home.after(15.2)) == 2
    assert len(home.house.mailer.sent) == 3


def test_mail_that_works_calls_nobody(home: Home) -> None:
    """An accepted letter has no stand-in, however long nobody answers."""
    home.says("THREAT at")
    assert home.after(600) == []
    assert home.posted() == []


def test_a_case_that_somebody_took_meanwhile(home: Home) -> None:
    """Nothing is due for it, and a call that has not gone out is taken back."""
    home.mail(LATER)
    home.says("THREAT at")
    home.gateways.answers = [LATER] * 9
    home.after(5.1)
    assert [each.state for each in home.posted()] == [DeliveryState.PENDING] * 2
    home.house.answer()
    home.gateways.answers = []
    home.look.look()
    assert home.after(5) == []
    assert [each.state for each in home.posted()] == [DeliveryState.UNNEEDED] * 2
    assert home.posted()[0].detail


def test_mail_that_gets_through_after_all(home: Home) -> None:
    """The gateway was down as well; then the mail is accepted, and the call is needed no more."""
    home.mail(LATER)
    home.says("THREAT at")
    home.gateways.answers = [LATER] * 9
    home.after(5.1)
    home.house.mailer.answers = []
    home.house.clock.forward(minutes=5)
    assert home.post() == ["slt"]
    home.look.look()
    assert [each.state for each in home.posted()] == [DeliveryState.UNNEEDED] * 2


def test_a_gateway_that_fails_is_tried_again_for_six_hours(home: Home) -> None:
    """15 s, 1, 5 and then every 15 minutes; given up it is dead, and shown, and escalates nothing."""
    home.mail(LATER)
    home.look = replace(home.look, channels=(SLTS,))
    home.says("THREAT at")
    home.gateways.answers = [LATER] * 200
    for _ in range(40):
        home.after(10)
    (call,) = home.posted()
    assert call.state is DeliveryState.DEAD
    assert 20 < call.attempts < 35
    with home.house.store.read() as rows:
        assert rows.outbox.dead([home.house.concern().id]) == frozenset()


def test_an_unclear_gateway_gets_three_copies_at_most(home: Home) -> None:
    """A gateway that takes the words and hangs must not be flooded."""
    home.mail(LATER)
    home.look = replace(home.look, channels=(SLTS,))
    home.says("THREAT at")
    home.gateways.answers = [UNCLEAR] * 200
    for _ in range(20):
        home.after(5)
    assert len(home.gateways.sent) == 3


def test_many_alerts_while_mail_is_down_are_one_message(home: Home) -> None:
    """Ten letters and a letter of the other five, none of which any relay takes: within five minutes
    one message tells of all fifteen cases, and a row says for each letter where it was told."""
    home.mail(LATER, 5000)
    home.look = replace(home.look, channels=(SLTS,))
    for number in range(15):
        home.says(f"THREAT {'abcdefghijklmno'[number] * 40} at", f"a{number}")
    assert home.after(1) == []
    (told,) = home.after(4.1)
    assert "15 cases wait" in told
    assert "and 10 more" in told
    parts = [each for each in home.posted() if each.state is DeliveryState.BUNDLED]
    (whole,) = [each for each in home.posted() if each.state is DeliveryState.SENT]
    assert {each.bundled_in for each in parts} == {whole.id}
    assert len({each.case for each in parts}) == 15
    assert home.after(60) == []


def test_a_letter_of_letters_on_its_first_way_is_no_failure(home: Home) -> None:
    """What was held for longer than five minutes, because its reader had enough, is not told of
    elsewhere while its bundle is about to be accepted."""
    home.look = replace(home.look, channels=(SLTS,))
    for number in range(12):
        home.says(f"THREAT {'abcdefghijkl'[number] * 40} at", f"a{number}")
    home.house.clock.forward(minutes=10)
    home.bundler.look()
    assert not home.look.look()
    assert home.after(0) == []
    assert home.posted() == []


def test_two_monitors_at_once_call_once(home: Home) -> None:
    """A second monitor beside the first finds every call made."""
    home.mail(REFUSED, 1)
    home.says("THREAT at")
    assert home.look.look()
    assert not replace(home.look).look()
    with home.house.store.begin() as rows:
        (letter,) = rows.fallbacks.letters(
            queued_before=home.house.clock(), dead_since=home.house.clock() - timedelta(1)
        )
    assert letter.called == {"sms-slt", "room"}
    assert len(home.after(0)) == 2


def test_a_restart_forgets_nothing(home: Home) -> None:
    """Killed between the call's commit and its sending: the next start sends it, once."""
    home.mail(REFUSED, 1)
    home.says("THREAT at")
    home.look.look()
    home.house.store.release(now=home.house.clock())
    home.look = replace(home.look, store=SqlStore(home.house.store._engine))
    assert len(home.after(0)) == 2
    assert home.after(1) == []


def test_a_confidential_case_keeps_its_school_to_itself(home: Home) -> None:
    """A child at risk: that a case waits, and no school, on the safeguarding lead's own telephone."""
    home.look = replace(home.look, channels=(Channel(id="sms-dsl", people=("dsl",)), ROOM))
    home.mail(LATER)
    home.says("SAFEGUARDING at")
    (own,) = home.after(5.1)
    assert "Urgent: case 2026-0001" in own
    assert "Wrenfold" not in own
    assert "/a/2026-0001-dsl" in own


def test_without_channels_nothing_is_looked_at(home: Home) -> None:
    """The extra is optional: without [[channels]] nothing changes."""
    home.mail(REFUSED, 1)
    home.says("THREAT at")
    assert not replace(home.look, channels=()).look()
    assert home.posted() == []
