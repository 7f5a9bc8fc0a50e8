"""A stand-in of Reddit, for the contract suite: what is said is said in comments of one subreddit."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.post import Connector
from connectors.reddit import RedditConnector, RedditSettings
from tests.connectors.api_server import Answer
from tests.connectors.contract import SECRET, TIMEOUT_S, Draft, Harness
from tests.connectors.reddit_server import CLIENT_ID, LISTED, RedditServer, comment, running

BURST_S = 10.0  # a burst is ten requests and more here, on a busy machine


class RedditHarness:
    """One subreddit and a search: three listings, of which the comments have something to say."""

    capacity = LISTED

    def __init__(self, server: RedditServer, secret_file: Path) -> None:
        self._server = server
        self._secret_file = secret_file
        self._timeout_s = BURST_S
        self.posts: list[Draft] = []

    def connect(self) -> Connector:
        self._server.things = [
            comment(
                f"t1_{post.id.replace('-', '')}", post.text, at=post.published_at, link_title=""
            )
            for post in self.posts
        ]
        settings = RedditSettings(
            subreddits=("Larkmoor",),
            client_id=CLIENT_ID,
            client_secret_file=self._secret_file,
            contact="web@larkmoortrust.example",
            timeout_s=self._timeout_s,
            allow_private=True,
            site=self._server.url,
            api_url=self._server.url,
        )
        return RedditConnector(settings, source="contract", terms=["Larkmoor School"])

    def fail(self, status: int, *, retry_after: str | None = None) -> None:
        headers = {"Retry-After": retry_after} if retry_after else {}
        self._server.fault = Answer(status=status, content={"error": status}, headers=headers)

    def hang(self) -> None:
        self._server.hang, self._timeout_s = True, TIMEOUT_S

    def drip(self) -> None:
        self._server.drip, self._timeout_s = 0.01, TIMEOUT_S

    def send(self, body: bytes) -> None:
        self._server.fault = Answer(content=body)

    def recover(self) -> None:
        self._server.recover()
        self._timeout_s = BURST_S


@contextmanager
def reddit() -> Iterator[Harness]:
    with running(SECRET) as server, tempfile.TemporaryDirectory() as folder:
        secret_file = Path(folder) / "reddit-secret"
        secret_file.write_text(f"{SECRET}\n", encoding="utf-8")
        yield RedditHarness(server, secret_file)
