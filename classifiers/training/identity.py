"""Identity words, taught to decide nothing: sentences of our own, and swaps within a row.

In public hate sets, and in posts about hate, some identity words stand nearly always in attacks, so that a
model learns the word. Two remedies, both drawn afresh for each pass: short sentences in which any term of
`identity.toml` can stand, harmless or attacking, and identity words of a row exchanged for others of their
kind, which keeps the row's labels. The sentences are our own; the public templates that measure the bias
(evaluate.py) are not among them.
"""

from __future__ import annotations

import random
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from classifiers.training.examples import Example
from classifiers.verdict import Label, Severity

SENTENCES = Path(__file__).parent / "identity.toml"
SWAPPED = 0.35  # share of rows with identity words that have them exchanged
AS_NOUN = 0.5  # share of "a ..." that take a describing word, as people write ("a blind")
HARMFUL = (Label.THREAT, Label.HATE, Label.ABUSE)


@cache
def _read() -> dict[str, Any]:
    return tomllib.loads(SENTENCES.read_text(encoding="utf-8"))


def sentences(harmless: int, attacks: int, rng: random.Random) -> list[Example]:
    """So many of each, every one a random sentence with a random term."""
    data = _read()
    flags = {list(Label).index(label): 0 for label in HARMFUL}
    found = [
        Example(_filled(data["harmless"], rng), flags, severity=Severity.ROUTINE.rank)
        for _ in range(harmless)
    ]
    hate = {list(Label).index(Label.HATE): 1}
    found += [
        Example(_filled(data["attacks"], rng), hate, severity=Severity.URGENT.rank)
        for _ in range(attacks)
    ]
    return found


def _filled(frames: dict[str, list[str]], rng: random.Random) -> str:
    """One sentence: a frame for one kind of word, with a word of that kind."""
    kind = rng.choice([kind for kind, some in frames.items() for _ in some])
    words = _read()["terms"][kind]
    if kind == "one" and rng.random() < AS_NOUN:
        words = _read()["terms"]["describing"]
    text = rng.choice(frames[kind]).replace("{t}", rng.choice(words))
    text = text.replace("{n}", rng.choice(_read()["names"]))
    text = re.sub(r"\b([Aa]) (?=[aeiouAEIOU])", r"\1n ", text)
    return text[0].upper() + text[1:] if rng.random() < 0.6 else text.lower()


def swapped(text: str, rng: random.Random) -> str:
    """`text`, sometimes with each identity word exchanged for another of the same kind."""
    if rng.random() >= SWAPPED:
        return text
    chosen: dict[str, str] = {}  # one word becomes one other throughout

    def other(match: re.Match[str]) -> str:
        word = match.group().lower()
        if word not in chosen:
            chosen[word] = rng.choice(_read()["swap"][_kinds()[word]])
        new = chosen[word]
        return new[0].upper() + new[1:] if match.group()[0].isupper() else new

    return _pattern().sub(other, text)


@cache
def _kinds() -> dict[str, str]:
    return {word: kind for kind, words in _read()["swap"].items() for word in words}


@cache
def _pattern() -> re.Pattern[str]:
    words = sorted(_kinds(), key=len, reverse=True)
    return re.compile(rf"(?<![\w#@-])(?:{'|'.join(map(re.escape, words))})(?![\w-])", re.IGNORECASE)
