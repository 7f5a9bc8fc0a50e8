"""Bluesky on loopback, for the contract suite: once through its stream, once through its search.

The two differ in what "shown" means. The stream sends what happens, once: a post that stays is silent, an
edit is an event, and what vanishes with the whole past (the "turned over" case) is a server that has
forgotten our place. A post that only vanishes is passed over, since the suite doesn't say whether its
author deleted it; test_bluesky.py does.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from connectors.bluesky import BlueskyConnector, BlueskySettings
from connectors.post import Connector
from tests.connectors.bluesky_server import (
    COLLECTION,
    DID,
    BlueskyServer,
    Faults,
    Shown,
    record,
    running,
)
from tests.connectors.contract import NOW, SECRET, TIMEOUT_S, Draft, Harness

PATIENCE_S = 20.0  # a poll ends by itself here; only where it hangs is the deadline waited for
TERMS = ("Larkmoor School",)


class BlueskyHarness:
    """One account's posts, newest first."""

    capacity = 2000

    def __init__(self, server: BlueskyServer, settings: BlueskySettings) -> None:
        self._server = server
        self._settings = settings
        self.posts: list[Draft] = []
        self._sent: dict[str, str] = {}
        self._hidden: dict[str, Shown] = {}
        self._timeout_s = PATIENCE_S

    def connect(self) -> Connector:
        self._publish()
        return BlueskyConnector(
            self._settings.model_copy(update={"timeout_s": self._timeout_s}),
            source="contract",
            terms=TERMS,
        )

    def fail(self, status: int, *, retry_after: str | None = None) -> None:
        headers = {"Retry-After": retry_after} if retry_after else {}
        self._server.faults = Faults(status=status, headers=headers)

    def hang(self) -> None:
        self._server.faults = Faults(hang=True)
        self._timeout_s = TIMEOUT_S

    def drip(self) -> None:
        self._server.faults = Faults(drip=True)
        self._timeout_s = TIMEOUT_S

    def send(self, body: bytes) -> None:
        self._server.faults = Faults(body=body)

    def recover(self) -> None:
        self._server.faults = Faults()
        self._timeout_s = PATIENCE_S

    def _publish(self) -> None:
        """What was there from the beginning was seen when it was written; the rest, now."""
        first = not self._sent
        if self.posts and self._sent and not any(post.id in self._sent for post in self.posts):
            self._server.forget()
        for post in reversed(self.posts):
            if self._sent.get(post.id) != post.text:
                made = record(post.text, post.published_at)
                seen = min(post.published_at or NOW, NOW) if first else NOW
                self._server.write(post.id, made, seen, edit=post.id in self._sent)
                self._sent[post.id] = post.text
        self._server.emit("identity", NOW, identity={})  # a network is never silent
        self._show()

    def _show(self) -> None:
        """The search shows what is there now, with the dates of now."""
        here: dict[str, datetime | None] = {
            f"at://{DID}/{COLLECTION}/{post.id}": post.published_at for post in self.posts
        }
        every = self._server.shown | self._hidden
        self._hidden = {uri: post for uri, post in every.items() if uri not in here}
        self._server.shown = {
            uri: Shown(record(post.record["text"], here[uri]), post.indexed)
            for uri, post in every.items()
            if uri in here
        }


@contextmanager
def stream() -> Iterator[Harness]:
    with running() as server:
        settings = BlueskySettings(
            jetstream=(server.stream_url,),
            catch_up_hours=24,
            max_items=100,
            allow_private=True,
        )
        yield BlueskyHarness(server, settings)


@contextmanager
def search() -> Iterator[Harness]:
    with running() as server, tempfile.TemporaryDirectory() as folder:
        server.password = SECRET
        password = Path(folder, "password")
        password.write_text(SECRET, encoding="utf-8")
        settings = BlueskySettings(
            jetstream=(),
            account="monitor.example",
            password_file=password,
            session_file=Path(folder, "session"),
            pds=server.url,
            appview=server.url,
            max_items=100,
            allow_private=True,
        )
        yield BlueskyHarness(server, settings)
