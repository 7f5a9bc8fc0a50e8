"""The feed connector, fault by fault. What every kind promises stands in test_contract.py."""

from __future__ import annotations

import resource
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors import feed_document
from connectors.errors import SourceUnavailable
from connectors.http import digest
from connectors.post import Batch, Post
from connectors.rss import RssConnector, RssSettings
from connectors.seen import Seen, content_digest, unambiguous
from tests.connectors.feed_server import FeedServer, rss, rss_item

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def poll(server: FeedServer, cursor: Any = None, **settings: Any) -> list[Batch]:
    """One poll of the server's feed, as a fresh instance."""
    configured = RssSettings(url=server.url, allow_private=True, **settings)
    return list(RssConnector(configured, source="gazette").poll(cursor or {}, now=NOW))


def texts(batches: list[Batch]) -> list[str]:
    return [post.text for batch in batches for post in batch.posts]


# --- ids -------------------------------------------------------------------------------------------


def _id(server: FeedServer, **fields: Any) -> str:
    server.feed = rss([rss_item("Same words", **fields)])
    return poll(server)[0].posts[0].native_id


def test_a_plain_guid_belongs_to_its_feed_only(feed_server: FeedServer) -> None:
    """Two feeds of one host that both number their items from 1 do not collide."""
    first = _id(feed_server, guid="1")
    feed_server.url += "?other"
    assert _id(feed_server, guid="1") != first


@pytest.mark.parametrize("guid", ["https://a.example/1", "tag:a.example,2026:1", "urn:uuid:1"])
def test_a_uri_guid_is_the_same_in_every_feed_of_its_host(
    feed_server: FeedServer, guid: str
) -> None:
    """A site's main feed and its category feed name one article alike."""
    first = _id(feed_server, guid=guid)
    feed_server.url += "?other"
    assert _id(feed_server, guid=guid) == first


def test_without_a_guid_the_link_tells_items_apart(feed_server: FeedServer) -> None:
    """An item without a guid keeps its id through an edit, by its link."""
    link = "https://a.example/1"
    feed_server.feed = rss([rss_item("Before", link=link), rss_item("Other", link=link + "2")])
    first = poll(feed_server)[-1]
    feed_server.feed = rss([rss_item("After", link=link), rss_item("Other", link=link + "2")])
    second = poll(feed_server, first.cursor)[-1]
    assert texts([second]) == ["After"]
    assert second.posts[0].native_id in {post.native_id for post in first.posts}


def test_without_guid_and_link_the_words_tell_items_apart(feed_server: FeedServer) -> None:
    """Items with neither guid nor link are delivered once each."""
    feed_server.feed = rss([rss_item("One"), rss_item("Two")])
    first = poll(feed_server)[-1]
    assert len(first.posts) == 2
    assert texts(poll(feed_server, first.cursor)) == []


# --- repeats ---------------------------------------------------------------------------------------


def test_an_item_twice_in_one_document_is_delivered_once(feed_server: FeedServer) -> None:
    """The same item on two places of the feed is one post."""
    feed_server.feed = rss([rss_item("Twice", guid="1"), rss_item("Twice", guid="1")])
    assert texts(poll(feed_server)) == ["Twice"]


def test_one_guid_for_all_items_loses_none_and_repeats_none(feed_server: FeedServer) -> None:
    """A feed that gives its home page as every item's guid still delivers each item, once."""
    said = [f"Remark {number}" for number in range(6)]
    cursor: Any = {}
    delivered: list[str] = []
    for shown in (said[:2], said[:3], said[1:4], said[2:6], said[2:6], said[4:6]):
        feed_server.feed = rss([rss_item(text, guid="https://a.example/") for text in shown[::-1]])
        for batch in poll(feed_server, cursor):
            delivered += texts([batch])
            cursor = batch.cursor
    assert sorted(delivered) == said


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from("gh"), st.sampled_from("abcd")), max_size=6), max_size=8
    )
)
def test_ambiguous_ids_become_distinct_and_nothing_flips(
    polls: list[list[tuple[str, str]]],
) -> None:
    """For any sequence of documents, ids are distinct in each, every content has one, and reading
    the same document again is no news."""
    seen = Seen(())
    for document in polls:
        posts = [Post(platform="rss", native_id=guid, text=text) for guid, text in document]
        told_apart = unambiguous(posts, seen)
        assert len({post.native_id for post in told_apart}) == len(told_apart)
        assert sorted((p.native_id[0], p.text) for p in told_apart) == sorted(set(document))
        seen = _after(seen, told_apart)
        assert not any(seen.is_news(post) for post in unambiguous(posts, seen))


