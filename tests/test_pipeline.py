"""A post walks through the whole house, on both databases; whatever breaks, nothing urgent is lost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from email import message_from_bytes, policy
from functools import cache
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from connectors.errors import SourceRejected, SourceUnavailable
from monitor import app
from monitor.delivery.letters import Letters
from monitor.delivery.render import Renderer
from monitor.domain import Concern, ConcernState, DeliveryKind, Outcome, Person, Role
from monitor.pipeline import Assessor, Collector, Day, Deliverer, Hosts, Polled, rehearse
from monitor.policy import ladder, retention, triage
from monitor.policy.assessment import Rulebook
from monitor.policy.deadlines import Calendar
from monitor.policy.life import Move
from monitor.policy.matching.organisations import Organisation, Watchlist
from monitor.policy.matching.watchlist import Matcher
from monitor.ports import SourceSpec
from monitor.sources import load_rules
from monitor.store.store import SqlStore
from tests.fakes import FakeClassifier, FakeClock, FakeMailer, FakeSource
from tests.store.samples import leave

NAME = "Quenby Moor Academy"
RULES = load_rules()
WATCHLIST = Watchlist(
    trust=Organisation(id="trust", name="Quenby Vale Learning Trust", town="Quenby"),
    schools=(Organisation(id="quenby", name=NAME, town="Quenby", county="Northshire"),),
)


@cache
def matcher() -> Matcher:
    return app.build_matcher(WATCHLIST)


def person(name: str, *roles: Role) -> Person:
    return Person(id=name, name=name, email=f"{name}@trust.example", roles=frozenset(roles))


PEOPLE = (person("comms", Role.COMMS), person("slt", Role.SLT), person("dsl", Role.DSL))


@dataclass
class House:
    """The pipeline with everything that a test may steer."""

    collector: Collector
    assessor: Assessor
    deliverer: Deliverer
    day: Day
    store: SqlStore
    source: FakeSource
    classifier: FakeClassifier
    mailer: FakeMailer
    clock: FakeClock
    woken: list[str]
    database: sa.Engine

    def work(self) -> None:
        """Poll, assess and deliver until nothing is due."""
        self.collector.collect("feed")
        while self.assessor.assess():
            pass
        while self.deliverer.deliver(list(DeliveryKind)):
            pass

    def concerns(self) -> tuple[Concern, ...]:
        with self.store.read() as rows:
            return rows.concerns.listed(states=list(ConcernState))

    def count(self, table: str) -> int:
        with self.database.connect() as connection:
            return connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one()


@pytest.fixture
def house(database: sa.Engine) -> House:
    source, classifier, mailer, clock = FakeSource(), FakeClassifier(), FakeMailer(), FakeClock()
    woken: list[str] = []
    store = SqlStore(database)
    with store.begin() as rows:
        spec = SourceSpec(id="feed", kind="rss", interval_s=60, fingerprint="f")
        rows.sources.register([spec], now=clock())
    renderer = Renderer(
        trust_name=WATCHLIST.trust.name,
        organisations={o.id: o.name for o in WATCHLIST.organisations},
        redact=lambda text: text,
    )
    book = Rulebook(
        triage=triage.load_rules(app.data("triage.toml")),
        ladder=ladder.load_ladder(app.data("ladders/base.toml")),
        calendar=Calendar(),
        people=PEOPLE,
        watchlist=WATCHLIST,
        contact="office@trust.example",
        complaints_url=None,
        info_url=None,
    )
    letters = Letters(renderer, "monitor@trust.example")
    return House(
        collector=Collector(
            store=store,
            sources={"feed": Polled(id="feed", every_s=60, connector=source)},
            matcher=matcher(),
            rules=RULES,
            hosts=Hosts(RULES.hosts),
            clock=clock,
            wake=woken.append,
        ),
        assessor=Assessor(
            store=store,
            classifier=classifier,
            book=book,
            letters=letters,
            channel="email",
            owner="test",
            clock=clock,
            wake=woken.append,
        ),
        deliverer=Deliverer(store=store, mailer=mailer, owner="test", clock=clock),
        day=Day(
            store=store,
            book=book,
            retention=retention.load_rules(app.data("retention.toml")),
            letters=letters,
            channel="email",
            digest_at=time(7, 30),
            timezone=ZoneInfo("Europe/London"),
            clock=clock,
            wake=woken.append,
        ),
        store=store,
        source=source,
        classifier=classifier,
        mailer=mailer,
        clock=clock,
        woken=woken,
        database=database,
    )


def test_urgent_post_reaches_slt(house: House) -> None:
    """A threat against a watched school becomes a concern and an alert to the senior leader."""
    house.source.says(f"THREAT against the staff of {NAME}")
    house.work()
    (concern,) = house.concerns()
    assert (concern.reference, concern.severity) == ("2026-0001", "urgent")
    assert concern.suggestion.reply is None
    assert house.mailer.recipients() == ["slt@trust.example"]
    assert house.woken == ["assess", "deliver"]


def test_unmatched_posts_are_not_stored(house: House) -> None:
    """A post that names none of our schools leaves nothing behind."""
    house.source.says("THREAT against the staff of Somewhere Else School")
    house.work()
    assert house.count("mention") == 0
    assert house.mailer.sent == []


def test_criticism_gets_a_reply_and_no_alert(house: House) -> None:
    """A complaint is a concern with a suggested reply, and waits for the digest."""
    house.source.says(f"COMPLAINT: {NAME} never rings back")
    house.work()
    (concern,) = house.concerns()
    assert concern.severity == "concern"
    assert concern.suggestion.reply is not None
    assert house.mailer.sent == []


def test_praise_is_no_concern(house: House) -> None:
    """Praise is stored for the digest and opens nothing."""
    house.source.says(f"PRAISE for {NAME}")
    house.work()
    assert house.concerns() == ()
    assert house.count("mention") == 1


def test_child_at_risk_goes_to_the_dsl_alone(house: House) -> None:
    """The safeguarding lead is told, nobody else is, and the mail says nothing of the post."""
    house.source.says(f"SAFEGUARDING: a zebra-striped secret at {NAME}")
    house.work()
    assert house.mailer.recipients() == ["dsl@trust.example"]
    assert b"zebra" not in house.mailer.sent[0][1]
    assert house.concerns()[0].confidential


def test_repeated_polls_change_nothing(house: House) -> None:
    """The same post delivered again, by whatever fault of a source, alerts once."""
    house.source.says(f"THREAT at {NAME}", native_id="x")
    house.work()
    house.source.says(f"THREAT at {NAME}", native_id="x")
    house.work()
    assert len(house.mailer.sent) == 1
    assert house.count("mention") == 1


def test_pile_on_is_one_concern_and_one_alert(house: House) -> None:
    """Twenty threats in one thread are one incident and one alert, and every post is kept."""
    for number in range(20):
        house.source.says(f"THREAT number {number} at {NAME}", thread_id="t1")
        house.work()
    (concern,) = house.concerns()
    assert len(concern.mentions) == 20
    assert len(house.mailer.sent) == 1
    with house.store.read() as rows:
        (quiet,) = rows.suppressions.listed(case=concern.reference)
    assert (quiet.kind, quiet.count, quiet.key) == ("grouped", 19, "grouped:2026-0001:1")
    assert "joins an incident that was alerted" in quiet.reason


def test_graver_follow_up_alerts_again(house: House) -> None:
    """A complaint's thread that turns into a threat alerts, though its concern was known."""
    house.source.says(f"COMPLAINT about {NAME}", thread_id="t1")
    house.work()
    house.source.says(f"THREAT at {NAME}", thread_id="t1")
    house.work()
    (concern,) = house.concerns()
    assert concern.severity == "urgent"
    assert house.mailer.recipients() == ["slt@trust.example"]


