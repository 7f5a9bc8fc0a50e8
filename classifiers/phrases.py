"""The small language in which phrases are written, and the index that finds them fast.

A phrase is words with single spaces, matched on whole words of folded text (`folding.fold`):

    kill*             a word that begins so
    don't             with or without the apostrophe
    #                 a number
    (head|deputy)     one of several, each a phrase of its own
    {staff}           one of a named group
    (the|my)? the?    may be missing (not the first)
    ~3                up to three words of any kind, within one sentence

Every gap and every word is bounded, so no text can make matching slow. Each phrase knows its heads
(how it may begin) and its anchors (pieces of which it needs one, the rarest): one Aho-Corasick pass
finds both, and a phrase is tried only where its head stands in a text that holds its anchor.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import ahocorasick_rs

_GAP = r"(?:[^\w.!?\n]{1,4}[\w']{1,30}){0,%s}?"
_TOKEN = re.compile(r"\(|\)\??|\||~\d|\{\w+\}\??|[^\s()|~?{}]+\??|\?|\S")
Pieces = tuple[str, ...]
Starts = dict[int, list[int]]


@dataclass(frozen=True, slots=True)
class Phrase:
    """One compiled phrase: every match begins with one of `heads` and contains one of `anchors`."""

    pattern: re.Pattern[str]
    heads: Pieces
    anchors: Pieces


@dataclass(frozen=True, slots=True)
class _Item:
    """A word, group, bracket or whole sequence. Without anchors it promises none."""

    pattern: str
    heads: Pieces
    anchors: Pieces


def compile_phrase(source: str, groups: Mapping[str, Sequence[str]]) -> Phrase:
    """Compile `source`. Raises ValueError when it isn't in the language or names an unknown group."""
    reader = _Reader(source, groups, _TOKEN.findall(source))
    whole = reader.sequence()
    if reader.tokens:
        raise ValueError(f"phrase {source!r} has a stray {reader.tokens[0]!r}")
    if not whole.anchors or not whole.heads:
        raise ValueError(f"phrase {source!r} needs a word, at its beginning")
    return Phrase(re.compile(whole.pattern), whole.heads, whole.anchors)


@dataclass(slots=True)
class _Reader:
    source: str
    groups: Mapping[str, Sequence[str]]
    tokens: list[str] = field(default_factory=list)

    def sequence(self) -> _Item:
        """Items up to the end, a bar or a closing bracket."""
        whole, gap = _Item("", (), ()), ""
        while self.tokens and self.tokens[0][0] not in "|)":
            token = self.tokens.pop(0)
            if token[0] == "~":
                gap = _GAP % token[1:]
                continue
            item, optional = self.item(token)
            if optional and not whole.pattern:
                raise ValueError(f"phrase {self.source!r} may not begin with what may be missing")
            whole, gap = _joined(whole, gap, item, optional=optional), ""
        return whole

    def item(self, token: str) -> tuple[_Item, bool]:
        """One word, group or bracket, and whether it may be missing."""
        optional = len(token) > 1 and token.endswith("?")
        name = token.removesuffix("?") if optional else token
        if name == "(":
            return self.alternatives(), self.closed()
        if name[0] == "{":
            words = self.groups.get(name[1:-1])
            if words is None:
                raise ValueError(f"phrase {self.source!r} names an unknown group {name!r}")
            inner = _Reader(self.source, self.groups, _TOKEN.findall("|".join(words)))
            return inner.alternatives(), optional
        return _word(name), optional

    def alternatives(self) -> _Item:
        parts = [self.sequence()]
        while self.tokens and self.tokens[0] == "|":
            self.tokens.pop(0)
            parts.append(self.sequence())
        if not all(part.pattern for part in parts):
            raise ValueError(f"phrase {self.source!r} has an empty alternative")
        # One alternative without an anchor (a number) leaves the whole without a promise.
        anchored = all(part.anchors for part in parts)
        return _Item(
            "(?:" + "|".join(part.pattern for part in parts) + ")",
            tuple(head for part in parts for head in part.heads),
            tuple(anchor for part in parts for anchor in part.anchors) if anchored else (),
        )

    def closed(self) -> bool:
        if not self.tokens or self.tokens[0][0] != ")":
            raise ValueError(f"phrase {self.source!r} has an open bracket")
        return self.tokens.pop(0) == ")?"


def _joined(whole: _Item, gap: str, item: _Item, *, optional: bool) -> _Item:
    pattern = item.pattern
    if whole.pattern:
        # Signs and emoji may also stand without anything between, as in "you🔪".
        pattern = gap + (r"\W{1,4}" if "(?<!" in pattern else r"\W{0,4}?") + pattern
    better = not optional and _rarity(item.anchors) > _rarity(whole.anchors)
    return _Item(
        whole.pattern + (f"(?:{pattern})?" if optional else pattern),
        whole.heads if whole.pattern else item.heads,
        item.anchors if better else whole.anchors,
    )


def _word(name: str) -> _Item:
    if name == "#":
        return _Item(r"(?<!\w)\d{1,8}", (), ())
    stem = name.removesuffix("*")
    start = r"(?<!\w)" if stem[:1].isalnum() else ""
    end = r"(?!\w)" if stem[-1:].isalnum() else ""
    # "dont" and "don't" are one word to us.
    pattern = start + re.escape(stem).replace("'", "'?") + (r"\w{0,20}" if stem != name else end)
    heads = tuple(dict.fromkeys((stem, stem.replace("'", ""))))
    return _Item(pattern, heads, (max(stem.split("'"), key=len),))


def _rarity(anchors: Pieces) -> tuple[int, int]:
    return min((len(anchor) for anchor in anchors), default=0), -len(anchors)


class Index:
    """All phrases of a lexicon, by number."""

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        self._phrases = phrases
        pieces = dict.fromkeys(p for phrase in phrases for p in (*phrase.heads, *phrase.anchors))
        number_of = {piece: number for number, piece in enumerate(pieces)}
        self._pieces = list(pieces)
        self._anchored: list[set[int]] = [set() for _ in pieces]
        self._headed: list[set[int]] = [set() for _ in pieces]
        for number, phrase in enumerate(phrases):
            for head in phrase.heads:
                self._headed[number_of[head]].add(number)
            for anchor in phrase.anchors:
                self._anchored[number_of[anchor]].add(number)
        self._automaton = ahocorasick_rs.AhoCorasick(self._pieces)

    def starts(self, text: str) -> Starts:
        """Phrases that may stand in folded `text`, by number, and where they might begin."""
        anchored: set[int] = set()
        places: dict[int, list[int]] = {}
        for piece, start, _ in self._automaton.find_matches_as_indexes(text, overlapping=True):
            if piece not in places:
                places[piece] = []
                anchored |= self._anchored[piece]
            places[piece].append(start)
        starts: Starts = {}
        for piece, found in places.items():
            if owners := self._headed[piece] & anchored:
                whole = [at for at in found if _begins(text, at)]
                for number in owners if whole else ():
                    starts.setdefault(number, []).extend(whole)
        return starts

    def spans(self, number: int, text: str, starts: Sequence[int]) -> list[tuple[int, int]]:
        """Where phrase `number` stands in `text`, tried at `starts` (the first 20)."""
        match = self._phrases[number].pattern.match
        return [found.span() for at in sorted(set(starts))[:20] if (found := match(text, at))]


def _begins(text: str, at: int) -> bool:
    return at == 0 or not (text[at].isalnum() and text[at - 1].isalnum())
