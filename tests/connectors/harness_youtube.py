"""A YouTube channel on a stand-in server, for the contract suite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from connectors.post import Connector
from connectors.youtube import YouTubeConnector, YouTubeSettings
from tests.connectors.contract import SECRET, TIMEOUT_S, Draft, Harness
from tests.connectors.youtube_server import CHANNEL, YouTubeServer, comment, running_youtube


class YouTubeHarness:
    """The organisation's channel: each post is a comment, by the ids that YouTube would give."""

    capacity = 2000

    def __init__(self, server: YouTubeServer, key_file: Path) -> None:
        self._server = server
        self._key_file = key_file
        self.posts: list[Draft] = []

    def connect(self) -> Connector:
        self._server.threads = [
            (comment(post.id, post.text, at=post.published_at), [])
            for post in self.posts[: self.capacity]
        ]
        settings = YouTubeSettings(
            api_key_file=self._key_file,
            channels=(CHANNEL,),
            api_url=self._server.url,
            allow_private=True,
            # 2,000 comments are 20 requests, on a machine that may be busy.
            timeout_s=TIMEOUT_S if self._server.hang or self._server.drip else 15,
            max_items=100,
        )
        return YouTubeConnector(settings, source="contract")

    def fail(self, status: int, *, retry_after: str | None = None) -> None:
        self._server.status = status
        self._server.headers = {"Retry-After": retry_after} if retry_after else {}

    def hang(self) -> None:
        self._server.hang = True

    def drip(self) -> None:
        self._server.drip = 0.01

    def send(self, body: bytes) -> None:
        self._server.sent = body

    def recover(self) -> None:
        self._server.sent = None
        self._server.status = 200
        self._server.hang = False
        self._server.drip = None


@contextmanager
def youtube() -> Iterator[Harness]:
    with running_youtube() as server, TemporaryDirectory() as folder:
        key_file = Path(folder) / "key"
        key_file.write_text(f"{SECRET}\n", encoding="ascii")
        yield YouTubeHarness(server, key_file)
