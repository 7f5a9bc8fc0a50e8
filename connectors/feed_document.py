"""One feed document, RSS, Atom or JSON Feed, taken apart into items of plain text.

`read` does it in a process of its own that it can kill. That is needed, not fashion: measured here,
a 200 KB document whose one element has 5,000 attributes holds feedparser for 5 s, and 200 KB of
nested <div> hold nh3 for 3.4 s; both grow with the square, so a 5 MB document would hold a thread for
most of an hour, and no Python thread can be stopped. A process costs 0.2 s a poll that brought
something new, and bounds the memory as well.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from connectors.errors import SourceUnavailable
from connectors.plain import text_of, text_of_html

MAX_ITEMS = 20_000  # of one document, in its own order
MAX_TEXT = 50_000  # characters of one item
MAX_MEMORY = 1_000_000_000  # bytes of address space; a 5 MB feed takes about 150 MB
_MAX_OUTPUT = 40_000_000  # characters of all items: entities may multiply, our memory may not

_ROOT = str(Path(__file__).resolve().parents[1])
# -P keeps the working directory out of the import path; ours is named, so that a checkout works too.
_CHILD = (
    "import sys; sys.path.append(sys.argv[1]); from connectors import feed_document as f; f.main()"
)
_MAIL = re.compile(r"(?<![\w.+@-])[\w.+-]{1,64}@[\w.-]{1,255}")  # and not @someone@instance
_END = re.compile(rb"</(?:rss|feed|(?:\w+:)?RDF)\s*>\s*(?:<!--.*?-->\s*)?\Z", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item, in plain text but otherwise as the feed says: links may be relative or evil, dates
    are strings. `comments` is where its comments are, `comment_feed` a feed of them, `comment_count`
    how many there are, `reply_to` what it answers. `publisher` is whose item it is, where the feed
    only passes it on, and `publisher_url` that publisher's site."""

    id: str | None
    link: str | None
    title: str
    text: str
    author: str | None
    published: str | None
    comments: str | None
    reply_to: str | None
    language: str | None
    comment_feed: str | None = None
    comment_count: str | None = None
    publisher: str | None = None
    publisher_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A feed. `broken` says that it is not well-formed, `skipped` how many items could not be read,
    `over` how many lay beyond `MAX_ITEMS`."""

    title: str
    items: tuple[Item, ...]
    broken: bool
    skipped: int
    over: int


def read(body: bytes, *, content_type: str, timeout_s: float) -> Document:
    """Take `body` apart within `timeout_s` seconds.

    Raises SourceUnavailable when it is no feed, holds only unreadable items, or takes too long.
    """
    head = json.dumps({"content_type": content_type, "cpu_s": int(timeout_s) + 1})
    command = [sys.executable, "-P", "-c", _CHILD, _ROOT]
    try:
        done = subprocess.run(  # noqa: S603  (our own code, on our own interpreter)
            command,
            input=head.encode() + b"\n" + body,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a traceback would quote the post
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SourceUnavailable(f"the document took over {timeout_s:g} s to read") from None
    if done.returncode != 0:
        raise SourceUnavailable(f"the document could not be read (reader ended {done.returncode})")
    answer = json.loads(done.stdout)
    if problem := answer.get("problem"):
        raise SourceUnavailable(problem)
    items = tuple(Item(**item) for item in answer.pop("items"))
    return Document(items=items, **answer)


def main() -> None:
    """The child: a JSON line and the document on standard input, JSON on standard output."""
    head = json.loads(sys.stdin.buffer.readline())
    _limit(head["cpu_s"])
    try:
        answer = asdict(parse(sys.stdin.buffer.read(), head["content_type"]))
    except SourceUnavailable as error:
        answer = {"problem": str(error)}
    json.dump(answer, sys.stdout, ensure_ascii=True)


def _limit(cpu_s: int) -> None:
    """Bound memory, and time in case our parent dies before it can kill us."""
    with suppress(ImportError, ValueError, OSError):  # Windows has none, a container may forbid it
        import resource  # noqa: PLC0415

        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))


def parse(body: bytes, content_type: str) -> Document:
    """Take `body` apart, however long it takes. Raises SourceUnavailable like `read`."""
    if not body.strip():
        raise SourceUnavailable("the source sent an empty document")
    if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return _parse_json(body)
    return _parse_xml(body, content_type)


def _parse_xml(body: bytes, content_type: str) -> Document:
    import feedparser  # noqa: PLC0415  (0.1 s and 20 MB that only the child needs)

    parsed = feedparser.parse(
        io.BytesIO(body),  # never a str: feedparser would open it as a path or URL
        # No content-location: feedparser would resolve guids against it, and "1" become a URI.
        response_headers={"content-type": content_type},
        sanitize_html=False,  # quadratic; we take the text ourselves
        resolve_relative_uris=False,
    )
    if not parsed.get("version") and not parsed.entries:
        raise SourceUnavailable("the source sent something that is not a feed")
    entries = parsed.entries
    if parsed.bozo and entries and not _END.search(body[-2000:]) and not entries[-1].get("id"):
        # Cut off within this item, before its id: under another id it would come twice.
        entries = entries[:-1]
    feed = parsed.feed
    return _document(
        feed.get("title", ""), entries, lambda entry: _item(entry, feed), broken=bool(parsed.bozo)
    )


def _document(
    title: str, raw: list[Any], to_item: Callable[[Any], Item], *, broken: bool
) -> Document:
    items, skipped, size = [], 0, 0
    for entry in raw[:MAX_ITEMS]:
        try:
            item = to_item(entry)
        except (AttributeError, KeyError, TypeError, ValueError):
            skipped += 1
            continue
        size += len(item.text) + len(item.title)
        if size > _MAX_OUTPUT:
            raise SourceUnavailable("the document is too long once its entities are expanded")
        items.append(item)
    if skipped and not items:
        raise SourceUnavailable(f"none of the {skipped} items of the feed can be read")
    return Document(
        title=text_of_html(title)[:500],
        items=tuple(items),
        broken=broken,
        skipped=skipped,
        over=max(0, len(raw) - MAX_ITEMS),
    )


def _item(entry: dict[str, Any], feed: Mapping[str, Any]) -> Item:
    """Raises ValueError for an item that says nothing at all."""
    content = max((_plain(body) for body in entry.get("content", ())), key=len, default="")
    summary = _plain(entry.get("summary_detail") or {})
    detail = entry.get("title_detail") or {}
    source = entry.get("source") or {}
    return _said(
        id=_short(entry.get("id")),
        link=_link(entry),
        title=_plain(detail),
        # The content says all of the summary, unless it is a caption or a "read more".
        text=content if 2 * len(content) > len(summary) else summary,
        author=_name(entry.get("author")),
        # dict.get: feedparser's own `get` answers "updated" with "published", and warns.
        published=_short(dict.get(entry, "published") or dict.get(entry, "updated")),
        comments=_short(entry.get("comments") or _replies(entry, "html")),
        comment_feed=_short(entry.get("wfw_commentrss") or _replies(entry, "xml")),
        comment_count=_count(entry),
        publisher=_name(source.get("title")),
        publisher_url=_short(source.get("href")),
        reply_to=_reply_to(entry),
        language=_short(detail.get("language") or feed.get("language")),
    )


def _plain(detail: Mapping[str, Any]) -> str:
    value = detail.get("value") or ""
    make = text_of if detail.get("type") == "text/plain" else text_of_html
    return make(value)


def _link(entry: Mapping[str, Any]) -> str | None:
    """Without feedparser's guess that a guid such as "42" is a link."""
    link = _short(entry.get("link"))
    guessed = entry.get("guidislink") and link == _short(entry.get("id"))
    return None if guessed and link and "://" not in link else link


