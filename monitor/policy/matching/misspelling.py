"""Names with a slip of the finger, looked for only where the school's own town is named."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from ahocorasick_rs import BytesAhoCorasick
from rapidfuzz.distance import OSA

from monitor.policy.matching.lexis import Lexis
from monitor.policy.matching.organisations import Organisation
from monitor.policy.matching.senses import Senses
from monitor.policy.matching.terms import Level, Term, classify, names_of, spellings
from monitor.policy.matching.text import WORD_BYTE

_LEAST = 8  # letters; a shorter name has too many neighbours

# By each word of a name, then by (side, first byte) of the word beside it there.
_Beside = dict[tuple[int, int], list["Name"]]
Anchored = dict[bytes, _Beside]


@dataclass(frozen=True, slots=True)
class Name:
    """A name to be near to: its text, the place of the anchor word in it, and its number of words."""

    text: bytes
    position: int
    words: int
    term: Term


class Misspellings:
    """Per town, the names by each of their words: one word must be right for the rest to be weighed."""

    def __init__(self, organisations: Sequence[Organisation], lexis: Lexis, senses: Senses) -> None:
        self._organisations = organisations
        self._lexis = lexis
        self._senses = senses
        self._hints = BytesAhoCorasick([f" {hint}".encode() for hint in senses.school_hints])
        self._anchors = lru_cache(maxsize=8192)(self._index_town)

    def are_possible(self, key: bytes) -> bool:
        """True when the key holds the beginning of a word of school life: without one, no name is
        looked for."""
        return bool(self._hints.find_matches_as_indexes(key))

    def are_likely(self, key: bytes, towns: Iterable[str]) -> bool:
        """True when there is also something near the name of a school of one of `towns`."""
        return self.are_possible(key) and next(self.find(key, towns, ()), None) is not None

    def find(
        self, key: bytes, towns: Iterable[str], known: Container[int]
    ) -> Iterator[tuple[Term, int, int]]:
        """(term, start, end) of near misses in the key; start and end are bytes of the key. Names of
        the owners in `known` are passed over."""
        words = key.translate(_WORDS_ONLY).split()
        said = set(words)
        for town in towns:
            anchors = self._anchors(town)
            for anchor in anchors.keys() & said:
                yield from self._near(key, words, anchor, anchors[anchor], known)

    def _near(
        self,
        key: bytes,
        words: list[bytes],
        anchor: bytes,
        names: _Beside,
        known: Container[int],
    ) -> Iterator[tuple[Term, int, int]]:
        for index in [at for at, word in enumerate(words) if word == anchor]:
            left = names.get((-1, words[index - 1][0]), ()) if index else ()
            right = names.get((1, words[index + 1][0]), ()) if index + 1 < len(words) else ()
            for name in (*left, *right):
                if name.term.owner in known:
                    continue
                first = index - name.position
                said = b" ".join(words[max(first, 0) : first + name.words])
                if (
                    first < 0
                    or abs(len(said) - len(name.text)) > 2
                    or not self._is_near(name, said)
                ):
                    continue
                start = _nth_word(key, first)
                end = _nth_word(key, first + name.words - 1) + len(words[first + name.words - 1])
                if not _BROKEN.search(key, start, end):
                    yield name.term, start, end

    def _is_near(self, name: Name, said: bytes) -> bool:
        limit = 1 if len(name.text) < 12 else 2
        if not 0 < OSA.distance(name.text, said, score_cutoff=limit) <= limit:
            return False
        meant, words = name.text.decode().split(), said.decode("utf-8", "replace").split()
        return len(meant) == len(words) and all(map(self._is_same_or_slip, meant, words))

    def _is_same_or_slip(self, meant: str, word: str) -> bool:
        return meant == word or self._is_slip(meant, word)

    def _is_slip(self, meant: str, word: str) -> bool:
        """True for a slip, False for another real name ("Joan" for "John", "Oaks" for "Oak")."""
        senses = self._senses
        if len(meant) < 3 or not word or word == meant + "s" or word[0].isdigit():
            return False
        if word in senses.types or word in senses.name_words:
            return word.replace("s", "z") == meant.replace("s", "z") or _same_name(word, meant)
        return word[0] == meant[0] or sorted(word) == sorted(meant)

    def _index_town(self, town: str) -> Anchored:
        found: dict[bytes, _Beside] = defaultdict(lambda: defaultdict(list))
        for owner in self._lexis.townsmen.get(town, ()):
            organisation = self._organisations[owner]
            for said in names_of(organisation):
                level = classify(said, organisation, self._senses, shared=False)
                if level is Level.PLAIN:
                    continue
                term = Term(owner, said, level)
                for words in spellings(said, self._senses):
                    text = " ".join(words)
                    if len(words) < 2 or len(text) < _LEAST:
                        continue
                    for position, word in enumerate(words):
                        if len(word) > 2 and word not in self._senses.stops:
                            side = -1 if position else 1
                            beside = (side, words[position + side].encode()[0])
                            name = Name(text.encode(), position, len(words), term)
                            found[word.encode()][beside].append(name)
        return dict(found)


def _same_name(word: str, meant: str) -> bool:
    """ "Elisabeth" and "Elizabeth", "Catherine" and "Katherine": one name, two spellings."""
    pairs = (("z", "s"), ("k", "c"), ("ph", "f"), ("y", "i"), ("ie", "i"), ("nn", "n"), ("tt", "t"))
    for old, new in pairs:
        word, meant = word.replace(old, new), meant.replace(old, new)
    return word == meant


_WORDS_ONLY = bytes(code if WORD_BYTE[code] or code == ord("&") else 0x20 for code in range(256))
_ANY_WORD = re.compile(rb"[^ ]+")
_BROKEN = re.compile(rb"[\x00\x01]|\.(?= )(?<!\bst\.)")  # no name crosses the end of a sentence


def _nth_word(key: bytes, number: int) -> int:
    """Where the `number`-th word (from 0) begins."""
    words = _ANY_WORD.finditer(key.translate(_WORDS_ONLY))
    return next(islice(words, number, None)).start()
