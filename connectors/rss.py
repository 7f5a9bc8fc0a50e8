"""RSS, Atom and JSON Feed: blogs, local papers, comment feeds, Google Alerts.

What is new is known by what has been seen, never by a date: a comment that waited for approval
appears with the time at which it was written, days behind everything already read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from connectors import feed_document
from connectors.feed_document import Document, Item
from connectors.http import Fetched, Validators, digest, fetch
from connectors.plain import parse_date, web_link, without_fragment
from connectors.post import Batch, CursorState, Post
from connectors.seen import Seen, content_digest, unambiguous

READ_S = 20.0  # for taking the document apart, on top of timeout_s: 5 MB take 5 s of CPU
# A server may say "not modified" and be wrong. WordPress makes a comment feed's ETag and Last-Modified
# from the newest comment's date alone, so neither an edit nor an older comment that is approved now
# changes them (seen with 6.1.9): comment feeds are always read whole, and all others this often.
REREAD = timedelta(hours=1)

_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, "
    "text/xml;q=0.9, application/json;q=0.8, */*;q=0.5"
)
_URI = re.compile(r"(?:https?|tag|urn):", re.IGNORECASE)
_COMMENT_ANCHOR = re.compile(r"#(?:comment|c|idcomment|respond)[-_]?\d+$", re.IGNORECASE)


def _checked_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("write a full http:// or https:// address")
    if "@" in parts.netloc:
        raise ValueError("take the user name and password out: secrets never stand in the TOML")
    return url


class RssSettings(BaseModel):
    """The keys of a `[[sources]]` stanza with `kind = "rss"`."""

    # A URL may hold a token: it is kept out of what pydantic prints.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: Annotated[str, AfterValidator(_checked_url)] = Field(repr=False)
    platform: str = Field("rss", pattern=r"^[a-z][a-z0-9_-]{0,31}$")
    lookback_days: int = Field(30, ge=0, le=30)  # at the first poll
    timeout_s: float = Field(20.0, gt=0, le=60)  # for the whole download
    max_bytes: int = Field(5_000_000, ge=10_000, le=20_000_000)  # decoded
    max_items: int = Field(500, ge=1, le=5000)  # in one batch, which is one commit
    allow_private: bool = False  # for a host inside the trust's own network
    community: str | None = Field(None, max_length=200)  # the place or group that the feed is about
    contact: str | None = Field(
        None, max_length=200, pattern=r"^[\x21-\x7e]+$"
    )  # mail or web address


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
        fetched = self._fetch(cursor, now)
        if fetched.not_modified:
            yield Batch(posts=(), cursor=cursor)
            return
        document = feed_document.read(
            fetched.body, content_type=fetched.content_type, timeout_s=READ_S
        )
        feed = self._feed(document, fetched)
        seen = Seen.of(cursor)
        posts = unambiguous([to_post(item, feed) for item in document.items], seen)
        oldest = now - timedelta(days=self._settings.lookback_days)
        fresh = [post for post in posts if seen.is_news(post)]
        if not cursor:
            fresh = [post for post in fresh if not _before(post, oldest)]
        whole = not (fetched.incomplete or document.broken or document.over)
        comments = any(_answers(item) for item in document.items)
        validators = asdict(fetched.validators) if whole and not comments else None
        yield from _batches(
            posts,
            fresh,
            seen,
            size=self._settings.max_items,
            validators={"validators": validators, "read_at": now.isoformat()} if validators else {},
            skipped=document.skipped,
            gap=_gap(fetched, document, turned_over=seen.knows_none_of(posts)),
        )

    def _fetch(self, cursor: CursorState, now: datetime) -> Fetched:
        settings = self._settings
        contact = f" (+{settings.contact})" if settings.contact else ""
        stored = cursor.get("validators") if _read_lately(cursor, now) else None
        return fetch(
            settings.url,
            validators=Validators(**stored) if stored else None,
            timeout_s=settings.timeout_s,
            max_bytes=settings.max_bytes,
            allow_private=settings.allow_private,
            user_agent=f"trust-monitor{contact}",
            accept=_ACCEPT,
        )

    def _feed(self, document: Document, fetched: Fetched) -> Feed:
        return Feed(
            platform=self.platform,
            url=self._settings.url,
            base=fetched.url,
            title=document.title or None,
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


def _read_lately(cursor: CursorState, now: datetime) -> bool:
    """Also False when the clock was set back since."""
    if "read_at" not in cursor:
        return False
    return timedelta(0) <= now - datetime.fromisoformat(cursor["read_at"]) < REREAD


def _before(post: Post, oldest: datetime) -> bool:
    return post.published_at is not None and post.published_at < oldest


def _gap(fetched: Fetched, document: Document, *, turned_over: bool) -> str | None:
    if fetched.incomplete:
        return f"only the beginning of the feed was read: {fetched.incomplete}"
    if document.over:
        return f"{document.over} items of the feed were not read: it has too many"
    if turned_over:
        return "the feed turned over completely between two polls: posts may have been missed"
    return None


def _batches(
    document: Sequence[Post],
    fresh: Sequence[Post],
    seen: Seen,
    *,
    size: int,
    validators: Mapping[str, Any],
    skipped: int,
    gap: str | None,
) -> Iterator[Batch]:
    """Yield `fresh`, the last of the document first, since feeds put the newest on top."""
    current = {digest(post.native_id): content_digest(post) for post in document}
    waiting = {digest(post.native_id) for post in fresh}
    ordered = fresh[::-1]
    for start in range(0, max(len(ordered), 1), size):
        posts = tuple(ordered[start : start + size])
        waiting.difference_update(digest(post.native_id) for post in posts)
        state: dict[str, Any] = {"seen": seen.entries(current, waiting)}
        if not waiting:
            state |= validators
        yield Batch(posts=posts, cursor=state, skipped=skipped, gap=gap)
        skipped, gap = 0, None  # told once
