"""What stands beside a name in a text, and whether that makes it another thing or another place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from monitor.policy.matching.senses import Senses
from monitor.policy.matching.terms import Level, Term
from monitor.policy.matching.text import plain

_LETTER = r"(?:[^\W_][\u0300-\u036f\u200b-\u200d]*)"  # accents may be characters of their own
_WORD = re.compile(rf"{_LETTER}+(?:['’.]{_LETTER}+)*")
_HARD = re.compile(r"[.,;:!?()\[\]|\n\"“”—–]|\s-\s|[^\x00-\x7f‘’´]")
_PLACE_GAP = re.compile(r"^['’]?\s*(?:,|\(|\s[-–—|]\s|\s@\s)\s*$|^['’]?s?,\s*$")
_LINKS = frozenset({"in", "at", "near", "yn", "ym", "from"})
_REACH = 90  # characters looked at on either side


@dataclass(frozen=True, slots=True)
class Word:
    """A word beside a name. `gap` is what stands between it and the one nearer to the name."""

    said: str
    key: str
    gap: str

    @property
    def capital(self) -> bool:
        return self.said[:1].isupper()

    @property
    def apart(self) -> bool:
        return bool(_HARD.search(self.gap))


def _key(word: str) -> str:
    """`plain` of one word, without the detour for most."""
    return word.lower() if word.isascii() and word.isalnum() else plain(word)


class Site:
    """One occurrence: characters start..end of `text`, with the words around it."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self.text, self.start, self.end = text, start, end

    @cached_property
    def after(self) -> tuple[Word, ...]:
        """Up to four words behind the name, nearest first."""
        words, at, stop = [], self.end, self.end + _REACH
        if self.text[at : at + 2] in {"'s", "’s"}:
            at += 2
        for match in _WORD.finditer(self.text, at, min(stop, len(self.text))):
            words.append(Word(match[0], _key(match[0]), self.text[at : match.start()]))
            at = match.end()
            if len(words) == 4:
                break
        return tuple(words)

    @cached_property
    def before(self) -> tuple[Word, ...]:
        """Up to three words before the name, nearest first."""
        begin = max(0, self.start - _REACH)
        words, at = [], self.start
        for match in reversed(list(_WORD.finditer(self.text, begin, self.start))[-3:]):
            words.append(Word(match[0], _key(match[0]), self.text[match.end() : at]))
            at = match.start()
        return tuple(words)

    @cached_property
    def cased(self) -> bool:
        """True when capitals mean something: the name has one, and most other words don't."""
        if not self.text[self.start : self.end][:1].isupper():
            return False
        around = f"{self.text[: self.start][-300:]} {self.text[self.end :][:300]}"
        return not mostly_capitals(around)

    @cached_property
    def beside(self) -> tuple[Word, ...]:
        """The words behind the name up to the first break."""
        words: list[Word] = []
        for word in self.after:
            if word.apart:
                break
            words.append(word)
        return tuple(words)


def mostly_capitals(text: str) -> bool:
    """True for HEADLINES IN CAPITALS and In Title Case, where a capital says nothing."""
    long_words = [word for word in text.split() if len(word) > 3 and word[0].isalpha()]
    if len(long_words) < 3:
        return bool(long_words) and all(word.isupper() for word in long_words)
    return sum(word[0].isupper() for word in long_words) > 0.75 * len(long_words)


@dataclass(frozen=True, slots=True)
class Home:
    """Where an organisation is: its places, the words in them, and its nation's own names."""

    places: frozenset[str]
    words: frozenset[str]
    nation: str | None

    def is_elsewhere(self, place: str, senses: Senses) -> bool:
        """True for a known place that is neither this one nor contains it."""
        nation = senses.places.get(place)
        if nation is None or place in self.places or place in senses.neutral_places:
            return False
        whole = {"wales": "wales", "cymru": "wales", "scotland": "scotland"}
        if place == "northern ireland" or place in whole:
            return self.nation is not None and whole.get(place, "northern_ireland") != self.nation
        return not any(place in own.split() or own in place.split() for own in self.places)


def home_of(places: tuple[str, ...], senses: Senses) -> Home:
    nation = next((senses.places[place] for place in places if place in senses.places), None)
    words = frozenset(word for place in places for word in place.split())
    return Home(frozenset(places), words, nation)


def other_sense(site: Site, term: Term, senses: Senses) -> str | None:
    """ "the word 'road' right beside it", when what stands there makes the name another thing."""
    return _sense_after(site, term, senses) or _sense_before(site, term, senses)


