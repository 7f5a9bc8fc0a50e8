"""A stand-in of Mastodon, for the contract suite: what is said is said under one hashtag."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.mastodon import MastodonConnector, MastodonSettings
from connectors.post import Connector
from tests.connectors.api_server import Answer
from tests.connectors.contract import NOW, SECRET, TIMEOUT_S, Draft, Harness
from tests.connectors.mastodon_server import MastodonServer, running, snowflake, status

BURST_S = 10.0  # a burst of 2,000 is 50 requests here


class MastodonHarness:
    """One hashtag and a search. Ids are given as Mastodon does, once, by the time of writing, or of
    arrival where that is missing or in the future."""

    capacity = 2000

    def __init__(self, server: MastodonServer, token_file: Path) -> None:
        self._server = server
        self._token_file = token_file
        self._ids: dict[str, str] = {}
        self._timeout_s = BURST_S
        self.posts: list[Draft] = []

    def connect(self) -> Connector:
        self._server.statuses = [
            status(self._id(post), post.text, tags=["Larkmoor"], at=post.published_at)
            for post in self.posts
        ]
        settings = MastodonSettings(
            instance=self._server.url,
            token_file=self._token_file,
            timeout_s=self._timeout_s,
            allow_private=True,
        )
        return MastodonConnector(settings, source="contract", terms=["#Larkmoor", "Fellgate High"])

    def fail(self, status: int, *, retry_after: str | None = None) -> None:
        headers = {"Retry-After": retry_after} if retry_after else {}
        self._server.fault = Answer(status=status, content={"error": "x"}, headers=headers)

    def hang(self) -> None:
        self._server.hang, self._timeout_s = True, TIMEOUT_S

    def drip(self) -> None:
        self._server.drip, self._timeout_s = 0.01, TIMEOUT_S

    def send(self, body: bytes) -> None:
        self._server.fault = Answer(content=body)

    def recover(self) -> None:
        self._server.recover()
        self._timeout_s = BURST_S

    def _id(self, post: Draft) -> str:
        number = int(post.id.removeprefix("post-"))
        arrived = min(post.published_at or NOW, NOW)
        return self._ids.setdefault(post.id, snowflake(arrived, number))


@contextmanager
def mastodon() -> Iterator[Harness]:
    with running(SECRET) as server, tempfile.TemporaryDirectory() as folder:
        token_file = Path(folder) / "mastodon-token"
        token_file.write_text(f"{SECRET}\n", encoding="utf-8")
        yield MastodonHarness(server, token_file)
