"""Weighted words and pairs: what a post without any telling phrase is probably about.

The weights (`lexicon_cues.toml`) come from hand-labelled posts by `classifiers/training/fit_cues.py`;
no name and no word for a group of people is among them.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

_WORD = re.compile(r"[a-z][a-z']{0,24}|[^\w\s.,'\"()\-/:;#@*&%]")
NEVER = -20.0  # log-odds of a target that has no cues

Span = tuple[int, int]


def grams(text: str) -> Iterator[tuple[str, Span]]:
    """Words, signs and neighbouring pairs of folded `text`, with their spans."""
    found = [(match.group(), match.span()) for match in _WORD.finditer(text)]
    yield from found
    for (first, (start, _)), (second, (_, end)) in pairwise(found):
        yield f"{first} {second}", (start, end)


def words_of(gram: str) -> list[str]:
    """The words of one gram, possessives as their owner."""
    return [word.removesuffix("'s") for word in gram.split(" ")]


@dataclass(frozen=True, slots=True)
class Cues:
    """`weights[gram]` is (target, log-odds) pairs; `biases` by target."""

    version: str
    weights: Mapping[str, tuple[tuple[str, float], ...]]
    biases: Mapping[str, float]

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Cues:
        """The tables of `lexicon_cues.toml`. Raises KeyError or TypeError when one isn't as it should be."""
        weights: dict[str, list[tuple[str, float]]] = {}
        for target, table in data.items():
            for gram, weight in table["words"].items():
                weights.setdefault(gram, []).append((target, float(weight)))
        biases = {target: float(table["bias"]) for target, table in data.items()}
        said = json.dumps(data, sort_keys=True).encode()
        version = hashlib.blake2b(said, digest_size=6).hexdigest()
        return cls(version, {gram: tuple(pairs) for gram, pairs in weights.items()}, biases)

    def weigh(self, text: str) -> Weighed:
        """Add up the cues of folded `text`, each once."""
        sums = dict(self.biases)
        spans: dict[str, list[tuple[float, Span]]] = {}
        seen: set[str] = set()
        for gram, span in grams(text):
            if gram in seen or gram not in self.weights:
                continue
            seen.add(gram)
            for target, weight in self.weights[gram]:
                sums[target] += weight
                spans.setdefault(target, []).append((weight, span))
        return Weighed(sums, spans)


@dataclass(frozen=True, slots=True)
class Weighed:
    """One text's sums by target, and what went into them."""

    sums: Mapping[str, float]
    found: Mapping[str, list[tuple[float, Span]]]

    def chance(self, target: str, margin: float = 0.0) -> float:
        """0..1 with `margin` taken off the sum; 0.5 is where the target counts. About 0 without cues."""
        total = self.sums.get(target, NEVER) - margin
        return 1 / (1 + math.exp(-max(NEVER, min(-NEVER, total))))

    def strongest(self, target: str, most: int = 3) -> list[Span]:
        """Spans of the cues that spoke loudest for `target`, in the order of the text."""
        loudest = sorted(self.found.get(target, []), reverse=True)[:most]
        return sorted(span for weight, span in loudest if weight > 0)
