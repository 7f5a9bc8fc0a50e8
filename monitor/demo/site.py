"""The demo's local web: a paper (RSS 2.0), a forum (Atom) and a noticeboard (JSON Feed), on loopback.

Pages and feeds are computed from the script and the seconds since the start, so nothing is stored
and every answer is consistent. Feeds answer conditional requests as RFC 9110 section 13 says.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from jinja2 import Environment, PackageLoader, StrictUndefined

from monitor.demo.script import FeedName, ScriptedPost

_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Feed:
    """One of the site's three feeds."""

    name: FeedName
    title: str
    kind: str
    path: str
    content_type: str


FEEDS: tuple[Feed, ...] = (
    Feed("gazette", "Averset Gazette", "RSS 2.0", "/gazette/feed.xml", "application/rss+xml"),
    Feed("forum", "Larkbridge Town Talk", "Atom", "/forum/feed.atom", "application/atom+xml"),
    Feed(
        "noticeboard",
        "Canalside Noticeboard",
        "JSON Feed",
        "/noticeboard/feed.json",
        "application/feed+json",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A post as the site shows it now. `appeared_at` is the true time, `dated` what the feed says
    (None: nothing), `changed_at` the time of the last edit, or of appearance."""

    script: ScriptedPost
    url: str
    text: str
    appeared_at: datetime
    changed_at: datetime
    dated: datetime | None
    reply_to_url: str | None


class Site:
    """Serves `posts` on a free port of 127.0.0.1 from `with` to its end. Until `begin()` it is empty.

    `pace` stretches the script's seconds (0.2: five times as fast). `clock` returns an aware time.
    """

    def __init__(
        self,
        posts: Sequence[ScriptedPost],
        *,
        pace: float = 1.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._posts = tuple(posts)
        self._pace = pace
        self._clock = clock
        self._began_at: datetime | None = None
        self._pages = Environment(
            loader=PackageLoader("monitor.demo", "pages"),
            autoescape=True,
            undefined=StrictUndefined,
        )
        self._pages.filters["rfc822"] = format_datetime
        site = self

        class Handler(_Handler):
            answer = staticmethod(site._answer)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="demo-site", daemon=True
        ).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def begin(self) -> datetime:
        """Start the script's clock, and return its zero."""
        self._began_at = self._clock()
        return self._began_at

    def url_of(self, key: str) -> str:
        """Where the post `key` has its page."""
        return f"{self.url}/post/{key}"

    def published(self) -> tuple[Published, ...]:
        """Everything that has appeared by now, oldest first."""
        if self._began_at is None:
            return ()
        began, now = self._began_at, self._clock()
        return tuple(
            self._shown(post, began, now)
            for post in self._posts
            if now >= began + self._after(post.at)
        )

    def _after(self, offset: float) -> timedelta:
        return timedelta(seconds=offset * self._pace)

    def _shown(self, post: ScriptedPost, began: datetime, now: datetime) -> Published:
        appeared = began + self._after(post.at)
        edit = None if post.edit_at is None else began + self._after(post.edit_at)
        edited = edit is not None and now >= edit and post.edited is not None
        says = {
            "yes": appeared - timedelta(hours=post.hours_old),
            "no": None,
            "next year": appeared + _YEAR,
        }
        return Published(
            script=post,
            url=self.url_of(post.key),
            text=(post.edited if edited else None) or post.text,
            appeared_at=appeared,
            changed_at=edit if edited and edit else appeared,
            dated=says[post.dated],
            reply_to_url=self.url_of(post.reply_to) if post.reply_to else None,
        )

    # -- answers ------------------------------------------------------------------------------

    def _answer(self, path: str) -> Answer | None:
        """What stands at `path`, or None."""
        posts = self.published()[::-1]
        for feed in FEEDS:
            if path == feed.path:
                own = [post for post in posts if post.script.feed == feed.name]
                return self._feed(feed, own)
        if path == "/":
            return self._page("index.html.j2", posts=posts)
        for post in posts:
            if path == f"/post/{post.script.key}":
                replies = [other for other in posts if other.reply_to_url == post.url]
                return self._page("post.html.j2", post=post, replies=replies)
        return None

    def _page(self, template: str, **values: object) -> Answer:
        titles = {feed.name: feed.title for feed in FEEDS}
        page = self._pages.get_template(template).render(
            feeds=FEEDS, titles=titles, site=self.url, **values
        )
        return Answer(page.encode(), "text/html; charset=utf-8", self._clock())

    def _feed(self, feed: Feed, posts: Sequence[Published]) -> Answer:
        changed = max((post.changed_at for post in posts), default=self._began_at or self._clock())
        if feed.name == "noticeboard":
            body = json.dumps(self._json_feed(feed, posts), ensure_ascii=False, indent=1)
        else:
            template = "rss.xml.j2" if feed.name == "gazette" else "atom.xml.j2"
            body = self._pages.get_template(template).render(
                feed=feed, posts=posts, site=self.url, changed=changed
            )
        return Answer(body.encode(), f"{feed.content_type}; charset=utf-8", changed)

    def _json_feed(self, feed: Feed, posts: Sequence[Published]) -> dict[str, object]:
        """https://www.jsonfeed.org/version/1.1/"""
        return {
            "version": "https://jsonfeed.org/version/1.1",
            "title": feed.title,
            "home_page_url": f"{self.url}/",
            "feed_url": f"{self.url}{feed.path}",
            "items": [
                {
                    "id": post.url,
                    "url": post.url,
                    "title": post.script.title,
                    "content_text": post.text,
                    "authors": [{"name": post.script.author}],
                    **({"date_published": post.dated.isoformat()} if post.dated else {}),
                }
                for post in posts
            ],
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """A body with what a conditional request is compared with."""

    body: bytes
    content_type: str
    changed_at: datetime

    @property
    def etag(self) -> str:
        """A strong validator: a digest of the body."""
        return f'"{hashlib.blake2b(self.body, digest_size=12).hexdigest()}"'

    def is_known(self, if_none_match: str | None, if_modified_since: str | None) -> bool:
        """True when the client has this very answer. An ETag decides alone where one is given."""
        if if_none_match is not None:
            return self.etag in [tag.strip() for tag in if_none_match.split(",")]
        if if_modified_since is None:
            return False
        try:
            since = parsedate_to_datetime(if_modified_since)
        except ValueError:
            return False
        return since.tzinfo is not None and self.changed_at.replace(microsecond=0) <= since


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30  # seconds that an idle connection is kept
    answer: Callable[[str], Answer | None]

    def do_GET(self) -> None:
        """Answer a page or a feed, 304 or 404."""
        answer = self.answer(self.path.partition("?")[0])
        if answer is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        known = answer.is_known(
            self.headers.get("If-None-Match"), self.headers.get("If-Modified-Since")
        )
        self.send_response(HTTPStatus.NOT_MODIFIED if known else HTTPStatus.OK)
        self.send_header("ETag", answer.etag)
        self.send_header("Last-Modified", format_datetime(answer.changed_at, usegmt=True))
        if not known:
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if not known:
            self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base's name)
        """The narrator tells what happens."""
