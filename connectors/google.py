"""Google Alerts and Google News, over the feeds that both offer: what other people's pages say.

Neither has an API. Alerts are made by a person at google.com/alerts ("deliver to: RSS feed"), and
their feed addresses stand in the configuration; Google News is searched for the organisations' own
names. Both show one story again and again, in several feeds and under new ids, so a story here is its
headline and its publisher: it is delivered once, however often it is shown.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Self
from urllib.parse import urlencode

from pydantic import AfterValidator, Field, model_validator

from connectors.errors import SourceError, SourceRejected, SourceUnavailable
from connectors.feed_reader import FeedSettings, checked_url, read_feed
from connectors.google_story import PLATFORM, Story, judge, native_id, to_story
from connectors.http import digest
from connectors.post import Batch, CursorState, Post
from connectors.seen import Seen, portions

_TERMS_A_SEARCH = 8  # Google reads 32 words of a query: https://support.google.com/websearch
_LETTERS_A_SEARCH = 200


class GoogleSettings(FeedSettings):
    """The keys of a `[[sources]]` stanza with `kind = "google"`."""

    # An alert's feed address is its owner's secret: whoever knows it can read it.
    alerts: tuple[Annotated[str, AfterValidator(checked_url)], ...] = Field(
        (), max_length=100, repr=False
    )
    news: bool = False  # search Google News for the organisations of the watchlist
    news_url: Annotated[str, AfterValidator(checked_url)] = "https://news.google.com/rss/search"
    feeds_per_poll: int = Field(10, ge=1, le=50)  # the others' turn comes at the next poll
    timeout_s: float = Field(60.0, gt=0, le=60)

    @model_validator(mode="after")
    def _something_to_read(self) -> Self:
        if not self.alerts and not self.news:
            raise ValueError("give the feed addresses of your alerts, or set news = true, or both")
        return self


class GoogleConnector:
    """Some alerts, and a search of the news; one memory of what was told."""

    Settings = GoogleSettings
    searches = True
    platform = PLATFORM

    def __init__(self, settings: GoogleSettings, *, source: str, terms: Sequence[str] = ()) -> None:
        self.source = source
        self._settings = settings
        self._terms = tuple(terms)

    def _feeds(self) -> dict[str, str]:
        """Each feed's address, by a name that may be told."""
        settings = self._settings
        searches = news_searches(settings.news_url, self._terms) if settings.news else []
        alerts = enumerate(settings.alerts, 1)
        return {f"alert {number} of {len(settings.alerts)}": url for number, url in alerts} | {
            f"news search {number}": url for number, url in enumerate(searches, 1)
        }

    def poll(self, cursor: CursorState, *, now: datetime) -> Iterator[Batch]:
        """Yield stories not told before. Feeds take turns, `feeds_per_poll` a poll.

        All downloads end within `timeout_s`; each document takes at most 20 s more. A feed that
        fails is told after the others' stories are delivered. Raises like `Connector.poll`.
        """
        feeds = self._feeds()
        if not feeds:
            raise SourceRejected("Google News: there is no organisation's name to search for")
        turn = _Turn(cursor, now, self._settings)
        turn.read(feeds)
        yield from turn.batches()
        if turn.error:
            raise turn.error


