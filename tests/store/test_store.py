"""The store keeps what it was given, once, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from classifiers.verdict import Label, Severity
from monitor.domain import ConcernState, DeliveryKind, DeliveryState
from monitor.policy.life import Move
from monitor.ports import NewDelivery, SourceSpec
from monitor.store.database import open_database
from monitor.store.store import SqlStore
from tests.store.samples import MATCH, NOW, draft, leave, post, triage

FEED = SourceSpec(id="feed", kind="rss", interval_s=300, fingerprint="f1")
LATER = NOW + timedelta(minutes=5)


def record(store: SqlStore, *posts: object) -> int:
    with store.begin() as rows:
        return rows.mentions.record("feed", [(p, (MATCH,)) for p in posts], now=NOW)  # type: ignore[misc]


def claim(store: SqlStore, **more: object) -> tuple:
    options = {"owner": "me", "lease_s": 60.0, "limit": 10, "now": NOW} | more
    with store.begin() as rows:
        return rows.mentions.claim(**options)  # type: ignore[arg-type]


def test_repeat_is_absorbed(store: SqlStore) -> None:
    """The same post delivered twice is one mention."""
    assert record(store, post()) == 1
    assert record(store, post(), post("a2")) == 1


def test_round_trip(store: SqlStore) -> None:
    """A stored post comes back as it went in, times in UTC."""
    original = post(text="Déjà vu 🙂\x00".replace("\x00", ""), published_at=NOW, thread_id="t")
    record(store, original)
    (claimed,) = claim(store)
    assert claimed.mention.post == original
    assert claimed.mention.matches == (MATCH,)


def test_edit_is_assessed_again(store: SqlStore) -> None:
    """New wording of an assessed post puts it back into the queue as a further revision."""
    record(store, post())
    (first,) = claim(store)
    with store.begin() as rows:
        assert rows.mentions.assessed(first, triage(), model="m", now=NOW)
    assert claim(store) == ()
    record(store, post(text="now it says something else"))
    (second,) = claim(store)
    assert (second.mention.revision, second.attempts) == (2, 1)


def test_edit_during_assessment_wins(store: SqlStore) -> None:
    """A verdict about wording that has changed meanwhile is thrown away."""
    record(store, post())
    (claimed,) = claim(store)
    record(store, post(text="changed under the model's hands"))
    with store.begin() as rows:
        assert not rows.mentions.assessed(claimed, triage(), model="m", now=NOW)
    assert claim(store)[0].mention.revision == 2


def test_lease_expires(store: SqlStore) -> None:
    """A claimed mention is nobody else's until its lease runs out; then it is claimed again."""
    record(store, post())
    assert len(claim(store)) == 1
    assert claim(store, owner="other") == ()
    (again,) = claim(store, owner="other", now=NOW + timedelta(seconds=61))
    assert again.attempts == 2


def test_suspect_is_claimed_alone(store: SqlStore) -> None:
    """A mention whose assessment never ended is tried alone, and no innocent neighbour is blamed."""
    record(store, post("a1"), post("a2"))
    assert [item.attempts for item in claim(store)] == [1, 1]
    store.release(now=NOW)
    record(store, post("a3"))
    assert [[item.mention.post.native_id for item in claim(store)] for _ in range(4)] == [
        ["a1"],
        ["a2"],
        ["a3"],
        [],
    ]


def test_release_frees_leases(store: SqlStore) -> None:
    """At start, what a killed predecessor held is free at once."""
    record(store, post())
    claim(store)
    store.release(now=NOW)
    assert len(claim(store)) == 1


def test_erasure_leaves_a_tombstone(store: SqlStore) -> None:
    """A post deleted at its source loses text and author, and does not come back."""
    record(store, post(author="somebody"))
    with store.begin() as rows:
        assert rows.deletions.gone("rss", ["a1"], now=NOW) == 1
        assert rows.deletions.gone("rss", ["a1"], now=NOW) == 0
    assert record(store, post(text="resurrected")) == 0
    assert claim(store) == ()


