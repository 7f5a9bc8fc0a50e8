"""One plain view of a text for matching, with the way back to the original's offsets.

Folding undoes what hides a word: case, full-width and accented letters, curly quotes, zero-width
characters, and - only where it yields a word of a given vocabulary - masks ("r*bbish"), leet
("rubb1sh"), spaced-out letters ("r u b b i s h") and drawn-out ones ("ruuubbish").
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

HEAD = 16_000  # characters looked at from the start of a text ...
TAIL = 4_000  # ... and from its end: what lies between them in a longer text is not looked at

_QUOTES = str.maketrans({"\t": " ", "\r": "\n", "\x0b": " ", "\x0c": " ", "`": "'"})
_ODD = {"’": "'", "‘": "'", "ʼ": "'", "´": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "..."}
_LEET = str.maketrans("013457@$!|+", "oieastasiit")
_SPACED = re.compile(r"(?<!\w)\w(?:[ .\-_*]\w){2,13}(?!\w)")
_MASKED = re.compile(
    r"(?<![\w*#@$])(?=[\w*#@$!+-]{0,14}[*#@$!0-9+-]\w{0,14})\w[\w*#@$!+-]{1,14}\w(?![\w*])"
)
_DRAWN = re.compile(r"(?<!\w)\w{0,12}(\w)\1\1\w{0,12}(?!\w)")


@dataclass(frozen=True, slots=True)
class Folded:
    """`text` is what patterns see; `starts[i]` and `ends[i]` are the bounds, in the original, of what
    became character i (None: the same offsets)."""

    text: str
    starts: list[int] | None
    ends: list[int] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """A non-empty span of `text` as (start, end) offsets into the original."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    if character in _ODD:
        return _ODD[character]
    if unicodedata.category(character) in {
        "Cf",
        "Mn",
        "Cs",
    }:  # zero-width, accents, halves of characters
        return ""
    plain = unicodedata.normalize("NFKD", character).casefold()
    return "".join(c for c in plain if unicodedata.category(c) != "Mn").translate(_QUOTES)


def _fold_plain(text: str) -> Folded:
    if text.isascii() and len(text) <= HEAD + TAIL:
        return Folded(text.lower().translate(_QUOTES), None, None)
    where: Iterable[int] = range(len(text))
    if len(text) > HEAD + TAIL:
        where = [*range(HEAD), *range(len(text) - TAIL, len(text))]
    folded: list[str] = []
    starts: list[int] = []
    for i in where:
        for character in _fold_character(text[i]):
            folded.append(character)
            starts.append(i)
    return Folded("".join(folded), starts, [start + 1 for start in starts])


class Vocabulary:
    """Words worth unmasking: everything else is left as it was written."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(words)
        self._by_shape: dict[tuple[str, int], list[str]] = {}
        for word in sorted(self._words):
            self._by_shape.setdefault((word[0], len(word)), []).append(word)

    def unmask(self, token: str) -> str | None:
        """The word behind `token`, or None. A mask stands for one letter; half may be masked."""
        plain = token.translate(_LEET)
        if plain in self._words:
            return plain
        masks = sum(plain.count(mask) for mask in "*#-")
        if not masks or masks > (len(plain) + 1) // 2 + 1 or masks == len(plain) - 1 > 2:
            return None
        for word in self._by_shape.get((plain[0], len(plain)), ()):
            if all(a == b or a in "*#-" for a, b in zip(plain, word, strict=True)):
                return word
        return None

    def join(self, token: str) -> str | None:
        """The word spelt out with single separators, or None."""
        plain = token[::2].translate(_LEET)
        return plain if plain in self._words else None

    def shorten(self, token: str) -> str | None:
        """The word behind a drawn-out spelling, or None."""
        for keep in (r"\1", r"\1\1"):
            plain = re.sub(r"(\w)\1{2,}", keep, token)
            if plain in self._words:
                return plain
        return None


def _replace(
    folded: Folded, pattern: re.Pattern[str], solve: Callable[[str], str | None]
) -> Folded:
    found = [
        (match.start(), match.end(), word)
        for match in pattern.finditer(folded.text)
        if (word := solve(match.group())) is not None
    ]
    if not found:
        return folded
    starts = folded.starts or list(range(len(folded.text)))
    ends = folded.ends or list(range(1, len(folded.text) + 1))
    text, at = "", 0
    new_starts: list[int] = []
    new_ends: list[int] = []
    for start, end, word in found:
        text += folded.text[at:start] + word
        new_starts += starts[at:start] + [starts[start]] * len(word)
        new_ends += ends[at:start] + [ends[end - 1]] * len(word)
        at = end
    return Folded(text + folded.text[at:], new_starts + starts[at:], new_ends + ends[at:])


def fold(text: str, vocabulary: Vocabulary) -> Folded:
    """Fold `text` (its first 16,000 and last 4,000 characters). Linear in the text; never raises."""
    folded = _fold_plain(text)
    folded = _replace(folded, _MASKED, vocabulary.unmask)
    folded = _replace(folded, _SPACED, vocabulary.join)
    return _replace(folded, _DRAWN, vocabulary.shorten)
