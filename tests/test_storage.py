"""A database that is full, locked, read-only or gone: named once, nothing lost, well again by itself."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
import structlog

from connectors.post import Batch, Post
from monitor import logs
from monitor.domain import DeliveryKind
from monitor.engine.embedded import EmbeddedEngine
from monitor.engine.trouble import StorageTrouble
from monitor.errors import StorageFault, Trouble
from monitor.pipeline import assess, patience
from monitor.ports import SourceSpec
from monitor.store import database as db
from tests import test_pipeline
from tests.test_pipeline import NAME, House

house = test_pipeline.house


@pytest.fixture(autouse=True)
def told() -> Iterator[list[dict[str, object]]]:
    """What is logged, as the journal would have it."""
    events: list[dict[str, object]] = []

    def keep(_logger: object, _method: str, event: object) -> str:
        events.append(dict(event))  # type: ignore[call-overload]
        return ""

    before = logging.getLogger().handlers[:]
    logs.configure("json", renderer=keep)
    yield events
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = before


Break = Callable[[sa.Engine], "contextmanager[None]"]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifteen seconds are right for a trust, and long for a test."""
    monkeypatch.setattr(db, "BUSY_TIMEOUT_S", 0.3)


@contextmanager
def full(engine: sa.Engine) -> Iterator[None]:
    """No page more than there is, on any connection."""

    def limit(connection: object, *_: object) -> None:
        cursor = connection.cursor()  # type: ignore[attr-defined]
        cursor.execute("PRAGMA page_count")
        cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0]}")

    def unlimit(connection: object, *_: object) -> None:
        connection.cursor().execute("PRAGMA max_page_count = 1000000")  # type: ignore[attr-defined]

    sa.event.listen(engine, "checkout", limit)
    yield
    sa.event.remove(engine, "checkout", limit)
    sa.event.listen(engine, "checkout", unlimit)


@contextmanager
def read_only(engine: sa.Engine) -> Iterator[None]:
    """Reading works, writing doesn't."""
    forbid, allow = (
        ("PRAGMA query_only = ON", "PRAGMA query_only = OFF")
        if engine.dialect.name == "sqlite"
        else ("SET default_transaction_read_only = on", "SET default_transaction_read_only = off")
    )

    def say(words: str) -> Callable[..., None]:
        def listener(connection: object, *_: object) -> None:
            connection.cursor().execute(words)  # type: ignore[attr-defined]
            if engine.dialect.name != "sqlite":
                connection.commit()  # type: ignore[attr-defined]

        return listener

    forbids = say(forbid)
    sa.event.listen(engine, "checkout", forbids)
    yield
    sa.event.remove(engine, "checkout", forbids)
    sa.event.listen(engine, "checkout", say(allow))


@contextmanager
def locked(engine: sa.Engine) -> Iterator[None]:
    """Somebody else holds it and does not let go."""
    other = db.open_database(engine.url)
    with other.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(sa.text("UPDATE counter SET value = value"))
        else:
            connection.execute(sa.text("LOCK TABLE source, mention, delivery IN EXCLUSIVE MODE"))
        yield
    other.dispose()


BREAKS = [(full, Trouble.FULL), (read_only, Trouble.READ_ONLY), (locked, Trouble.LOCKED)]
each_break = pytest.mark.parametrize(
    ("broken", "trouble"), BREAKS, ids=[trouble.value for _, trouble in BREAKS]
)


def _fits(house: House, broken: object) -> None:
    if broken is full and house.database.dialect.name != "sqlite":
        pytest.skip("a full disk is simulated by SQLite's own limit of pages")


def _cursor(house: House) -> object:
    with house.store.read() as rows:
        return dict(rows.sources.cursor("feed"))


@each_break
def test_a_poll_moves_nothing_and_is_done_again(
    house: House,
    broken: Break,
    trouble: Trouble,
) -> None:
    """While the database won't take posts, the cursor stays and the source is not blamed; afterwards the
    same posts are read again, and the urgent one is alerted."""
    _fits(house, broken)
    house.source.says(f"Lovely morning at {NAME}")
    house.collector.collect("feed")
    before = _cursor(house)
    house.source.says(f"THREAT zebra at {NAME} " + "x" * 20_000, "t")
    with broken(house.database):
        for _ in range(3):
            with pytest.raises(StorageFault) as fault:
                house.collector.collect("feed")
            assert fault.value.trouble is trouble
            assert "zebra" not in str(fault.value)
    assert _cursor(house) == before
    with house.store.read() as rows:
        (health,) = rows.sources.health()
    assert health.failures == 0
    house.work()
    assert house.mailer.recipients() == ["slt@trust.example"]


