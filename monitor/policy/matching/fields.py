"""One post's fields under one key: where a byte of the key stands, and what else is said there."""

from __future__ import annotations

from functools import cached_property

from connectors.post import Post
from monitor.policy.matching.talk import Kind, Talk
from monitor.policy.matching.text import FIELD, Located

CONTEXT = ("title", "url", "community", "feed_title", "author_location")
_UNSPOKEN = frozenset({"author_location", "url"})


class Fields:
    """The text and its context, in the order of the key's parts."""

    def __init__(self, post: Post, key: bytes, talk: Talk) -> None:
        self.key = key
        self._talk = talk
        given = {"text": post.text} | {name: getattr(post, name) for name in CONTEXT}
        self.texts: dict[str, str] = {
            name: text or "" for name, text in given.items() if text or name == "text"
        }
        self._located: dict[str, Located] = {}

    @cached_property
    def _extents(self) -> tuple[tuple[str, int, int], ...]:
        """(name, first byte, end) of each field's part of the key."""
        parts, at = [], 0
        for name, part in zip(self.texts, self.key.split(FIELD), strict=True):
            parts.append((name, at, at + len(part)))
            at += len(part) + 1
        return tuple(parts)

    @cached_property
    def _parts(self) -> dict[str, bytes]:
        return {name: self.key[begin:end] for name, begin, end in self._extents}

    def field_at(self, position: int) -> tuple[str, int]:
        """The field that a byte of the key belongs to, and where that field begins."""
        for name, begin, end in self._extents:
            if position < end:
                return name, begin
        raise AssertionError(position)

    def locate(self, start: int, end: int) -> tuple[str, tuple[int, int]]:
        """Field and original span of the key's bytes start..end."""
        name, begin = self.field_at(start)
        located = self._located.get(name)
        if located is None:
            located = self._located[name] = Located(self.texts[name])
        return name, located.span(self._parts[name], start - begin, end - begin)

    def said(self, kind: Kind, start: int, end: int, *, within: int = 0) -> bool:
        """True when the post says a word of this kind outside bytes start..end, and, where `within`
        is given, at most so many words away. The author's location and the address don't count."""
        for other, first, last in self._school_life:
            if other is not kind or (start < last and first < end):
                continue
            gap = self.key[last:start] if last <= start else self.key[end : first + 1]
            if not within or gap.count(b" ") <= within:
                return True
        return False

    @cached_property
    def _school_life(self) -> tuple[tuple[Kind, int, int], ...]:
        spoken = [(begin, end) for name, begin, end in self._extents if name not in _UNSPOKEN]
        return tuple(
            (kind, first, last)
            for kind, first, last in self._talk.find(self.key)
            if any(begin <= first < end for begin, end in spoken)
        )