def test_concern_joins_mentions(store: SqlStore) -> None:
    """A concern gets the year's next case number and shows its mentions and history."""
    record(store, post(thread_id="t9"))
    (claimed,) = claim(store)
    with store.begin() as rows:
        first = rows.concerns.open(draft(Severity.URGENT, Label.THREAT), why="new", now=NOW)
        second = rows.concerns.open(draft(), why="new", now=NOW)
        rows.mentions.belongs_to(claimed.mention.id, first.id)
        assert (rows.concerns.alerted(first.id), rows.concerns.alerted(first.id)) == (1, 2)
        assert second.reference == "2026-0002"
    with store.read() as rows:
        found = rows.concerns.by_reference("2026-0001")
        assert rows.concerns.by_reference("2026-9999") is None
        (candidate,) = rows.concerns.candidates(since=NOW - timedelta(days=7))
    assert found is not None
    assert found.suggestion == draft().suggestion
    assert [mention.id for mention in found.mentions] == [claimed.mention.id]
    assert [event.action for event in found.history] == ["opened"]
    assert "rss:t9" in candidate.threads


def test_concern_moves_are_remembered(store: SqlStore) -> None:
    """Each move is stored with who and when; a closed concern is no longer a candidate."""
    record(store, post())
    (claimed,) = claim(store)
    with store.begin() as rows:
        concern = rows.concerns.open(draft(), why="new", now=NOW)
        rows.mentions.belongs_to(claimed.mention.id, concern.id)
        leave(rows, concern.id, Move.CLOSE, who="comms", now=LATER)
        found = rows.concerns.get(concern.id)
        assert rows.concerns.candidates(since=NOW) == ()
    assert (found.state, found.closed_at) == (ConcernState.CLOSED, LATER)
    assert [(event.who, event.action, event.at) for event in found.history] == [
        ("monitor", "opened", NOW),
        ("comms", "close", LATER),
    ]


def alert(recipient: str = "slt@trust.example") -> NewDelivery:
    return NewDelivery(
        key="alert:2026-0001:1",
        kind=DeliveryKind.ALERT,
        concern=None,
        recipient=recipient,
        channel="smtp",
        message=b"frozen\r\n",
    )


def test_outbox_queues_once(store: SqlStore) -> None:
    """The same occasion, person and channel is queued once, with its first bytes."""
    with store.begin() as rows:
        assert rows.outbox.enqueue([alert(), alert("b@trust.example")], now=NOW) == 2
        assert rows.outbox.enqueue([alert()], now=NOW) == 0


def test_outbox_claim_and_mark(store: SqlStore) -> None:
    """A claimed delivery is leased, counted, and due again only when its mark says so."""
    options = {"owner": "me", "lease_s": 60.0}
    with store.begin() as rows:
        rows.outbox.enqueue([alert()], now=NOW)
        assert rows.outbox.claim([DeliveryKind.DIGEST], now=NOW, **options) is None
        claimed = rows.outbox.claim([DeliveryKind.ALERT], now=NOW, **options)
        assert rows.outbox.claim([DeliveryKind.ALERT], now=NOW, **options) is None
    assert claimed is not None
    assert (claimed.attempts, claimed.message) == (1, b"frozen\r\n")
    with store.begin() as rows:
        rows.outbox.mark(
            claimed,
            DeliveryState.PENDING,
            detail="421",
            due_at=LATER,
            ambiguous=False,
            now=NOW,
        )
        assert rows.outbox.claim([DeliveryKind.ALERT], now=NOW, **options) is None
        again = rows.outbox.claim([DeliveryKind.ALERT], now=LATER, **options)
        assert again is not None
        rows.outbox.mark(
            again, DeliveryState.SENT, detail="250", due_at=LATER, ambiguous=False, now=LATER
        )
        assert rows.outbox.undelivered(since=NOW, now=LATER + timedelta(days=1)) == 0


def test_clock_set_back_while_down(store: SqlStore) -> None:
    """An alert that seems due in two hours, because the clock was set back, is due at the next start."""
    with store.begin() as rows:
        rows.outbox.enqueue([alert()], now=NOW + timedelta(hours=2))
    store.release(now=NOW)
    with store.begin() as rows:
        assert rows.outbox.claim([DeliveryKind.ALERT], owner="me", lease_s=60, now=NOW) is not None


