"""More alerts than one reader should get in an hour, through the real outbox, on both databases."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from monitor.delivery.letters import Letters
from monitor.delivery.message import KEY_HEADER, freeze
from monitor.delivery.render import Rendered, Renderer
from monitor.domain import DeliveryKind, DeliveryState, Outcome, Posted
from monitor.pipeline import Bundler, Deliverer
from monitor.policy.routes import flood
from monitor.ports import NewDelivery
from monitor.store.database import open_database, upgrade
from monitor.store.store import SqlStore
from tests.fakes import FakeClock, FakeMailer
from tests.store.samples import draft

SENDER, SLT, HEAD = "monitor@hollin.example", "slt@hollin.example", "head@hollin.example"
RULES = flood.packaged_rules()


@dataclass
class PostRoom:
    """The outbox with its deliverer and bundler, a relay and a clock to steer."""

    database: sa.Engine
    mailer: FakeMailer = field(default_factory=FakeMailer)
    clock: FakeClock = field(default_factory=FakeClock)
    accepted: list[tuple[datetime, str]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.store = SqlStore(self.database)
        self.deliverer = self.another()
        renderer = Renderer(trust_name="Hollin Trust", organisations={}, redact=str)
        self.bundler = Bundler(
            store=self.store,
            letters=Letters(renderer, SENDER),
            clock=self.clock,
            wake=lambda _name: None,
        )

    def another(self, owner: str = "one") -> Deliverer:
        return Deliverer(store=self.store, mailer=self.mailer, owner=owner, clock=self.clock)

    def alerts(
        self,
        number: int,
        to: str = SLT,
        kind: DeliveryKind = DeliveryKind.ALERT,
        concern: int | None = None,
    ) -> list[str]:
        """Queue that many letters; their keys."""
        made = []
        with self.store.begin() as rows:
            for n in (next(self.numbers) for _ in range(number)):
                key = f"alert:2026-{n:04}:1"
                rendered = Rendered(
                    subject=f"URGENT threat – case 2026-{n:04} – Hollin",
                    text=f"Something grave, number {n}.\n\nAcknowledge: https://hollin.example/a/{n}\n",
                    html="<p>Something grave.</p>",
                    urgent=True,
                )
                message = freeze(rendered, sender=SENDER, recipient=to, now=self.clock(), key=key)
                rows.outbox.enqueue(
                    [
                        NewDelivery(
                            key=key,
                            kind=kind,
                            concern=concern,
                            recipient=to,
                            channel="email",
                            message=message,
                        )
                    ],
                    now=self.clock(),
                )
                made.append(key)
        return made

    def work(self) -> None:
        """Deliver and bundle until nothing is due."""
        while True:
            before = len(self.mailer.sent)
            while self.deliverer.deliver(list(DeliveryKind)):
                self.accepted += [
                    (self.clock(), _key(message)) for _, message in self.mailer.sent[before:]
                ]
                before = len(self.mailer.sent)
            if not self.bundler.look():
                return

    def book(self) -> dict[str, Posted]:
        with self.store.read() as rows:
            return {posted.key: posted for posted in rows.outbox.listed()}

    def states(self) -> list[str]:
        return [posted.state.value for posted in self.book().values()]

    def next_moment(self) -> datetime | None:
        """When something is due next."""
        with self.store.read() as rows:
            held = rows.bundles.waiting(now=self.clock(), since=self.clock() - flood.HOUR)
            due = [flood.bundle_at(waiting, RULES) for waiting in held]
            open_ = [p.due_at for p in rows.outbox.listed() if p.state in {"pending", "ambiguous"}]
        return min((moment for moment in (*due, *open_) if moment), default=None)


def _key(message: bytes) -> str:
    return str(message_from_bytes(message, policy=policy.default)[KEY_HEADER])


def _text(message: bytes) -> str:
    body = message_from_bytes(message, policy=policy.default).get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


@pytest.fixture
def room(database: sa.Engine) -> PostRoom:
    return PostRoom(database)


def test_the_eleventh_waits_for_one_letter_of_all(room: PostRoom) -> None:
    """Of 25 alerts at once ten go out; 45 seconds later the rest come in one letter, every one with
    its subject, its words and its reader's own link, and all of it is written down."""
    keys = room.alerts(25)
    room.work()
    assert len(room.mailer.sent) == 10
    assert room.states().count("held") == 15
    room.clock.forward(seconds=44)
    room.work()
    assert len(room.mailer.sent) == 10
    room.clock.forward(seconds=1)
    room.work()
    assert len(room.mailer.sent) == 11
    recipient, message = room.mailer.sent[-1]
    parsed = message_from_bytes(message, policy=policy.default)
    assert recipient == SLT
    assert str(parsed["Subject"]).startswith("15 urgent alerts in one letter: 2026-0011, 2026-0012")
    assert parsed["Importance"] == "high"
    text = _text(message)
    for number in range(11, 26):
        assert f"URGENT threat – case 2026-{number:04} – Hollin" in text
        assert f"Something grave, number {number}." in text
        assert text.count(f"https://hollin.example/a/{number}\n") == 2
    book = room.book()
    bundle = book["bundle:11"]
    assert {book[key].state for key in keys[10:]} == {DeliveryState.BUNDLED}
    assert {book[key].bundled_in for key in keys[10:]} == {bundle.id}
    assert {book[key].ending for key in keys} == {DeliveryState.SENT}
    assert {book[key].attempts for key in keys[10:]} == {0}
    with room.store.read() as rows:
        (counted,) = rows.suppressions.listed()
    assert (counted.kind, counted.count, counted.key) == ("bundled", 15, "bundled:11")


