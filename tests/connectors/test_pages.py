"""Whether a post's own page is still there, asked politely."""

from __future__ import annotations

import pytest

from connectors.pages import Pages
from tests.connectors.feed_server import FeedServer


def pages() -> Pages:
    return Pages(allow_private=True, contact="office@trust.example")


@pytest.mark.parametrize(
    ("status", "gone"),
    [(200, False), (404, True), (410, True), (401, None), (403, None), (429, None), (500, None)],
)
def test_only_404_and_410_mean_gone(
    feed_server: FeedServer, status: int, gone: bool | None
) -> None:
    """A refusal or a failure tells nothing about the page."""
    asked = pages()
    assert asked.is_gone(feed_server.url) is False
    feed_server.status = status
    assert asked.is_gone(feed_server.url) is gone


def test_robots_are_obeyed(feed_server: FeedServer) -> None:
    """Where robots.txt forbids it nothing is asked, and robots.txt itself is read once."""
    feed_server.feed = b"User-agent: *\nDisallow: /feed\n"
    asked = pages()
    assert asked.is_gone(feed_server.url) is None
    assert asked.is_gone(feed_server.url) is None
    assert feed_server.paths == ["/robots.txt"]
    assert asked.is_gone(feed_server.url.replace("/feed", "/post")) is False


def test_where_the_rules_cannot_be_read_nothing_is_asked(feed_server: FeedServer) -> None:
    """A robots.txt that fails forbids everything until it is read again; a missing one allows all."""
    now = [0.0]
    asked = Pages(allow_private=True, monotonic=lambda: now[0])
    feed_server.status = 503
    assert asked.is_gone(feed_server.url) is None
    feed_server.status = 404
    assert asked.is_gone(feed_server.url) is None
    assert feed_server.paths == ["/robots.txt"]
    now[0] = 4000.0
    assert asked.is_gone(feed_server.url) is True


def test_we_say_who_we_are_and_read_a_byte(feed_server: FeedServer) -> None:
    """The request carries our name and a contact, and a page of any size costs a byte."""
    feed_server.feed = b"x" * 1_000_000
    assert pages().is_gone(feed_server.url) is False
    assert feed_server.requests[-1]["user-agent"] == "trust-monitor (+office@trust.example)"


def test_addresses_inside_our_network_are_refused(feed_server: FeedServer) -> None:
    """A link in a post must not make us ask a machine of the trust's own."""
    assert Pages().is_gone(feed_server.url) is None
    assert feed_server.paths == []
