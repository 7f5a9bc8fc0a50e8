"""One item of Google's feeds as a story: whose it is, where it really stands, and whether it was told
before. Pure."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from connectors.feed_document import Item
from connectors.http import digest
from connectors.plain import parse_date, web_link
from connectors.post import Post
from connectors.seen import content_digest

PLATFORM = "google"
AGAIN = timedelta(days=7)  # the same headline this much later is another story: "School closed"
GENERIC = 4  # words: a shorter headline ("Letters") does not tell a story by itself

_GOOGLE = re.compile(r"(?:www\.)?google\.(?:com|[a-z]{2}|com?\.[a-z]{2})", re.ASCII)
_NEWS_ARTICLE = re.compile(r"/(?:rss/)?articles/([\w-]+)", re.ASCII)
_PLAIN_ARTICLE = b'\x08\x13"'  # protobuf: field 1 is 19, field 4 is the address


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A post, what makes it this story (`key`), and the digest of the id that one feed gave it."""

    key: str
    entry: str
    post: Post


def judge(story: Story, known: str | None, *, now: datetime) -> str | None:
    """Return what to remember of `story` when it is news; None when it was told. Pure.

    News is what is unknown; the same item of the same feed saying something else (an edit); and the
    same headline more than 7 days later. `known` is what this returned last time.
    """
    published = story.post.published_at
    # A date in the future tells nothing about when the story was told.
    day = published.toordinal() if published and published <= now else 0
    content = content_digest(story.post)
    if not known:
        return f"{story.entry}{content}{day}"
    entry, before, told_on = known[:8], known[8:16], int(known[16:])
    if story.entry == entry:
        return None if content == before else f"{entry}{content}{told_on}"
    if day and told_on and day - told_on > AGAIN.days:
        return f"{story.entry}{content}{day}"
    return None


def to_story(item: Item, base: str) -> Story:
    """Return `item` of an alert's or the news search's feed as a story. Pure.

    The feed's own title stays out: it is the search phrase, which nobody said.
    """
    link = unwrapped(web_link(item.link, base))
    host = _host(web_link(item.publisher_url, base) or link)
    headline = _headline(item, host)
    # Google News repeats the headline and the publisher for want of a text.
    text = "" if item.publisher else item.text
    entry = item.id or item.link or headline
    key = f"{_words(headline)}\x00{host or ''}"
    if len(_words(headline).split()) < GENERIC:
        key += f"\x00{entry if _is_google(link) else link}"
    post = Post(
        platform=PLATFORM,
        native_id=digest(key),
        text=text or headline,
        title=headline if text else None,
        url=link,
        author=item.author,
        published_at=parse_date(item.published),
        community=item.publisher or host,
        language=item.language,
    )
    return Story(key=digest(key), entry=digest(entry)[:8], post=post)


def unwrapped(link: str | None) -> str | None:
    """Return where Google's redirect `link` leads, as far as the link itself tells. Pure.

    google.com/url names its target, and is no link when that is no web page. A Google News article
    names it where its id is a plain protobuf; newer ones are opaque without asking Google, and stay
    as they are: they work in a browser.
    """
    if not link:
        return None
    parts = urlsplit(link)
    host = parts.hostname or ""
    if _GOOGLE.fullmatch(host) and parts.path == "/url":
        query = parse_qs(parts.query)
        target = next(iter(query.get("url", ()) or query.get("q", ())), None)
        return _absolute(target)
    article = _NEWS_ARTICLE.fullmatch(parts.path) if host == "news.google.com" else None
    return _absolute(_in_article(article[1])) or link if article else link


def native_id(key: str, told: str) -> str:
    """The day on which a story was first told tells it from the same headline next winter."""
    return f"story:{key}:{told[16:]}"


def _headline(item: Item, host: str | None) -> str:
    """The title without the publisher's name, which Google writes after it."""
    title = item.title or item.text
    front, dash, name = title.rpartition(" - ")
    squashed = _words(name).replace(" ", "")
    theirs = (item.publisher and name == item.publisher) or (
        host and squashed and squashed in _words(host).replace(" ", "")
    )
    return front if dash and theirs else title


def _words(text: str) -> str:
    """`text` without case, marks and spacing, in which two copies of a headline may differ."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def _host(link: str | None) -> str | None:
    if not link or _is_google(link):
        return None
    return (urlsplit(link).hostname or "").removeprefix("www.") or None


def _is_google(link: str | None) -> bool:
    host = urlsplit(link or "").hostname or ""
    return host == "news.google.com" or bool(_GOOGLE.fullmatch(host))


def _absolute(target: str | None) -> str | None:
    return web_link(target, "") if target else None


def _in_article(name: str) -> str | None:
    """The address within a Google News article's id, where it stands there in clear."""
    try:
        raw = base64.urlsafe_b64decode(name + "=" * (-len(name) % 4))
    except ValueError:
        return None
    if not raw.startswith(_PLAIN_ARTICLE) or len(raw) < 6:
        return None
    length, start = raw[3], 4
    if length > 127:  # a protobuf length of two bytes
        length, start = (length & 127) | raw[4] << 7, 5
    target = raw[start : start + length]
    return target.decode() if len(target) == length and target.isascii() else None
