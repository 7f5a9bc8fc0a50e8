"""The comments under a feed's articles: read from the feeds that the items themselves name.

WordPress names one in wfw:commentRss, Blogger and others in Atom's link rel="replies" (RFC 4685), most
with a count beside it (slash:comments, thr:total), which tells whether a look is worth a request.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from connectors.errors import SourceError, SourceRejected, SourceUnavailable
from connectors.feed_document import Item
from connectors.feed_reader import REREAD, FeedSettings, Reading, read_feed
from connectors.http import digest
from connectors.plain import parse_date, web_link

RECENT = timedelta(days=30)  # an older article's comments are no longer read


@dataclass(slots=True)
class CommentFeeds:
    """What `follow` found. `memory` is to be handed to the next call; `error` is the first failure
    that may heal, to be raised when the rest is delivered; `refused` counts feeds that are closed."""

    readings: list[tuple[Reading, bool]] = field(
        default_factory=list
    )  # and whether it had items before
    memory: dict[str, Any] = field(default_factory=dict)
    error: SourceError | None = None
    refused: int = 0


def follow(
    items: Sequence[Item],
    base: str,
    settings: FeedSettings,
    memory: Mapping[str, Any],
    *,
    limit: int,
    now: datetime,
    deadline: float,
) -> CommentFeeds:
    """Read the comment feeds of the first `limit` recent ones of `items`, a document's from `base`.

    A feed is read when its count of comments changed, and every hour: an edit does not change the
    count. Ends by `deadline` (time.monotonic), but for the parsing of the last document. A feed on
    another host than `base` must be public and on a usual port, whatever `settings` allow.
    """
    found = CommentFeeds()
    waiting = []
    for item, url in list(_named(items, base, now))[:limit]:
        known = memory.get(digest(url))
        if known:
            found.memory[digest(url)] = known
        if item.comment_count != "0" and not _is_fresh(known, item.comment_count, now):
            waiting.append((item, url))
    for done, (item, url) in enumerate(waiting):
        # What is left is shared, so that one dead feed leaves some time to the others.
        share = max(deadline - time.monotonic(), 0.01) / (len(waiting) - done)
        known = memory.get(digest(url), ["", "", 0])
        shown = 0
        try:
            reading = read_feed(
                url,
                settings,
                {},  # comment feeds are never asked conditionally: see REREAD
                now=now,
                timeout_s=share,
                allow_private=settings.allow_private and _origin(url) == _origin(base),
            )
        except SourceUnavailable as error:
            found.error = found.error or _told(error)
            if error.retry_after is not None:
                break  # the site asks us to go away
            continue
        except SourceRejected:
            found.refused += 1
        else:
            if reading:
                found.readings.append((reading, bool(known[2])))
                shown = len(reading.document.items)
        found.memory[digest(url)] = [item.comment_count, now.isoformat(), shown]
    return found


def _named(items: Sequence[Item], base: str, now: datetime) -> Iterator[tuple[Item, str]]:
    for item in items:
        published = parse_date(item.published)
        url = web_link(item.comment_feed, base)
        if url and (published is None or published > now - RECENT):
            yield item, url


def _is_fresh(known: Sequence[Any] | None, count: str | None, now: datetime) -> bool:
    if not known or known[0] != count:
        return False
    return timedelta(0) <= now - datetime.fromisoformat(known[1]) < REREAD


def _told(error: SourceUnavailable) -> SourceUnavailable:
    return SourceUnavailable(f"comments: {error}", retry_after=error.retry_after)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
