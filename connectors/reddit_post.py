"""Reddit's wire format taken apart: one thing (t1: a comment, t3: a post) in, our post out. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from connectors.plain import text_of, text_of_html, web_link
from connectors.post import Post

_HOME = "https://www.reddit.com"
_FULLNAME = re.compile(r"t[13]_[a-z0-9]{1,20}", re.ASCII)
# Also written [ Removed by Reddit ] and [deleted by user].
_GONE = re.compile(r"\[\s*(?:deleted|removed)\b[^\[\]]{0,40}\]", re.IGNORECASE)
_OWN_HOSTS = ("reddit.com", "redd.it", "redditmedia.com")

Thing = Mapping[str, Any]


def to_post(thing: Thing) -> Post:
    """Return the `data` of a comment or a post as a post. Raises ValueError for what is neither.

    A comment's title is that of the post below which it stands; a cross-post carries what it passes
    on; a post that only links has the address in its text.
    """
    name = thing.get("name")
    if not isinstance(name, str) or not _FULLNAME.fullmatch(name):
        raise ValueError("not a comment and not a post")
    said = _said(thing)
    title = text_of(_text(thing, "title") or _text(thing, "link_title")) or None
    author = _text(thing, "author")
    return Post(
        platform="reddit",
        native_id=name,
        text=said or title or "",
        title=title if said else None,
        url=web_link(_text(thing, "permalink"), _HOME),
        author=author if author and not _GONE.fullmatch(author) else None,
        published_at=_moment(thing.get("created_utc")),
        community=f"r/{subreddit}" if (subreddit := _text(thing, "subreddit")) else None,
        thread_id=_text(thing, "link_id") or name,
    )


def is_gone(thing: Thing) -> bool:
    """True when its author deleted it, or a moderator or Reddit removed it. A post that remains
    after its author's account was deleted is not gone: Reddit shows it still, without the name."""
    text = _text(thing, "body") or _text(thing, "selftext")
    return bool(thing.get("removed_by_category") or _GONE.fullmatch(text.strip()))


def _said(thing: Thing) -> str:
    """The thing's own words, what it cross-posts, and where it links to, each on lines of its own."""
    parts = [_words(thing, "body") or _words(thing, "selftext")]
    parents = thing.get("crosspost_parent_list")
    for parent in parents[:1] if isinstance(parents, list) else ():
        if isinstance(parent, Mapping) and not is_gone(parent):
            parts += [text_of(_text(parent, "title")), _words(parent, "selftext"), _link(parent)]
    parts.append(_link(thing))
    return "\n".join(dict.fromkeys(part for part in parts if part))


def _words(thing: Thing, field: str) -> str:
    """As a reader sees it. Reddit sends the author's Markdown, and the HTML that it makes of it."""
    markup = _text(thing, f"{field}_html")
    return text_of_html(markup) if markup else text_of(_text(thing, field))


def _link(thing: Thing) -> str:
    """The address outside Reddit that a post is about: a school is known by it, too."""
    link = web_link(_text(thing, "url"), _HOME)
    host = (urlsplit(link).hostname or "") if link else ""
    own = any(host == known or host.endswith(f".{known}") for known in _OWN_HOSTS)
    return link if link and not own else ""


def _text(thing: Thing, field: str) -> str:
    value = thing.get(field)
    return value if isinstance(value, str) else ""


def _moment(seconds: object) -> datetime | None:
    """Seconds since 1970 as a time in UTC; None, never the present, for anything else."""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or seconds <= 0:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