def test_edited_post_is_judged_again(house: House) -> None:
    """A harmless post edited into a threat alerts."""
    house.source.says(f"Lovely morning at {NAME}", native_id="x")
    house.work()
    house.source.says(f"THREAT at {NAME}", native_id="x")
    house.work()
    assert house.count("mention") == 1
    assert house.mailer.recipients() == ["slt@trust.example"]


def _closed_threat(house: House) -> Concern:
    house.source.says(f"THREAT at {NAME}", native_id="x", thread_id="t")
    house.work()
    (first,) = house.concerns()
    with house.store.begin() as rows:
        leave(rows, first.id, Move.CLOSE, who="slt", now=house.clock())
    return first


@pytest.mark.parametrize("native_id", ["x", "y"], ids=["edited", "answered"])
def test_a_thread_that_goes_on_reopens_its_case(house: House, native_id: str) -> None:
    """A threat that is worded anew, or goes on in its thread, after its case was closed, alerts
    again: under the same case, which somebody can acknowledge again."""
    first = _closed_threat(house)
    house.source.says(f"another THREAT at {NAME}, and not a joke", native_id, thread_id="t")
    house.work()
    (again,) = house.concerns()
    assert (again.reference, again.state, again.closed_at) == (first.reference, "open", None)
    assert "reopened" in [event.action for event in again.history]
    assert house.mailer.recipients() == ["slt@trust.example"] * 2


def test_thanks_after_the_end_reopen_nothing(house: House) -> None:
    """A harmless remark in the thread of a closed case leaves it closed."""
    _closed_threat(house)
    house.source.says(f"all is well at {NAME}", "y", thread_id="t")
    house.work()
    assert [concern.state for concern in house.concerns()] == ["closed"]


