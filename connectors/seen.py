"""What a source has shown before: how a connector without a date watermark knows what is news. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from connectors.http import digest
from connectors.post import CursorState, Post

REMEMBERED = 5000  # seen items kept beyond those of the current document


class Seen:
    """What has been delivered or passed over: a digest of each id, and one of its content, oldest
    first. A list in the cursor, not a mapping: some databases re-order the keys of JSON."""

    def __init__(self, entries: Sequence[str]) -> None:
        self._content = {entry[:16]: entry[16:] for entry in entries}

    @classmethod
    def of(cls, cursor: CursorState) -> Seen:
        """Return what `cursor` remembers; nothing, for an empty one."""
        return cls(cursor.get("seen", ()))

    def content(self, native_id: str) -> str | None:
        """Return the content digest under which `native_id` was last seen."""
        return self._content.get(digest(native_id))

    def is_news(self, post: Post) -> bool:
        """True when `post` was never seen, or said something else."""
        return self.content(post.native_id) != content_digest(post)

    def knows_none_of(self, posts: Sequence[Post]) -> bool:
        """True when something was seen before, and nothing of it is left among `posts`."""
        unknown = all(self.content(post.native_id) is None for post in posts)
        return bool(self._content and posts) and unknown

    def entries(self, document: Mapping[str, str], waiting: Collection[str]) -> list[str]:
        """Return what to remember: 5,000 of what left the document (digests of id -> of content),
        and what of it is not `waiting` to be delivered, or how it was before."""
        left = [entry for entry in self._content.items() if entry[0] not in document]
        current = [
            (key, self._content.get(key) if key in waiting else content)
            for key, content in document.items()
        ]
        both = left[-REMEMBERED:] + current[::-1]
        return [f"{key}{content}" for key, content in both if content]


def content_digest(post: Post) -> str:
    """8 hexadecimal digits that change when `post` is edited."""
    return post.content_hash[:8]


def portions(fresh: Sequence[Post], size: int) -> Iterator[tuple[tuple[Post, ...], set[str]]]:
    """Yield `fresh` in portions of at most `size`, one a commit, the last first, since platforms show
    the newest on top; beside each, the digests of the ids that still wait after it. At least one
    portion, which may be empty."""
    waiting = {digest(post.native_id) for post in fresh}
    ordered = fresh[::-1]
    for start in range(0, max(len(ordered), 1), size):
        posts = tuple(ordered[start : start + size])
        waiting.difference_update(digest(post.native_id) for post in posts)
        yield posts, waiting


def unambiguous(posts: Sequence[Post], seen: Seen) -> list[Post]:
    """Return `posts` with ids that tell them apart; repeats are dropped.

    Where a feed gives one guid to several items (its home page, say), the one that is known already
    or else the oldest keeps the id, and the others get one of their own: otherwise each poll would
    take them for edits of each other, or all but one would be lost.
    """
    groups: defaultdict[str, dict[str, Post]] = defaultdict(dict)
    for post in posts:
        variant = replace(post, native_id=f"{post.native_id}:{content_digest(post)}")
        own = seen.content(variant.native_id) is not None
        groups[post.native_id].setdefault(content_digest(post), variant if own else post)
    told_apart: list[Post] = []
    for native_id, by_content in groups.items():
        plain = [content for content, post in by_content.items() if post.native_id == native_id]
        keeps = seen.content(native_id)
        if keeps not in plain:
            keeps = plain[-1] if plain else None
        told_apart += (
            replace(post, native_id=f"{native_id}:{content}")
            if content in plain and content != keeps
            else post
            for content, post in by_content.items()
        )
    return told_apart