@each_break
def test_judging_counts_no_attempt(
    house: House,
    broken: Break,
    trouble: Trouble,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Posts that could not be settled because of the database are not taken for poison: once it works
    they are judged together, and the threat among them is alerted."""
    _fits(house, broken)
    for number in range(3):
        house.source.says(f"COMPLAINT {number} at {NAME} " + "x" * 20_000, thread_id=f"t{number}")
    house.source.says(f"THREAT at {NAME}")
    house.collector.collect("feed")
    claims, judged = [], house.classifier.classify

    def judge_while_it_breaks(texts: list[str]) -> object:
        claims.append(len(texts))
        breaking.__enter__()
        return judged(texts)

    monkeypatch.setattr(house.classifier, "classify", judge_while_it_breaks)
    monkeypatch.setattr(assess, "POISON_CLAIMS", 1)
    for _ in range(2):
        breaking = broken(house.database)
        mending = threading.Timer(1, breaking.__exit__, (None, None, None))
        mending.start()
        with pytest.raises(StorageFault) as fault:
            house.assessor.assess()
        assert fault.value.trouble is trouble
        mending.join()
    monkeypatch.setattr(house.classifier, "classify", judged)
    house.work()
    assert "slt@trust.example" in house.mailer.recipients()
    assert not any(concern.needs_review for concern in house.concerns())
    with house.store.read() as rows:
        assert rows.mentions.parked() == ()


def test_a_letter_that_went_out_is_marked_as_soon_as_possible(house: House) -> None:
    """A database locked between the relay's answer and our mark makes no second copy."""
    house.source.says(f"THREAT at {NAME}")
    house.collector.collect("feed")
    house.assessor.assess()
    holding = locked(house.database)
    sending = house.mailer.send

    def send_while_it_locks(*arguments: object, **more: object) -> object:
        holding.__enter__()
        return sending(*arguments, **more)  # type: ignore[arg-type]

    house.mailer.send = send_while_it_locks  # type: ignore[method-assign,assignment]
    delivering = threading.Thread(target=house.deliverer.deliver, args=(list(DeliveryKind),))
    delivering.start()
    time.sleep(1)
    assert delivering.is_alive()
    holding.__exit__(None, None, None)
    delivering.join(10)
    house.mailer.send = sending  # type: ignore[method-assign]
    house.clock.forward(hours=1)
    house.work()
    assert len(house.mailer.sent) == 1


def test_insisting_ends_some_time() -> None:
    """A commit that never succeeds is given up after its time, with the fault."""

    def commit() -> None:
        raise StorageFault(Trouble.FULL, "full")

    with pytest.raises(StorageFault):
        patience.insist(commit, for_s=0.1, every_s=0.02)


@pytest.mark.postgresql
def test_a_lost_server_is_named_and_found_again(
    house: House,
) -> None:
    """Connections cut by the server's administrator are a named fault, and the next poll works."""
    if house.database.dialect.name == "sqlite":
        pytest.skip("SQLite has no server")
    house.source.says(f"THREAT at {NAME}")
    admin = sa.create_engine(house.database.url, isolation_level="AUTOCOMMIT")

    def cut() -> None:
        with admin.connect() as connection:
            connection.execute(
                sa.text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                    "datname = current_database() AND pid <> pg_backend_pid()"
                )
            )

    def work_while_it_is_cut() -> None:
        with house.store.begin() as rows:
            rows.sources.health()
            cut()
            rows.sources.health()

    with pytest.raises(StorageFault) as fault:
        work_while_it_is_cut()
    assert fault.value.trouble is Trouble.UNREACHABLE
    admin.dispose()
    house.work()
    assert house.mailer.recipients() == ["slt@trust.example"]


def test_trouble_is_logged_once_and_its_end(told: list[dict[str, object]]) -> None:
    """A fault that every loop meets is one line, an hour later one more, and its end is another."""
    now = [0.0]
    trouble = StorageTrouble(lambda: now[0])
    for _ in range(500):
        now[0] += 1
        trouble.failed("collect:feed", StorageFault(Trouble.FULL, "full"))
        trouble.worked()
    current = trouble.current()
    assert current is not None
    assert current.trouble is Trouble.FULL
    now[0] += 61
    trouble.worked()
    assert trouble.current() is None
    assert [line["event"] for line in told] == ["storage_failed", "storage_recovered"]
    assert told[0]["reason"] == "full"