def _after(seen: Seen, posts: list[Post]) -> Seen:
    return Seen(seen.entries({digest(p.native_id): content_digest(p) for p in posts}, ()))


# --- batches and cursors ---------------------------------------------------------------------------


def test_validators_come_with_the_last_batch_only(feed_server: FeedServer) -> None:
    """The ETag is committed only when everything is: a crash before that reads the feed again."""
    feed_server.headers["ETag"] = '"v1"'
    feed_server.feed = rss([rss_item(f"Remark {n}", guid=str(n)) for n in range(5)])
    batches = poll(feed_server, max_items=2)
    assert [len(batch.posts) for batch in batches] == [2, 2, 1]
    assert ["validators" in batch.cursor for batch in batches] == [False, False, True]
    assert poll(feed_server, batches[-1].cursor)[0].posts == ()
    assert feed_server.requests[-1]["if-none-match"] == '"v1"'


def test_a_comment_feed_is_never_asked_conditionally(feed_server: FeedServer) -> None:
    """WordPress answers 304 although an older comment was approved: so we don't ask it that."""
    feed_server.headers["ETag"] = '"newest-comment"'
    newer = rss_item("Newer", link="https://a.example/1#comment-2")
    feed_server.feed = rss([newer])
    cursor = poll(feed_server)[-1].cursor
    late = rss_item(
        "Late", link="https://a.example/1#comment-1", date="Fri, 02 Jan 2026 09:00:00 GMT"
    )
    feed_server.feed = rss([newer, late])
    assert texts(poll(feed_server, cursor)) == ["Late"]


@pytest.mark.parametrize(
    ("later", "asked"),
    [(timedelta(minutes=59), '"v1"'), (timedelta(hours=1), None), (timedelta(hours=-1), None)],
)
def test_every_feed_is_read_whole_once_an_hour(
    feed_server: FeedServer, later: timedelta, asked: str | None
) -> None:
    """A server whose 304 is wrong hides a post for an hour at most; a clock set back doesn't either."""
    feed_server.headers["ETag"] = '"v1"'
    feed_server.feed = rss([rss_item("One", guid="1")])
    cursor = poll(feed_server)[-1].cursor
    settings = RssSettings(url=feed_server.url, allow_private=True)
    list(RssConnector(settings, source="gazette").poll(cursor, now=NOW + later))
    assert feed_server.requests[-1].get("if-none-match") == asked


def test_the_oldest_comes_first(feed_server: FeedServer) -> None:
    """Batches begin at the bottom of the document, where feeds have their oldest items."""
    feed_server.feed = rss([rss_item(f"Remark {n}", guid=str(n)) for n in (3, 2, 1)])
    assert texts(poll(feed_server)) == ["Remark 1", "Remark 2", "Remark 3"]


def test_neither_ids_nor_cursor_show_the_feeds_url(feed_server: FeedServer) -> None:
    """A token in the URL is in nothing that is stored."""
    feed_server.url += "?key=token"
    feed_server.headers["ETag"] = '"v1"'
    feed_server.feed = rss([rss_item("One", guid="1"), rss_item("Two")])
    batch = poll(feed_server)[0]
    assert "token" not in str(batch)


# --- damage ----------------------------------------------------------------------------------------