def test_an_old_case_is_not_taken_up_again(house: House) -> None:
    """Fifteen days after closing, the thread's next threat is a case of its own."""
    _closed_threat(house)
    house.clock.forward(days=15)
    house.source.says(f"another THREAT at {NAME}, and not a joke", "y", thread_id="t")
    house.work()
    assert [concern.state for concern in house.concerns()] == ["closed", "open"]


def test_a_merged_case_goes_on_in_its_heir(house: House) -> None:
    """What follows in the thread of a case that was merged joins the case that took it in."""
    first = _closed_threat(house)
    house.source.says(f"Is {NAME} open? QUERY about parking, COMPLAINT too", "z")
    house.work()
    _, heir = house.concerns()
    with house.database.begin() as connection:
        connection.execute(
            sa.text("UPDATE concern SET state = 'merged', merged_into = :heir WHERE id = :id"),
            {"heir": heir.reference, "id": first.id},
        )
    house.source.says(f"another THREAT at {NAME}, and not a joke", "x", thread_id="t")
    house.work()
    with house.store.read() as rows:
        grown = rows.concerns.get(heir.id)
    assert grown.severity == "urgent"
    assert {mention.post.native_id for mention in grown.mentions} == {"x", "z"}


def test_mentions_are_counted_once(house: House) -> None:
    """Each post is counted for its school, once for all its edits; one with the DSL is not."""
    for text, native_id in [
        ("COMPLAINT at", "a"),
        ("Lovely morning at", "b"),
        ("COMPLAINT, worded anew, at", "a"),
        ("SAFEGUARDING at", "c"),
    ]:
        house.source.says(f"{text} {NAME}", native_id)
        house.work()
    today = house.clock().date()
    with house.store.read() as rows:
        counted = rows.tally.between(today, today)
    assert {name: sum(by.values()) for name, by in counted.items()} == {"quenby": 2}


def test_unscorable_post_goes_to_a_person(house: House) -> None:
    """A post that breaks the model becomes a concern to be read; its batch is judged all the same."""
    house.classifier.fails = lambda text: "cursed" in text
    house.source.says(f"cursed words at {NAME}")
    house.source.says(f"THREAT at {NAME}")
    house.work()
    review = [concern for concern in house.concerns() if concern.needs_review]
    assert len(review) == 1
    assert house.mailer.recipients() == ["slt@trust.example"]


def test_post_that_kills_the_process_is_left_to_a_person(house: House) -> None:
    """A mention whose assessment never ends is no longer given to the model after five claims: a
    senior leader is asked to read it now, since nobody knows what it says."""
    house.source.says(f"poison at {NAME}")
    house.collector.collect("feed")
    for _ in range(5):
        with house.store.begin() as rows:
            rows.mentions.claim(owner="killed", lease_s=1, limit=9, now=house.clock())
        house.clock.forward(seconds=2)
    house.work()
    assert house.classifier.batches == [0]
    assert house.concerns()[0].needs_review
    assert house.mailer.recipients() == ["slt@trust.example"]


def test_rehearsal_writes_letters_and_leaves_nothing(house: House) -> None:
    """A made-up threat and a made-up child at risk go as far as their letters: nothing is stored or sent."""
    assessor = house.assessor
    assert rehearse(assessor.book, assessor.letters, "quenby", now=house.clock()) == 2
    assert house.count("mention") == house.count("concern") == house.count("delivery") == 0


def test_deferred_alert_is_offered_again(house: House) -> None:
    """A relay that is down delays an alert and never loses it; the bytes stay the same."""
    house.mailer.answers = [Outcome.DEFERRED, Outcome.DEFERRED]
    house.source.says(f"THREAT at {NAME}")
    house.work()
    assert house.mailer.sent == []
    for _ in range(2):
        house.clock.forward(seconds=31)
        house.work()
    assert len(house.mailer.sent) == 1


def test_ambiguous_alert_waits(house: House) -> None:
    """An alert whose answer was lost is not repeated for a quarter of an hour, then with equal bytes."""
    house.mailer.answers = [Outcome.AMBIGUOUS]
    house.source.says(f"THREAT at {NAME}")
    house.work()
    house.clock.forward(minutes=14)
    house.work()
    assert len(house.mailer.sent) == 1
    house.clock.forward(minutes=2)
    house.work()
    first, second = house.mailer.sent
    assert first == second


def test_crash_between_sending_and_marking_repeats(house: House) -> None:
    """Killed after the relay accepted and before our commit, the same bytes go out again."""
    house.source.says(f"THREAT at {NAME}")
    house.collector.collect("feed")
    house.assessor.assess()
    with house.store.begin() as rows:
        rows.outbox.claim(list(DeliveryKind), owner="killed", lease_s=900, now=house.clock())
    assert not house.deliverer.deliver(list(DeliveryKind))
    house.store.release(now=house.clock())
    assert house.deliverer.deliver(list(DeliveryKind))


