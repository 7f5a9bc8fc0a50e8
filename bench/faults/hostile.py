"""Hostile feeds: each stays a matter of its own source, costs at most 50 MB, and injects nothing.

First fifty documents by hand, served over HTTP and read by the real connector beside a good one. Then
Hypothesis draws documents: whatever can be read becomes a letter, and no letter may hold a header,
an element or an address that the document brought.
"""

from __future__ import annotations

import gzip
import os
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from html.parser import HTMLParser
from itertools import product
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.faults.report import Row, faults_of
from connectors.errors import SourceError, SourceUnavailable
from connectors.feed_document import parse
from connectors.post import Post
from connectors.rss import RssConnector, RssSettings
from monitor.delivery.letters import Letters
from monitor.domain import Disclosure, Notice
from tests.connectors import feed_server
from tests.connectors.feed_server import FeedServer
from tests.delivery.samples import NOW, SLT, THREAT, renderer

MORE_AT_MOST = 50_000_000  # bytes of resident memory
ALLOWED = frozenset(
    [
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "div",
        "p",
        "a",
        "span",
        "strong",
        "em",
        "b",
        "i",
        "ul",
        "ol",
        "li",
        "table",
        "tbody",
        "thead",
        "tr",
        "td",
        "th",
        "h1",
        "h2",
        "h3",
        "bdi",
        "blockquote",
        "pre",
        "code",
        "br",
        "hr",
        "small",
        "img",
    ]
)
URGENT = "I am going to kill the head of Quenby Moor Academy."
EVIL = (
    "\r\nBcc: everybody@evil.example\r\n\r\n",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<style>*{display:none}</style>",
    "]]><injected/>",
    "{{ 7*7 }} {% for x in y %}",
    "\x00\x1b[2J\u202e\u2066\ufeff",
    "=?utf-8?q?=0D=0ABcc:=20all@evil.example?=",
)
TITLES = ("", "A" * 1_000_000, *EVIL)


def item(title: str, text: str, number: int) -> str:
    """An item as an author of feeds would write it who escapes nothing."""
    return (
        f"<item><guid isPermaLink='false'>tag:evil.example,2026:{number}</guid>"
        f"<title><![CDATA[{title}]]></title><description><![CDATA[{text}]]></description></item>"
    )


def rss(items: str) -> bytes:
    head = "<?xml version='1.0' encoding='utf-8'?><rss version='2.0'><channel><title>t</title>"
    return f"{head}{items}</channel></rss>".encode("utf-8", "surrogatepass")


@dataclass(frozen=True)
class Kind:
    """One hostile document, with the headers that it comes with."""

    name: str
    body: bytes
    headers: Mapping[str, str]
    encoded: bytes | None = None