def test_what_is_held_survives(room: PostRoom) -> None:
    """Killed while letters are held, the next monitor makes their bundle."""
    room.alerts(12)
    room.work()
    again = PostRoom(room.database, mailer=room.mailer, clock=room.clock)
    again.store.release(now=room.clock())
    again.work()
    assert len(room.mailer.sent) == 10
    again.clock.forward(seconds=45)
    again.work()
    assert [_key(message) for _, message in room.mailer.sent[10:]] == ["bundle:11"]


def test_one_held_alone_keeps_its_subject(room: PostRoom) -> None:
    """A bundle of one letter says what that letter says."""
    room.alerts(11)
    room.work()
    room.clock.forward(seconds=45)
    room.work()
    parsed = message_from_bytes(room.mailer.sent[-1][1], policy=policy.default)
    assert parsed["Subject"] == "URGENT threat – case 2026-0011 – Hollin"


def test_readers_are_counted_apart(room: PostRoom) -> None:
    """One reader's flood holds back nobody else's alert."""
    room.alerts(20)
    room.alerts(3, to=HEAD)
    room.work()
    assert room.mailer.recipients().count(HEAD) == 3


def test_digests_are_not_held(room: PostRoom) -> None:
    """A reader who got ten alerts still gets the digest, and digests are no alerts."""
    room.alerts(10)
    room.work()
    room.alerts(2, kind=DeliveryKind.DIGEST)
    room.work()
    assert len(room.mailer.sent) == 12


def test_after_an_hour_letters_go_out_again(room: PostRoom) -> None:
    """An hour after the first ten, the next one goes out by itself."""
    room.alerts(10)
    room.work()
    room.clock.forward(minutes=59)
    room.alerts(1)
    room.work()
    assert room.states().count("held") == 1
    room.clock.forward(minutes=1)
    room.work()
    room.alerts(1)
    room.work()
    assert _key(room.mailer.sent[-1][1]) == "alert:2026-0012:1"


def test_what_was_offered_once_goes_on_being_offered(room: PostRoom) -> None:
    """Letters that a relay put off are offered again by themselves, and count meanwhile."""
    room.mailer.answers = [Outcome.DEFERRED] * 10
    room.alerts(11)
    room.work()
    assert room.mailer.sent == []
    assert room.states().count("held") == 1
    room.clock.forward(seconds=15)
    room.work()
    assert len(room.mailer.sent) == 10


def test_mail_that_was_down_ends_with_one_bundle(room: PostRoom) -> None:
    """After six hours without a relay, with alerts all along, a reader gets ten letters and one bundle
    of all the others, none of them twice."""
    down_until = room.clock() + timedelta(hours=6)
    keys: list[str] = []
    while room.clock() < down_until:
        keys += room.alerts(4)
        room.mailer.answers = [Outcome.DEFERRED] * 1000
        room.work()
        room.clock.forward(minutes=20)
    room.mailer.answers = []
    _let_pass(room, room.clock() + timedelta(minutes=20))
    sent = [_key(message) for _, message in room.mailer.sent]
    assert sum(key.startswith("alert:") for key in sent) == 10
    assert sum(key.startswith("bundle:") for key in sent) <= 2
    book = room.book()
    assert {book[key].ending for key in keys} == {DeliveryState.SENT}
    text = "".join(_text(message) for _, message in room.mailer.sent)
    for key in keys:
        assert text.count(f"Something grave, number {int(key[11:15])}.") == 1


def test_a_bundle_in_somebody_s_hands_is_left_alone(room: PostRoom) -> None:
    """A bundle that may have arrived, or is being sent, is not taken into the next one."""
    room.alerts(11)
    room.work()
    room.clock.forward(seconds=45)
    room.mailer.answers = [Outcome.AMBIGUOUS]
    room.work()
    room.alerts(1)
    room.work()
    room.clock.forward(seconds=300)
    room.work()
    book = room.book()
    assert book["bundle:11"].state == "ambiguous"
    assert _key(room.mailer.sent[-1][1]) != "bundle:11"
    assert "number 11." not in _text(room.mailer.sent[-1][1])


