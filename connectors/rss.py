"""RSS, Atom and JSON Feed: blogs, local papers, comment feeds.

What is new is known by what has been seen, never by a date: a comment that waited for approval
appears with the time at which it was written, days behind everything already read.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from connectors.comment_feeds import CommentFeeds, follow
from connectors.feed_document import Item
from connectors.feed_reader import FeedSettings, Reading, checked_url, read_feed
from connectors.http import digest
from connectors.plain import parse_date, web_link, without_fragment
from connectors.post import Batch, CursorState, Post
from connectors.seen import Seen, content_digest, portions, unambiguous

_URI = re.compile(r"(?:https?|tag|urn):", re.IGNORECASE)
_COMMENT_ANCHOR = re.compile(r"#(?:comment|c|idcomment|respond)[-_]?\d+$", re.IGNORECASE)


class RssSettings(FeedSettings):
    """The keys of a `[[sources]]` stanza with `kind = "rss"`."""

    url: Annotated[str, AfterValidator(checked_url)] = Field(repr=False)
    platform: str = Field("rss", pattern=r"^[a-z][a-z0-9_-]{0,31}$")
    community: str | None = Field(None, max_length=200)  # the place or group that the feed is about
    comments: bool = False  # read the items' own comment feeds as well
    comment_feeds: int = Field(20, ge=1, le=100)  # of so many recent items


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What `to_post` must know of the feed that an item stood in. `url` is the configured one, by
    which ids are scoped; `base` is where the document came from, against which links resolve."""

    platform: str
    url: str
    base: str
    title: str | None = None
    community: str | None = None


class RssConnector:
    """One feed."""

    Settings = RssSettings

    def __init__(self, settings: RssSettings, *, source: str) -> None:
        self.platform = settings.platform
        self.source = source
        self._settings = settings

    def poll(self, cursor: CursorState, *, now: datetime) -> Iterator[Batch]:
        """Yield what is new or edited, at most `max_items` posts a batch, in the end the cursor that
        lets the next poll ask "only if changed".

        Ends within `timeout_s` + 20 seconds; raises like `Connector.poll`. A crash between two
        batches re-reads the document and delivers the rest.
        """
        settings = self._settings
        deadline = time.monotonic() + settings.timeout_s
        reading = read_feed(
            settings.url,
            settings,
            # The counts of comments in a feed change without its ETag.
            {} if settings.comments else cursor,
            now=now,
            timeout_s=settings.timeout_s,
            allow_private=settings.allow_private,
        )
        if reading is None:
            yield Batch(posts=(), cursor=cursor)
            return
        seen = Seen.of(cursor)
        posts = self._posts(reading)
        gap = reading.gap(turned_over=seen.knows_none_of(unambiguous(posts, seen)))
        below = self._comments(reading, cursor, now, deadline)
        for comments, had_some in below.readings:
            said = self._posts(comments)
            posts += said
            turned_over = had_some and seen.knows_none_of(said)
            gap = gap or comments.gap(turned_over=turned_over)
        posts = unambiguous(posts, seen)
        oldest = now - timedelta(days=settings.lookback_days)
        fresh = [post for post in posts if seen.is_news(post)]
        if not cursor:
            fresh = [post for post in fresh if not _before(post, oldest)]
        yield from _batches(
            posts,
            fresh,
            seen,
            size=settings.max_items,
            memory=self._memory(reading, below, now),
            skipped=sum(one.document.skipped for one in (reading, *(r for r, _ in below.readings))),
            gap=gap,
            note=f"{below.refused} comment feeds are closed to us" if below.refused else None,
        )
        if below.error:
            raise below.error

    def _comments(
        self, reading: Reading, cursor: CursorState, now: datetime, deadline: float
    ) -> CommentFeeds:
        if not self._settings.comments:
            return CommentFeeds()
        return follow(
            reading.document.items,
            reading.fetched.url,
            self._settings,
            cursor.get("comments", {}),
            limit=self._settings.comment_feeds,
            now=now,
            deadline=deadline,
        )

    def _memory(self, reading: Reading, below: CommentFeeds, now: datetime) -> dict[str, Any]:
        """What makes the next poll cheaper. A feed of comments is never asked conditionally."""
        if self._settings.comments:
            return {"comments": below.memory}
        if any(_answers(item) for item in reading.document.items):
            return {}
        return reading.memory(now)

    def _posts(self, reading: Reading) -> list[Post]:
        feed = self._feed(reading)
        return [to_post(item, feed) for item in reading.document.items]

    def _feed(self, reading: Reading) -> Feed:
        return Feed(
            platform=self.platform,
            url=self._settings.url,
            base=reading.fetched.url,
            title=reading.document.title or None,
            community=self._settings.community,
        )


def to_post(item: Item, feed: Feed) -> Post:
    """Return `item` of `feed` as a post. Pure."""
    link = web_link(item.link, feed.base)
    title = _title(item)
    return Post(
        platform=feed.platform,
        native_id=_native_id(item, feed),
        # A headline alone is still something said.
        text=item.text or title or item.title,
        title=title if item.text else None,
        url=link,
        author=item.author,
        published_at=parse_date(item.published),
        community=feed.community,
        feed_title=feed.title,
        language=item.language,
        thread_id=_thread(item, link, feed.base),
    )


def _native_id(item: Item, feed: Feed) -> str:
    """`host:digest`, the same after an edit. A guid that is a URI is unique on its host, so that a
    site's several feeds agree on it; any other ("42") is unique in its feed only."""
    host = urlsplit(feed.url).hostname or ""
    if item.id or item.link:
        name = item.id or item.link or ""
        scope = host if _URI.match(name) else feed.url
    else:
        name, scope = f"{item.title}\x00{item.text}", feed.url
    return f"{host}:{digest(scope + chr(0) + name)}"


def _title(item: Item) -> str | None:
    """The title without the commenter's name, which WordPress writes into it: the name has a field of
    its own, and is not what was said."""
    title = item.title
    if item.author and title == f"By: {item.author}":
        return None
    if item.author and title.startswith("Comment on "):
        title = title.removesuffix(f" by {item.author}")
    return title or None


def _thread(item: Item, link: str | None, base: str) -> str | None:
    """The page on which this post is discussed: what the item answers, its page without the comment's
    anchor, or, for an article, the page of its comments. So an article and its comments agree."""
    if item.reply_to:
        return without_fragment(web_link(item.reply_to, base) or item.reply_to)
    if link and _COMMENT_ANCHOR.search(link):
        return without_fragment(link)
    comments = web_link(item.comments, base)
    return without_fragment(comments) if comments else None


def _answers(item: Item) -> bool:
    """True for a comment, as opposed to what it comments on."""
    return bool(item.reply_to or (item.link and _COMMENT_ANCHOR.search(item.link)))


def _before(post: Post, oldest: datetime) -> bool:
    return post.published_at is not None and post.published_at < oldest


def _batches(
    document: Sequence[Post],
    fresh: Sequence[Post],
    seen: Seen,
    *,
    size: int,
    memory: Mapping[str, Any],
    skipped: int,
    gap: str | None,
    note: str | None,
) -> Iterator[Batch]:
    """`memory` is committed with the last batch only: a crash before that reads the feed again."""
    current = {digest(post.native_id): content_digest(post) for post in document}
    for posts, waiting in portions(fresh, size):
        state: dict[str, Any] = {"seen": seen.entries(current, waiting)}
        if not waiting:
            state |= memory
        yield Batch(posts=posts, cursor=state, skipped=skipped, gap=gap, note=note)
        skipped, gap = 0, None  # told once