def test_a_truncated_feed_gives_what_it_has_and_is_read_again(feed_server: FeedServer) -> None:
    """Whole items of a cut document are delivered, the cut one later under the same id; no ETag is
    kept, and the gap is told when the connection broke."""
    whole = rss([rss_item(f"Remark {n}", guid=str(n)) for n in (3, 2, 1)])
    feed_server.headers["ETag"] = '"v1"'
    feed_server.feed = whole
    feed_server.drop_at = whole.index(b"Remark 1") + 3
    first = poll(feed_server)[-1]
    assert {"Remark 3", "Remark 2"} <= set(texts([first]))
    assert "validators" not in first.cursor
    assert first.gap
    feed_server.drop_at = None
    second = poll(feed_server, first.cursor)[-1]
    assert texts([second]) == ["Remark 1"]
    assert second.gap is None
    assert "validators" in second.cursor


def test_an_item_cut_before_its_id_waits(feed_server: FeedServer) -> None:
    """An item whose guid was cut off is not delivered under another id."""
    body = (
        "<rss version='2.0'><channel><item><guid>2</guid><description>Two</description></item>"
        "<item><description>One</description>"
    )
    feed_server.feed = body.encode()
    assert texts(poll(feed_server)) == ["Two"]


def test_a_feed_over_the_cap_gives_its_beginning_and_tells(feed_server: FeedServer) -> None:
    """The first part of a feed that is too long is read, and the gap is told."""
    feed_server.feed = rss([rss_item("x" * 1000, guid=str(n)) for n in range(50)])
    batch = poll(feed_server, max_bytes=10_000)[-1]
    assert len(batch.posts) >= 8
    assert "longer than 10,000 bytes" in (batch.gap or "")
    assert "validators" not in batch.cursor


def test_a_bad_item_is_skipped_and_counted(feed_server: FeedServer) -> None:
    """An item without a word does not stop the others."""
    feed_server.feed = rss([rss_item("Good", guid="1"), "<item><guid>2</guid></item>"])
    batch = poll(feed_server)[0]
    assert (texts([batch]), batch.skipped) == (["Good"], 1)


def test_only_bad_items_is_a_failure(feed_server: FeedServer) -> None:
    """When no item can be read, the source is not well."""
    feed_server.feed = rss(["<item><guid>1</guid></item>", "<item/>"])
    with pytest.raises(SourceUnavailable, match="none of the 2 items"):
        poll(feed_server)


def test_absurd_fields_are_dropped_not_stored(feed_server: FeedServer) -> None:
    """A guid of a megabyte gives way to the link, and text ends at 50,000 characters."""
    feed_server.feed = rss([rss_item("y" * 90_000, guid="z" * 1_000_000, date="q" * 9999)])
    post = poll(feed_server)[0].posts[0]
    assert len(post.text) == 50_000
    assert len(post.native_id) < 100
    assert post.published_at is None


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "windows-1252", "utf-16"])
def test_character_sets_are_honoured(feed_server: FeedServer, charset: str) -> None:
    """A pound sign and an accent come through in every common encoding."""
    document = rss([rss_item("Café £5", guid="1")]).decode().replace("utf-8", charset)
    feed_server.feed = document.encode(charset)
    feed_server.headers = {"Content-Type": "application/rss+xml"}
    assert texts(poll(feed_server)) == ["Café £5"]


@pytest.mark.parametrize("kind", ["", "text/html", "text/plain", "application/octet-stream"])
def test_a_wrong_content_type_is_no_obstacle(feed_server: FeedServer, kind: str) -> None:
    """A feed that is served as something else is still a feed."""
    feed_server.headers = {"Content-Type": kind} if kind else {}
    feed_server.feed = rss([rss_item("Good", guid="1")])
    assert texts(poll(feed_server)) == ["Good"]


# --- attacks ---------------------------------------------------------------------------------------

