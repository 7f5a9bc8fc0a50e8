"""What may be searched for on a platform: organisations, never people.

A connector that searches gets these terms and nothing else to make a query of. A name that fits many
schools ("St Mary's") is searched together with its place only, in the two ways in which people write
that down; what reads like a person's name, or holds a head teacher's, is never searched at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, zip_longest

from monitor.policy.matching.organisations import Organisation, Watchlist
from monitor.policy.matching.senses import Senses
from monitor.policy.matching.terms import Level, classify, is_initialism, is_personal
from monitor.policy.matching.text import plain

MOST_TERMS = 200  # each costs requests: 12 schools have about 80
SHORTEST, LONGEST = 4, 80  # characters of a phrase
MOST_OF_ONE = 24  # terms of one organisation
TITLES = frozenset(
    {
        "mr",
        "mrs",
        "ms",
        "miss",
        "mx",
        "dr",
        "prof",
        "professor",
        "rev",
        "reverend",
        "father",
        "head",
    }
)


def search_terms(watchlist: Watchlist, senses: Senses) -> tuple[str, ...]:
    """Plain phrases without quotation marks, and hashtags with their #: each once, at most 200.

    When there are too many, every organisation keeps its first ones. Handles, heads and contacts are
    never among them, whatever the watchlist holds.
    """
    heads = [o.headteacher for o in watchlist.organisations if o.headteacher]
    columns = [
        [term for term in _terms(o, senses) if not names_a_person(term, heads, senses)]
        for o in watchlist.organisations
    ]
    found: dict[str, str] = {}
    for row in zip_longest(*(column[:MOST_OF_ONE] for column in columns)):
        for term in row:
            if term is not None:
                found.setdefault(term.casefold(), term)
    return tuple(found.values())[:MOST_TERMS]


def unsearched(watchlist: Watchlist, senses: Senses) -> tuple[str, ...]:
    """The names of organisations for which no term is left: too common a name, and no town."""
    terms = set(search_terms(watchlist, senses))
    return tuple(o.name for o in watchlist.organisations if terms.isdisjoint(_terms(o, senses)))


def names_a_person(term: str, heads: Sequence[str], senses: Senses) -> bool:
    """True when `term` holds the name of one of `heads`, or what remains of it without a title."""
    words = [word.replace(".", "") for word in plain(term.lstrip("#@")).split()]
    letters = "".join(char for char in plain(term) if char.isalnum())
    titles = TITLES | senses.honorifics
    return any(_holds(words, letters, _name_words(head, titles), titles) for head in heads)


def _holds(words: list[str], letters: str, name: list[str], titles: frozenset[str]) -> bool:
    if not name:
        return False
    if len(name) == 1 and name[0] in words:
        return True
    # Joined, so that "#AnnaWrenOut" is found as well as "Anna Wren's school".
    if len(name) > 1 and "".join(name) in letters:
        return True
    surname = {name[-1], name[-1] + "s"}
    rest = [word for word in words if word not in surname]
    titled = any(first in titles and second in surname for first, second in pairwise(words))
    return titled or (len(rest) < len(words) and all(word in titles for word in rest))


def _name_words(name: str, titles: frozenset[str]) -> list[str]:
    """A person's names without titles: "Mrs A. Wren" -> ["a", "wren"]."""
    words = [word.replace(".", "") for word in plain(name).split()]
    return [word for word in words if word and word not in titles]


def _terms(organisation: Organisation, senses: Senses) -> Iterator[str]:
    """Names first, then tags; the current name before what it was called."""
    yield from _phrases(organisation, (organisation.name, *organisation.aliases), senses)
    yield from _tags(organisation)
    yield from _phrases(organisation, organisation.former_names, senses)
    for name in (*organisation.nicknames, *organisation.initialisms):
        if classify(name, organisation, senses, shared=False) <= Level.DISTINCTIVE:
            yield from _phrases(organisation, (name,), senses)


def _phrases(organisation: Organisation, names: Sequence[str], senses: Senses) -> Iterator[str]:
    for name in names:
        if is_personal(name, senses):
            continue
        phrase = _clean(name)
        if not SHORTEST <= len(phrase) <= LONGEST:
            continue
        if classify(name, organisation, senses, shared=False) <= Level.DISTINCTIVE:
            yield phrase
        elif organisation.town and not is_initialism(name):
            town = _clean(organisation.town)
            yield f"{phrase} {town}"
            yield f"{phrase} in {town}"


def _tags(organisation: Organisation) -> Iterator[str]:
    for hashtag in organisation.hashtags:
        tag = "".join(char for char in hashtag if char.isalnum() or char == "_")
        if len(tag) >= SHORTEST:
            yield f"#{tag}"


def _clean(name: str) -> str:
    """Without what a search engine would read as an operator."""
    return " ".join("".join(" " if char in _OPERATORS else char for char in name).split())


_OPERATORS = frozenset('"“”#@|()[]{}<>:*~^\\+=')
