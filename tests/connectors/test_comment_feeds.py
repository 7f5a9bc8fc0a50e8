"""Comments under a feed's articles, by the feeds that the items name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from connectors import feed_document
from connectors.errors import SourceUnavailable
from connectors.post import Batch
from connectors.rss import RssConnector, RssSettings
from tests.connectors.feed_server import FeedServer, rss, rss_item, running

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


class Site(FeedServer):
    """A blog: `articles` in its feed, and a feed of comments for each path in `comments`."""

    def __init__(self) -> None:
        super().__init__()
        self.articles: list[str] = []
        self.comments: dict[str, list[str]] = {}
        self.closed: dict[str, int] = {}  # path -> status

    def article(
        self, name: str, *comments: str, count: bool = True, at: datetime = NOW, feed: str = ""
    ) -> None:
        """Publish `name` with these comments, above the earlier articles; or change it."""
        path = f"/{name}/feed"
        self.comments[path] = [rss_item(text, guid=f"{self.url}?c={text}") for text in comments]
        counted = f"<slash:comments>{len(comments)}</slash:comments>" if count else ""
        item = (
            f"<item><title>{name}</title><guid>{self.url}?p={name}</guid>"
            f"<pubDate>{format_datetime(at)}</pubDate><description>About {name}</description>"
            f"<wfw:commentRss>{feed or path}</wfw:commentRss>{counted}</item>"
        )
        self.articles = [one for one in self.articles if f"?p={name}<" not in one]
        self.articles.insert(0, item)

    def _send(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path
        if path == "/feed":
            self.status, self.feed = 200, _named(rss(self.articles))
        else:
            self.status = self.closed.get(path, 200)
            self.feed = rss(self.comments.get(path, []), title="Comments on it")
        super()._send(request)

    @property
    def asked(self) -> list[str]:
        """Which comment feeds were asked for since the last look."""
        paths = [path for path in self.paths if path != "/feed"]
        self.paths.clear()
        return paths


def _named(feed: bytes) -> bytes:
    spaces = (
        b'<rss version="2.0" xmlns:wfw="http://wellformedweb.org/CommentAPI/" '
        b'xmlns:slash="http://purl.org/rss/1.0/modules/slash/">'
    )
    return feed.replace(b'<rss version="2.0">', spaces)


class Reader:
    """The monitor's side, restarted before each poll."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.cursor: Any = {}
        self.batches: list[Batch] = []

    def poll(self, *, now: datetime = NOW, **settings: Any) -> list[str]:
        given: dict[str, Any] = {"comments": True, "allow_private": True} | settings
        connector = RssConnector(RssSettings(url=self._site.url, **given), source="blog")
        self.batches = []
        for batch in connector.poll(self.cursor, now=now):
            self.batches.append(batch)
            self.cursor = json.loads(json.dumps(batch.cursor))
        return sorted(post.text for batch in self.batches for post in batch.posts)


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    try:
        yield site
    finally:
        site.stop()


@pytest.fixture
def reader(site: Site) -> Reader:
    return Reader(site)


def test_comments_are_read_with_their_articles(site: Site, reader: Reader) -> None:
    """With comments = true articles and comments are delivered, once each; else articles alone."""
    site.article("fete", "Lovely", "Dreadful")
    assert reader.poll(comments=False) == ["About fete"]
    reader.cursor = {}
    assert reader.poll() == ["About fete", "Dreadful", "Lovely"]
    assert reader.poll() == []


def test_a_count_that_did_not_change_saves_the_request(site: Site, reader: Reader) -> None:
    """A comment feed is read when its count changes, and never for a count of nought."""
    site.article("fete", "Lovely")
    site.article("gate")
    reader.poll()
    assert site.asked == ["/fete/feed"]
    assert reader.poll() == []
    assert site.asked == []
    site.article("gate", "Shut again")
    assert reader.poll() == ["Shut again"]
    assert site.asked == ["/gate/feed"]


def test_an_edit_is_found_within_the_hour(site: Site, reader: Reader) -> None:
    """An edited comment, which changes no count, is delivered again after an hour."""
    site.article("fete", "Lovely")
    reader.poll()
    site.comments["/fete/feed"] = [rss_item("Dreadful", guid=f"{site.url}?c=Lovely")]
    assert reader.poll(now=NOW + timedelta(minutes=50)) == []
    assert reader.poll(now=NOW + timedelta(minutes=61)) == ["Dreadful"]


