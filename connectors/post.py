"""What a connector yields: public posts, and where it got to.

A connector is a pure adapter (`to_post`: wire shape in, `Post` out) plus a `poll` that does the
network. It knows nothing of the monitor: no watchlist, no database, no clock but the `now` it gets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

CursorState = Mapping[str, Any]  # JSON-serialisable, owned and understood by one connector only


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One public post, as plain text.

    `native_id` is unique within `platform` and stable across edits. Times are aware and in UTC, or
    None where the source gave none: a missing date is never replaced by the time of collection.
    `url` is http or https, or None. Text, title and names are plain text, without markup.
    """

    platform: str
    native_id: str
    text: str
    title: str | None = None
    url: str | None = None
    author: str | None = None
    published_at: datetime | None = None
    community: str | None = None
    feed_title: str | None = None
    author_location: str | None = None
    language: str | None = None
    thread_id: str | None = None

    def __post_init__(self) -> None:
        if not self.platform or not self.native_id:
            raise ValueError("a post needs a platform and a native_id")
        if self.published_at is not None and self.published_at.tzinfo is None:
            raise ValueError("published_at must carry a time zone")

    @property
    def content_hash(self) -> str:
        """32 hexadecimal digits over title and text: it changes when the author edits, not when
        the feed merely re-dates or re-orders."""
        said = f"{self.title or ''}\x00{self.text}"
        return hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Some posts, and the cursor to store in the same commit.

    `posts` holds what this connector has not delivered before, or what changed since (same
    `native_id`, other `content_hash`). `deleted` holds native ids that the source says are gone,
    `gone` what the native ids of accounts begin with that are gone, with all their posts.
    `skipped` counts items that could not be read; `gap` says, in words fit for the digest, what
    this poll knows that it could not see (None: nothing). `note` is something about the source
    worth a line in `trust-monitor sources`, such as how much of a quota is used; it holds no post.
    `backfilled` says that everything earlier gaps hid has been read by now.
    """

    posts: tuple[Post, ...]
    cursor: CursorState
    deleted: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    skipped: int = 0
    gap: str | None = None
    note: str | None = None
    backfilled: bool = False


class Connector(Protocol):
    """A source that can be polled. One instance per source, used by one thread at a time."""

    platform: str

    def poll(self, cursor: CursorState, *, now: datetime) -> Iterator[Batch]:
        """Yield batches, oldest knowledge first; each is committed before the next is asked for.

        An empty `cursor` means the first run: look back `lookback_days` (30 at most) and no further.
        Ends within the source's own deadline. Raises `SourceUnavailable` (try again, maybe later
        than usual) or `SourceRejected` (a person must change something). Errors and their messages
        never hold credentials, post text or handles.
        """
        ...