def test_failing_source_backs_off_and_shows_a_gap(house: House) -> None:
    """A source that answers 429 is left alone until it may be asked, and its gap is recorded."""
    house.source.error = SourceUnavailable("429 from gazette.example", retry_after=600)
    house.collector.collect("feed")
    house.source.error = None
    house.source.says(f"THREAT at {NAME}")
    house.clock.forward(seconds=300)
    house.work()
    assert house.count("mention") == 0
    house.clock.forward(seconds=400)
    house.work()
    assert house.count("mention") == 1
    with house.store.read() as rows:
        (gap,) = rows.sources.gaps(since=house.clock() - timedelta(days=1), until=house.clock())
    assert gap.reason == "429 from gazette.example"
    assert gap.ended_at == house.clock()


@pytest.mark.parametrize("error", [SourceRejected("403"), ValueError("odd header")])
def test_source_errors_do_not_escape(house: House, error: Exception) -> None:
    """Whatever a connector raises is stored as that source's failure and stops nobody else."""
    house.source.error = error
    house.collector.collect("feed")
    with house.store.read() as rows:
        assert rows.sources.health()[0].failures == 1
        assert "odd header" not in (rows.sources.health()[0].last_error or "")


def test_source_that_admits_a_gap(house: House) -> None:
    """What a source says it could not show us is kept for the digest."""
    house.source.gap = "the feed turned over"
    house.collector.collect("feed")
    house.source.gap = None
    house.clock.forward(hours=1)
    with house.store.read() as rows:
        gaps = rows.sources.gaps(since=house.clock() - timedelta(days=1), until=house.clock())
    assert [gap.reason for gap in gaps] == ["the feed turned over"]


def test_deletion_at_the_source_erases(house: House) -> None:
    """A post that its platform says is deleted loses its text here."""
    house.source.says(f"COMPLAINT: zebra at {NAME}", native_id="x")
    house.work()
    house.source.deleted = ("x",)
    house.work()
    with house.database.connect() as connection:
        assert connection.execute(sa.text("SELECT text FROM mention")).scalar_one() == ""


def test_one_digest_a_day_even_when_empty(house: House) -> None:
    """Comms get one digest a day at its hour, whatever happened, however often it is asked for."""
    house.day.begin()
    assert not house.day.digest(), "the first day's hour has passed"
    house.clock.forward(days=1)
    assert house.day.digest()
    assert not house.day.digest()
    house.work()
    assert house.mailer.recipients() == ["comms@trust.example"]


def test_digest_names_what_needs_a_person(house: House) -> None:
    """The digest counts what needs somebody, and says nothing of what is with the DSL."""
    house.day.begin()
    house.source.says(f"COMPLAINT about the car park of {NAME}")
    house.source.says(f"SAFEGUARDING zebra at {NAME}")
    house.work()
    house.clock.forward(days=1)
    house.day.digest()
    house.work()
    recipient, message = house.mailer.sent[-1]
    body = message_from_bytes(message, policy=policy.default).get_body(("plain",))
    assert recipient == "comms@trust.example"
    assert body is not None
    text = body.get_content()
    assert "2026-0001" in text
    assert "zebra" not in text
    assert "With DSL (1)" in text, text


def test_old_texts_are_erased(house: House) -> None:
    """Praise is forgotten after its thirty days; an open concern's text stays."""
    house.source.says(f"PRAISE for {NAME}", native_id="p")
    house.source.says(f"COMPLAINT about {NAME}", native_id="c")
    house.work()
    house.clock.forward(days=31)
    house.day.tidy()
    with house.database.connect() as connection:
        texts = dict(connection.execute(sa.text("SELECT native_id, text FROM mention")).all())
    assert texts["p"] == ""
    assert texts["c"] != ""


def test_two_assessors_share_the_work(house: House) -> None:
    """Two processes that assess at once settle each mention once."""
    for number in range(10):
        house.source.says(f"THREAT {number} at {NAME}", thread_id=f"t{number}")
    house.collector.collect("feed")
    other = replace(house.assessor, owner="other")
    while house.assessor.assess() or other.assess():
        pass
    assert len(house.concerns()) == 10


@pytest.mark.parametrize(
    "night",
    [datetime(2026, 12, 25, 3, tzinfo=UTC), datetime(2026, 8, 16, 3, tzinfo=UTC)],
    ids=["Christmas", "a Sunday of the summer holidays"],
)
def test_watched_every_night_of_the_year(house: House, night: datetime) -> None:
    """Sources are read, judged and alerted of on weekends and holidays as on any day."""
    house.clock.now = night
    house.collector.collect("feed")
    house.clock.forward(seconds=60)
    house.source.says(f"THREAT against the staff of {NAME}")
    house.work()
    assert house.mailer.recipients() == ["slt@trust.example"]
