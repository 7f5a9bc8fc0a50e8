"""A draft as the checker reads it: what hides a word undone, and the way back to what was typed.

Full-width and accented letters become plain ones, letters of other alphabets that look like Latin
ones become these, curly quotes straight, and what can't be seen (zero-width, control) is gone.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_SAID = {"’": "'", "‘": "'", "ʼ": "'", "´": "'", "`": "'", "“": '"', "”": '"', "–": "-", "—": "-"}
_SAID |= {"‑": "-", "−": "-", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "ı": "i", "đ": "d", "æ": "ae"}
# Letters that the eye takes for Latin ones: https://www.unicode.org/reports/tr39/ (confusables).
_CYRILLIC = ("АВЕЅІЈКМНОРСТХУԌԛԝаеѕіјкорсухһԁвмнтӏ", "ABESIJKMHOPCTXYGqwaesijkopcyxhdvmhtl")
_GREEK = ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαοιρυνκχ", "ABEZHIKMNOPTYXaoipuvkx")
_LOOKALIKES = {
    seen: meant
    for seen_all, meant_all in (_CYRILLIC, _GREEK)
    for seen, meant in zip(seen_all, meant_all, strict=True)
}
_UNSEEN = {"Cf", "Mn", "Me", "Cs", "Cc"}
_SENTENCE_END = re.compile(r"[.!?;:\n]+(?=\s|$)|\n")
_CLAUSE_END = re.compile(r"[.!?;:\n]+(?=\s|$)|[\n,]| - ")


@dataclass(frozen=True, slots=True)
class Draft:
    """`typed` is the draft itself. `seen` keeps capitals, `low` has none; both have one character
    for each of `places`, the index in `typed` that it came from."""

    typed: str
    seen: str
    low: str
    places: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """A non-empty span of `seen` or `low` as (start, end) in `typed`."""
        return self.places[start], self.places[end - 1] + 1

    def sentence_before(self, at: int) -> str:
        """What stands before `at` in its sentence, in small letters."""
        return _after_last(_SENTENCE_END, self.low[max(0, at - 400) : at])

    def clause_before(self, at: int) -> str:
        """What stands before `at` since the last comma, dash or end of a sentence."""
        return _after_last(_CLAUSE_END, self.low[max(0, at - 400) : at])


def read(text: str) -> Draft:
    """`text` as a Draft. Linear; any text at all can be read."""
    seen: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        for plain in char if " " <= char <= "~" and char != "`" else _plain(char):
            seen.append(plain)
            places.append(place)
    whole = "".join(seen)
    return Draft(text, whole, lowered(whole), tuple(places))


def lowered(text: str) -> str:
    """`text` in small letters, character by character: its length stays."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(small if len(small := char.lower()) == 1 else char for char in text)


@lru_cache(maxsize=4096)
def _plain(char: str) -> str:
    if char in "\n\r\x0b\x0c\x85\u2028\u2029":
        return "\n"
    if char.isspace():
        return " "
    decomposed = unicodedata.normalize("NFKD", _SAID.get(char, char))
    kept = (part for part in decomposed if unicodedata.category(part) not in _UNSEEN)
    return "".join(_LOOKALIKES.get(part, _SAID.get(part, part)) for part in kept)


def _after_last(ends: re.Pattern[str], text: str) -> str:
    last = 0
    for found in ends.finditer(text):
        last = found.end()
    return text[last:]
