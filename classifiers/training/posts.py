"""The school posts, and the development split that is never trained on.

`data/*.jsonl` holds a post a line (text, platform, sentiment, labels, severity; the label guide says
what they mean). A post's id is "file:line", from 1. Twins and near-duplicates form one family, and a
family is never divided. Two lists name what is held out; `python -m classifiers.training prepare` writes
them. `data/development.txt` was drawn from the train_* files, once. Files named more_* or identity_* came
later: of their families `data/development_later.txt` names every sixth, and lines may be added to them
without moving what stands there. A sixth key, `group`, names their twins. Of `more_edges` nothing is held
out: it was trained on before there was a second list.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from classifiers.verdict import Label, Sentiment, Severity

DATA = Path(__file__).parent / "data"
DEVELOPMENT = DATA / "development.txt"
DEVELOPMENT_LATER = DATA / "development_later.txt"
SHARE = 0.16  # of each file and severity of the first files, at least
EVERY = 6  # of a later file's families of one severity, one in so many is held out
TWINS = "train_twins"
LATER = ("more_", "identity_")
TAUGHT_WHOLE = ("more_edges",)


@dataclass(frozen=True, slots=True)
class Post:
    """One labelled post. `id` is "file:line"; `group` its twins' name within its file."""

    id: str
    text: str
    sentiment: Sentiment
    labels: frozenset[Label]
    severity: Severity
    group: str | None = None

    @property
    def later(self) -> bool:
        """Whether it was written after the first split was drawn."""
        return self.file.startswith(LATER)

    @property
    def file(self) -> str:
        return self.id.partition(":")[0]


def read(folder: Path = DATA) -> list[Post]:
    """All posts, in the order of files and lines. Raises ValueError naming file and line."""
    found = []
    for path in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                found.append(post(f"{path.stem}:{number}", json.loads(line)))
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(f"{path}, line {number}: {type(error).__name__}") from None
    return found


def post(at: str, row: dict[str, object]) -> Post:
    """One row as a Post. Raises ValueError or KeyError for what the label guide doesn't know."""
    labels = row["labels"]
    if not isinstance(labels, list):
        raise TypeError("labels must be a list")
    return Post(
        at,
        str(row["text"]),
        Sentiment(str(row["sentiment"])),
        frozenset(Label(label) for label in labels),
        Severity(str(row["severity"])),
        str(row["group"]) if "group" in row else None,
    )


def divided(posts: Sequence[Post]) -> tuple[list[Post], list[Post]]:
    """(to train on, the development split). Raises ValueError when the split names no such post."""
    held = {*listed(DEVELOPMENT), *listed(DEVELOPMENT_LATER)}
    unknown = held - {post.id for post in posts}
    if unknown:
        raise ValueError(f"the development split names {min(unknown)}, and there is no such post")
    return [p for p in posts if p.id not in held], [p for p in posts if p.id in held]


def listed(path: Path) -> list[str]:
    """The ids of one list; none where it isn't written yet."""
    return path.read_text(encoding="utf-8").split() if path.is_file() else []


@cache
def words(text: str) -> tuple[str, ...]:
    """Lower-case words, in order."""
    return tuple(re.findall(r"[\w']+", text.lower()))


def alike(one: str, other: str) -> float:
    """Shared words as a share of the shorter text's, 0..1."""
    a, b = set(words(one)), set(words(other))
    return len(a & b) / max(1, min(len(a), len(b)))


def families(posts: Sequence[Post]) -> list[list[int]]:
    """Indices of posts that must stay together: neighbours that are twins, and near-duplicates."""
    parent = list(range(len(posts)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    for a, b in [*_neighbours(posts), *_duplicates(posts)]:
        parent[root(b)] = root(a)
    found: dict[int, list[int]] = defaultdict(list)
    for at in range(len(posts)):
        found[root(at)].append(at)
    return list(found.values())


def _neighbours(posts: Sequence[Post]) -> Iterable[tuple[int, int]]:
    for at in range(len(posts) - 1):
        one, other = posts[at], posts[at + 1]
        if one.file == other.file and one.group is not None and one.group == other.group:
            yield at, at + 1
            continue
        least = 0.22 if one.file == TWINS else 0.45
        same_start = words(one.text)[:2] == words(other.text)[:2]
        if one.file == other.file and (same_start or alike(one.text, other.text) >= least):
            yield at, at + 1


def _duplicates(posts: Sequence[Post]) -> Iterable[tuple[int, int]]:
    """Posts that share five words in a row and half of all their words."""
    holders: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for at, one in enumerate(posts):
        said = words(one.text)
        for start in range(max(1, len(said) - 4)):
            holders[said[start : start + 5]].append(at)
    for found in holders.values():
        for other in found[1:]:
            if alike(posts[found[0]].text, posts[other].text) >= 0.5:
                yield found[0], other


def choose(posts: Sequence[Post]) -> list[str]:
    """Ids of the first files' split: SHARE of each file and severity, whole families, by hash."""
    posts = [post for post in posts if not post.later]
    strata = _strata(posts, families(posts))
    held: list[str] = []
    for stratum in strata.values():
        stratum.sort(key=lambda family: hashlib.sha256(posts[family[0]].text.encode()).digest())
        wanted, taken = SHARE * sum(map(len, stratum)), 0
        for family in stratum:
            if taken >= wanted:
                break
            held += [posts[at].id for at in family]
            taken += len(family)
    return sorted(held, key=_place)


def choose_later(posts: Sequence[Post], first: Iterable[str]) -> list[str]:
    """Ids of the later files' split: every sixth family of each file and severity, in the files' order.
    A post that nearly repeats one of the first files stands where that one stands (`first`: the split
    of those)."""
    held_first, found = set(first), families(posts)
    later = [family for family in found if all(posts[at].later for at in family)]
    held: list[str] = []
    for (file, _), stratum in _strata(posts, later).items():
        if file not in TAUGHT_WHOLE:
            held += [posts[at].id for family in stratum[EVERY // 2 :: EVERY] for at in family]
    for family in found:
        if any(posts[at].id in held_first for at in family):
            held += [posts[at].id for at in family if posts[at].later]
    return sorted(held, key=_place)


def _strata(
    posts: Sequence[Post], families: Iterable[list[int]]
) -> dict[tuple[str, Severity], list[list[int]]]:
    """Families by their first post's file and their gravest severity, in the order of the posts."""
    strata: dict[tuple[str, Severity], list[list[int]]] = defaultdict(list)
    for family in sorted(families):
        gravest = max((posts[at].severity for at in family), key=lambda s: s.rank)
        strata[posts[family[0]].file, gravest].append(family)
    return strata


def _place(name: str) -> tuple[str, int]:
    file, _, line = name.partition(":")
    return file, int(line)
