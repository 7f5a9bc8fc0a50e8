"""What the contract suite needs of each kind: a server of that kind that one can talk to.

A new connector adds a `Harness` to `HARNESSES`; `test_contract.py` then runs everything over it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from connectors.post import Connector, CursorState, Post
from connectors.rss import RssConnector, RssSettings
from tests.connectors.feed_server import FeedServer, rss, rss_item, running

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
SECRET = "tokenThatNobodyMaySee"
TIMEOUT_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A post as its author writes it. `id` is the platform's; `published_at` None: it gives none."""

    id: str
    text: str
    published_at: datetime | None = NOW - timedelta(hours=1)


class Harness(Protocol):
    """A platform with one source, newest post first, which `connect` reads through real sockets.

    Where a connector's configuration can hold a secret, `connect` puts `SECRET` in it.
    """

    posts: list[Draft]

    def connect(self) -> Connector: ...
    def fail(self, status: int, *, retry_after: str | None = None) -> None: ...
    def hang(self) -> None: ...
    def drip(self) -> None: ...
    def send(self, body: bytes) -> None:
        """Answer every request with `body`, as if all were well."""

    def recover(self) -> None:
        """Answer properly again."""

    @property
    def capacity(self) -> int:
        """How many posts back the source still shows."""


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
        self._server.feed = rss(items) if self._sent is None else self._sent


@contextmanager
def _rss() -> Iterator[Harness]:
    with running() as server:
        yield RssHarness(server)


HARNESSES: dict[str, Callable[[], AbstractContextManager[Harness]]] = {"rss": _rss}


class Reader:
    """The monitor's side: it commits each batch and its cursor together, and may die in between."""

    def __init__(self, harness: Harness) -> None:
        self._harness = harness
        self.cursor: CursorState = {}
        self.posts: list[Post] = []
        self.gaps: list[str] = []

    def poll(self, *, now: datetime = NOW, commits: int | None = None) -> list[str]:
        """Poll as a newly started monitor that dies after `commits` commits; return the texts."""
        before = len(self.posts)
        batches = self._harness.connect().poll(self.cursor, now=now)
        for done, batch in enumerate(batches):
            if done == commits:
                break  # fetched, and killed before the commit
            self.posts += batch.posts
            self.gaps += [batch.gap] if batch.gap else []
            self.cursor = json.loads(json.dumps(batch.cursor, sort_keys=True))
        return [post.text for post in self.posts[before:]]

    @property
    def texts(self) -> list[str]:
        return [post.text for post in self.posts]


def drafts(count: int, *, start: int = 0, at: datetime | None = None) -> list[Draft]:
    """Posts about a school, newest first, a second apart unless all are `at` one moment."""
    newest = NOW - timedelta(hours=1)
    return [
        Draft(
            id=f"post-{number}",
            text=f"Larkmoor School, remark number {number}",
            published_at=at or newest - timedelta(seconds=10_000 - number),
        )
        for number in reversed(range(start, start + count))
    ]


def edited(draft: Draft, text: str) -> Draft:
    """The same post, saying something else."""
    return replace(draft, text=text)
