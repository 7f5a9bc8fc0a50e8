"""The Bluesky connector against a real network: PDS, AppView, firehose, accounts and posts.

tests/atproto/with-network.sh starts one on loopback and sets
TRUST_MONITOR_TEST_PDS, TRUST_MONITOR_TEST_APPVIEW and TRUST_MONITOR_TEST_JETSTREAM.
"""

from __future__ import annotations

import json
import os
import stat
import struct
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zlib import compress, crc32

import pytest
from atproto import Client, client_utils, models

from connectors.bluesky import BlueskyConnector, BlueskySettings
from connectors.errors import SourceError, SourceUnavailable
from connectors.post import Batch, CursorState, Post

pytestmark = pytest.mark.atproto

PDS = os.environ.get("TRUST_MONITOR_TEST_PDS", "")
APPVIEW = os.environ.get("TRUST_MONITOR_TEST_APPVIEW", "")
JETSTREAM = os.environ.get("TRUST_MONITOR_TEST_JETSTREAM", "")
PASSWORD = "correct-horse-battery"
PATIENCE_S = 60.0  # for what the network needs to index: 250 posts took 10 s on two busy cores


class Writer:
    """An account of its own on the network."""

    def __init__(self) -> None:
        self.handle = f"parent-{uuid.uuid4().hex[:8]}.test"
        self.client = Client(base_url=PDS)
        made = self.client.com.atproto.server.create_account(
            {
                "handle": self.handle,
                "email": f"{uuid.uuid4().hex}@parents.example",
                "password": PASSWORD,
            }
        )
        self.did = made.did
        until = time.monotonic() + PATIENCE_S
        while True:  # the AppView hears of a new account a moment later
            try:
                self.client.login(self.handle, PASSWORD)
            except Exception:  # noqa: BLE001 - the package tells "not yet" in several ways
                assert time.monotonic() < until, "the new account was never indexed"
                time.sleep(0.2)
            else:
                break

    def post(self, text: Any, **more: Any) -> str:
        return str(self.client.send_post(text, **more).uri)

    def put(self, uri: str, text: str) -> None:
        """Write the post anew under its key: the protocol's edit."""
        record = models.AppBskyFeedPost.Record(
            text=text, created_at=self.client.get_current_time_iso()
        )
        self.client.com.atproto.repo.put_record(
            {
                "repo": self.did,
                "collection": "app.bsky.feed.post",
                "rkey": uri.rpartition("/")[2],
                "record": record,
            }
        )


class Monitor:
    """Polls and commits, as the monitor does."""

    def __init__(self, connector: BlueskyConnector) -> None:
        self.connector = connector
        self.cursor: CursorState = {}
        self.posts: dict[str, Post] = {}
        self.times: list[str] = []
        self.deleted: list[str] = []
        self.gone: list[str] = []

    def take(self, batch: Batch) -> None:
        self.cursor = json.loads(json.dumps(batch.cursor))
        for post in batch.posts:
            self.posts[post.native_id] = post
            self.times.append(post.native_id)
        self.deleted += batch.deleted
        self.gone += batch.gone

    def until(self, enough: Callable[[], bool]) -> None:
        """Poll until `enough()`, for a minute at most."""
        limit = time.monotonic() + PATIENCE_S
        while not enough():
            assert time.monotonic() < limit, "the network never told"
            for batch in self.connector.poll(self.cursor, now=datetime.now(UTC)):
                self.take(batch)
                if enough():
                    break
            else:
                time.sleep(0.2)


@pytest.fixture(scope="module", autouse=True)
def network() -> None:
    """Skips aloud when no network is named."""
    if not (PDS and APPVIEW and JETSTREAM):
        pytest.skip(
            "NO BLUESKY NETWORK: run tests/atproto/with-network.sh (make test-atproto), which sets "
            "TRUST_MONITOR_TEST_PDS, TRUST_MONITOR_TEST_APPVIEW and TRUST_MONITOR_TEST_JETSTREAM"
        )


@pytest.fixture(scope="module")
def parent(network: None) -> Writer:
    """Somebody who posts."""
    return Writer()


@pytest.fixture(scope="module")
def account(network: None) -> Writer:
    """The trust's own account."""
    return Writer()


@pytest.fixture
def school() -> str:
    """A school of this test's own."""
    return f"Brackenhurst{uuid.uuid4().hex[:8]} School"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "password").write_text(PASSWORD, encoding="utf-8")
    return tmp_path