def test_the_engine_goes_on_through_a_fault(told: list[dict[str, object]]) -> None:
    """A loop and a job that meet a fault are run again, and the engine says what it met."""
    engine = EmbeddedEngine(ZoneInfo("Europe/London"))
    runs: list[str] = []

    def failing(name: str) -> Callable[[], bool]:
        def run() -> bool:
            runs.append(name)
            raise StorageFault(Trouble.LOCKED, "locked")

        return run

    engine.loop("assess", failing("loop"), every_s=0.02, allowance_s=60)
    engine.every("collect:feed", 0.1, failing("job"))
    engine.start()
    until = time.monotonic() + 5
    while (runs.count("loop") < 3 or runs.count("job") < 3) and time.monotonic() < until:
        time.sleep(0.02)
    engine.stop(2)
    assert runs.count("loop") >= 3
    assert runs.count("job") >= 3
    assert [line["event"] for line in told].count("storage_failed") == 1
    assert engine.storage.current() is not None


def test_a_post_that_nothing_can_settle_is_put_aside_and_reported(
    house: House,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A mention whose settling fails every time is parked after a few tries, holds up no other, stands
    in the digest without its words, and gets another try at the next start."""
    house.day.begin()
    deciding = assess.assessment.decide

    def decide(mention: object, *arguments: object, **more: object) -> object:
        if "poison" in mention.post.text:  # type: ignore[attr-defined]
            raise RuntimeError("zebra")
        return deciding(mention, *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(assess.assessment, "decide", decide)
    house.source.says(f"poison words at {NAME}", "p", url="https://gazette.example/p")
    house.source.says(f"THREAT at {NAME}", "t")
    house.collector.collect("feed")
    for _ in range(assess.PARK_CLAIMS + 2):
        for _ in range(3):
            try:
                house.assessor.assess()
            except RuntimeError:
                break
        house.clock.forward(seconds=assess.LEASE_S + 1)
    with house.store.read() as rows:
        (parked,) = rows.mentions.parked()
    assert parked.organisations == ("quenby",)
    assert not house.assessor.assess()
    house.clock.forward(days=1)
    house.day.digest()
    house.work()
    assert house.mailer.recipients()[0] == "slt@trust.example"
    body = house.mailer.sent[-1][1].decode()
    assert "could not be judged" in body
    assert "https://gazette.example/p" in body
    assert "poison words" not in body
    monkeypatch.setattr(assess.assessment, "decide", deciding)
    house.store.release(now=house.clock())
    house.work()
    with house.store.read() as rows:
        assert rows.mentions.parked() == ()
    assert len(house.concerns()) == 2


def test_a_parked_post_is_not_kept_for_ever(house: House) -> None:
    """The words of a post that nobody could judge are forgotten after thirty days."""
    house.source.says(f"poison at {NAME}")
    house.collector.collect("feed")
    with house.store.begin() as rows:
        (claimed,) = rows.mentions.claim(owner="x", lease_s=1, limit=1, now=house.clock())
        rows.mentions.park(claimed.mention.id, owner="x")
    house.clock.now += timedelta(days=31)
    house.day.tidy()
    assert house.count("mention WHERE text <> ''") == 0


def test_a_poll_ends_at_its_next_batch(house: House) -> None:
    """A source that streams for minutes ends its poll as soon as the program is to end: what was
    committed stays, what was not is left to the next poll, and nothing counts as a failure."""
    stopping = threading.Event()

    def stream(cursor: dict[str, int], *, now: object) -> Iterator[Batch]:
        for number in range(cursor.get("read", 0) + 1, 1_000):
            if number == 3:
                stopping.set()
            text = f"COMPLAINT {number} at {NAME}"
            post = Post(platform="rss", native_id=f"s{number}", text=text)
            yield Batch(posts=(post,), cursor={"read": number})

    house.source.poll = stream  # type: ignore[method-assign,assignment]
    replace(house.collector, go_on=lambda: not stopping.is_set()).collect("feed")
    assert _cursor(house) == {"read": 2}
    assert house.count("mention") == 2
    with house.store.read() as rows:
        (health,) = rows.sources.health()
    assert (health.failures, health.last_success_at) == (0, None)


def test_a_poll_begun_under_other_settings_moves_no_cursor(house: House) -> None:
    """After a reload that changed a source, a poll of the old settings may still bring its posts, but
    the new ones begin with a cursor of their own."""
    old = replace(house.collector.sources["feed"], fingerprint="f")
    with house.store.begin() as rows:
        spec = SourceSpec(id="feed", kind="rss", interval_s=60, fingerprint="other")
        rows.sources.register([spec], now=house.clock())
    house.source.says(f"THREAT at {NAME}")
    replace(house.collector, sources={"feed": old}).collect("feed")
    assert _cursor(house) == {}
    assert house.count("mention") == 1


def test_a_source_taken_out_meanwhile_is_no_error(house: House) -> None:
    """A poll that was due when a reload took its source away just does nothing."""
    with house.store.begin() as rows:
        rows.sources.register([], now=house.clock())
    house.collector.collect("feed")