def _replies(entry: Mapping[str, Any], form: str) -> str | None:
    """RFC 4685's link to the replies, as a page ("html") or as a feed ("xml"); feedparser takes a link
    without a type for a page."""
    links = (link for link in entry.get("links", ()) if link.get("rel") == "replies")
    found = (link for link in links if form in link.get("type", ""))
    return next((link.get("href") for link in found), None)


def _count(entry: Mapping[str, Any]) -> str | None:
    """How many comments: slash:comments, or RFC 4685's thr:total or thr:count."""
    links = (link for link in entry.get("links", ()) if link.get("rel") == "replies")
    counted = (link.get("thr:count") or link.get("count") for link in links)
    found = entry.get("slash_comments") or entry.get("thr_total") or next(filter(None, counted), "")
    return found if re.fullmatch(r"[0-9]{1,9}", str(found)) else None


def _reply_to(entry: Mapping[str, Any]) -> str | None:
    """Atom's thr:in-reply-to (RFC 4685): the page that is answered, or its id."""
    thread = entry.get("thr_in-reply-to")
    return _short(thread.get("href") or thread.get("ref")) if isinstance(thread, Mapping) else None


def _parse_json(body: bytes) -> Document:
    """JSON Feed 1.0 and 1.1, https://www.jsonfeed.org/version/1.1/."""
    try:
        feed = json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        raise SourceUnavailable("the source sent JSON that cannot be read") from None
    items = feed.get("items")
    if "jsonfeed.org/version/1" not in str(feed.get("version")) or not isinstance(items, list):
        raise SourceUnavailable("the source sent JSON that is not a feed")
    return _document(
        str(feed.get("title") or ""), items, lambda item: _json_item(item, feed), broken=False
    )


def _json_item(item: Mapping[str, Any], feed: Mapping[str, Any]) -> Item:
    texts = (
        text_of_html(str(item.get("content_html") or "")),
        text_of(str(item.get("content_text") or "")),
        text_of(str(item.get("summary") or "")),
    )
    authors = item.get("authors") or [item.get("author") or {}]
    native_id = item.get("id")
    return _said(
        id=None if native_id in (None, "") else _short(str(native_id)),  # numbers are allowed
        link=_short(item.get("url") or item.get("external_url")),
        title=text_of(str(item.get("title") or "")),
        text=next((text for text in texts if text), ""),
        author=_name(authors[0].get("name")),
        published=_short(item.get("date_published") or item.get("date_modified")),
        comments=None,
        reply_to=None,
        language=_short(item.get("language") or feed.get("language")),
    )


def _said(*, title: str, text: str, **rest: str | None) -> Item:
    title, text = title[:1000], text[:MAX_TEXT]
    if not title and not text:
        raise ValueError("an item without a word")
    return Item(title=title, text=text, **rest)


def _short(value: str | None) -> str | None:
    """A field that is not text; an absurdly long one is none. Raises TypeError for no string."""
    return value.strip() or None if value and len(value) <= 4000 else None


def _name(value: str | None) -> str | None:
    """An author's name without an address: RSS authors are "someone@school.example (Someone)".
    feedparser's own split knows no top-level domain of more than four letters."""
    name = text_of(_MAIL.sub("", value or "")).strip(" ()<>,")
    return name[:200] or None
