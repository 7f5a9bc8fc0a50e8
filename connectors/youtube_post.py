"""What YouTube's API shows, as posts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.plain import parse_date, text_of
from connectors.post import Post

PLATFORM = "youtube"


def to_post(
    comment: Mapping[str, Any], thread: Mapping[str, Any], *, community: str | None = None
) -> Post:
    """Return a comment, or a reply, of `thread` as a post. Pure. Raises LookupError, TypeError or
    ValueError for one that YouTube would not send."""
    snippet, name = comment["snippet"], str(comment["id"])
    video = snippet.get("videoId") or thread["snippet"].get("videoId")
    page = f"https://www.youtube.com/watch?v={video}" if video else None
    said = text_of(str(snippet.get("textDisplay") or snippet.get("textOriginal") or ""))
    if not said:
        raise ValueError("a comment without a word")
    return Post(
        platform=PLATFORM,
        native_id=f"comment:{name}",
        text=said[:50_000],
        url=f"{page}&lc={name}" if page else None,
        author=text_of(str(snippet.get("authorDisplayName") or ""))[:200] or None,
        published_at=parse_date(snippet.get("publishedAt")),
        community=community,
        thread_id=page or f"thread:{thread.get('id')}",
    )


def video_post(item: Mapping[str, Any]) -> Post:
    """Return a video that a search found as a post: its title and the beginning of its description.
    Pure. Raises like `to_post`."""
    snippet, video = item["snippet"], str(item["id"]["videoId"])
    page = f"https://www.youtube.com/watch?v={video}"
    title, about = (text_of(str(snippet.get(key) or "")) for key in ("title", "description"))
    if not title and not about:
        raise ValueError("a video without a word")
    return Post(
        platform=PLATFORM,
        native_id=f"video:{video}",
        text=about or title,
        title=title if about else None,
        url=page,
        author=text_of(str(snippet.get("channelTitle") or ""))[:200] or None,
        published_at=parse_date(snippet.get("publishedAt")),
        thread_id=page,
    )
