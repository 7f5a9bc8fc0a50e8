"""What redaction knows of names and words: redaction.toml and ordinary-words.txt, folded."""

from __future__ import annotations

import codecs
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """Sets of folded words; the comments in redaction.toml say what each is for."""

    titles: frozenset[str]
    sure_titles: frozenset[str]
    particles: frozenset[str]
    relations: frozenset[str]
    naming: frozenset[str]
    plain: frozenset[str]
    first_names: frozenset[str]
    either: frozenset[str]
    openers: frozenset[str]
    slurs: frozenset[str]
    ordinary: frozenset[str]


def fold(said: str) -> str:
    """Without case, accents and curly apostrophes."""
    decomposed = unicodedata.normalize("NFKD", said.replace("’", "'")).casefold()
    return "".join(char for char in decomposed if not unicodedata.combining(char))


@lru_cache(maxsize=1)
def word_lists() -> Lists:
    """The packaged lists, read once."""
    data = files("monitor") / "data"
    toml = tomllib.loads((data / "redaction.toml").read_text(encoding="utf-8"))
    words = (data / "ordinary-words.txt").read_text(encoding="utf-8").splitlines()
    stems = [codecs.decode(stem, "rot13") for stem in toml.pop("rot13_slurs")]
    endings = toml.pop("endings")
    return Lists(
        slurs=frozenset(stem + ending for stem in stems for ending in endings),
        ordinary=frozenset(fold(word) for word in words if not word.startswith("#")),
        **{key: frozenset(fold(word) for word in listed) for key, listed in toml.items()},
    )


@lru_cache(maxsize=1)
def common_words() -> frozenset[str]:
    """Words of everyday English (and common first names), which may open a sentence."""
    data = files("monitor") / "data"
    return frozenset(map(fold, (data / "common_words.txt").read_text(encoding="utf-8").split()))
