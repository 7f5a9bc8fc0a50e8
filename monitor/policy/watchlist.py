"""Which organisations a post is about: the door of the matching room.

    post -> key -> one automaton pass -> nothing found: done (most posts, in microseconds)
                                      -> names, places -> Reading.judge -> matches

A term that names its school alone needs nothing; an ambiguous one needs the school's place (and a
plain word such as "Riverside" a word of school life as well), and is withheld by another place or
another sense beside it. Nothing here knows a person's name.
"""

from __future__ import annotations

from functools import lru_cache

from connectors.post import Post
from monitor.domain import Match
from monitor.policy.fields import CONTEXT, Fields
from monitor.policy.judgement import Found, Reading
from monitor.policy.lexis import Pattern, build
from monitor.policy.misspelling import Misspellings
from monitor.policy.organisations import Watchlist
from monitor.policy.senses import Senses
from monitor.policy.text import (
    NUL,
    WORD_BYTE,
    fold,
    normalise,
    with_single_spaces,
    without_dot_runs,
    without_spacing_out,
)

_S = ord("s")
_PLACES, _NAMES = 1, 2  # what a source's own name may hold
_BETWEEN = f" {NUL} "


class Matcher:
    """A watchlist, ready to be asked. Building takes milliseconds for a trust; `match` is safe to
    call from several threads."""

    def __init__(self, watchlist: Watchlist, senses: Senses) -> None:
        self._organisations = watchlist.organisations
        self._senses = senses
        self.lexis = build(watchlist, senses)
        self._patterns = self.lexis.patterns
        self._find = self.lexis.automaton.find_matches_as_indexes
        self._known = lru_cache(maxsize=8192)(self._known_in)
        self._misspellings = Misspellings(self._organisations, self.lexis, senses)

    def match(self, post: Post) -> tuple[Match, ...]:
        """The organisations that `post` is about, in the order of the text; () for most posts."""
        said = post.text
        if post.title:
            said = f"{said} {NUL} {post.title}"
        if post.url:
            said = f"{said} {NUL} {post.url}"
        key = fold(f" {said} ")
        hits = self._find(key, True)
        source = 0
        for name in (post.community, post.feed_title, post.author_location):
            if name:
                source |= self._known(name)
        if not hits and not source:
            return ()
        return self._read(post) if self._is_worth_reading(key, hits, source) else ()

    def _is_worth_reading(self, key: bytes, hits: list[tuple[int, int, int]], source: int) -> bool:
        """False for what could not match, whatever stands around it: half a word, a common name
        without its place, a place without a school."""
        hold = self._sift(key, hits)
        if hold.alone or hold.reread or source & _NAMES:
            return True
        if hold.names and (source or _at_home(hold.names, hold.places)):
            return True
        return bool((hold.places or source) and self._misspellings.are_likely(key))

    def _known_in(self, text: str) -> int:
        """Whether the name of a source, or the place of an author, holds a name or a place. Few of
        them recur in many posts, so the answers are remembered."""
        key = normalise(text)
        hold = self._sift(key, self._find(key, True))
        return (_NAMES if hold.names or hold.reread else 0) | (_PLACES if hold.places else 0)

    def _read(self, post: Post) -> tuple[Match, ...]:
        fields = [post.text, *(getattr(post, name) for name in CONTEXT)]
        given = [field.replace(NUL, " ") for field in fields[1:] if field]
        key = normalise(_BETWEEN.join([fields[0].replace(NUL, " "), *given]))
        return self._weigh(post, key, self._find(key, True))

    def _weigh(self, post: Post, key: bytes, hits: list[tuple[int, int, int]]) -> tuple[Match, ...]:
        """Most hits end here: half a word, or a common name without its place."""
        hold = self._sift(key, hits)
        if hold.reread:
            again = _reread(key)
            if again is not None:
                return self._weigh(post, again, self._find(again, True))
        home = hold.alone or _at_home(hold.names, hold.places)
        slips = hold.places and self._misspellings.are_likely(key)
        if not home and not slips:
            return ()
        fields = Fields(post, key, self.lexis.talk)
        reading = Reading(fields, self._organisations, self.lexis, self._senses, hold.places)
        if home:
            reading.judge(hold.names, hold.exclusions)
        if slips:
            reading.correct(self._misspellings)
        return reading.matches()

    def _sift(self, key: bytes, hits: list[tuple[int, int, int]]) -> _Hold:
        """The hits that are whole words, by what they stand for."""
        hold = _Hold()
        patterns = self._patterns
        for index, start, end in hits:
            pattern = patterns[index]
            if pattern.reread:
                hold.reread = True
                continue
            last = end - pattern.trim
            if not pattern.trim and WORD_BYTE[key[end]]:
                possessive = key[end] == _S and not WORD_BYTE[key[end + 1]]
                if not (possessive or pattern.place):
                    continue
            if pattern.place:
                hold.places.append((pattern, start))
            if pattern.terms:
                hold.names.append((pattern, start, last))
                hold.alone |= pattern.alone
            if pattern.excludes:
                hold.exclusions.append((pattern, start, last))
        return hold


class _Hold:
    """One post's hits, sorted."""

    __slots__ = ("alone", "exclusions", "names", "places", "reread")

    def __init__(self) -> None:
        self.names: list[Found] = []
        self.places: list[tuple[Pattern, int]] = []
        self.exclusions: list[Found] = []
        self.alone = self.reread = False


def _reread(key: bytes) -> bytes | None:
    """The key with double spaces, runs of dots and spaced-out letters mended; None: nothing was."""
    again = without_spacing_out(with_single_spaces(without_dot_runs(key)))
    return again if again != key else None


def _at_home(names: list[Found], places: list[tuple[Pattern, int]]) -> bool:
    for place, _ in places:
        for name, _, _ in names:
            if not place.residents.isdisjoint(name.terms):
                return True
    return False
