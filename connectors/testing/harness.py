"""What the contract suite needs of a connector: a platform of its kind that one can talk to.

`Harness` is what a connector's author writes; `Reader` stands for the monitor.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from connectors.errors import SourceError
from connectors.post import Connector, CursorState, Post

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


Fault = tuple[Callable[[Any], None], type[SourceError]]
"""How to make something go wrong, given the harness, and what the poll then raises."""

Faults = dict[str, Fault]
"""What goes wrong, by name."""


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