def test_without_a_count_the_feed_is_read_every_hour(site: Site, reader: Reader) -> None:
    """Where the feed tells no count a request an hour must do."""
    site.article("fete", "Lovely", count=False)
    assert reader.poll() == ["About fete", "Lovely"]
    site.article("fete", "Lovely", "Late", count=False)
    assert reader.poll() == []
    assert reader.poll(now=NOW + timedelta(minutes=61)) == ["Late"]


def test_only_the_newest_recent_articles_are_followed(site: Site, reader: Reader) -> None:
    """At most comment_feeds feeds are read, and none of an article over 30 days old."""
    site.article("ancient", "Old", at=NOW - timedelta(days=31))
    for number in range(5):
        site.article(f"a{number}", f"Comment {number}")
    assert "Comment 4" in reader.poll(comment_feeds=2)
    assert site.asked == ["/a4/feed", "/a3/feed"]
    reader.poll()
    assert "/ancient/feed" not in site.asked


def test_a_closed_comment_feed_is_noted_and_hides_nothing(site: Site, reader: Reader) -> None:
    """A comment feed that is gone or forbidden is no failure; it is asked again in an hour."""
    site.article("fete", "Lovely")
    site.article("gate", "Shut")
    site.closed["/gate/feed"] = 403
    assert "Lovely" in reader.poll()
    assert reader.batches[0].note == "1 comment feeds are closed to us"
    assert site.asked == ["/gate/feed", "/fete/feed"]
    reader.poll()
    assert site.asked == []


def test_a_failing_comment_feed_is_told_after_the_rest(site: Site, reader: Reader) -> None:
    """What could be read is delivered and committed; then the failure is raised, and retried."""
    site.article("fete", "Lovely")
    site.article("gate", "Shut")
    site.closed["/gate/feed"] = 503
    with pytest.raises(SourceUnavailable, match=r"comments: 127\.0\.0\.1: HTTP status 503"):
        reader.poll()
    assert [post.text for post in reader.batches[-1].posts][-1] == "About gate"
    site.closed.clear()
    assert reader.poll() == ["Shut"]


def test_more_comments_than_the_feed_shows_are_a_gap(site: Site, reader: Reader) -> None:
    """When nothing known is left in an article's comments, that is said; first comments are none."""
    site.article("fete")
    reader.poll()
    site.article("fete", "One", "Two")
    reader.poll()
    assert reader.batches[0].gap is None
    site.article("fete", "Three", "Four", "Five")
    reader.poll()
    assert "turned over" in str(reader.batches[0].gap)


def test_a_feed_cannot_send_us_into_the_own_network(site: Site, reader: Reader) -> None:
    """allow_private holds for the configured host: a comment feed elsewhere must be public."""
    with running() as inside:
        inside.feed = rss([rss_item("Secret")])
        site.article("fete", "Lovely", feed=inside.url)
        assert reader.poll() == ["About fete"]
        assert inside.requests == []
    assert reader.batches[0].note == "1 comment feeds are closed to us"


def test_a_comment_has_one_id_in_both_feeds(site: Site, reader: Reader) -> None:
    """The site's own comment feed and an article's agree on a comment."""
    site.article("fete", "Lovely")
    reader.poll()
    ids = {post.text: post.native_id for batch in reader.batches for post in batch.posts}
    site.articles = site.comments["/fete/feed"]
    everywhere = RssConnector(RssSettings(url=site.url, allow_private=True), source="all")
    (batch,) = everywhere.poll({}, now=NOW)
    assert batch.posts[0].native_id == ids["Lovely"]


@pytest.mark.parametrize(
    ("links", "feed", "count"),
    [
        ('<link rel="replies" type="application/atom+xml" href="/c" thr:count="3"/>', "/c", "3"),
        (
            '<link rel="replies" type="application/rss+xml" href="/c"/><thr:total>2</thr:total>',
            "/c",
            "2",
        ),
        ('<link rel="replies" type="text/html" href="/page"/>', None, None),
        (
            '<link rel="replies" type="application/atom+xml" href="/c" thr:count="many"/>',
            "/c",
            None,
        ),
    ],
)
def test_atom_names_its_replies(links: str, feed: str | None, count: str | None) -> None:
    """Blogger's and others' Atom links to replies are understood (RFC 4685)."""
    body = (
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:thr="http://purl.org/syndication/thread/1.0">'
        f"<title>Blog</title><entry><id>tag:a</id><title>Fete</title>{links}</entry></feed>"
    )
    (item,) = feed_document.parse(body.encode(), "application/atom+xml").items
    assert (item.comment_feed, item.comment_count) == (feed, count)
