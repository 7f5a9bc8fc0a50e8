"""Many voices on one theme: how a post is counted, and what is told of the whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from classifiers.verdict import Label, Sentiment
from monitor.domain.concerns import Concern


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One post as `policy.campaigns.campaign` sees it. `labels` are its own and its concern's together;
    `foldable` means that the concern is open and in no campaign yet; `campaign` is the reference of
    the running one that the post is counted to already. `alone`: see `stands_alone` there.
    """

    mention: int
    organisations: tuple[str, ...]
    platform: str
    author: str | None
    at: datetime
    text: str
    labels: frozenset[Label]
    sentiment: Sentiment
    language: str | None = None
    concern: int | None = None
    foldable: bool = False
    campaign: str | None = None
    alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rally:
    """A campaign as mail tells it: its own case, and figures of its posts.

    `topic` is a phrase of data/campaign.toml or "this"; `per_2h` counts the posts in the twelve
    stretches of two hours that end with `until`, oldest first; `cases` are the references of the
    concerns folded into it.
    """

    concern: Concern
    topic: str
    posts: int
    authors: int
    first: datetime | None
    last: datetime | None
    until: datetime
    per_2h: tuple[int, ...]
    cases: tuple[str, ...]
