"""From an organisation to the byte patterns that find it, and how far each term proves it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise, product

from monitor.policy.matching.organisations import Organisation
from monitor.policy.matching.senses import Senses
from monitor.policy.matching.text import plain


class Level(IntEnum):
    """What a term needs beside it before it counts."""

    CERTAIN = 0  # a handle, hashtag or website: nothing, and no sense beside it changes that
    DISTINCTIVE = 1  # nothing
    SHAPED = 2  # the organisation's place: "Riverside High School"
    PLAIN = 3  # its place and a word of school life: "Riverside", "the Oak"


@dataclass(frozen=True, slots=True)
class Term:
    """One way of saying one organisation. `owner` is its index in the watchlist; `said` is the term
    as listed; `personal` means that it reads like a person's name ("Sir Rowland Pym")."""

    owner: int
    said: str
    level: Level
    personal: bool = False


_DENOMINATIONS = (
    (("c", "of", "e"), ("ce",), ("cofe",), ("church", "of", "england"), ("c", "e"), ("c.e.",)),
    (("rc",), ("r.c.",), ("roman", "catholic"), ("catholic",)),
    (("st",), ("st.",), ("saint",)),
    (("&",), ("and",), ("n",)),
)
_SHORT_TAILS = (
    (("junior", "school"), ("juniors",)),
    (("infant", "school"), ("infants",)),
    (("primary", "school"), ("primary",)),
    (("high", "school"), ("high",)),
    (("grammar", "school"), ("grammar",)),
    (("sixth", "form", "college"), ("sixth", "form")),
)
_MOST_VARIANTS = 48
_POSSESSIVE = re.compile(r"\w+['’]s\b")


def names_of(organisation: Organisation) -> tuple[str, ...]:
    """Every name in words, as listed, each once; never a person's."""
    return tuple(
        dict.fromkeys(
            (
                organisation.name,
                *organisation.aliases,
                *organisation.former_names,
                *organisation.nicknames,
                *organisation.initialisms,
            )
        )
    )


def places_of(organisation: Organisation) -> tuple[str, ...]:
    """Town, county and postcode, normalised; those that are given."""
    given = (organisation.town, organisation.county, organisation.postcode)
    return tuple(key for key in (plain(place) for place in given if place) if key)


def classify(name: str, organisation: Organisation, senses: Senses, *, shared: bool) -> Level:
    """How far `name` proves `organisation`: from its words, or as the trust has overridden it."""
    key = plain(name)
    if key in {plain(term) for term in organisation.distinctive}:
        return Level.DISTINCTIVE
    words = key.replace(".", "").split()
    has_type = any(word in senses.types for word in words)
    if key in {plain(term) for term in organisation.ambiguous} or shared:
        return Level.SHAPED if has_type else Level.PLAIN
    if is_initialism(name):
        letters = sum(char.isalnum() for char in key)
        return Level.SHAPED if letters >= 4 or (len(words) > 1 and has_type) else Level.PLAIN
    return _by_words(words, organisation, senses, has_type=has_type)


def _by_words(
    words: list[str], organisation: Organisation, senses: Senses, *, has_type: bool
) -> Level:
    ignored = senses.types | senses.denominations | senses.stops
    core = [word for word in words if word not in ignored]
    town = plain(organisation.town or "").split()
    if town and _contains(words, town) and (has_type or len(core) > len(town)):
        return Level.DISTINCTIVE
    saintly = not senses.saints.isdisjoint(words) or _contains(words, ["our", "lady"])
    rare = [word for word in core if not senses.is_common(word)]
    if has_type:
        unmistakable = bool(rare) or len([word for word in words if word not in senses.types]) >= 3
        return Level.DISTINCTIVE if unmistakable and not saintly else Level.SHAPED
    if saintly or (core and core[0] in senses.honorifics and len(core) < 3):
        return Level.PLAIN
    return Level.DISTINCTIVE if len(core) >= 2 and rare and not _forename(core) else Level.PLAIN


def _forename(core: list[str]) -> bool:
    return len(core) == 2 and core[0].endswith(("ie", "y")) and len(core[0]) <= 7


def _contains(words: list[str], part: list[str]) -> bool:
    return any(words[i : i + len(part)] == part for i in range(len(words)))


def is_initialism(name: str) -> bool:
    """True for "QRS", "Q.R.S.", "P&Q"; also "RHS Marlow" is not one: every word must be capitals."""
    letters = [char for char in name if char.isalpha()]
    first, _, rest = name.partition(" ")
    short = len(first.replace(".", "").replace("&", "")) <= 6
    return (
        bool(letters)
        and first.upper() == first
        and len(first) > 1
        and short
        and not rest.islower()
        and (not rest or rest.upper() == rest)
    )


def is_personal(name: str, senses: Senses) -> bool:
    """True when a name without a school word begins like a person's: "Dame Ada Croft"."""
    words = plain(name).split()
    return bool(words) and words[0] in senses.honorifics and not senses.types.intersection(words)


