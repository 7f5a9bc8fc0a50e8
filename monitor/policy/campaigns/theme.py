"""What is a post about, in a few comparable tokens? Words for one matter are one token (campaign.toml),
any form of a word is its stem, and what is said of an organisation anyway (its names, and the words of
any complaint) says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import combinations
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from monitor.policy.identity import fingerprint, normalise
from monitor.policy.matching.organisations import Organisation
from monitor.policy.redaction_lists import word_lists
from monitor.policy.toml import parse

MOST_TOPICS = 4  # tokens of each sort that one post gives: they bound its number of keys
MOST_ASPECTS = 4
MOST_WORDS = 7
SHORTEST = 3  # letters of a word that can be a theme by itself
ASIDES = 2  # other tokens of a post that is about one topic only
LEAST_SAME = 6  # words that a wording needs before its repetition means anything

Kind = Literal["tag", "link", "same", "mostly", "alone", "pair", "three"]
Key = tuple[Kind, str]
"""Something that posts on one theme share; "alone" (a topic and nothing else) is the weakest."""

_TAG = re.compile(r"(?<!\w)#(\w{3,60})")
_LINK = re.compile(r"(?:https?://)?(?:www\.)?([\w-]+(?:\.[\w-]+)+)(/[^\s?#]*[^\s?#/.,)!])")

Words = tuple[str, ...]
Count = Annotated[int, Field(ge=2)]


class Group(BaseModel):
    """Words for one matter. `phrase` None: an aspect, by itself no theme."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    words: Words = Field(min_length=1)


class Topic(Group):
    phrase: str = Field(min_length=4, max_length=60, pattern=r"^[a-z' -]+$")


class CampaignRules(BaseModel):
    """The whole of campaign.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    authors: Count
    posts: Count
    within_hours: int = Field(gt=0)
    quiet_hours: int = Field(gt=0)
    alone_authors: Count
    topic: tuple[Topic, ...]
    aspect: tuple[Group, ...]
    said_anywhere: Words

    @field_validator("said_anywhere", mode="before")
    @classmethod
    def _listed(cls, given: object) -> object:
        words = given.get("words") if isinstance(given, dict) else None
        return tuple(words.split()) if isinstance(words, str) else given


def load_rules(text: str) -> CampaignRules:
    """Read campaign.toml's text. Raises ConfigError with every fault and its key path."""
    return parse(CampaignRules, text, "campaign.toml")


class Themes:
    """Tokens and keys by one set of rules, blind to what `organisations` are called."""

    def __init__(self, rules: CampaignRules, organisations: Iterable[Organisation]) -> None:
        self.authors = rules.authors
        self.posts = rules.posts
        self.alone_authors = rules.alone_authors
        self.within = timedelta(hours=rules.within_hours)
        self.quiet = timedelta(hours=rules.quiet_hours)
        self._phrases = {topic.id: topic.phrase for topic in rules.topic}
        self._topics = _by_stem(rules.topic)
        self._aspects = _by_stem(rules.aspect)
        own = _Own.of(organisations)
        self._own = own
        self._idle = {stem(word) for word in (*rules.said_anywhere, *own.words)}

    def topics(self, text: str) -> tuple[str, ...]:
        """The phrases of the topics that `text` speaks of, each once."""
        found = {self._topics[form] for form in self._stems(text) if form in self._topics}
        return tuple(self._phrases[each] for each in sorted(found))

    def keys(self, text: str, language: str | None = None) -> frozenset[Key]:
        """All that other posts may share with `text`: up to about two hundred. Of a post in another
        language than English only hashtags, addresses and its whole wording count."""
        sure = frozenset(self._sure(text))
        if language and not language.casefold().startswith("en"):
            return sure
        return sure | frozenset(self._shared(text))

    def _sure(self, text: str) -> Iterator[Key]:
        for tag in _TAG.findall(text):
            if normalise(tag).replace(" ", "") not in self._own.joined:
                yield "tag", tag.casefold()
        for host, path in _LINK.findall(text):
            if host.casefold() not in self._own.domains:
                yield "link", f"{host}{path}".casefold()
        said = normalise(text).split()
        if len({word for word in said if len(word) >= SHORTEST} - self._own.words) >= LEAST_SAME:
            yield "same", fingerprint(text)

    def _shared(self, text: str) -> Iterator[Key]:
        forms = list(dict.fromkeys(self._stems(text)))
        topics = _first((self._topics[form] for form in forms if form in self._topics), MOST_TOPICS)
        aspects = _first(
            (self._aspects[form] for form in forms if form in self._aspects), MOST_ASPECTS
        )
        words = _first(
            sorted(filter(self._is_word, forms), key=lambda form: (_is_ordinary(form), form)),
            MOST_WORDS,
        )
        if len(topics) == 1 and len(aspects) + len(words) <= ASIDES:
            yield "mostly", topics[0]
        for topic in topics:
            yield "alone", topic
            for other in (*aspects, *words):
                yield "pair", f"{topic} {other}"
        for one, other in combinations(sorted(topics), 2):
            yield "pair", f"{one} {other}"
        for one, other in combinations(words, 2):
            for third in aspects:
                yield "three", f"{one} {other} {third}"
        for triple in combinations(words, 3):
            yield "three", " ".join(triple)

    def _stems(self, text: str) -> Iterator[str]:
        plain = _LINK.sub(" ", _TAG.sub(" ", text))
        for word in normalise(plain.replace("'", "").replace("’", "")).split():
            if word not in self._own.words:
                yield stem(word)

    def _is_word(self, form: str) -> bool:
        return (
            len(form) >= SHORTEST
            and form not in self._topics
            and form not in self._aspects
            and form not in self._idle
            and not form.isdigit()
        )


class _Own(BaseModel):
    """What the organisations are called: the words of their names, their names written as one word,
    their domains."""

    model_config = ConfigDict(frozen=True)

    words: frozenset[str]
    joined: frozenset[str]
    domains: frozenset[str]

    @classmethod
    def of(cls, organisations: Iterable[Organisation]) -> _Own:
        words: set[str] = set()
        joined: set[str] = set()
        domains: set[str] = set()
        for each in organisations:
            names = (each.name, *each.aliases, *each.former_names, *each.nicknames)
            short = (*each.initialisms, *each.handles, *each.hashtags)
            places = tuple(filter(None, (each.town, each.county)))
            for name in (*names, *short, *places):
                said = normalise(name.replace("'", "").replace("’", ""))
                words.update(said.split())
                joined.add(said.replace(" ", ""))
            domains.update(domain.casefold() for domain in each.domains)
        return cls(words=frozenset(words), joined=frozenset(joined), domains=frozenset(domains))


def stem(word: str) -> str:
    """`word` without its English ending, roughly: for comparing, never for showing."""
    for ending, rest in (("ies", "y"), ("ing", ""), ("ed", ""), ("es", ""), ("s", "")):
        kept = len(word) - len(ending)
        if word.endswith(ending) and kept >= 3 and not word.endswith("ss"):
            word = word[:kept] + rest
            break
    return word.removesuffix("e") if len(word) > 3 else word


def _by_stem(groups: Iterable[Group]) -> Mapping[str, str]:
    return {stem(word): group.id for group in groups for word in group.words}


def _is_ordinary(form: str) -> bool:
    return form in word_lists().ordinary


def _first(tokens: Iterable[str], most: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tokens))[:most]
