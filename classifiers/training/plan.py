"""The recipe: which examples each stage sees. Figures and failed tries stand in EXPERIMENTS.md."""

from __future__ import annotations

import random
from pathlib import Path

from classifiers.training import examples, identity
from classifiers.training.examples import Example
from classifiers.training.posts import Post

PUBLIC = {"sentiment": 13_500, "offensive": 9_000, "emoji": 3_500, "hate": 2_000}
MIX = {"sentiment": 3_000, "offensive": 1_300, "emoji": 700, "hate": 300}  # beside each school pass
IDENTITY = (2_000, 700)  # harmless sentences and attacks, in the first stage
IDENTITY_MIX = (1_200, 300)
HATE_WEIGHT = 0.4  # of HatEval, whose idea of hate is wider than ours


class Pools:
    """The public rows by task, read once from the folder given by --public."""

    def __init__(self, folder: Path) -> None:
        self.pools = {
            "sentiment": examples.sentiment(folder),
            "offensive": examples.offensive(folder),
            "emoji": examples.hate(folder, "emoji_hate_train", 1.0),
            "hate": examples.hate(folder, "hate_train", HATE_WEIGHT),
        }

    def texts(self) -> list[str]:
        return [example.text for pool in self.pools.values() for example in pool]

    def some(self, sizes: dict[str, int], rng: random.Random) -> list[Example]:
        """A draw from each pool; sentiments are drawn evenly, since its test set is negative."""
        found: list[Example] = []
        for name, size in sizes.items():
            pool = self.pools[name]
            if name != "sentiment":
                found += rng.sample(pool, min(size, len(pool)))
                continue
            for sentiment in range(3):
                part = [e for e in pool if e.sentiment == sentiment]
                found += rng.sample(part, min(size // 3, len(part)))
        return found

    def public(self, _number: int, rng: random.Random) -> list[Example]:
        """The first stage's pass."""
        return self.some(PUBLIC, rng) + identity.sentences(*IDENTITY, rng)


def school(posts: list[Post], pools: Pools, number: int, rng: random.Random) -> list[Example]:
    """A pass of the second stage: all school posts and a few public rows."""
    del number
    return examples.school(posts) + pools.some(MIX, rng) + identity.sentences(*IDENTITY_MIX, rng)
