"""A Google alert's feed on loopback, for the contract suite. Google can't be run here: this speaks
the wire format of its feeds (an Atom document of redirect links and bold words)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from connectors.google import GoogleConnector, GoogleSettings
from connectors.post import Connector
from tests.connectors.contract import SECRET, TIMEOUT_S, Harness
from tests.connectors.feed_server import running
from tests.connectors.harness_rss import RssHarness


def alert_entry(
    headline: str, snippet: str, *, entry: str, link: str, date: datetime | None = None
) -> str:
    """One entry of an alert's feed."""
    wrapped = "https://www.google.com/url?" + urlencode({"rct": "j", "sa": "t", "url": link})
    published = f"<published>{date:%Y-%m-%dT%H:%M:%SZ}</published>" if date else ""
    return (
        f"<entry><id>tag:google.com,2013:googlealerts/feed:{escape(entry)}</id>"
        f'<title type="html">{escape(headline)}</title><link href="{escape(wrapped)}"/>{published}'
        f'<content type="html">{escape(snippet)}</content><author><name/></author></entry>'
    )


def alert_feed(entries: Sequence[str]) -> bytes:
    """A whole alert's feed."""
    return (
        '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom">'
        f"<title>Google Alert - Larkmoor School</title>{''.join(entries)}</feed>"
    ).encode()


class GoogleHarness(RssHarness):
    """An alert: each post is a page about the school, its text the snippet."""

    def connect(self) -> Connector:
        self._publish()
        url = f"{self._server.url}/alerts/{SECRET}"
        settings = GoogleSettings(
            alerts=(url,), allow_private=True, timeout_s=TIMEOUT_S, max_items=100
        )
        return GoogleConnector(settings, source="contract")

    def _publish(self) -> None:
        entries = [
            alert_entry(
                f"What they say about <b>Larkmoor School</b>: {post.id}",
                post.text,
                entry=post.id,
                link=f"https://gazette.example/{post.id}",
                date=post.published_at,
            )
            for post in self.posts[: self.capacity]
        ]
        self._server.feed = alert_feed(entries) if self._sent is None else self._sent


@contextmanager
def google() -> Iterator[Harness]:
    with running() as server:
        yield GoogleHarness(server)
