"""A stand-in for YouTube's Data API v3 on loopback: the documented wire format, over real sockets.

The resources' shapes are those of the API description that google-api-python-client bundles. It
counts units as Google does, so that the connector's own account can be checked against it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.connectors.feed_server import FeedServer

CHANNEL = "UC" + "larkmoorlarkmoorlarkmo"
VIDEO = "larkmoorvid"
INLINE = 5  # replies that come with a thread


def comment(
    name: str,
    text: str,
    *,
    at: datetime | None = None,
    video: str | None = VIDEO,
    author: str = "@some-viewer",
) -> dict[str, Any]:
    """A comment resource; `at` None leaves the dates out, which YouTube never does."""
    snippet: dict[str, Any] = {
        "channelId": CHANNEL,
        "textDisplay": text,
        "textOriginal": text,
        "authorDisplayName": author,
        "authorChannelId": {"value": "UCxxxxxxxxxxxxxxxxxxxxxx"},
        "viewerRating": "none",
        "likeCount": 0,
    }
    if video:
        snippet["videoId"] = video
    if at:
        snippet |= {
            "publishedAt": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "updatedAt": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        }
    return {"kind": "youtube#comment", "etag": "e", "id": name, "snippet": snippet}


class YouTubeServer(FeedServer):
    """`threads` are (comment, replies), newest first, all of one channel; `by_video` those of other
    videos. `reasons` maps a resource, a channel's or a video's id to (status, reason)."""

    def __init__(self) -> None:
        super().__init__()
        self.url = f"http://127.0.0.1:{self.port}"
        self.headers = {"Content-Type": "application/json; charset=UTF-8"}
        self.threads: list[tuple[dict[str, Any], list[dict[str, Any]]]] = []
        self.by_video: dict[str, list[tuple[dict[str, Any], list[dict[str, Any]]]]] = {}
        self.channels: dict[str, str] = {}  # handle -> id
        self.found: list[dict[str, Any]] = []  # search results
        self.reasons: dict[str, tuple[int, str]] = {}
        self.sent: bytes | None = None
        self.units = 0
        self.calls: list[str] = []

    def _send(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        resource = parts.path.removeprefix("/youtube/v3/")
        self.calls.append(resource)
        self.units += 100 if resource == "search" else 1
        names = [resource, *query.values()]
        named = next((self.reasons[name] for name in names if name in self.reasons), None)
        if self.sent is not None:
            self.feed = self.sent
        elif named:
            self.status, self.feed = named[0], error(*named)
        elif self.status == 200:
            self.feed = json.dumps(getattr(self, f"_{resource}")(query)).encode()
        super()._send(request)
        if named:
            self.status = 200

    def _commentThreads(self, query: dict[str, str]) -> dict[str, Any]:  # noqa: N802
        video = query.get("videoId")
        threads = self.by_video.get(video, []) if video else self.threads
        items = [
            {
                "kind": "youtube#commentThread",
                "id": top["id"],
                "snippet": {
                    "channelId": CHANNEL,
                    "videoId": top["snippet"].get("videoId"),
                    "topLevelComment": top,
                    "totalReplyCount": len(replies),
                    "isPublic": True,
                },
            }
            | ({"replies": {"comments": replies[-INLINE:]}} if replies else {})
            for top, replies in threads
        ]
        return page(items, query, "youtube#commentThreadListResponse")

    def _comments(self, query: dict[str, str]) -> dict[str, Any]:
        everything = [*self.threads, *(one for many in self.by_video.values() for one in many)]
        if parent := query.get("parentId"):
            items = [
                reply for top, replies in everything if top["id"] == parent for reply in replies
            ]
        else:
            asked = query["id"].split(",")
            flat = [one for top, replies in everything for one in (top, *replies)]
            items = [one for one in flat if one["id"] in asked]
        return page(items, query, "youtube#commentListResponse")

    def _channels(self, query: dict[str, str]) -> dict[str, Any]:
        found = self.channels.get(query["forHandle"])
        items = [{"kind": "youtube#channel", "id": found}] if found else []
        return page(items, query, "youtube#channelListResponse")

    def _search(self, query: dict[str, str]) -> dict[str, Any]:
        return page(self.found, query, "youtube#searchListResponse")

    def _videos(self, query: dict[str, str]) -> dict[str, Any]:
        ids = {item["id"]["videoId"] for item in self.found} & set(query["id"].split(","))
        items = [{"kind": "youtube#video", "id": name} for name in sorted(ids)]
        return page(items, query, "youtube#videoListResponse")


def page(items: list[dict[str, Any]], query: dict[str, str], kind: str) -> dict[str, Any]:
    start, size = int(query.get("pageToken", "0")), int(query.get("maxResults", "20"))
    following = {"nextPageToken": str(start + size)} if start + size < len(items) else {}
    info = {"totalResults": len(items), "resultsPerPage": size}
    return {
        "kind": kind,
        "etag": "e",
        "pageInfo": info,
        "items": items[start : start + size],
    } | following


def error(status: int, reason: str) -> bytes:
    """An error as Google's API words it."""
    one = {"message": "The request cannot be completed.", "domain": "youtube", "reason": reason}
    return json.dumps(
        {"error": {"code": status, "message": one["message"], "errors": [one]}}
    ).encode()


def found_video(name: str, title: str, *, at: datetime, about: str = "") -> dict[str, Any]:
    """A search result."""
    snippet = {
        "publishedAt": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "channelId": CHANNEL,
        "title": title,
        "description": about,
        "channelTitle": "Fellgate TV",
    }
    return {
        "kind": "youtube#searchResult",
        "id": {"kind": "youtube#video", "videoId": name},
        "snippet": snippet,
    }


@contextmanager
def running_youtube() -> Iterator[YouTubeServer]:
    """A stand-in for the length of a `with`."""
    server = YouTubeServer()
    try:
        yield server
    finally:
        server.stop()
