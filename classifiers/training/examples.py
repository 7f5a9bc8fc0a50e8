"""What the network is taught: texts with targets for the heads that each row knows about.

Targets stand in the order of `NAMES`, which is also the order of the exported logits. A head that a row
says nothing of is masked. `aux:offensive` exists for the public task only: the product ignores it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from classifiers.training.posts import Post
from classifiers.verdict import Label, Sentiment, Severity

NAMES = [
    *(f"label:{label}" for label in Label),
    *(f"sentiment:{sentiment}" for sentiment in Sentiment),
    *(f"severity:{severity}" for severity in Severity),
    "aux:offensive",
]
LABELS = len(Label)
SENTIMENT = slice(LABELS, LABELS + len(Sentiment))
SEVERITY = slice(SENTIMENT.stop, SENTIMENT.stop + len(Severity))
OFFENSIVE = SEVERITY.stop
# Some public files escape characters twice; others have handles and links already as @user and http.
_ESCAPE = re.compile(r"\\\\u([0-9a-fA-F]{4})")
_HANDLE = re.compile(r"(?<!\w)@\w+")
_LINK = re.compile(r"https?://\S+")


@dataclass(frozen=True, slots=True)
class Example:
    """One text. `flags` maps a sigmoid's place in NAMES to 0 or 1; `sentiment` and `severity` are ranks,
    or None; `weight` scales the row's loss. `school`: whether it may be augmented as a school post."""

    text: str
    flags: dict[int, int]
    sentiment: int | None = None
    severity: int | None = None
    weight: float = 1.0
    school: bool = False


def of_post(post: Post) -> Example:
    """A school post knows all heads but the public task."""
    return Example(
        post.text,
        {at: int(label in post.labels) for at, label in enumerate(Label)},
        list(Sentiment).index(post.sentiment),
        post.severity.rank,
        school=True,
    )


def rows(folder: Path, stem: str) -> Iterator[dict[str, object]]:
    """Rows of one public file. Raises OSError when it is missing."""
    for line in (folder / f"{stem}.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        text = _ESCAPE.sub(lambda found: chr(int(found.group(1), 16)), row["text"])
        yield row | {"text": _LINK.sub("http", _HANDLE.sub("@user", text))}


def sentiment(folder: Path, stem: str = "sentiment_train") -> list[Example]:
    """Tweets with a sentiment."""
    order = [str(s) for s in Sentiment]
    return [
        Example(str(r["text"]), {}, sentiment=order.index(str(r["sentiment"])))
        for r in rows(folder, stem)
    ]


def offensive(folder: Path, stem: str = "offensive_train") -> list[Example]:
    """Tweets, offensive or not: the public task's own head."""
    return [
        Example(str(r["text"]), {OFFENSIVE: int(bool(r["offensive"]))}) for r in rows(folder, stem)
    ]


def hate(folder: Path, stem: str, weight: float) -> list[Example]:
    """Rows with `hate`: our label hate."""
    at = list(Label).index(Label.HATE)
    return [
        Example(str(r["text"]), {at: int(bool(r["hate"]))}, weight=weight)
        for r in rows(folder, stem)
    ]


def school(posts: Sequence[Post]) -> list[Example]:
    return [of_post(post) for post in posts]