def _sense_after(site: Site, term: Term, senses: Senses) -> str | None:
    words = site.beside
    for index, word in enumerate(words):
        starts = word.key in senses.phrase_starts
        phrase = _phrase_at(words, index, senses.after_phrases) if starts else None
        if phrase:
            return f"'{phrase}' right beside it"
        behind = words[index + 1] if index + 1 < len(words) else None
        if word.key in senses.after and not (behind and behind.key in senses.school_after):
            ordinary = word.key in senses.after_ordinary and term.level is not Level.PLAIN
            if not (ordinary and not word.capital):
                return f"the word '{word.key}' right beside it"
        if word.key not in senses.modifiers:
            return None
    return None


def _phrase_at(words: tuple[Word, ...], index: int, phrases: frozenset[str]) -> str | None:
    for length in (4, 3, 2):
        said = " ".join(word.key for word in words[index : index + length])
        if said in phrases:
            return said
    return None


def _sense_before(site: Site, term: Term, senses: Senses) -> str | None:
    if term.level is Level.DISTINCTIVE or not site.before or site.before[0].apart:
        return None
    word = site.before[0]
    if word.key in senses.before:
        return f"'{word.key}' right before it"
    if len(site.before) > 1:
        pair = f"{site.before[1].key} {word.key}"
        if pair in senses.before_phrases:
            return f"'{pair}' right before it"
    if word.key in senses.before_capitals and word.capital and site.cased:
        return f"'{word.said}' right before it"
    return None


def longer_name(site: Site, term: Term, home: Home, senses: Senses) -> str | None:
    """Why the name is only a part of another name ("Oak National", "Royal Oak"), or None."""
    if term.level is Level.DISTINCTIVE or not site.cased:
        return None
    first = site.beside[0] if site.beside else None
    possessive = site.text[site.end : site.end + 2] in {"'s", "’s"}
    if first and not possessive:
        if first.key == "of" and len(site.beside) > 1 and _is_name(site.beside[1], home, senses):
            return "a longer name ('... of ...')"
        if _is_name(first, home, senses):
            return "a longer name"
    before = site.before[0] if site.before else None
    if before and not before.apart and _is_name(before, home, senses):
        return "a longer name"
    return None


def _is_name(word: Word, home: Home, senses: Senses) -> bool:
    """True for a capitalised word that is neither ours, nor ordinary, nor of school life. Two letters
    are "Is" or "UK" far more often than anybody's name."""
    if not word.capital or word.key in home.words or len(word.key) < 3 or word.key[0].isdigit():
        return False
    key = word.key.removesuffix("s") if word.said[-2:] in {"'s", "’s"} else word.key
    return not (key in senses.ordinary or word.key in senses.ordinary or key in home.words)


def place_beside(
    site: Site, term: Term, home: Home, senses: Senses, *, own_place_said: bool
) -> str | None:
    """The other place that the text puts the name in, or None."""
    at, guess = _place_slot(site)
    words = site.after[at : at + 3]
    if not words:
        return None
    known = _known_place(words, home, senses)
    if known:
        return known
    certain_enough = term.level is not Level.DISTINCTIVE and guess and site.cased
    if not certain_enough or (own_place_said and guess != "in"):
        return None
    if len(words) > 1 and words[1].key in senses.streets and not words[1].apart:
        return None
    return words[0].said if _is_name(words[0], home, senses) else None


def _place_slot(site: Site) -> tuple[int, str]:
    """(index of the word that may be a place, how it is linked: "in", "," or "")."""
    if not site.after:
        return 0, ""
    first = site.after[0]
    if _PLACE_GAP.match(first.gap):
        return 0, ","
    if first.key in _LINKS and not first.apart:
        return 1, "in" if first.key in {"in", "yn", "ym"} else ""
    return (0, "") if not first.apart else (9, "")


def _known_place(words: tuple[Word, ...], home: Home, senses: Senses) -> str | None:
    if words[0].key in home.words:
        return None
    if words[0].key not in senses.place_starts:
        return None
    for length in (3, 2, 1):
        chosen = words[:length]
        if len(chosen) < length or any(word.apart for word in chosen[1:]):
            continue
        said = " ".join(word.key for word in chosen)
        lower = not chosen[0].capital and (length == 1 and said in senses.common)
        if said in home.places or (length == 1 and said in home.words):
            return None
        if not lower and home.is_elsewhere(said, senses):
            return " ".join(word.said for word in chosen)
    return None


def places_elsewhere(text: str, home: Home, senses: Senses) -> str | None:
    """A known county, town or country in `text` that is not home, or None."""
    words = [(match[0], _key(match[0])) for match in _WORD.finditer(text)]
    for index, (said, first) in enumerate(words):
        if first not in senses.place_starts or not (said[:1].isupper() or text.islower()):
            continue
        for length in (3, 2, 1):
            key = " ".join(part for _, part in words[index : index + length])
            if key in home.places:
                break
            risky = length == 1 and key in senses.common and not said[:1].isupper()
            if not risky and home.is_elsewhere(key, senses):
                return key
    return None
