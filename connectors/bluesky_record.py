"""One Bluesky post record, as the live stream and the search both carry it, made a `Post`. Pure.

A record is written by its author's client, so nothing in it is sure: not the clock, not the types.
https://github.com/bluesky-social/atproto/blob/main/lexicons/app/bsky/feed/post.json
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.post import Post

PLATFORM = "bluesky"
COLLECTION = "app.bsky.feed.post"
MAX_TEXT = 10_000  # characters; the lexicon allows 3,000 bytes of text and 20 pictures with words
MAX_ADDED = 2000  # characters of one thing beside the text
# Bluesky's own client shows the time of indexing, too, when the author's is further off.
BELIEVED = timedelta(hours=24)

_DID = re.compile(r"did:[a-z]{1,32}:[A-Za-z0-9._:%-]{1,2000}")
_KEY = re.compile(r"[A-Za-z0-9._:~-]{1,512}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,4}")
_LINKS = ("https://", "http://")


def post_uri(did: str, key: str) -> str:
    """The at:// address of a post, which is its native id. Raises ValueError for what is none."""
    if not (_DID.fullmatch(did) and _KEY.fullmatch(key)):
        raise ValueError("not the address of a post")
    return f"at://{did}/{COLLECTION}/{key}"


def account_prefix(did: str) -> str:
    """What the native ids of all posts of an account begin with. Raises ValueError for no account."""
    if not _DID.fullmatch(did):
        raise ValueError("not an account")
    return f"at://{did}/"


def to_post(did: str, key: str, record: Mapping[str, Any], seen_at: datetime) -> Post:
    """Return the record `key` of account `did` as a post. Pure.

    `seen_at` is when the network saw it, in UTC: the author's own clock is believed up to that moment
    and down to 24 hours before, as Bluesky's own client does; no `createdAt` at all gives no date.
    The author is the DID, which stays when a handle changes, and is the same from stream and search.
    Raises ValueError for what is not a post.
    """
    uri = post_uri(did, key)
    text = record.get("text")
    if not isinstance(text, str):
        raise ValueError("a post without text")  # noqa: TRY004  (one error for a bad record)
    return Post(
        platform=PLATFORM,
        native_id=uri,
        text=_with_what_it_shows(text, record),
        url=f"https://bsky.app/profile/{did}/post/{key}",
        author=did,
        published_at=_published(record.get("createdAt"), seen_at),
        language=_language(record.get("langs")),
        thread_id=_thread(record),
    )


def _published(created: object, seen_at: datetime) -> datetime | None:
    if not isinstance(created, str):
        return None
    try:
        told = datetime.fromisoformat(created)
        told = told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return told if seen_at - BELIEVED <= told <= seen_at else seen_at


def _language(langs: object) -> str | None:
    first = langs[0] if isinstance(langs, list) and langs else None
    return first if isinstance(first, str) and _LANGUAGE.fullmatch(first) else None


def _thread(record: Mapping[str, Any]) -> str | None:
    """The post that a reply's conversation began with, or else the post that this one quotes."""
    root = _at(record, "reply", "root", "uri")
    quoted = _at(record, "embed", "record", "record", "uri") or _at(
        record, "embed", "record", "uri"
    )
    for uri in (root, quoted):
        if isinstance(uri, str) and uri.startswith("at://") and len(uri) <= MAX_ADDED:
            return uri
    return None


def _with_what_it_shows(text: str, record: Mapping[str, Any]) -> str:
    """The text, and below it, a line each, what a reader sees or opens beside it: the links, hashtags
    and accounts behind words that don't show them, link cards, and the words on pictures."""
    if "facets" in record or "embed" in record or "tags" in record:
        shown = text.casefold()
        for line in (*_behind_words(text, record), *_tags(record), *_embedded(record.get("embed"))):
            told = line[:MAX_ADDED].strip()
            if told and not _stands_in(shown, _bare(told)):
                text = f"{text}\n{told}"
                shown = f"{shown}\n{told.casefold()}"
    if "\x00" in text or "\r" in text:
        text = text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")
    return text[:MAX_TEXT]


def _bare(line: str) -> str:
    """As it may stand in the text already: clients show a link without its scheme."""
    folded = line.casefold()
    for scheme in _LINKS:
        folded = folded.removeprefix(scheme)
    return folded.removeprefix("www.").rstrip("/")


def _stands_in(shown: str, thing: str) -> bool:
    """Whether `thing` is there as a whole: "#oak" does not stand in "#oakfield"."""
    start = shown.find(thing)
    while start >= 0:
        end = start + len(thing)
        if not shown[end : end + 1].isalnum():
            return True
        start = shown.find(thing, start + 1)
    return False


def _behind_words(text: str, record: Mapping[str, Any]) -> Iterator[str]:
    """What facets point at. An account's DID only when the words behind which it lies name nobody."""
    for facet in _dicts(record.get("facets")):
        for feature in _dicts(facet.get("features")):
            yield from _link(feature.get("uri"))
            yield from _hashtag(feature.get("tag"))
            did = feature.get("did")
            if isinstance(did, str) and _DID.fullmatch(did) and "@" not in _words(text, facet):
                yield f"@{did}"


def _words(text: str, facet: Mapping[str, Any]) -> str:
    """The words that a facet lies under; it counts UTF-8 bytes."""
    start, end = _at(facet, "index", "byteStart"), _at(facet, "index", "byteEnd")
    if not (isinstance(start, int) and isinstance(end, int) and 0 <= start <= end):
        return ""
    return text.encode("utf-8", "surrogatepass")[start:end].decode("utf-8", "replace")


def _tags(record: Mapping[str, Any]) -> Iterator[str]:
    """Hashtags that belong to the post and stand nowhere in its text."""
    tags = record.get("tags")
    for tag in tags if isinstance(tags, list) else ():
        yield from _hashtag(tag)


def _embedded(embed: object, *, deeper: bool = True) -> Iterator[str]:
    """Words on pictures and videos, and what a link card shows."""
    if not isinstance(embed, dict):
        return
    for picture in (*_dicts(embed.get("images")), *_dicts(embed.get("items")), embed):
        alt = picture.get("alt")
        if isinstance(alt, str):
            yield alt
    card = embed.get("external")
    if isinstance(card, dict):
        yield from (
            part for key in ("title", "description") if isinstance(part := card.get(key), str)
        )
        yield from _link(card.get("uri"))
    if deeper:  # recordWithMedia holds one more embed, and no further
        yield from _embedded(embed.get("media"), deeper=False)


def _link(uri: object) -> Iterator[str]:
    if isinstance(uri, str) and uri.casefold().startswith(_LINKS):
        yield uri


def _hashtag(tag: object) -> Iterator[str]:
    if isinstance(tag, str) and tag.strip("# "):
        yield f"#{tag.lstrip('#')}"


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _at(value: object, *keys: str) -> object:
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value
