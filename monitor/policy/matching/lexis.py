"""The watchlist as one automaton: every pattern, and what finding it means."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from string import ascii_lowercase

from ahocorasick_rs import BytesAhoCorasick, MatchKind

from monitor.policy.matching.organisations import Organisation, Watchlist
from monitor.policy.matching.senses import Senses
from monitor.policy.matching.surroundings import Home, home_of
from monitor.policy.matching.talk import Talk
from monitor.policy.matching.terms import (
    Level,
    Term,
    classify,
    handles_of,
    is_personal,
    names_of,
    places_of,
    surfaces,
)
from monitor.policy.matching.text import BREAK, plain

_SPACED_START = 4  # letters of a name, each apart, that send a post through the slower reading
_SPACED_LEAST = 5
_GAP = re.compile(" ")
_SHORT = 5  # a space and four letters
_ENDS = (" ", ".", chr(BREAK), "s ", "s.", "s" + chr(BREAK))


@dataclass(slots=True)
class Pattern:
    """What one pattern stands for: names of organisations, a place, an exclusion, or a sign that
    the post must be read again with dots or spaced-out letters taken apart (`reread`)."""

    terms: dict[int, Term] = field(default_factory=dict)  # by owner
    alone: bool = False  # one of the terms needs no place
    place: str | None = None
    residents: frozenset[int] = frozenset()
    town: bool = False
    excludes: frozenset[int] = frozenset()
    reread: bool = False
    trim: int = 0  # bytes at its end that only prove that the word ends there


@dataclass(frozen=True, slots=True)
class Lexis:
    """The automaton gives (index into `patterns` and `surfaces`, start, end). `homes` and `townsmen`
    are by organisation index and by normalised town."""

    automaton: BytesAhoCorasick
    patterns: tuple[Pattern, ...]
    surfaces: tuple[str, ...]
    homes: tuple[Home, ...]
    talk: Talk
    townsmen: dict[str, tuple[int, ...]] = field(default_factory=dict)


def build(watchlist: Watchlist, senses: Senses) -> Lexis:
    """Every surface of every name, handle, place and exclusion. Tens of seconds would be too long
    for a trust; 24,000 schools take a few."""
    organisations = watchlist.organisations
    found: dict[str, Pattern] = {}
    _add_names(organisations, senses, found)
    _add_certain(organisations, found)
    townsmen = _add_places(organisations, found)
    for index, organisation in enumerate(organisations):
        for phrase in organisation.exclusions:
            if plain(phrase):
                pattern = found.setdefault(" " + plain(phrase), Pattern())
                pattern.excludes |= {index}
    for char in ascii_lowercase:  # "shut...Moor View"
        found[".." + char] = Pattern(reread=True)
    _close_short(found)
    homes = tuple(home_of(places_of(each), senses) for each in organisations)
    automaton = BytesAhoCorasick(
        (surface.encode() for surface in found), matchkind=MatchKind.Standard
    )
    return Lexis(automaton, tuple(found.values()), tuple(found), homes, Talk(senses), townsmen)


def _add_names(
    organisations: tuple[Organisation, ...], senses: Senses, found: dict[str, Pattern]
) -> None:
    said: dict[str, dict[int, str]] = defaultdict(dict)
    levels: dict[tuple[int, str], Level] = {}
    for index, organisation in enumerate(organisations):
        welsh = _is_welsh(organisation, senses)
        for name in names_of(organisation):
            if not plain(name):
                continue
            levels[index, name] = classify(name, organisation, senses, shared=False)
            for surface in surfaces(name, senses, welsh=welsh):
                said[surface].setdefault(index, name)
    for surface, owners in said.items():
        shared = len(owners) > 1
        terms = []
        for index, name in owners.items():
            level = levels[index, name]
            if shared and level is Level.DISTINCTIVE:
                level = classify(name, organisations[index], senses, shared=True)
            terms.append(Term(index, name, level, is_personal(name, senses)))
        _add_surface(surface, terms, found)


def _add_surface(surface: str, terms: list[Term], found: dict[str, Pattern]) -> None:
    _say(found.setdefault(" " + surface, Pattern()), terms)
    joined = surface.replace(" ", "").replace(".", "")
    if len(joined) >= _SPACED_LEAST and joined.isascii():
        spaced = " " + " ".join(joined[:_SPACED_START]) + " "
        found.setdefault(spaced, Pattern()).reread = True
    for gap in _GAP.finditer(surface):  # "Moor  View", "Moor 🌳 View": two spaces or more
        found.setdefault(f" {surface[: gap.start()]}  ", Pattern()).reread = True
    if " " not in surface and len(surface) > 3:
        _say(found.setdefault(" #" + surface, Pattern()), terms)


def _say(pattern: Pattern, terms: list[Term]) -> None:
    for term in terms:
        known = pattern.terms.get(term.owner)
        if known is None or term.level < known.level:
            pattern.terms[term.owner] = term
    pattern.alone = pattern.alone or any(term.level <= Level.DISTINCTIVE for term in terms)


def _close_short(found: dict[str, Pattern]) -> None:
    """Short surfaces begin many words, so each is looked for with the ends that a word can have."""
    for surface in [each for each in found if len(each) <= _SHORT and each[0] in " #@"]:
        pattern = found.pop(surface)
        if pattern.reread:
            found[surface] = Pattern(reread=True)
        if not (pattern.terms or pattern.place or pattern.excludes):
            continue
        for end in _ENDS:
            closed = replace(pattern, trim=len(end), reread=False)
            found.setdefault(surface + end, closed)


def _is_welsh(organisation: Organisation, senses: Senses) -> bool:
    home = home_of(places_of(organisation), senses)
    return home.nation == "wales" or plain(organisation.name).startswith("ysgol ")


def _add_certain(organisations: tuple[Organisation, ...], found: dict[str, Pattern]) -> None:
    for index, organisation in enumerate(organisations):
        for said, surface in handles_of(organisation):
            if len(surface.strip(" @#")) > 1:
                pattern = found.setdefault(surface, Pattern())
                _say(pattern, [Term(index, said, Level.CERTAIN)])


def _add_places(
    organisations: tuple[Organisation, ...], found: dict[str, Pattern]
) -> dict[str, tuple[int, ...]]:
    residents: dict[str, set[int]] = defaultdict(set)
    townsmen: dict[str, list[int]] = defaultdict(list)
    for index, organisation in enumerate(organisations):
        for place in places_of(organisation):
            residents[place].add(index)
        if organisation.town and plain(organisation.town):
            townsmen[plain(organisation.town)].append(index)
    for place, members in residents.items():
        for surface in {place, place.replace(" ", "")}:
            pattern = found.setdefault(" " + surface, Pattern())
            pattern.place = place
            pattern.residents |= frozenset(members)
            pattern.town = pattern.town or place in townsmen
    return {town: tuple(members) for town, members in townsmen.items()}
