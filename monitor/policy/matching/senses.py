"""What matching knows of words and places: the shape of `data/matching.toml`, ready to be asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from monitor.policy.matching.text import plain

Words = frozenset[str]
NATIONS = ("england", "wales", "scotland", "northern_ireland", "abroad")


@dataclass(frozen=True, kw_only=True)
class Senses:
    """Sets of words and phrases, all normalised as in a key. See the data file for what each means.

    `common` are words so frequent that they make no name distinctive; `small_words` those that may
    stand with a capital beside a name without being part of one; `places` gives each known county,
    town or country its nation.
    """

    types: Words
    denominations: Words
    stops: Words
    honorifics: Words
    saints: Words
    common: Words
    name_words: Words
    endings: Words
    school_hints: Words
    school: Words
    near_school: Words
    after: Words
    after_ordinary: Words
    after_phrases: Words
    modifiers: Words
    school_after: Words
    before: Words
    before_capitals: Words
    before_phrases: Words
    person: Words
    off_topic: Words
    streets: Words
    neutral: Words
    places: Mapping[str, str]
    neutral_places: Words
    mutations: Mapping[str, tuple[str, ...]]
    small_words: Words

    @cached_property
    def ordinary(self) -> Words:
        """Words that may stand beside a name with a capital and say nothing."""
        return self.types | self.school_after | self.neutral | self.small_words | self.stops

    @cached_property
    def phrase_starts(self) -> Words:
        return frozenset(phrase.partition(" ")[0] for phrase in self.after_phrases)

    @cached_property
    def place_starts(self) -> Words:
        return frozenset(place.partition(" ")[0] for place in self.places)

    @classmethod
    def from_data(cls, data: Mapping[str, Any], common_words: Iterable[str]) -> Senses:
        """From the parsed `matching.toml` and the list of common words. Raises KeyError when a
        list is missing: the file is ours, not the user's."""
        places = {
            plain(name): nation
            for nation in NATIONS
            for name in data["places"][nation].split(";")
            if name.strip()
        }
        neutral_places = frozenset(plain(name) for name in data["places"]["neutral"].split(";"))
        listed = frozenset(common_words)
        return cls(
            types=_words(data["type_words"]),
            denominations=_words(data["denomination_words"]),
            stops=_words(data["stop_words"]),
            honorifics=_words(data["honorifics"]),
            saints=_words(data["saint_words"]),
            common=listed | _words(data["name_words"]),
            name_words=_words(data["name_words"]),
            endings=_words(data["compound_endings"]),
            school_hints=_words(data["school_hints"]),
            school=_phrases(data["school_words"]),
            near_school=_phrases(data["near_school_words"]),
            after=_words(data["after_senses"]),
            after_ordinary=_words(data["after_ordinary"]),
            after_phrases=_phrases(data["after_phrases"]),
            modifiers=_words(data["modifiers"]),
            school_after=_words(data["school_after"]),
            before=_words(data["before_senses"]),
            before_capitals=_words(data["before_capitals"]),
            before_phrases=_phrases(data["before_phrases"]),
            person=_phrases(data["person_words"]),
            off_topic=_phrases(data["off_topic_words"]),
            streets=_words(data["street_words"]),
            neutral=_words(data["neutral_words"]),
            places=places,
            neutral_places=neutral_places,
            mutations={first: tuple(to) for first, to in data["mutations"].items()},
            small_words=listed - places.keys(),
        )

    def is_common(self, word: str) -> bool:
        """True for a listed word, a short one, a number, or two listed words run together."""
        if word in self.common or len(word) < 3 or word.isdigit():
            return True
        return any(
            word[:at] in self.common and word[at:] in self.endings for at in range(3, len(word) - 1)
        )


def _words(text: str) -> Words:
    return frozenset(text.split())


def _phrases(texts: Iterable[str]) -> Words:
    return frozenset(plain(text) for text in texts)
