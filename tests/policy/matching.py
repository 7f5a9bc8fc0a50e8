"""An invented trust for the tests of matching, and a short way to ask about one post."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from connectors.post import Post
from monitor.domain import Match
from monitor.policy.matching.organisations import Watchlist
from monitor.policy.matching.watchlist import Matcher
from monitor.watchlist_file import load_senses, load_watchlist

TRUST: dict[str, Any] = {
    "trust": {
        "id": "hest",
        "name": "Hestercombe Vale Partnership",
        "aliases": ["Hestercombe Vale"],
        "town": "Wolverley Cross",
        "county": "Dorset",
        "handles": ["@HestVale"],
    },
    "schools": [
        {
            "id": "wenna",
            "name": "St Wenna's CE Primary School",
            "aliases": ["St Wenna's"],
            "town": "Wolverley Cross",
            "county": "Dorset",
            "postcode": "DT39 1AB",
            "website": "https://www.stwennas.example/home",
            "handles": ["@stwennas"],
            "hashtags": ["#WennaWay"],
            "headteacher": "Morwen Tallack",
        },
        {
            "id": "lakeside",
            "name": "Lakeside High School",
            "aliases": ["Lakeside"],
            "initialisms": ["LHS"],
            "town": "Brackwell",
            "county": "Dorset",
            "postcode": "DT39 7LK",
            "exclusions": ["Lakeside Ladies"],
        },
        {
            "id": "tunnock",
            "name": "Tunnock Barrow Academy",
            "aliases": ["Tunnock Barrow"],
            "former_names": ["Dame Ada Crofting School", "Dame Ada Crofting"],
            "town": "Brackwell",
            "county": "Dorset",
        },
        {
            "id": "dunn",
            "name": "Dunnage & Fell's School",
            "aliases": ["Dunnage & Fell's", "D&F"],
            "town": "Wolverley Cross",
            "county": "Dorset",
        },
        {
            "id": "derwen",
            "name": "Ysgol Bryn-y-Gwynlas",
            "aliases": ["Bryn-y-Gwynlas"],
            "town": "Llanhowell",
            "county": "Ceredigion",
        },
    ],
}


@cache
def matcher() -> Matcher:
    return Matcher(Watchlist.model_validate(TRUST), load_senses())


def post(text: str, **context: Any) -> Post:
    return Post(platform="test", native_id="1", text=text, **context)


def found(text: str, **context: Any) -> tuple[Match, ...]:
    return matcher().match(post(text, **context))


def schools(text: str, **context: Any) -> set[str]:
    return {match.organisation for match in found(text, **context)}


@dataclass(frozen=True)
class Score:
    """Micro-averaged over pairs of post and organisation. `wrong` holds ids of posts."""

    precision: float
    recall: float
    wrong: tuple[str, ...]

    @property
    def f1(self) -> float:
        return 2 * self.precision * self.recall / (self.precision + self.recall)


def score(watchlist: Path, posts: Path) -> Score:
    """Match labelled posts (JSON lines with text, context, schools) against a watchlist's file."""
    asked = Matcher(load_watchlist(watchlist), load_senses())
    right = extra = missed = 0
    wrong = []
    for line in posts.read_text("utf-8").splitlines():
        row = json.loads(line)
        context = dict(row["context"])
        context["community"] = context.pop("subreddit", context.get("community"))
        got = {match.organisation for match in asked.match(post(row["text"], **context))}
        want = set(row["schools"])
        right, extra, missed = (
            right + len(got & want),
            extra + len(got - want),
            missed + len(want - got),
        )
        if got != want:
            wrong.append(row["id"])
    return Score(right / (right + extra), right / (right + missed), tuple(wrong))
