"""What of each hashtag and search was told: how the Mastodon connector knows news from what it has
read again. No network and no clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from connectors.http import digest
from connectors.post import CursorState, Post
from connectors.seen import Seen, content_digest

WINDOW = 80  # posts of a hashtag that are read again whenever there is something new
REMEMBERED, REMEMBERED_FOUND = 300, 200  # posts of each hashtag, and of each search


def order(name: str) -> tuple[int, str]:
    """What to sort a status's id by: https://docs.joinmastodon.org/api/guidelines/#id"""
    return len(name), name


class Memory:
    """One poll's view of the cursor. Hashtags are named with their #, searches are not."""

    def __init__(self, cursor: CursorState, names: Iterable[str]) -> None:
        stored = cursor.get("streams", {})
        self._state: dict[str, dict[str, Any]] = {
            name: dict(stored.get(name, {})) for name in names
        }
        self._seen = {name: Seen.of(state) for name, state in self._state.items()}
        self._before = dict(self._seen)  # as it was when this poll began
        self._met: dict[str, bool] = {}  # whether anything known was seen again; no key: no posts

    def least_lately_read(self) -> list[str]:
        """The names, the never read first."""
        return sorted(self._state, key=lambda name: self._state[name].get("read_at", ""))

    def begin(self, name: str, newest: Sequence[Post], since: datetime, *, whole: bool) -> bool:
        """Take in the `newest` posts; return True at the first time. Then those from before `since`
        are passed over for good, and so is, unless this is the `whole` timeline, what lies below."""
        state = self._state[name]
        first = "floor" not in state
        if first:
            ids = sorted((_id(post) for post in newest), key=order)
            state["floor"] = None if whole or not ids else ids[0]
            self._remember(name, [post for post in newest if _is_before(post, since)])
        return first

    def knows_all(self, name: str, posts: Sequence[Post]) -> bool:
        return all(self._seen[name].content(post.native_id) is not None for post in posts)

    def knows_any(self, name: str, posts: Sequence[Post]) -> bool:
        return any(self._seen[name].content(post.native_id) is not None for post in posts)

    def start(self, name: str) -> str | None:
        """The id from which to page forward; None before a window's worth of posts is known."""
        window = self._state[name].get("window", ())
        return window[0] if len(window) == WINDOW else None

    def news(self, name: str, posts: Sequence[Post], *, forward: bool) -> tuple[Post, ...]:
        """Return what of `posts` was not told with these words, oldest first, and remember it. What
        lies below the floor is told only when paging `forward` reaches it."""
        if posts:
            known = any(self._before[name].content(post.native_id) for post in posts)
            self._met[name] = known or self._met.get(name, False)
        ordered = sorted(posts, key=lambda post: order(_id(post)))
        above = [post for post in ordered if forward or not self._is_below(name, post)]
        fresh = [post for post in above if self._is_news(name, post)]
        told = {post.native_id for post in fresh}
        self._remember(
            name,
            [
                post
                for post in ordered
                # What only others know with older words is theirs to tell.
                if post.native_id in told or not self._is_news_to_others(name, post)
            ],
        )
        return tuple(fresh)

    def lost_sight(self, name: str) -> bool:
        """True when there were posts, and none of what was known before."""
        return bool(self._before[name].entries({}, ())) and self._met.get(name) is False

    def done(self, name: str, now: datetime) -> None:
        """`name` was read to its end."""
        self._state[name]["read_at"] = now.isoformat()

    def cursor(self) -> CursorState:
        return {"streams": {name: dict(state) for name, state in self._state.items() if state}}

    def _is_below(self, name: str, post: Post) -> bool:
        floor = self._state[name].get("floor")
        unknown = self._seen[name].content(post.native_id) is None
        return unknown and floor is not None and order(_id(post)) < order(floor)

    def _is_news(self, name: str, post: Post) -> bool:
        said, elsewhere = self._seen[name].content(post.native_id), self._elsewhere(name, post)
        if said is None and not name.startswith("#"):
            return not elsewhere  # the search's index lags behind, and may have the old words
        return content_digest(post) not in {said, *elsewhere}

    def _is_news_to_others(self, name: str, post: Post) -> bool:
        elsewhere = self._elsewhere(name, post)
        return bool(elsewhere) and content_digest(post) not in elsewhere

    def _elsewhere(self, name: str, post: Post) -> set[str]:
        contents = (
            seen.content(post.native_id) for other, seen in self._seen.items() if other != name
        )
        return {content for content in contents if content}

    def _remember(self, name: str, posts: Sequence[Post]) -> None:
        current = {digest(post.native_id): content_digest(post) for post in reversed(posts)}
        state = self._state[name]
        is_tag = name.startswith("#")
        kept = REMEMBERED if is_tag else REMEMBERED_FOUND
        state["seen"] = self._seen[name].entries(current, ())[-kept:]
        self._seen[name] = Seen.of(state)
        if is_tag:
            window = {*state.get("window", ()), *map(_id, posts)}
            state["window"] = sorted(window, key=order)[-WINDOW:]


def _id(post: Post) -> str:
    return post.native_id.rpartition("/")[2]


def _is_before(post: Post, since: datetime) -> bool:
    return post.published_at is not None and post.published_at < since