def dot() -> bytes:
    """A PNG of one black point."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", compress(bytes(4))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*parts) for parts in chunks)


def streaming() -> Monitor:
    settings = BlueskySettings(
        jetstream=(JETSTREAM,), appview=APPVIEW, timeout_s=2, allow_private=True
    )
    return Monitor(BlueskyConnector(settings, source="network"))


def searching(account: Writer, folder: Path, *terms: str, **more: Any) -> Monitor:
    keys: dict[str, Any] = {
        "jetstream": (),
        "account": account.handle,
        "password_file": folder / "password",
        "session_file": folder / "session",
        "pds": PDS,
        "appview": APPVIEW,
        "timeout_s": 10,
        "allow_private": True,
    }
    return Monitor(BlueskyConnector(BlueskySettings(**keys | more), source="network", terms=terms))


def test_the_stream_brings_what_is_written_edited_and_deleted(parent: Writer, school: str) -> None:
    """A post arrives whole within seconds, its edit under the same id, its deletion too."""
    monitor = streaming()
    uri = parent.post(f"Lovely assembly at {school}", langs=["en-GB"])
    monitor.until(lambda: uri in monitor.posts)
    post = monitor.posts[uri]
    assert post.author == parent.did
    assert post.language == "en-GB"
    assert post.url == f"https://bsky.app/profile/{parent.did}/post/{uri.rpartition('/')[2]}"
    assert post.published_at is not None
    assert abs(datetime.now(UTC) - post.published_at) < timedelta(minutes=1)
    parent.put(uri, f"Dreadful assembly at {school}")
    monitor.until(lambda: "Dreadful" in monitor.posts[uri].text)
    parent.client.delete_post(uri)
    monitor.until(lambda: uri in monitor.deleted)


def test_the_stream_goes_on_where_it_was_left(parent: Writer, school: str) -> None:
    """Posts written while nobody listened arrive afterwards, each once, also with a new connector."""
    first = streaming()
    before = parent.post(f"{school} one")
    first.until(lambda: before in first.posts)
    meanwhile = [parent.post(f"{school} number {number}") for number in range(5)]
    second = streaming()
    second.cursor = first.cursor
    second.until(lambda: set(meanwhile) <= set(second.posts))
    assert before not in second.posts
    assert len(second.times) == len(set(second.times))


def test_links_mentions_tags_and_pictures_become_text(parent: Writer, school: str) -> None:
    """What the words don't show, but a reader can open or see, stands below them."""
    words = client_utils.TextBuilder()
    words.text(f"{school}: ").link("read this", "https://news.larkmoor.example/closing")
    words.text(" says ").mention("everyone", parent.did).text(" ").tag("#shame", "LarkmoorShame")
    monitor = streaming()
    uri = parent.post(words)
    picture = str(parent.client.send_image("Look", dot(), f"Gate of {school}").uri)
    monitor.until(lambda: {uri, picture} <= set(monitor.posts))
    assert monitor.posts[uri].text.split("\n")[1:] == [
        "https://news.larkmoor.example/closing",
        f"@{parent.did}",
        "#LarkmoorShame",
    ]
    assert monitor.posts[picture].text == f"Look\nGate of {school}"


def test_replies_and_quotes_name_their_thread(parent: Writer, school: str) -> None:
    """A reply belongs to the post at its root, a quote to the post that it quotes."""
    monitor = streaming()
    root = parent.client.send_post(f"{school} root")
    ref = models.create_strong_ref(root)
    first = parent.client.send_post("one", reply_to={"root": ref, "parent": ref})
    deeper = models.create_strong_ref(first)
    second = parent.post("two", reply_to={"root": ref, "parent": deeper})
    quote = parent.post("shame", embed=models.AppBskyEmbedRecord.Main(record=ref))
    monitor.until(lambda: {second, quote} <= set(monitor.posts))
    assert monitor.posts[root.uri].thread_id is None
    assert monitor.posts[second].thread_id == monitor.posts[quote].thread_id == root.uri


def test_a_wrong_clock_is_not_believed(parent: Writer, school: str) -> None:
    """A post dated years ahead or back is dated when the network saw it."""
    monitor = streaming()
    dates = ("2031-01-01T00:00:00Z", "1999-01-01T00:00:00Z")
    uris = []
    for date in dates:
        made = parent.client.com.atproto.repo.create_record(
            {
                "repo": parent.did,
                "collection": "app.bsky.feed.post",
                "record": {
                    "$type": "app.bsky.feed.post",
                    "text": f"{school} {date}",
                    "createdAt": date,
                },
            }
        )
        uris.append(made.uri)
    monitor.until(lambda: set(uris) <= set(monitor.posts))
    for uri in uris:
        seen = monitor.posts[uri].published_at
        assert seen is not None
        assert abs(datetime.now(UTC) - seen) < timedelta(minutes=1)


