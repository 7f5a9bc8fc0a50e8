"""A stand-in of a Mastodon instance on loopback: no real one could be installed where this was built.

It speaks the documented wire format (https://docs.joinmastodon.org/methods/timelines/ and
.../search/, .../statuses/): hashtag timelines with `min_id`, `max_id`, `since_id` and `limit`, search
with a token, statuses singly and by list. Ids are Mastodon's: made from the time of writing, so that
what arrives late stands behind what is there already.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from tests.connectors.api_server import Answer, ApiServer, Call

Status = dict[str, Any]
AUTHOR = {"id": "7", "username": "plover", "acct": "plover@shore.example", "display_name": "Plover"}


class MastodonServer(ApiServer):
    """Fill `statuses`, in any order. `token`: what it accepts; None: nobody has one."""

    def __init__(self, token: str | None = None) -> None:
        super().__init__()
        self.token = token
        self.statuses: list[Status] = []
        self.needs_token = False  # for hashtags too: Mastodon 4.5's timelines_access
        self.has_lists = True  # Mastodon 4.3's statuses by list
        self.headers: dict[str, str] = {}

    def respond(self, call: Call) -> Answer:
        bearer = call.headers.get("authorization", "").removeprefix("Bearer ")
        if bearer and bearer != self.token:
            return Answer(status=401, content={"error": "The access token is invalid"})
        if tag := re.fullmatch(r"/api/v1/timelines/tag/(\w+)", call.path):
            return self._timeline(call, tag[1], signed_in=bool(bearer))
        if call.path == "/api/v2/search":
            return self._search(call, signed_in=bool(bearer))
        if call.path.startswith("/api/v1/statuses"):
            return self._lookup(call)
        if call.path.rstrip("/") == "/api/v2/instance":
            return Answer(content={"version": "4.5.0", "api_versions": {"mastodon": 7}})
        return _not_found()

    def _lookup(self, call: Call) -> Answer:
        if call.path == "/api/v1/statuses" and self.has_lists:
            wanted = call.query.get("id[]", [])
            return Answer(content=[found for found in self._newest() if found["id"] in wanted][:20])
        name = call.path.rpartition("/")[2]
        found = [status for status in self.statuses if status["id"] == name]
        return Answer(content=found[0]) if found else _not_found()

    def _newest(self) -> list[Status]:
        return sorted(self.statuses, key=lambda status: int(status["id"]), reverse=True)

    def _timeline(self, call: Call, tag: str, *, signed_in: bool) -> Answer:
        if self.needs_token and not signed_in:
            refusal = {"error": "This method requires an authenticated user"}
            return Answer(status=422, content=refusal)
        tagged = [
            status
            for status in self._newest()
            if tag.lower() in {known["name"].lower() for known in status["tags"]}
        ]
        return Answer(content=_page(tagged, call), headers=self.headers)

    def _search(self, call: Call, *, signed_in: bool) -> Answer:
        phrase = (call.given("q") or "").strip('"').lower()
        known = signed_in and call.given("type") == "statuses"
        hits = [status for status in self._newest() if phrase in status["content"].lower()]
        found_here = _page(hits[int(call.given("offset") or 0) :], call)
        found = {"accounts": [], "hashtags": [], "statuses": found_here if known else []}
        return Answer(content=found, headers=self.headers)


def _page(newest_first: Sequence[Status], call: Call) -> list[Status]:
    """`min_id` gives those that follow it immediately, `since_id` the newest that are above it."""
    limit = min(int(call.given("limit") or 20), 40)
    low = int(call.given("min_id") or call.given("since_id") or 0)
    high = int(call.given("max_id") or 2**63)
    within = [status for status in newest_first if low < int(status["id"]) < high]
    return within[-limit:] if call.given("min_id") else within[:limit]


def _not_found() -> Answer:
    return Answer(status=404, content={"error": "Record not found"})


def snowflake(at: datetime, number: int = 0) -> str:
    """A status's id: milliseconds since 1970, and 16 bits to tell apart what is of one millisecond."""
    return str((int(at.timestamp() * 1000) << 16) + number)


def status(
    name: str,
    text: str,
    *,
    tags: Sequence[str] = ("FellgateHigh",),
    at: datetime | None = None,
    **more: Any,
) -> Status:
    """A public status: `name` is its id on this instance."""
    return {
        "id": name,
        "uri": f"https://shore.example/users/plover/statuses/{name}",
        "url": f"https://shore.example/@plover/{name}",
        "created_at": at.isoformat().replace("+00:00", "Z") if at else None,
        "edited_at": None,
        "in_reply_to_id": None,
        "visibility": "public",
        "language": "en",
        "spoiler_text": "",
        "content": f"<p>{text}</p>",
        "reblog": None,
        "account": AUTHOR,
        "media_attachments": [],
        "poll": None,
        "tags": [{"name": tag, "url": f"https://mastodon.example/tags/{tag}"} for tag in tags],
    } | more


@contextmanager
def running(token: str | None = None) -> Iterator[MastodonServer]:
    """A stand-in for the length of a `with`."""
    server = MastodonServer(token)
    try:
        yield server
    finally:
        server.stop()