class _Turn:
    """One poll: the feeds whose turn it is, and the stories in them."""

    def __init__(self, cursor: CursorState, now: datetime, settings: GoogleSettings) -> None:
        self._settings = settings
        self._now = now
        self._seen = Seen.of(cursor)
        self._memories: dict[str, Any] = dict(cursor.get("feeds", {}))
        self._before = {
            "feeds": {name: {} for name in self._memories},
            "next": cursor.get("next", 0),
        }
        self._next = int(cursor.get("next", 0))
        self._told: dict[str, str] = {}  # story's key -> what to remember of it
        self._fresh: dict[str, Post] = {}
        self._gaps: list[str] = []
        self._skipped = 0
        self.error: SourceError | None = None

    def read(self, feeds: Mapping[str, str]) -> None:
        """Read those of `feeds` (name -> address) whose turn it is."""
        deadline = time.monotonic() + self._settings.timeout_s
        names = list(feeds)
        count = min(self._settings.feeds_per_poll, len(names))
        start = self._next % len(names)
        for done, name in enumerate((names[start:] + names[:start])[:count]):
            self._next = (start + done + 1) % len(names)
            # What is left is shared, so that one dead feed leaves some time to the others.
            share = max(deadline - time.monotonic(), 0.01) / (count - done)
            try:
                self._read_one(feeds[name], share)
            except SourceUnavailable as error:
                told = SourceUnavailable(f"{name}: {error}", retry_after=error.retry_after)
                self.error = self.error or told
                if error.retry_after is not None:
                    break  # we are asked to go away: all these feeds are Google's
            except SourceRejected as error:
                self.error = self.error or SourceRejected(f"{name}: {error}")

    def _read_one(self, url: str, timeout_s: float) -> None:
        name = digest(url)
        reading = read_feed(
            url,
            self._settings,
            self._memories.get(name, {}),
            now=self._now,
            timeout_s=timeout_s,
            allow_private=self._settings.allow_private,
        )
        if reading is None:
            return
        stories = [to_story(item, reading.fetched.url) for item in reading.document.items]
        first = name not in self._memories
        known = any(self._seen.content(story.key) for story in stories)
        if gap := reading.gap(turned_over=bool(stories) and not first and not known):
            self._gaps.append(gap)
        self._memories[name] = reading.memory(self._now)
        self._skipped += reading.document.skipped
        oldest = self._now - timedelta(days=self._settings.lookback_days) if first else None
        for story in stories:
            self._take(story, oldest)

    def _take(self, story: Story, oldest: datetime | None) -> None:
        """Remember `story`, and deliver it when it is news."""
        known = self._told.get(story.key) or self._seen.content(story.key)
        told = judge(story, known, now=self._now)
        if told is None:
            self._told.setdefault(story.key, known or "")
            return
        self._told[story.key] = told
        published = story.post.published_at
        if oldest is None or published is None or published >= oldest:
            named = replace(story.post, native_id=native_id(story.key, told))
            self._fresh[story.key] = named

    def batches(self) -> Iterator[Batch]:
        """Yield what is news; the feeds' validators are committed with the last of it. Also when no
        feed could be read, so that the next poll begins with the next feed."""
        keys = {digest(post.native_id): digest(key) for key, post in self._fresh.items()}
        current = {digest(key): told for key, told in self._told.items()}
        skipped, gap = self._skipped, "; ".join(dict.fromkeys(self._gaps)) or None
        for posts, waiting in portions(list(self._fresh.values()), self._settings.max_items):
            entries = self._seen.entries(current, {keys[name] for name in waiting})
            after = {"feeds": self._memories, "next": self._next}
            state: dict[str, Any] = {"seen": entries} | (self._before if waiting else after)
            yield Batch(posts=posts, cursor=state, skipped=skipped, gap=gap)
            skipped, gap = 0, None  # told once


def news_searches(url: str, terms: Sequence[str]) -> list[str]:
    """Return the feed addresses that search the news for any of `terms`, organisations' names, a
    few in each. Hashtags are left out: news has none. Pure."""
    groups: list[list[str]] = []
    for term in dict.fromkeys(term.strip() for term in terms if not term.startswith("#")):
        full = not groups or len(groups[-1]) == _TERMS_A_SEARCH
        if full or sum(map(len, groups[-1])) + len(term) > _LETTERS_A_SEARCH:
            groups.append([])
        groups[-1].append(term)
    edition = {"hl": "en-GB", "gl": "GB", "ceid": "GB:en"}
    return [
        f"{url}?" + urlencode({"q": " OR ".join(f'"{term}"' for term in group)} | edition)
        for group in groups
    ]
