"""A stand-in of Reddit on loopback: no real one can be run, and its API needs an approved application.

It speaks Reddit's documented wire format (https://www.reddit.com/dev/api, and the recorded answers
in praw's own tests): the application-only OAuth token, listings with `after`, `before` and `limit`,
search, info. It also has Reddit's traps: a deleted `before` gives an empty list without an error, a
banned subreddit redirects to the subreddit search, no listing shows more than 1,000 things, and the
x-ratelimit headers may be fractions.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from html import escape
from typing import Any

from tests.connectors.api_server import Answer, ApiServer, Call

CLIENT_ID = "larkmoorClientId"
LISTED = 1000
TOKEN = "app-only-token"

Thing = dict[str, Any]  # {"kind": "t1" or "t3", "data": {...}}


class RedditServer(ApiServer):
    """Fill `things` (newest first); add names to `banned` or `private`. `secret` is what it accepts."""

    def __init__(self, secret: str) -> None:
        super().__init__()
        self.secret = secret
        self.things: list[Thing] = []
        self.deleted: set[str] = set()  # fullnames that no listing shows, but info does
        self.banned: set[str] = set()
        self.private: set[str] = set()
        self.limit_headers: dict[str, str] = {}

    def respond(self, call: Call) -> Answer:
        if call.path == "/api/v1/access_token":
            return self._token(call)
        if call.headers.get("authorization") != f"bearer {TOKEN}":
            return Answer(status=401, content={"message": "Unauthorized", "error": 401})
        found = re.fullmatch(r"/r/([^/]+)/(comments|new|search)/?", call.path)
        if found:
            return self._of_subreddits(call, found[1].lower().split("+"), found[2])
        if call.path.rstrip("/") == "/search":
            return self._listing(call, self._matching(call, self.things))
        if call.path.rstrip("/") == "/api/info":
            return self._info(call)
        return Answer(status=404, content={"message": "Not Found", "error": 404})

    def _token(self, call: Call) -> Answer:
        expected = base64.b64encode(f"{CLIENT_ID}:{self.secret}".encode()).decode()
        if call.method != "POST" or call.headers.get("authorization") != f"Basic {expected}":
            return Answer(status=401, content={"message": "Unauthorized", "error": 401})
        if call.body != "grant_type=client_credentials":
            return Answer(content={"error": "unsupported_grant_type"})
        return Answer(
            content={
                "access_token": TOKEN,
                "token_type": "bearer",
                "expires_in": 86400,
                "scope": "*",
            }
        )

    def _of_subreddits(self, call: Call, names: Sequence[str], what: str) -> Answer:
        if self.banned.intersection(names):
            location = f"{self.url}/subreddits/search?q={names[0]}"
            return Answer(status=302, content=b"", headers={"Location": location})
        if self.private.intersection(names):
            refusal = {"reason": "private", "message": "Forbidden", "error": 403}
            return Answer(status=403, content=refusal)
        within = [thing for thing in self.things if thing["data"]["subreddit"].lower() in names]
        if what == "search":
            return self._listing(call, self._matching(call, within))
        kind = "t1" if what == "comments" else "t3"
        return self._listing(call, [thing for thing in within if thing["kind"] == kind])

    def _matching(self, call: Call, things: Sequence[Thing]) -> list[Thing]:
        """Posts with one of the query's quoted phrases: Reddit's search finds no comments."""
        phrases = [phrase.lower() for phrase in re.findall(r'"([^"]+)"', call.given("q") or "")]
        return [
            thing
            for thing in things
            if thing["kind"] == "t3"
            and any(
                phrase in f"{thing['data']['title']} {thing['data']['selftext']}".lower()
                for phrase in phrases
            )
        ]

    def _listing(self, call: Call, things: Sequence[Thing]) -> Answer:
        shown = [thing for thing in things if thing["data"]["name"] not in self.deleted][:LISTED]
        names = [thing["data"]["name"] for thing in shown]
        limit = min(int(call.given("limit") or 25), 100)
        if before := call.given("before"):
            end = names.index(before) if before in names else 0  # deleted: an empty list
            page, after = shown[max(end - limit, 0) : end], None
        else:
            start = names.index(anchor) + 1 if (anchor := call.given("after")) in names else 0
            page = shown[start : start + limit]
            after = names[start + limit - 1] if start + limit < len(names) else None
        listing = {"after": after, "before": None, "dist": len(page), "children": page}
        content = {"kind": "Listing", "data": listing}
        return Answer(content=content, headers=self.limit_headers)

    def _info(self, call: Call) -> Answer:
        wanted = (call.given("id") or "").split(",")
        if len(wanted) > 100:
            return Answer(status=400, content={"message": "Bad Request", "error": 400})
        page = [as_deleted(thing) if thing["data"]["name"] in self.deleted else thing
                for thing in self.things if thing["data"]["name"] in wanted]  # fmt: skip
        return Answer(content={"kind": "Listing", "data": {"after": None, "children": page}})


def comment(
    name: str, text: str, *, subreddit: str = "Larkmoor", at: datetime | None = None, **more: Any
) -> Thing:
    """A comment: `name` is its fullname."""
    data = {
        "name": name,
        "id": name[3:],
        "subreddit": subreddit,
        "subreddit_name_prefixed": f"r/{subreddit}",
        "author": "wren_of_the_fell",
        "body": text,
        "body_html": f'<div class="md"><p>{escape(text)}</p>\n</div>',
        "created_utc": at.timestamp() if at else None,
        "edited": False,
        "link_id": "t3_thread1",
        "link_title": "What is going on?",
        "parent_id": "t3_thread1",
        "permalink": f"/r/{subreddit}/comments/thread1/_/{name[3:]}/",
    }
    return {"kind": "t1", "data": data | more}


def submission(
    name: str,
    title: str,
    text: str = "",
    *,
    subreddit: str = "Larkmoor",
    at: datetime | None = None,
    **more: Any,
) -> Thing:
    """A post that somebody wrote or linked: `name` is its fullname."""
    permalink = f"/r/{subreddit}/comments/{name[3:]}/_/"
    data = {
        "name": name,
        "id": name[3:],
        "subreddit": subreddit,
        "subreddit_name_prefixed": f"r/{subreddit}",
        "author": "dunlin_at_dusk",
        "title": title,
        "selftext": text,
        "selftext_html": f'<div class="md"><p>{escape(text)}</p>\n</div>' if text else None,
        "created_utc": at.timestamp() if at else None,
        "edited": False,
        "is_self": True,
        "removed_by_category": None,
        "permalink": permalink,
        "url": f"https://www.reddit.com{permalink}",
    }
    return {"kind": "t3", "data": data | more}


def as_deleted(thing: Thing) -> Thing:
    """What Reddit shows of `thing` once its author deleted it."""
    gone = {"author": "[deleted]", "body": "[deleted]"}
    if thing["kind"] == "t3":
        gone = {"author": "[deleted]", "selftext": "[deleted]", "selftext_html": None}
    return {"kind": thing["kind"], "data": thing["data"] | {"body_html": None} | gone}


@contextmanager
def running(secret: str) -> Iterator[RedditServer]:
    """A stand-in for the length of a `with`."""
    server = RedditServer(secret)
    try:
        yield server
    finally:
        server.stop()
