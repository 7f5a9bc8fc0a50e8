"""The canary takes the way of a real alert, and leaves no trace in what people read."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from email import message_from_bytes, policy

import pytest
import sqlalchemy as sa
from prometheus_client import CollectorRegistry

import connectors
from classifiers.lexicon import LexiconClassifier
from monitor import app
from monitor.config import ClassifierConfig
from monitor.domain import DeliveryKind, Outcome
from monitor.domain.health import CANARY
from monitor.health import page
from monitor.health.service import CANARY_WATCHLIST
from monitor.pipeline import Assessor, Deliverer
from monitor.pipeline.canary import LINK, SCHOOL, THREAT, Canary
from monitor.policy import assessment, triage
from monitor.policy.health import CanaryRules
from monitor.web.server import Listen, WebServer
from tests.fakes import FakeMailer
from tests.test_pipeline import House, house  # noqa: F401 - a fixture

BOX = "canary@trust.example"
RULES = CanaryRules(every_s=3_600, patience_s=300, again_s=300, late_s=7_500)


@dataclass
class Aviary:
    """A house with a canary in it, whose feed is served on a real port. `time` is monotonic."""

    house: House
    canary: Canary
    assessor: Assessor
    deliverer: Deliverer
    mailer: FakeMailer
    woken: list[str]
    time: list[float]

    def later(self, seconds: float) -> None:
        self.time[0] += seconds
        self.house.clock.forward(seconds=seconds)

    def work(self) -> None:
        while self.assessor.assess():
            pass
        while self.deliverer.deliver([DeliveryKind.ALERT, DeliveryKind.CANARY]):
            pass

    def tables(self) -> dict[str, int]:
        """How many rows every table has but the canary's own mail."""
        tables = sa.inspect(self.house.database).get_table_names()
        found = {name: self.house.count(name) for name in tables}
        found["delivery"] -= self.mails()
        return found

    def mails(self) -> int:
        with self.house.store.read() as rows:
            return sum(
                number
                for (kind, _), number in rows.health.queues(
                    now=self.house.clock()
                ).deliveries.items()
                if kind is DeliveryKind.CANARY
            )


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@pytest.fixture
def aviary(house: House) -> Iterator[Aviary]:  # noqa: F811
    port, time, woken = free_port(), [0.0], list[str]()
    kind = connectors.load("rss")
    settings = kind.Settings(url=f"http://127.0.0.1:{port}{page.CANARY_PATH}", allow_private=True)
    canary = Canary(
        store=house.store,
        connector=kind(settings, source=CANARY),
        matcher=app.build_matcher(CANARY_WATCHLIST),
        rules=RULES,
        clock=house.clock,
        monotonic=lambda: time[0],
        ready=lambda: True,
        wake=woken.append,
    )
    server = WebServer(
        page.application(dict, CollectorRegistry(), canary.feed),
        Listen(host="127.0.0.1", port=port),
    )
    assert server.start()
    yield Aviary(
        house=house,
        canary=canary,
        assessor=replace(house.assessor, classifier=LexiconClassifier(), canary_to=BOX),
        deliverer=house.deliverer,
        mailer=house.mailer,
        woken=woken,
        time=time,
    )
    server.stop()


def test_it_takes_the_whole_way(aviary: Aviary) -> None:
    """Fetched over HTTP, judged urgent, mailed to its box: then it has passed, and flies again after
    an hour."""
    aviary.canary.step()
    assert aviary.woken == ["assess"]
    assert "http" in aviary.canary.feed()
    aviary.later(2)
    aviary.work()
    aviary.canary.step()
    standing = aviary.canary.standing()
    assert (standing.failure, standing.took_s) == (None, 2.0)
    assert standing.passed_at == aviary.house.clock()
    assert aviary.woken[-1] == "heartbeat"
    ((recipient, message),) = aviary.mailer.sent
    assert recipient == BOX
    parsed = message_from_bytes(message, policy=policy.default)
    assert "do nothing" in parsed.get_body(("plain",)).get_content()
    assert "<item>" not in aviary.canary.feed()
    aviary.later(3_599)
    aviary.canary.step()
    assert len(aviary.mailer.sent) == 1
    aviary.later(1)
    aviary.canary.step()
    aviary.work()
    assert len(aviary.mailer.sent) == 2


def test_it_leaves_no_trace(aviary: Aviary) -> None:
    """No mention, concern, event, tally or suppression: every table is as it was, but for the mail
    that the canary itself was; and no list that people read has it."""
    before = aviary.tables()
    for _ in range(2):
        aviary.canary.step()
        aviary.work()
        aviary.canary.step()
        aviary.later(3_600)
    assert aviary.tables() == before
    assert aviary.mails() == 2
    now = aviary.house.clock()
    with aviary.house.store.read() as rows:
        assert rows.mentions.routine(since=now - timedelta(days=1), until=now) == ()
        assert rows.mentions.settled() == ()
        assert rows.campaigns.voices(since=now - timedelta(days=1)) == ()
        assert rows.concerns.register() == ()
        assert rows.tally.between(date(2000, 1, 1), date(2100, 1, 1)) == {}
        assert [each.source for each in rows.sources.health()] == ["feed"]
        queues = rows.health.queues(now=now)
    assert (queues.sent, queues.dead, queues.urgent.waiting) == ({}, {}, 0)


def test_a_real_threat_beside_it_is_alerted(aviary: Aviary) -> None:
    """In the same batch, a real threat with the canary's own words takes its usual way."""
    aviary.canary.step()
    aviary.house.source.says(THREAT.replace(SCHOOL, "Quenby Moor Academy"))
    aviary.house.collector.collect("feed")
    aviary.work()
    assert sorted(aviary.mailer.recipients()) == [BOX, "slt@trust.example"]
    assert len(aviary.house.concerns()) == 1


