"""Is the accusation about the head? Then it goes round them (`routing.Matter.barred`).

Names of heads come from the configuration and are never searched for. A head who is told, thanked,
attacked or doing their work is not meant; one who does what heads must not do, or hides it, is. In doubt
about a post that the classifier takes for an allegation it says yes: the chair or a senior leader reads
it either way, and the only cost is that the head does not.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from monitor.policy.matching.organisations import Organisation
from monitor.policy.redaction_lists import fold

NEAR = 10  # words between the head and what they are accused of
TOLD_WITHIN = 4  # words between "told" and "the head"
LONGEST = 4000  # characters read: cost stays bounded

_SENTENCE = re.compile(r"[.!?;\n…]+")
_WORD = re.compile(r"[\w'-]+")


class _Phrases:
    """Phrases as tuples of words, asked at a place in a sentence."""

    def __init__(self, listed: Iterable[tuple[str, ...]]) -> None:
        self.listed = frozenset(listed)
        self._by_first: dict[str, list[tuple[str, ...]]] = {}
        self._by_last: dict[str, list[tuple[str, ...]]] = {}
        for phrase in self.listed:
            self._by_first.setdefault(phrase[0], []).append(phrase)
            self._by_last.setdefault(phrase[-1], []).append(phrase)

    def starts(self, words: Sequence[str], at: int) -> int:
        """The length of the longest phrase that begins at word `at`; 0: none."""
        phrases = self._by_first.get(words[at], ()) if at < len(words) else ()
        return max((len(phrase) for phrase in phrases if _is(words, at, phrase)), default=0)

    def ends(self, words: Sequence[str], before: int) -> bool:
        """Whether a phrase stands right before word `before`."""
        phrases = self._by_last.get(words[before - 1], ()) if before > 0 else ()
        return any(
            before >= len(phrase) and _is(words, before - len(phrase), phrase) for phrase in phrases
        )

    def within(self, words: Sequence[str], first: int, end: int) -> bool:
        """Whether a phrase begins at one of the words first..end."""
        return any(self.starts(words, at) for at in range(max(0, first), min(end, len(words))))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lists:
    """about_head.toml; its comments say what each is for."""

    titles: _Phrases
    others: _Phrases
    not_people: _Phrases
    bodies: _Phrases
    titles_of_address: _Phrases
    told: _Phrases
    done_to: _Phrases
    duty: _Phrases
    hides: _Phrases
    accusations: _Phrases
    theirs: _Phrases


def about_head(
    text: str, organisation: Organisation, heads: Iterable[str] = (), *, accused: bool = False
) -> bool:
    """Whether `text` accuses the head of `organisation`. `heads` are names of its heads beside the
    watchlist's own; `accused`: the classifier takes the text for an allegation, so that only whom it
    is about is asked, and not whether it is one."""
    lists = _lists()
    names = [name for name in (organisation.headteacher, *heads) if name]
    known = _Phrases(_spoken(names, lists))
    hidden = False
    for sentence in _SENTENCE.split(fold(text[:LONGEST])):
        words = [_plain(word) for word in _WORD.findall(sentence)]
        mentions = _mentions(words, known, lists)
        if any(_accuses(words, start, end, lists, accused=accused) for start, end in mentions):
            return True
        hidden = hidden or bool(mentions)
        if hidden and lists.hides.within(words, 0, len(words)):
            return True
    return False


def _accuses(words: Sequence[str], start: int, end: int, lists: _Lists, *, accused: bool) -> bool:
    """Whether the head at words start..end is who is accused."""
    if lists.done_to.within(words, start - 3, start - 1) or lists.done_to.ends(words, start):
        return False
    if lists.told.within(words, start - TOLD_WITHIN, start):
        return False
    if any(lists.duty.starts(words, at) for at in range(end, min(end + 3, len(words)))):
        return lists.hides.within(words, end, len(words))
    if lists.accusations.within(words, end, end + NEAR):
        return True
    if lists.theirs.ends(words, start) and lists.accusations.within(words, start - NEAR, start):
        return True
    return accused


def _mentions(words: Sequence[str], known: _Phrases, lists: _Lists) -> list[tuple[int, int]]:
    """(first word, end) of each place where a sentence means the head; an article before it counts."""
    found = []
    for at in range(len(words)):
        length = known.starts(words, at) or lists.titles.starts(words, at)
        if length == 0 and words[at] == "head" and _a_person(words, at, lists):
            length = 1
        if length and not _somebody_else(words, at, at + length, lists):
            article = at > 0 and words[at - 1] in {"the", "our", "this", "that", "their", "your"}
            found.append((at - article, at + length))
    return found


def _a_person(words: Sequence[str], at: int, lists: _Lists) -> bool:
    """ "head" with "the" or "our" before it, that nobody was hit on."""
    if at == 0:
        return False
    if words[at - 1] in {"our", "this", "that"}:
        return True
    return words[at - 1] == "the" and not lists.bodies.ends(words, at - 1)


def _somebody_else(words: Sequence[str], start: int, end: int, lists: _Lists) -> bool:
    return lists.others.ends(words, start) or lists.not_people.starts(words, end) > 0


def _spoken(names: Iterable[str], lists: _Lists) -> Iterable[tuple[str, ...]]:
    """A name in full, and its last word after a title: "Mrs Ollerdyke"."""
    for name in names:
        parts = [_plain(word) for word in _WORD.findall(fold(name))]
        bare = [part for part in parts if (part,) not in lists.titles_of_address.listed]
        if not bare:
            continue
        if len(bare) > 1:
            yield tuple(bare)
        for title in lists.titles_of_address.listed:
            yield (*title, bare[-1])


def _plain(word: str) -> str:
    """Without a possessive ending or stray marks."""
    return word.strip("'-").removesuffix("'s")


def _is(words: Sequence[str], at: int, phrase: tuple[str, ...]) -> bool:
    return tuple(words[at : at + len(phrase)]) == phrase


@lru_cache(maxsize=1)
def _lists() -> _Lists:
    """The packaged lists, read once."""
    text = (files("monitor") / "data" / "about_head.toml").read_text(encoding="utf-8")
    return _Lists(
        **{
            key: _Phrases(tuple(phrase.split()) for phrase in phrases)
            for key, phrases in tomllib.loads(text).items()
        }
    )