def surfaces(name: str, senses: Senses, *, welsh: bool) -> frozenset[str]:
    """The ways in which `name` is typed: joined, split, "&"/and, St/Saint, CE/C of E, dotted,
    without "School", without a possessive s, mutated after a Welsh preposition."""
    key = plain(name)
    found: set[str] = set()
    for sequence in spellings(name, senses):
        found.update(_spacings(sequence, senses))
    if is_initialism(name):
        found.update(_dotted(key))
    if welsh:
        found.update(_mutated(tuple(key.split()), senses))
    return frozenset(surface for surface in found if len(surface) > 1)


def spellings(name: str, senses: Senses) -> frozenset[tuple[str, ...]]:
    """`name` in words, in each of its ordinary spellings."""
    sequences = set(_spellings(tuple(plain(name).split())))
    if len(sequences) < _MOST_VARIANTS:
        for sequence in tuple(sequences):
            sequences.update(_shortened(sequence, name, senses))
    return frozenset(sequences)


def _spellings(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Every combination of the ways to write the parts, at most `_MOST_VARIANTS`."""
    parts: list[tuple[tuple[str, ...], ...]] = []
    at = 0
    while at < len(words):
        group, length = _group_at(words, at)
        parts.append(group)
        at += length
    for count, choice in enumerate(product(*parts)):
        if count >= _MOST_VARIANTS:
            return
        yield tuple(word for part in choice for word in part)


def _group_at(words: tuple[str, ...], at: int) -> tuple[tuple[tuple[str, ...], ...], int]:
    for group in _DENOMINATIONS:
        for form in group:
            if words[at : at + len(form)] == form and form not in {("c", "e"), ("n",)}:
                return group, len(form)
    return ((words[at],),), 1


def _shortened(words: tuple[str, ...], name: str, senses: Senses) -> Iterator[tuple[str, ...]]:
    for tail, short in _SHORT_TAILS:
        if len(words) > len(tail) and words[-len(tail) :] == tail:
            yield words[: -len(tail)] + short
    possessives = {plain(match[0]) for match in _POSSESSIVE.finditer(name)}
    inside = possessives.intersection(words[:-1])
    if inside and senses.types.intersection(words):
        yield tuple(word[:-1] if word in possessives else word for word in words)
    if words[0] == "the" and len(words) > 2:
        yield words[1:]


def _spacings(words: tuple[str, ...], senses: Senses) -> Iterator[str]:
    spaced = " ".join(words)
    yield spaced
    if "&" in words:
        yield spaced.replace(" & ", "&")
    if len(words) == 1 and "&" in spaced:
        yield spaced.replace("&", " & ")
    ordinary = [index for index, word in enumerate(words) if word not in senses.types]
    for left, right in pairwise(ordinary):
        if right == left + 1 and len(words[left]) + len(words[right]) > 4:
            yield " ".join((*words[:left], words[left] + words[right], *words[right + 1 :]))
    if len(words) > 1 and len(spaced) > 6:
        yield "".join(words)
        core = ordinary if len(ordinary) > 1 and ordinary == list(range(len(ordinary))) else []
        if len(core) > 2 and len(core) < len(words):
            yield " ".join(("".join(words[: len(core)]), *words[len(core) :]))
    for index, word in enumerate(words):
        for left_part, right_part in _splits(word, senses):
            yield " ".join((*words[:index], left_part, right_part, *words[index + 1 :]))


def _splits(word: str, senses: Senses) -> Iterator[tuple[str, str]]:
    for at in range(3, len(word) - 2):
        if word[at:] in senses.endings and (word[:at] in senses.common):
            yield word[:at], word[at:]


def _dotted(key: str) -> Iterator[str]:
    letters = key.replace(".", "").replace(" ", "")
    yield ".".join(letters)
    yield letters


def _mutated(words: tuple[str, ...], senses: Senses) -> Iterator[str]:
    for index, word in enumerate(words[:2]):
        if index == 1 and words[0] != "ysgol":
            return
        for first in (word[:2], word[:1]):
            for other in senses.mutations.get(first, ()):
                yield " ".join((*words[:index], other + word[len(first) :], *words[index + 1 :]))


def handles_of(organisation: Organisation) -> Iterator[tuple[str, str]]:
    """(term as listed, pattern) of handles, hashtags and websites."""
    for handle in organisation.handles:
        yield handle, " @" + plain(handle.lstrip("@"))
    for hashtag in organisation.hashtags:
        yield hashtag, " #" + plain(hashtag.lstrip("#")).replace(" ", "")
    for domain in domains_of(organisation):
        yield domain, plain(domain)


def domains_of(organisation: Organisation) -> tuple[str, ...]:
    """Website and domains without scheme, "www." and path, each once."""
    given: Iterable[str] = (
        *((organisation.website,) if organisation.website else ()),
        *organisation.domains,
    )
    return tuple(dict.fromkeys(bare_domain(domain) for domain in given if bare_domain(domain)))


def bare_domain(address: str) -> str:
    """ "https://www.croft.example/news" -> "croft.example"; a path after the host is dropped."""
    host = address.strip().casefold().rpartition("//")[2].partition("/")[0]
    return host.removeprefix("www.").strip(".")