def kinds() -> Iterator[Kind]:
    """Fifty and more."""
    plain = {"Content-Type": "application/rss+xml; charset=utf-8"}
    good = rss("".join(item(f"t{n}", URGENT, n) for n in range(5)))
    for at in (1, 10, 40, 60, 100, len(good) // 2, len(good) - 20, len(good) - 1):
        yield Kind(f"truncated at {at}", good[:at], plain)
    for charset, said in product(("utf-16", "latin-1", "cp037", "shift_jis"), ("utf-8", "no-such")):
        headers = {"Content-Type": f"application/rss+xml; charset={said}"}
        yield Kind(f"{charset} called {said}", good.decode().encode(charset, "replace"), headers)
    for number, title in enumerate(TITLES):
        yield Kind(f"title {number}", rss(item(title, URGENT, 1)), plain)
        yield Kind(f"text {number}", rss(item("t", f"{URGENT} {title}", 1)), plain)
    lol = "".join(
        f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "lol">' for n in range(12)
    )
    bomb = f"<!DOCTYPE r [{lol}]><rss><channel><item><title>&l11;</title></item></channel></rss>"
    yield Kind("entity bomb", bomb.encode(), plain)
    flat = (
        f'<!DOCTYPE r [<!ENTITY a "{"a" * 100_000}">]><rss><channel>{"&a;" * 1_000}</channel></rss>'
    )
    yield Kind("quadratic entities", flat.encode(), plain)
    for target in ("file:///etc/passwd", "http://127.0.0.1:1/", "ftp://127.0.0.1:1/"):
        external = f'<!DOCTYPE r [<!ENTITY x SYSTEM "{target}">]>'
        yield Kind(f"external entity {target[:4]}", external.encode() + rss("&x;"), plain)
    zeros = gzip.compress(b"<rss><channel>" + b"a" * 100_000_000)
    yield Kind("100 MB in gzip", b"", {**plain, "Content-Encoding": "gzip"}, zeros)
    twice = gzip.compress(zeros)
    yield Kind("gzip in gzip", b"", {**plain, "Content-Encoding": "gzip"}, twice)
    yield Kind("called gzip, and is not", b"", {**plain, "Content-Encoding": "gzip"}, good)
    yield Kind(
        "5,000 attributes", rss(f"<item {' '.join(f'a{n}=1' for n in range(5_000))}/>"), plain
    )
    yield Kind("deep nesting", rss("<a>" * 50_000), plain)
    yield Kind("nested divs", rss(item("t", "<div>" * 40_000, 1)), plain)
    yield Kind("20,000 items", rss("".join(item("t", "x", n) for n in range(20_000))), plain)
    yield Kind("one id for all", rss(item("t", URGENT, 1) * 50), plain)
    yield Kind("a page of HTML", b"<html><body>not a feed</body></html>", plain)
    yield Kind("binary", random.Random(1).randbytes(100_000), plain)
    yield Kind("empty", b"", plain)
    yield Kind(
        "JSON of a million brackets", b"[" * 1_000_000, {"Content-Type": "application/feed+json"}
    )
    yield Kind(
        "JSON with a list for a title",
        b'{"version":"https://jsonfeed.org/version/1.1",'
        b'"items":[{"id":"1","title":[1],"content_text":{}}]}',
        plain,
    )


def all_of(drawn: int, *, few: bool = False) -> list[Row]:
    """All kinds (of a few, only every fourth), and `drawn` documents of Hypothesis."""
    letters = Letters(renderer(excerpt="full"), "monitor@trust.example")
    return [_kinds(letters, list(kinds())[:: 4 if few else 1]), _drawn(letters, drawn)]


def _kinds(letters: Letters, chosen: list[Kind]) -> Row:
    began = time.monotonic()
    broken, injected, good_lost, most = [], [], 0, 0
    with feed_server.running() as server, feed_server.running() as good:
        good.feed = rss(item("t", URGENT, 1))
        _poll(good)  # imports and pools are in memory before it is counted
        before = _resident()
        for kind in chosen:
            _serve(server, kind)
            try:
                posts = _poll(server)
            except SourceError:
                posts = []
            except Exception as error:  # noqa: BLE001 - that is what is looked for
                broken.append(f"{kind.name} ({type(error).__name__})")
                continue
            injected += [kind.name for post in posts[:20] if problems(letters, post)]
            good_lost += len(_poll(good)) != 1
            most = max(most, _resident() - before)
    return Row(
        fault="hostile feeds",
        volume=f"{len(chosen)} kinds",
        lost=good_lost,
        note=f"memory +{most / 1e6:.0f} MB at most"
        + "".join(f"; {name}" for name in broken + injected),
        faults=faults_of(
            source_not_isolated=bool(broken) or good_lost > 0,
            injected=bool(injected),
            too_much_memory=most > MORE_AT_MOST,
        ),
        minutes=(time.monotonic() - began) / 60,
    )


def _drawn(letters: Letters, number: int) -> Row:
    began = time.monotonic()
    words = st.text(max_size=200) | st.sampled_from(EVIL)
    pieces = st.sampled_from(
        ["<item>", "</item>", "<![CDATA[", "]]>", "&lt;", "&x;", "<", ">", '"']
    )
    free = st.lists(words | pieces, max_size=20).map("".join)
    found: list[str] = []

    @settings(
        max_examples=number,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(title=words, text=words, junk=free)
    def written(title: str, text: str, junk: str) -> None:
        body = rss(item(title, f"{URGENT} {text}", 1) + junk)
        try:
            document = parse(body, "application/rss+xml")
        except SourceUnavailable:
            return
        for one in document.items[:3]:
            post = Post(
                platform="rss",
                native_id="1",
                text=f"{one.text} {URGENT}",
                title=one.title or None,
                author=one.author,
            )
            wrong = problems(letters, post)
            assert not wrong, wrong

    try:
        written()
    except AssertionError as error:
        found.append(str(error).splitlines()[0][:100])
    return Row(
        fault="hostile feeds, drawn by Hypothesis",
        volume=f"{number:,} documents",
        note="; ".join(found),
        faults=faults_of(injected=bool(found)),
        minutes=(time.monotonic() - began) / 60,
    )


def problems(letters: Letters, post: Post) -> str:
    """What a letter about `post` holds that it must not; empty: nothing."""
    mention = replace(THREAT.mentions[0], post=post)
    concern = replace(THREAT, mentions=(mention,))
    notice = Notice(person=SLT, disclosure=Disclosure.FULL, because="urgent")
    raw = letters.alert(concern, notice, key="alert:2026-0042:1", now=NOW)
    message = message_from_bytes(raw, policy=default)
    if message["Bcc"] or message["Cc"] or len(message.get_all("To", [])) != 1:
        return "a header of the document's"
    if len(str(message["Subject"])) > 300:
        return "an endless subject"
    page = message.get_body(("html",))
    seen = _Elements()
    seen.feed(page.get_content() if page else "")
    return "; ".join(sorted(seen.strange))


class _Elements(HTMLParser):
    """Elements and attributes that are not ours."""

    def __init__(self) -> None:
        super().__init__()
        self.strange: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ALLOWED:
            self.strange.add(tag)
        for name, value in attrs:
            if name.startswith("on") or (value or "").strip().lower().startswith("javascript:"):
                self.strange.add(name)
            if tag == "img" and name == "src" and not (value or "").startswith(("cid:", "data:")):
                self.strange.add("picture from elsewhere")


def _serve(server: FeedServer, kind: Kind) -> None:
    server.feed, server.encoded = kind.body, kind.encoded
    server.headers = dict(kind.headers)


def _poll(server: FeedServer) -> list[Post]:
    """Everything that the connector makes of it at first sight."""
    connector = RssConnector(RssSettings(url=server.url, allow_private=True), source="hostile")
    return [post for batch in connector.poll({}, now=datetime.now(UTC)) for post in batch.posts]


def _resident() -> int:
    """Bytes of this process that are in memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