def test_one_digest_a_day(store: SqlStore) -> None:
    """A day's digest can be claimed once, and the next one starts where it ended."""
    day = date(2026, 3, 10)
    with store.begin() as rows:
        assert rows.digests.record(day, since=NOW, until=LATER)
        assert not rows.digests.record(day, since=NOW, until=LATER)
        assert rows.digests.exists(day)
        assert rows.digests.last_until() == LATER


def test_source_state(store: SqlStore) -> None:
    """A failing source opens one gap from when it was last seen; success closes it."""
    with store.begin() as rows:
        rows.sources.register([FEED], now=NOW)
        rows.sources.advance("feed", {"seen": {"x": "y"}})
        rows.sources.succeeded("feed", now=NOW, next_poll_at=LATER)
        for _ in range(2):
            rows.sources.failed("feed", now=LATER, error="429", next_poll_at=LATER)
        (gap,) = rows.sources.gaps(since=NOW, until=LATER + timedelta(hours=1))
        assert (gap.started_at, gap.ended_at, gap.reason) == (NOW, None, "429")
        assert rows.sources.health()[0].failures == 2
        rows.sources.succeeded("feed", now=LATER, next_poll_at=LATER)
        assert rows.sources.health()[0].failures == 0
        assert rows.sources.cursor("feed") == {"seen": {"x": "y"}}


@pytest.mark.parametrize(("fingerprint", "kept"), [("f1", True), ("f2", False)])
def test_changed_settings_start_a_new_cursor(store: SqlStore, fingerprint: str, kept: bool) -> None:
    """A source keeps its cursor over restarts, and loses it when its settings change."""
    with store.begin() as rows:
        rows.sources.register([FEED], now=NOW)
        rows.sources.advance("feed", {"etag": "1"})
        rows.sources.register(
            [SourceSpec(id="feed", kind="rss", interval_s=60, fingerprint=fingerprint)], now=NOW
        )
        assert bool(rows.sources.cursor("feed")) is kept


def test_failed_transaction_stores_nothing(store: SqlStore) -> None:
    """Mentions and cursor are stored together or not at all."""
    with store.begin() as rows:
        rows.sources.register([FEED], now=NOW)

    def half() -> None:
        with store.begin() as rows:
            rows.mentions.record("feed", [(post(), (MATCH,))], now=NOW)
            rows.sources.advance("feed", {"moved": True})
            raise RuntimeError("killed here")

    with pytest.raises(RuntimeError):
        half()
    assert claim(store) == ()
    with store.read() as rows:
        assert rows.sources.cursor("feed") == {}


def test_concurrent_case_numbers(store: SqlStore) -> None:
    """Concerns opened by several threads at once all get numbers of their own."""
    failures: list[BaseException] = []

    def open_some() -> None:
        try:
            for _ in range(10):
                with store.begin() as rows:
                    rows.concerns.open(draft(), why="new", now=NOW)
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=open_some) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    with store.read() as rows:
        found = rows.concerns.listed(states=list(ConcernState))
    assert sorted(c.reference for c in found) == [f"2026-{n:04d}" for n in range(1, 41)]


def test_sqlite_keeps_every_commit(tmp_path: object) -> None:
    """SQLite runs with WAL and full synchronisation, so that a power cut loses no commit."""
    with open_database(f"sqlite:///{tmp_path}/x.db").connect() as connection:
        assert connection.execute(sa.text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(sa.text("PRAGMA synchronous")).scalar() == 2


def test_what_was_given_up_is_counted_in_one_digest(store: SqlStore) -> None:
    """A message given up since the last digest counts as undelivered, and in the digests after it not."""
    with store.begin() as rows:
        rows.outbox.enqueue([alert()], now=NOW)
        claimed = rows.outbox.claim([DeliveryKind.ALERT], owner="me", lease_s=60, now=NOW)
        assert claimed is not None
        assert rows.outbox.mark(
            claimed, DeliveryState.DEAD, detail="550", due_at=NOW, ambiguous=False, now=NOW
        )
        assert rows.outbox.undelivered(since=NOW - timedelta(days=1), now=LATER) == 1
        assert rows.outbox.undelivered(since=NOW, now=LATER) == 0
