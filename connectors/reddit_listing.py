"""One Reddit listing, read newest first down to what is known, and told oldest first.

What was told of each listing is remembered in the cursor as digests (`seen.py`), some hundreds of
the newest things: more than what a poll reads again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from connectors.http import digest
from connectors.post import Batch, CursorState, Post
from connectors.reddit_client import RedditClient
from connectors.reddit_post import is_gone, to_post
from connectors.seen import Seen, content_digest

BATCH = 100  # things in one batch, which is one commit
MAX_PAGES = 10  # Reddit shows 1,000 things of a listing and no more
REMEMBERED = 300  # of each listing: a page, the known page that ended the reading, and deletions
# Beyond so many things, an end that isn't known is taken for Reddit's cap: 1,000, about 250 in search.
_CAPPED = {"comments": 900, "posts": 900, "search": 200}
_SEARCH = "search/"  # how the keys of searches begin; a subreddit's begin with "r/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Something that Reddit lists newest first. `place` is what can be closed to us as a whole."""

    key: str
    place: str
    what: str  # "comments", "posts" or "search"
    path: str
    params: dict[str, str | int] = field(default_factory=dict)

    @classmethod
    def of_search(cls, query: str, *, within: str) -> Listing:
        """The newest month of what `query` finds in the subreddits `within` ("a+b"), or anywhere."""
        params: dict[str, str | int] = {"q": query, "sort": "new", "t": "month", "type": "link"}
        return cls(
            key=f"{_SEARCH}{digest(within + chr(0) + query)}",
            place="search",
            what="search",
            path=f"r/{within}/search/" if within else "search/",
            params=params | ({"restrict_sr": 1} if within else {}),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a listing shows now, newest first, with the ids of what in it is gone. `gap` says what
    lies below its end and was never seen; None: nothing."""

    posts: Sequence[Post]
    gone: frozenset[str]
    not_before: datetime | None
    skipped: int
    gap: str | None


class Memory:
    """What has been told of each listing, and when it was last read to its end."""

    def __init__(self, cursor: CursorState, keys: Iterable[str]) -> None:
        stored = cursor.get("listings", {})
        self._state: dict[str, dict[str, Any]] = {
            key: dict(stored[key]) for key in keys if key in stored
        }
        self._seen = {key: Seen.of(state) for key, state in self._state.items()}

    def is_new(self, listing: Listing) -> bool:
        """True before anything of `listing` was told."""
        return listing.key not in self._state

    def own(self, listing: Listing) -> Seen:
        """What was seen in `listing` itself."""
        return self._seen.get(listing.key, Seen(()))

    def is_news(self, post: Post, listing: Listing) -> bool:
        """True when `post` was not told yet with these words. What a subreddit's own listing shows is
        told by that one only: the search's index lags behind, and would bring back the old words."""
        said = self.own(listing).content(post.native_id)
        elsewhere = {
            key: content
            for key, seen in self._seen.items()
            if key != listing.key and (content := seen.content(post.native_id))
        }
        if listing.what != "search" and said is not None:
            return said != content_digest(post)
        if listing.what == "search" and not all(key.startswith(_SEARCH) for key in elsewhere):
            return False
        return content_digest(post) not in {said, *elsewhere.values()}

    def least_lately_read(self, listings: Sequence[Listing]) -> list[Listing]:
        """Return `listings`, the never read first."""
        return sorted(
            listings, key=lambda listing: self._state.get(listing.key, {}).get("read_at", "")
        )

    def tell(
        self, listing: Listing, reading: Reading, waiting: set[str], *, now: datetime
    ) -> CursorState:
        """Remember `reading` but for the ids that are still `waiting`; return the cursor."""
        current = {digest(post.native_id): content_digest(post) for post in reading.posts}
        entries = self.own(listing).entries(current, {digest(name) for name in waiting})
        state = {**self._state.get(listing.key, {}), "seen": entries[-REMEMBERED:]}
        if not waiting:
            state["read_at"] = now.isoformat()
        self._state[listing.key] = state
        self._seen[listing.key] = Seen.of(state)
        return self.cursor()

    def cursor(self) -> CursorState:
        return {"listings": {key: dict(state) for key, state in self._state.items()}}


def read(
    client: RedditClient, listing: Listing, seen: Seen, *, not_before: datetime | None
) -> Reading:
    """Read `listing` until a whole page of it is known, or older than `not_before` (None: no bound).

    Raises like `RedditClient.page`, and then nothing of it was read.
    """
    posts: dict[str, Post] = {}
    gone: set[str] = set()
    skipped, after, reached = 0, None, False
    for _ in range(MAX_PAGES):
        page = client.page(listing.path, listing.params, after=after)
        fresh: list[Post] = []
        skipped += page.skipped
        for thing in page.things:
            try:
                post = to_post(thing)
            except ValueError:
                skipped += 1
                continue
            if is_gone(thing):
                gone.add(post.native_id)
                post = replace(post, title=None, text="[deleted]")  # also where a title is left
            fresh.append(post)
        posts |= {post.native_id: post for post in fresh if post.native_id not in posts}
        reached = bool(fresh) and all(
            seen.content(post.native_id) is not None or _before(post, not_before) for post in fresh
        )
        after = page.after if page.after != after else None
        if reached or after is None:
            break
    told = list(posts.values())
    return Reading(
        posts=told,
        gone=frozenset(gone),
        not_before=not_before,
        skipped=skipped,
        gap=None if reached else _gap(listing, told, seen, first=not_before is not None),
    )


def batches(
    listing: Listing, reading: Reading, memory: Memory, *, now: datetime
) -> Iterator[Batch]:
    """Yield the news of `reading`, oldest first; what is gone, once. Always at least one batch."""
    news = [
        post
        for post in reversed(reading.posts)
        if memory.is_news(post, listing) and not _before(post, reading.not_before)
    ]
    waiting = {post.native_id for post in news}
    skipped, gap = reading.skipped, reading.gap
    for start in range(0, max(len(news), 1), BATCH):
        part = news[start : start + BATCH]
        waiting -= {post.native_id for post in part}
        yield Batch(
            posts=tuple(post for post in part if post.native_id not in reading.gone),
            deleted=tuple(post.native_id for post in part if post.native_id in reading.gone),
            cursor=memory.tell(listing, reading, waiting, now=now),
            skipped=skipped,
            gap=gap,
        )
        skipped, gap = 0, None  # told once


def _before(post: Post, not_before: datetime | None) -> bool:
    if not_before is None or post.published_at is None:
        return False
    return post.published_at < not_before


def _gap(listing: Listing, posts: Sequence[Post], seen: Seen, *, first: bool) -> str | None:
    """A search's results leave it after a month, so that knowing none of a few means nothing."""
    name = "the search" if listing.what == "search" else f"{listing.place} {listing.what}"
    if first and len(posts) >= _CAPPED[listing.what]:
        return f"{name}: only the newest {len(posts):,} could be read, not the whole look-back"
    lost = seen.knows_none_of(posts)
    if lost and (listing.what != "search" or len(posts) >= _CAPPED["search"]):
        return f"{name}: nothing known among the {len(posts):,} that Reddit shows: some were missed"
    return None