def test_no_feed_can_pass_its_post_off_as_the_canary(aviary: Aviary) -> None:
    """A post that copies the canary's words, id and link from a source of ours is alerted."""
    aviary.canary.step()
    key = aviary.canary._flight.key if aviary.canary._flight else ""
    aviary.house.source.platform = CANARY
    aviary.house.source.says(
        THREAT.replace(SCHOOL, "Quenby Moor Academy"), native_id=f"x{key}", url=LINK + key
    )
    aviary.house.collector.collect("feed")
    aviary.work()
    assert "slt@trust.example" in aviary.mailer.recipients()


def test_a_mail_server_that_is_down_fails_it(aviary: Aviary) -> None:
    """What the mail server does not take within its patience has not passed; it says where it is, does
    not count as undelivered, and its mail does not heap up."""
    aviary.mailer.answers = [Outcome.DEFERRED] * 100
    aviary.canary.step()
    aviary.work()
    aviary.later(301)
    aviary.canary.step()
    assert "the mail server did not take it" in (aviary.canary.standing().failure or "")
    assert "451" in (aviary.canary.standing().failure or "")
    with aviary.house.store.read() as rows:
        assert (
            rows.outbox.undelivered(
                since=aviary.house.clock() - timedelta(days=1),
                now=aviary.house.clock() + timedelta(days=1),
            )
            == 0
        )
    for _ in range(3):
        aviary.later(301)
        aviary.canary.step()
        aviary.work()
    assert aviary.mails() == 1
    aviary.mailer.answers = []
    aviary.later(301)
    aviary.canary.step()
    aviary.later(301)
    aviary.canary.step()
    aviary.work()
    aviary.canary.step()
    assert aviary.canary.standing().failure is None


def test_a_model_that_finds_nothing_fails_it(aviary: Aviary) -> None:
    """A classifier that does not find the plainest threat urgent is said to be so."""
    aviary.assessor = replace(aviary.assessor, classifier=aviary.house.classifier)
    aviary.canary.step()
    aviary.work()
    aviary.canary.step()
    assert aviary.canary.standing().failure == "the classifier did not find it urgent"
    assert aviary.tables()["mention"] == 0


def test_one_that_nobody_assesses_fails(aviary: Aviary) -> None:
    """When assessing stands still, the canary says that it got no further."""
    aviary.canary.step()
    aviary.later(301)
    aviary.canary.step()
    assert aviary.canary.standing().failure == "it was stored, and not assessed in time"


def test_a_port_served_by_another_fails_it(aviary: Aviary) -> None:
    """A feed that can't be read, or is another program's, is no pass."""
    aviary.canary.connector = connectors.load("rss")(
        connectors.load("rss").Settings(
            url=f"http://127.0.0.1:{free_port()}/canary.xml", allow_private=True
        ),
        source=CANARY,
    )
    aviary.canary.step()
    assert "its feed could not be read" in (aviary.canary.standing().failure or "")


def test_one_that_was_put_aside_is_in_no_digest(aviary: Aviary) -> None:
    """A canary that could not be judged again and again fails, and is told to nobody as a post."""
    aviary.canary.step()
    with aviary.house.store.begin() as rows:
        (claimed,) = rows.mentions.claim(
            owner="test", lease_s=60, limit=5, now=aviary.house.clock()
        )
        rows.mentions.park(claimed.mention.id, owner="test")
    aviary.later(301)
    aviary.canary.step()
    assert aviary.canary.standing().failure == "it was stored, and not assessed in time"
    with aviary.house.store.read() as rows:
        assert rows.mentions.parked() == ()
        assert rows.health.queues(now=aviary.house.clock()).parked == 0


def test_what_is_left_of_one_ends_quietly(aviary: Aviary) -> None:
    """A canary that was in the air when the program was killed, and is no longer configured, is taken
    out without a mail."""
    aviary.canary.step()
    aviary.assessor = replace(aviary.assessor, canary_to=None)
    aviary.work()
    assert aviary.mailer.sent == []
    assert aviary.tables()["mention"] == 0


def test_the_last_pass_is_known_after_a_restart(aviary: Aviary) -> None:
    """When the last one arrived stands in the database; that it passed is proved anew."""
    aviary.canary.step()
    aviary.work()
    aviary.canary.step()
    passed = aviary.canary.standing().passed_at
    again = replace_canary(aviary.canary)
    again.step()
    assert again.standing().passed_at == passed
    assert again.standing().took_s is None


def replace_canary(canary: Canary) -> Canary:
    return Canary(
        store=canary.store,
        connector=canary.connector,
        matcher=canary.matcher,
        rules=canary.rules,
        clock=canary.clock,
        monotonic=canary.monotonic,
        ready=lambda: False,
        wake=canary.wake,
    )


@pytest.mark.parametrize("kind", ["lexicon", "auto"])
def test_each_classifier_finds_it_urgent(kind: str) -> None:
    """The packaged classifiers find the canary's words urgent, with some to spare."""
    classifier = app.build_classifier(ClassifierConfig(kind=kind))  # type: ignore[arg-type]
    classifier.warm()
    (verdict,) = classifier.classify([THREAT])
    judged = assessment.judge(verdict, triage.load_rules(app.data("triage.toml")))
    assert judged.severity == "urgent"
    assert verdict.labels[triage.Label.THREAT] > 0.6
