"""Random histories over sources that have several ways to one post: subreddits, hashtags, searches.

Posts appear, are edited and deleted; the platform fails in the middle of a poll; the monitor dies
between two commits. Whenever a poll gets through, everything that is there was told, with its last
words, and nothing was told twice.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest

from connectors.errors import SourceError
from connectors.mastodon import MastodonConnector, MastodonSettings
from connectors.post import Connector, CursorState
from connectors.reddit import RedditConnector, RedditSettings
from tests.connectors import mastodon_server, reddit_server
from tests.connectors.api_server import Answer, ApiServer
from tests.connectors.contract import NOW

PHRASE = "Fellgate High"


@dataclass
class Said:
    """A post as it stands in the world. `ways`: where it is shown; none: the search alone has it."""

    name: str
    text: str
    at: datetime
    ways: tuple[str, ...]


class World(Protocol):
    """A platform with two places, A1 and B1, and a search for `PHRASE`."""

    server: ApiServer

    def connector(self) -> Connector: ...
    def publish(self, newest_first: list[Said]) -> None: ...
    def name(self, number: int, at: datetime) -> str: ...
    def native_id(self, name: str) -> str: ...


class RedditWorld:
    def __init__(self, server: reddit_server.RedditServer, secret_file: Path) -> None:
        self.server = server
        self._settings = RedditSettings(
            subreddits=("A1", "B1"),
            client_id=reddit_server.CLIENT_ID,
            client_secret_file=secret_file,
            contact="web@larkmoortrust.example",
            timeout_s=20,
            allow_private=True,
            site=server.url,
            api_url=server.url,
        )

    def connector(self) -> Connector:
        return RedditConnector(self._settings, source="history", terms=[PHRASE])

    def publish(self, newest_first: list[Said]) -> None:
        self.server.things = [
            reddit_server.submission(
                said.name, "Of late", said.text, subreddit=(*said.ways, "C1")[0], at=said.at
            )
            for said in newest_first
        ]

    def name(self, number: int, at: datetime) -> str:
        return f"t3_x{number}"

    def native_id(self, name: str) -> str:
        return name


class MastodonWorld:
    def __init__(self, server: mastodon_server.MastodonServer, token_file: Path) -> None:
        self.server = server
        self._settings = MastodonSettings(
            instance=server.url, token_file=token_file, timeout_s=20, allow_private=True
        )

    def connector(self) -> Connector:
        return MastodonConnector(self._settings, source="history", terms=["#A1", "#B1", PHRASE])

    def publish(self, newest_first: list[Said]) -> None:
        self.server.statuses = [
            mastodon_server.status(said.name, said.text, tags=said.ways, at=said.at)
            for said in newest_first
        ]

    def name(self, number: int, at: datetime) -> str:
        return mastodon_server.snowflake(at, number)

    def native_id(self, name: str) -> str:
        return f"{self.server.url.removeprefix('http://')}/{name}"


@contextmanager
def reddit(secret_file: Path) -> Iterator[World]:
    with reddit_server.running("secret") as server:
        yield RedditWorld(server, secret_file)


@contextmanager
def mastodon(secret_file: Path) -> Iterator[World]:
    with mastodon_server.running("secret") as server:
        yield MastodonWorld(server, secret_file)


class Monitor:
    """Commits each batch with its cursor, and notes what it was told twice."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.cursor: CursorState = {}
        self.told: dict[str, str] = {}
        self.repeated: list[str] = []
        self.gaps: list[str] = []

    def poll(self, *, dies_at: int | None = None) -> None:
        for number, batch in enumerate(self._world.connector().poll(self.cursor, now=NOW)):
            if number == dies_at:
                return
            for post in batch.posts:
                if self.told.get(post.native_id) == post.text:
                    self.repeated.append(post.native_id)
                self.told[post.native_id] = post.text
            self.gaps += [batch.gap] if batch.gap else []
            self.cursor = json.loads(json.dumps(batch.cursor, sort_keys=True))


class History:
    """What happens in a world between two polls, by dice."""

    def __init__(self, world: World, dice: random.Random) -> None:
        self._world, self._dice = world, dice
        self.said: list[Said] = []  # oldest first
        self._number = 0

    def goes_on(self) -> None:
        for _ in range(self._dice.choice([0, 1, 3, 30, 130])):
            self._number += 1
            at = NOW - timedelta(seconds=100_000 - 3 * self._number)
            ways = self._dice.choice([("A1",), ("A1", "B1"), ("B1",), ("A1",), ()])
            words = f"remark {self._number}"
            if not ways or self._dice.random() < 0.3:
                words += f" {PHRASE}"
            name = self._world.name(self._number, at)
            self.said.append(Said(name, words, at, ways))
        for said in self.said[-30:]:
            if self._dice.random() < 0.03:
                said.text += ", as I said"
        self.said = [said for said in self.said if self._dice.random() > 0.01]
        self._world.publish(self.said[::-1])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("world_of", [reddit, mastodon])
def test_whatever_happens_everything_is_told_once(
    world_of: Callable[[Path], AbstractContextManager[World]], seed: int, tmp_path: Path
) -> None:
    """Ten rounds of history, failures and deaths lose nothing, repeat nothing and miss no edit."""
    secret_file = tmp_path / "secret"
    secret_file.write_text("secret", encoding="utf-8")
    dice = random.Random(seed)
    with world_of(secret_file) as world:
        monitor, history = Monitor(world), History(world, dice)
        for _ in range(10):
            history.goes_on()
            _fails_from(world.server, dice.choice([None, 1, 2, 3, 5]))
            with suppress(SourceError):
                monitor.poll(dies_at=dice.choice([None, 0, 1, 2, 3]))
            world.server.recover()
            if dice.random() < 0.5:
                continue
            monitor.poll()
            shown = {world.native_id(said.name): said.text for said in history.said}
            assert {name: monitor.told.get(name) for name in shown} == shown
        assert monitor.repeated == []
        assert monitor.gaps == []


def _fails_from(server: ApiServer, number: int | None) -> None:
    """Answer 503 from the `number`-th request on."""
    if number is not None:
        already = len(server.calls)
        server.fault = Answer(status=503)
        server.befalls = lambda _: len(server.calls) - already >= number
