"""An RSS feed on loopback, for the contract suite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from connectors.post import Connector
from connectors.rss import RssConnector, RssSettings
from tests.connectors.contract import SECRET, TIMEOUT_S, Draft, Harness
from tests.connectors.feed_server import FeedServer, rss_item, running
from tests.connectors.feed_server import rss as rss_feed


class RssHarness:
    """An RSS feed."""

    capacity = 2000

    def __init__(self, server: FeedServer) -> None:
        self._server = server
        self.posts: list[Draft] = []
        self._sent: bytes | None = None

    def connect(self) -> Connector:
        self._publish()
        url = f"{self._server.url}?key={SECRET}"
        settings = RssSettings(url=url, allow_private=True, timeout_s=TIMEOUT_S, max_items=100)
        return RssConnector(settings, source="contract")

    def fail(self, status: int, *, retry_after: str | None = None) -> None:
        self._server.status = status
        self._server.headers = {"Retry-After": retry_after} if retry_after else {}

    def hang(self) -> None:
        self._server.hang = True

    def drip(self) -> None:
        self._server.drip = 0.01

    def send(self, body: bytes) -> None:
        self._sent = body

    def recover(self) -> None:
        self._sent = None
        self._server.status = 200
        self._server.hang = False
        self._server.drip = None

    def _publish(self) -> None:
        items = [
            rss_item(post.text, guid=post.id, date=post.published_at)
            for post in self.posts[: self.capacity]
        ]
        self._server.feed = rss_feed(items) if self._sent is None else self._sent


@contextmanager
def rss() -> Iterator[Harness]:
    with running() as server:
        yield RssHarness(server)