BOMBS = {
    "billion laughs": (
        '<!DOCTYPE r [<!ENTITY a "lol">'
        + "".join(
            f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
        )
        + "]><rss version='2.0'><channel><item><title>&j;</title></item></channel></rss>"
    ).encode(),
    "quadratic entity": (
        f'<!DOCTYPE r [<!ENTITY a "{"x" * 100_000}">]><rss version="2.0"><channel><item><title>'
        f"{'&a;' * 20_000}</title></item></channel></rss>"
    ).encode(),
    "many attributes": rss(["<item " + " ".join(f'a{n}="1"' for n in range(100_000)) + "/>"]),
    "nested blocks": rss([rss_item("<div>" * 200_000, guid="1")]),
    "comments in CDATA": rss(
        ["<item><description><![CDATA[" + "<!--" * 500_000 + "]]></description></item>"]
    ),
    "two million tags": b"<rss version='2.0'><channel>" + b"<a>" * 1_500_000,
    "half a million items": rss(["<item/>"] * 500_000),
}  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_cost_bounded_time_and_memory(
    feed_server: FeedServer, bomb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A document made to hang or to fill the memory ends at the deadline, and harms nothing here."""
    monkeypatch.setattr("connectors.feed_reader.READ_S", 1.0)
    feed_server.feed = BOMBS[bomb]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    try:
        delivered = texts(poll(feed_server))
    except SourceUnavailable:
        delivered = []
    assert time.monotonic() - started < 4
    assert all(len(text) <= 50_000 for text in delivered)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KiB


def test_external_entities_are_not_read(feed_server: FeedServer) -> None:
    """A document can't have a file of ours read into a post."""
    feed_server.feed = (
        b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss version="2.0"><channel>'
        b"<item><guid>1</guid><title>before &x; after</title></item></channel></rss>"
    )
    assert "root:" not in "".join(texts(poll(feed_server)))


def test_a_document_that_looks_like_a_path_is_not_opened(feed_server: FeedServer) -> None:
    """feedparser opens strings as files; it only ever gets bytes."""
    feed_server.feed = b"/etc/passwd"
    with pytest.raises(SourceUnavailable, match="not a feed"):
        poll(feed_server)


def test_the_reader_is_not_hijacked_by_its_working_directory(
    tmp_path: Any, feed_server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file named like a library in the current directory is not imported by the child."""
    (tmp_path / "feedparser.py").write_text("raise SystemExit(99)")
    (tmp_path / "connectors.py").write_text("raise SystemExit(99)")
    monkeypatch.chdir(tmp_path)
    feed_server.feed = rss([rss_item("Good", guid="1")])
    assert texts(poll(feed_server)) == ["Good"]


# --- thousands ----------------------------------------------------------------------------------


def test_thousands_of_items_come_in_batches(feed_server: FeedServer) -> None:
    """A huge document is delivered whole, 500 posts a commit, within the deadline."""
    items = [
        rss_item(f"Larkmoor remark {n} " + "word " * 20, guid=str(n), date=NOW - timedelta(hours=1))
        for n in range(3000)
    ]
    feed_server.feed = rss(items)
    batches = poll(feed_server)
    assert len(batches) == 6
    assert len(set(texts(batches))) == 3000


def test_what_lies_beyond_the_item_limit_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """More items than anybody publishes are cut, and their number is known."""
    monkeypatch.setattr(feed_document, "MAX_ITEMS", 20)
    document = feed_document.parse(rss([rss_item("x")] * 27), "")
    assert (len(document.items), document.over) == (20, 7)


# --- settings --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "ftp://a.example/"},
        {"url": "a.example/feed"},
        {"url": "https://user:hunter2@a.example/"},
        {"lookback_days": 31},
        {"platform": "RSS!"},
        {"contact": "me@a.example\r\nX-Evil: 1"},
        {"unknown": 1},
    ],
    ids=str,
)
def test_wrong_settings_are_refused_without_showing_them(wrong: dict[str, Any]) -> None:
    """A wrong key is refused, and a secret in it is not printed."""
    with pytest.raises(ValidationError) as caught:
        RssSettings(**({"url": "https://a.example/?key=hunter2"} | wrong))
    assert "hunter2" not in str(caught.value)
