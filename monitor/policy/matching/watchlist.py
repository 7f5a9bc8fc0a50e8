"""Which organisations a post is about: the door of the matching room.

    post -> key -> one automaton pass -> nothing found: done (most posts, in microseconds)
                                      -> names, places -> Reading.judge -> matches

A term that names its school alone needs nothing; an ambiguous one needs the school's place (and a
plain word such as "Riverside" a word of school life as well), and is withheld by another place or
another sense beside it. Nothing here knows a person's name.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate

from connectors.post import Post
from monitor.domain import Match
from monitor.policy.matching.fields import CONTEXT, Fields
from monitor.policy.matching.judgement import Found, Reading
from monitor.policy.matching.lexis import Pattern, build
from monitor.policy.matching.misspelling import Misspellings
from monitor.policy.matching.organisations import Watchlist
from monitor.policy.matching.senses import Senses
from monitor.policy.matching.text import (
    NUL,
    POST,
    WORD_BYTE,
    fold,
    normalise,
    with_single_spaces,
    without_dot_runs,
    without_spacing_out,
)

_S = ord("s")
_BETWEEN = f" {NUL} "
_BETWEEN_POSTS = f" {POST} "
_POST_BYTE = POST.encode()
Place = tuple[Pattern, int]
_TOGETHER = 256  # posts folded together: enough to spread the cost of a call, little to hold


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
        return self.match_many((post,))[0]

    def match_many(self, posts: Sequence[Post]) -> list[tuple[Match, ...]]:
        """`match` for each post. Many at once share one fold and one automaton pass, which halves the
        cost of the posts, most of them, in which nothing is found."""
        found: list[tuple[Match, ...]] = []
        for at in range(0, len(posts), _TOGETHER):
            found += self._match_some(posts[at : at + _TOGETHER])
        return found

    def _match_some(self, posts: Sequence[Post]) -> list[tuple[Match, ...]]:
        key = fold(f" {_BETWEEN_POSTS.join([_said(post) for post in posts])} ")
        pieces = key.split(_POST_BYTE)
        if len(pieces) != len(posts):  # a post holds our own separator
            return [self._match_some((_without_separator(post),))[0] for post in posts]
        ends = list(accumulate([len(piece) + 1 for piece in pieces]))
        hits: dict[int, list[tuple[int, int, int]]] = {}
        for hit in self._find(key, True):
            hits.setdefault(bisect_right(ends, hit[1]), []).append(hit)
        found: list[tuple[Match, ...]] = [()] * len(posts)
        for index, post in enumerate(posts):
            within = post.community or post.feed_title or post.author_location
            source = self._source(post) if within else _NOTHING
            own = hits.get(index, ())
            if own or source is not _NOTHING:
                hold = self._sift(key, own)
                if self._is_worth_reading(pieces[index], hold, source):
                    found[index] = self._read(post)
        return found

    def _source(self, post: Post) -> _Source:
        """What the names of the post's community and feed, and its author's place, hold."""
        source = self._known(post.community) if post.community else _NOTHING
        if post.feed_title:
            source += self._known(post.feed_title)
        if post.author_location:
            source += self._known(post.author_location)
        return source

    def _is_worth_reading(self, piece: bytes, hold: _Hold, source: _Source) -> bool:
        """False for what could not match, whatever stands around it: half a word, a common name
        without its place, a place without anything like the name of a school of it."""
        if hold.reread:
            again = _reread(piece)
            if again is not None:
                piece, hold = again, self._sift(again, self._find(again, True))
        if hold.alone or source.names:
            return True
        places = hold.places + source.places
        if hold.names and _at_home(hold.names, places):
            return True
        towns = _towns(places)
        return bool(towns) and self._misspellings.are_likely(piece, towns)

    def _known_in(self, text: str) -> _Source:
        """What one of these strings holds. Few of them recur in many posts, so the answers are
        remembered."""
        key = normalise(text)
        hold = self._sift(key, self._find(key, True))
        names = bool(hold.names or hold.reread)
        return _Source(names, hold.places) if names or hold.places else _NOTHING

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
        slips = bool(hold.places) and self._misspellings.are_possible(key)
        if not home and not slips:
            return ()
        fields = Fields(post, key, self.lexis.talk)
        reading = Reading(fields, self._organisations, self.lexis, self._senses, hold.places)
        if home:
            reading.judge(hold.names, hold.exclusions)
        if slips:
            reading.correct(self._misspellings)
        return reading.matches()

    def _sift(self, key: bytes, hits: Sequence[tuple[int, int, int]]) -> _Hold:
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
        self.places: list[Place] = []
        self.exclusions: list[Found] = []
        self.alone = self.reread = False


class _Source:
    """What a post's surroundings hold: whether a name, and which places."""

    __slots__ = ("names", "places")

    def __init__(self, names: bool, places: list[Place]) -> None:  # noqa: FBT001
        self.names, self.places = names, places

    def __add__(self, other: _Source) -> _Source:
        if other is _NOTHING:
            return self
        if self is _NOTHING:
            return other
        return _Source(self.names or other.names, self.places + other.places)


_NOTHING = _Source(names=False, places=[])


def _said(post: Post) -> str:
    if not (post.title or post.url):
        return post.text
    return f" {NUL} ".join([part for part in (post.text, post.title, post.url) if part])


def _without_separator(post: Post) -> Post:
    def clean(text: str | None) -> str | None:
        return text.replace(POST, " ") if text else text

    return replace(post, text=clean(post.text) or "", title=clean(post.title), url=clean(post.url))


def _reread(key: bytes) -> bytes | None:
    """The key with double spaces, runs of dots and spaced-out letters mended; None: nothing was."""
    again = without_spacing_out(with_single_spaces(without_dot_runs(key)))
    return again if again != key else None


def _towns(places: list[Place]) -> list[str]:
    return [place.place for place, _ in places if place.town and place.place]


def _at_home(names: list[Found], places: list[Place]) -> bool:
    for place, _ in places:
        for name, _, _ in names:
            if not place.residents.isdisjoint(name.terms):
                return True
    return False