def test_an_account_that_leaves_takes_its_posts_along(school: str) -> None:
    """A deactivated account's posts are gone from stream and check."""
    leaving = Writer()
    monitor = streaming()
    uri = leaving.post(f"{school} goodbye")
    monitor.until(lambda: uri in monitor.posts)
    leaving.client.com.atproto.server.deactivate_account({})
    monitor.until(lambda: f"at://{leaving.did}/" in monitor.gone)


def test_the_search_finds_once_across_restarts(
    parent: Writer, account: Writer, folder: Path, school: str
) -> None:
    """250 posts are found through the account's own server, paged, once each; later ones too; one
    session serves all, kept for its owner only."""
    records = [
        {
            "$type": "com.atproto.repo.applyWrites#create",
            "collection": "app.bsky.feed.post",
            "value": {
                "$type": "app.bsky.feed.post",
                "text": f"{school} {number}",
                "createdAt": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            },
        }
        for number in range(250)
    ]
    for start in (0, 125):
        parent.client.com.atproto.repo.apply_writes(
            {"repo": parent.did, "writes": records[start : start + 125]}
        )
    monitor = searching(account, folder, school)
    monitor.until(lambda: len(monitor.posts) == 250)
    assert len(monitor.times) == 250
    session = folder / "session"
    assert stat.S_IMODE(session.stat().st_mode) == 0o600
    kept = session.read_text(encoding="utf-8")
    later = parent.post(f"{school} again")
    parent.post("of no school at all")
    again = searching(account, folder, school)
    again.cursor = monitor.cursor
    again.until(lambda: later in again.posts)
    assert again.times == [later]
    assert session.read_text(encoding="utf-8") == kept


def test_stream_and_search_agree(
    parent: Writer, account: Writer, folder: Path, school: str
) -> None:
    """Both ways give the same post: id, text, author, thread and link."""
    uri = parent.post(f"{school} in both", langs=["en"])
    both = [streaming(), searching(account, folder, school)]
    for monitor in both:
        monitor.until(lambda monitor=monitor: uri in monitor.posts)  # type: ignore[misc]
    one, other = (monitor.posts[uri] for monitor in both)
    assert (one.content_hash, one.author, one.url, one.thread_id, one.language) == (
        other.content_hash,
        other.author,
        other.url,
        other.thread_id,
        other.language,
    )


def test_the_search_takes_over_when_the_stream_is_down(
    parent: Writer, account: Writer, folder: Path, school: str
) -> None:
    """With a stream that can't be reached, posts are found all the same, and that is said."""
    uri = parent.post(f"{school} while the stream is down")
    monitor = searching(account, folder, school, jetstream=("ws://localhost:9",))
    notes: list[str | None] = []
    limit = time.monotonic() + PATIENCE_S
    while uri not in monitor.posts and time.monotonic() < limit:
        for batch in monitor.connector.poll({}, now=datetime.now(UTC)):
            monitor.take(batch)
            notes.append(batch.note)
    assert uri in monitor.posts
    assert any(note and note.startswith("searched instead: ") for note in notes)


def test_check_gone_tells_the_deleted_from_the_living(
    parent: Writer, school: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of posts old enough to be indexed, exactly the deleted ones are gone; fresh ones never."""
    living, deleted = (parent.post(f"{school} {word}") for word in ("stays", "goes"))
    leaver = Writer()
    left = leaver.post(f"{school} leaves")
    connector = streaming().connector
    assert connector.check_gone([living, deleted, left]) == frozenset()
    monkeypatch.setattr("connectors.bluesky.INDEXED_AFTER", timedelta(0))
    until = time.monotonic() + PATIENCE_S
    while connector.check_gone([living, deleted, left]):
        assert time.monotonic() < until, "never indexed"
        time.sleep(0.2)
    parent.client.delete_post(deleted)
    leaver.client.com.atproto.server.deactivate_account({})
    while connector.check_gone([living, deleted, left]) != {deleted, left}:
        assert time.monotonic() < until, "never gone"
        time.sleep(0.2)


def test_a_wrong_password_is_told_once_and_not_tried_again(account: Writer, folder: Path) -> None:
    """A refused sign-in names the keys to mend, and is not repeated for five minutes."""
    (folder / "password").write_text("not-the-password", encoding="utf-8")
    with pytest.raises(SourceError, match="check account and password_file") as caught:
        list(searching(account, folder, "x").connector.poll({}, now=datetime.now(UTC)))
    assert "not-the-password" not in str(caught.value)
    with pytest.raises(SourceUnavailable) as waiting:
        list(searching(account, folder, "x").connector.poll({}, now=datetime.now(UTC)))
    assert 0 < (waiting.value.retry_after or 0) <= 300