def test_a_refused_bundle_is_as_bad_as_its_letters(room: PostRoom) -> None:
    """When a bundle is refused for good, its letters count as dead, so that cases escalate at once."""
    with room.store.begin() as rows:
        concern = rows.concerns.open(draft(), why="first", now=room.clock()).id
    room.alerts(10)
    (late,) = room.alerts(1, concern=concern)
    room.work()
    room.clock.forward(seconds=45)
    room.mailer.answers = [Outcome.REJECTED]
    room.work()
    with room.store.read() as rows:
        assert rows.outbox.dead([concern]) == {late}
        assert (
            rows.outbox.undelivered(since=room.clock() - timedelta(days=1), now=room.clock()) == 1
        )


def test_four_senders_at_once_keep_to_ten(room: PostRoom) -> None:
    """Senders at work at the same time count together: no reader gets an eleventh letter."""
    room.alerts(40)
    senders = [room.another(f"sender {n}") for n in range(4)]

    def send(sender: Deliverer) -> None:
        while sender.deliver([DeliveryKind.ALERT]):
            pass

    threads = [threading.Thread(target=send, args=(sender,)) for sender in senders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(room.mailer.sent) == 10
    assert room.states().count("held") == 30


def test_a_case_shows_its_bundle(room: PostRoom) -> None:
    """Asked for one case, the book shows its letters and the bundle that they went into."""
    with room.store.begin() as rows:
        concern = rows.concerns.open(draft(), why="first", now=room.clock())
    room.alerts(10)
    room.alerts(1, concern=concern.id)
    room.work()
    room.clock.forward(seconds=45)
    room.work()
    with room.store.read() as rows:
        listed = rows.outbox.listed(case=concern.reference)
    assert [posted.key for posted in listed] == ["alert:2026-0011:1", "bundle:11"]


@pytest.fixture(scope="module")
def migrated() -> Iterator[sa.Engine]:
    """One SQLite database for all examples."""
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(f"sqlite:///{Path(folder) / 'monitor.db'}")
        upgrade(engine)
        yield engine
        engine.dispose()


ARRIVALS = st.lists(
    st.tuples(st.integers(0, 1200), st.integers(1, 15), st.sampled_from([SLT, HEAD])),
    min_size=1,
    max_size=6,
)
ANSWERS = st.lists(
    st.sampled_from([Outcome.ACCEPTED] * 3 + [Outcome.DEFERRED] * 3 + [Outcome.AMBIGUOUS]),
    max_size=60,
)


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),  # a smaller example would take minutes to find
)
@given(arrivals=ARRIVALS, answers=ANSWERS)
def test_every_alert_arrives_and_no_hour_is_too_full(
    migrated: sa.Engine, arrivals: list[tuple[int, int, str]], answers: list[Outcome]
) -> None:
    """However alerts come and whatever the relay says, each ends sent or given up, or in a bundle that
    did; and no hour brings a reader more letters and bundles than the figures say."""
    with migrated.begin() as connection:
        for table in ("suppression", "delivery"):
            connection.execute(sa.text(f"DELETE FROM {table}"))
    room = PostRoom(migrated)
    room.mailer.answers = list(answers)
    keys: list[str] = []
    for wait, number, to in arrivals:
        until = room.clock() + timedelta(seconds=wait)
        _let_pass(room, until)
        keys += room.alerts(number, to)
        room.work()
    room.mailer.answers = []
    _let_pass(room, room.clock() + timedelta(hours=3))
    book = room.book()
    assert {book[key].ending for key in keys} <= {DeliveryState.SENT, DeliveryState.DEAD}
    said = "".join(_text(message) for _, message in room.mailer.sent)
    assert all(f"Something grave, number {int(key[11:15])}.\n" in said for key in keys)
    for to in (SLT, HEAD):
        _assert_not_flooded(room, {p.key for p in book.values() if p.recipient == to})


def _let_pass(room: PostRoom, until: datetime) -> None:
    room.work()
    while (moment := room.next_moment()) is not None and moment <= until:
        room.clock.now = max(moment, room.clock.now + timedelta(seconds=5))
        room.work()
    room.clock.now = max(until, room.clock.now)


def _assert_not_flooded(room: PostRoom, keys: set[str]) -> None:
    """Copies of one letter after an unclear answer count once."""
    first: dict[str, datetime] = {}
    for at, key in room.accepted:
        if key in keys:
            first.setdefault(key, at)
    for kind, most in (("alert:", RULES.per_hour), ("bundle:", RULES.most_bundles)):
        times = [at for key, at in first.items() if key.startswith(kind)]
        for since in times:
            assert sum(since <= at < since + flood.HOUR for at in times) <= most
