"""Comments on YouTube: under an organisation's own videos, and under videos found by its name.

`channels` and `videos` are the organisation's own, or its town's news; comments are read by where
they stand, and there is no key to follow who wrote them. Tested against a stand-in that speaks the
documented wire format, since the real service needs a key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from connectors.errors import SourceError, SourceRejected
from connectors.feed_reader import checked_url
from connectors.http import digest
from connectors.plain import parse_date
from connectors.post import Batch, CursorState, Post
from connectors.seen import Seen, content_digest, portions
from connectors.youtube_api import SEARCH_UNITS, Api, Hidden, Purse
from connectors.youtube_post import PLATFORM, to_post, video_post

PAGE = 100  # threads, or replies
REPLY_PAGES = 5  # of one thread
FOUND_VIDEOS = 50  # that a search found, whose comments are read
FOUND_A_POLL = 5  # of them
IDS = 30  # asked about at once: longer URLs the client would send as a POST
TERMS_A_SEARCH = 8

_Channel = Annotated[str, StringConstraints(pattern=r"^(UC[\w-]{22}|@[\w.·-]{3,30})$")]
_Video = Annotated[str, StringConstraints(pattern=r"^[\w-]{11}$")]
_KEY = re.compile(r"[\x21-\x7e]{1,200}")


class YouTubeSettings(BaseModel):
    """The keys of a `[[sources]]` stanza with `kind = "youtube"`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    api_key_file: Path
    channels: tuple[_Channel, ...] = Field((), max_length=50)  # the organisation's own
    videos: tuple[_Video, ...] = Field((), max_length=50)  # single ones, of whatever channel
    searches_per_day: int = Field(0, ge=0, le=90)  # for the watchlist's terms, 100 units each
    daily_quota: int = Field(10_000, ge=100, le=10_000_000)  # units a day of this source
    community: str | None = Field(None, max_length=200)  # the place that the channels are about
    lookback_days: int = Field(30, ge=0, le=30)  # at the first poll
    max_pages: int = Field(20, ge=1, le=100)  # of 100 threads, of one channel or video a poll
    timeout_s: float = Field(60.0, gt=0, le=300)  # for one whole poll
    max_items: int = Field(500, ge=1, le=5000)  # posts in one batch, which is one commit
    api_url: Annotated[str, AfterValidator(checked_url)] = "https://youtube.googleapis.com"
    allow_private: bool = False

    @model_validator(mode="after")
    def _something_to_read(self) -> Self:
        if not (self.channels or self.videos or self.searches_per_day):
            raise ValueError("give channels, videos or searches_per_day")
        return self


class YouTubeConnector:
    """Some channels and videos, and a search."""

    Settings = YouTubeSettings
    searches = True
    apply_for = (
        "In the Google Cloud console make a project for the trust, enable the YouTube Data API v3, "
        "make an API key that is restricted to it, and write the key into api_key_file. It is free; "
        "the daily quota is 10,000 units."
    )
    platform = PLATFORM

    def __init__(
        self, settings: YouTubeSettings, *, source: str, terms: Sequence[str] = ()
    ) -> None:
        self.source = source
        self._settings = settings
        self._terms = tuple(term for term in terms if not term.startswith("#"))
        self._spent = 0  # by `check_gone`, until the next poll enters it in the cursor

    def poll(self, cursor: CursorState, *, now: datetime) -> Iterator[Batch]:
        """Yield what is new or edited, and how much of the quota is used.

        Every poll reads the threads of the last 30 days again: 1 unit each 100. Ends within
        `timeout_s`. What was read before a failure is delivered before it is raised, and the units
        are counted. Raises like `Connector.poll`; when the day's quota is used up, SourceUnavailable
        with the seconds to midnight in California.
        """
        key = self._key()
        reading = _Reading(cursor, now, self._settings, spent=self._spent)
        self._spent = 0
        reading.read(self._api(key, reading.purse), self._terms)
        yield from reading.batches()
        if reading.error:
            raise reading.error

    def check_gone(self, native_ids: Sequence[str]) -> frozenset[str]:
        """Return those of `native_ids` that YouTube no longer shows: 1 unit each 30.

        Raises SourceUnavailable or SourceRejected when it can't tell.
        """
        purse = Purse({}, now=datetime.now().astimezone(), daily=self._settings.daily_quota)
        api = self._api(self._key(), purse)
        gone: set[str] = set()
        for kind, resource in (("comment", "comments"), ("video", "videos")):
            ours = [name for name in native_ids if name.startswith(f"{kind}:")]
            for start in range(0, len(ours), IDS):
                asked = ours[start : start + IDS]
                self._spent += 1
                try:
                    ids = ",".join(name.partition(":")[2] for name in asked)
                    page = api.list(resource, part="id", id=ids, maxResults=50)
                except Hidden:
                    continue  # it can't tell which
                shown = {f"{kind}:{item.get('id')}" for item in page["items"]}
                gone.update(name for name in asked if name not in shown)
        return frozenset(gone)

    def _api(self, key: str, purse: Purse) -> Api:
        settings = self._settings
        return Api(
            settings.api_url,
            key,
            purse,
            timeout_s=settings.timeout_s,
            allow_private=settings.allow_private,
        )

    def _key(self) -> str:
        path = self._settings.api_key_file
        try:
            key = path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "is not plain text"
            raise SourceRejected(f"youtube: api_key_file {path}: {why}") from None
        if not _KEY.fullmatch(key):
            raise SourceRejected(f"youtube: api_key_file {path} must hold one key, and no more")
        return key


class _Reading:
    """One poll: what is read, what it costs, and what is to be remembered."""

    def __init__(
        self, cursor: CursorState, now: datetime, settings: YouTubeSettings, *, spent: int
    ) -> None:
        self._settings = settings
        self._now = now
        self._first = not cursor or "first" in cursor
        self._seen = Seen.of(cursor)
        self._kept = {key: value for key, value in cursor.items() if key != "first"}
        self._ids: dict[str, str] = dict(cursor.get("channels", {}))  # handle -> channel's id
        self._shown: dict[str, int] = dict(cursor.get("shown", {}))  # posts of a channel or video
        self._replies: dict[str, str] = dict(cursor.get("replies", ()))
        self._found: list[list[str]] = list(cursor.get("found", ()))  # [video's id, read at]
        self._searched: dict[str, Any] = dict(cursor.get("searched", {}))
        self._oldest = now - timedelta(days=30)
        self._posts: dict[str, Post] = {}
        self._gaps: list[str] = []
        self._skipped = self._silent = 0
        self.purse = Purse(cursor.get("quota", {}), now=now, daily=settings.daily_quota)
        self.purse.used += spent
        self.error: SourceError | None = None

    def read(self, api: Api, terms: Sequence[str]) -> None:
        """Read every channel and video, and search when it is time. A channel that is not there hides
        no other; a failure of the service ends the reading."""
        settings = self._settings
        channels = len(settings.channels)
        try:
            for number, channel in enumerate(settings.channels, 1):
                where = f"channel {number} of {channels}"
                try:
                    found = self._id(api, channel, where)
                    self._listing(api, where, allThreadsRelatedToChannelId=found)
                except SourceRejected as error:
                    self.error = self.error or error
            for number, video in enumerate(settings.videos, 1):
                self._listing(api, f"video {number} of {len(settings.videos)}", videoId=video)
            self._search(api, terms)
            self._read_found(api)
        except SourceError as error:
            self.error = self.error or error

    def _id(self, api: Api, channel: str, where: str) -> str:
        if not channel.startswith("@"):
            return channel
        if channel not in self._ids:
            page = api.list("channels", part="id", forHandle=channel)
            if not page["items"]:
                raise SourceRejected(f"youtube: {where}: there is no channel of that name")
            self._ids[channel] = str(page["items"][0].get("id"))
        return self._ids[channel]

    def _listing(self, api: Api, where: str, **of: str) -> None:
        """Read threads, newest first, back to 30 days ago."""
        asked: dict[str, Any] = {"part": "snippet,replies", "order": "time", "maxResults": PAGE}
        name = digest("".join(of.values()))
        shown_before = self._shown.get(name, 0)
        posts: list[Post] = []
        try:
            pages = api.pages("commentThreads", textFormat="plainText", **asked, **of)
            for number, page in enumerate(pages, 1):
                posts += [post for thread in page["items"] for post in self._thread(api, thread)]
                if not page.get("nextPageToken") or self._is_old(page["items"]):
                    break
                if number == self._settings.max_pages:
                    break
        except Hidden as hidden:
            if str(hidden) == "channelNotFound":
                raise SourceRejected(f"youtube: {where} does not exist") from None
            self._silent += 1
        if shown_before and self._seen.knows_none_of(posts):
            self._gaps.append(f"{where}: nothing known was left, comments may have been missed")
        self._shown[name] = len(posts)

    def _is_old(self, threads: Sequence[Mapping[str, Any]]) -> bool:
        """True when a whole page lies before what is read again."""
        dates = [parse_date(_top(thread).get("publishedAt")) for thread in threads]
        return bool(dates) and all(date is not None and date < self._oldest for date in dates)

    def _thread(self, api: Api, thread: Mapping[str, Any]) -> list[Post]:
        """Return a thread's comment and its replies, and take them up."""
        try:
            snippet = thread["snippet"]
            inline = (thread.get("replies") or {}).get("comments") or []
            comments = [snippet["topLevelComment"], *inline]
            total, name = int(snippet.get("totalReplyCount") or 0), str(thread["id"])
        except (LookupError, TypeError, ValueError, AttributeError):
            self._skipped += 1
            return []
        # At most five replies come with a thread; the others cost a request, when there are new ones.
        if total > len(inline) and self._replies.get(digest(name)) != str(total):
            asked = {"part": "snippet", "parentId": name, "maxResults": PAGE}
            pages = api.pages("comments", textFormat="plainText", **asked)
            for _, page in zip(range(REPLY_PAGES), pages, strict=False):
                comments += page["items"]
            self._replies[digest(name)] = str(total)
        posts = []
        for comment in comments:
            try:
                posts.append(to_post(comment, thread, community=self._settings.community))
            except (LookupError, TypeError, ValueError, AttributeError):
                self._skipped += 1
        self._posts |= {post.native_id: post for post in posts}
        return posts

    def _search(self, api: Api, terms: Sequence[str]) -> None:
        """Search for the next few terms when the day's share of searches allows it."""
        groups = [terms[at : at + TERMS_A_SEARCH] for at in range(0, len(terms), TERMS_A_SEARCH)]
        if not groups or not self._settings.searches_per_day or not self._is_search_due():
            return
        turn = int(self._searched.get("next", 0)) % len(groups)
        page = api.list(
            "search",
            part="snippet",
            q="|".join(f'"{term}"' for term in groups[turn]),
            type="video",
            order="date",
            maxResults=50,
            publishedAfter=f"{self._oldest:%Y-%m-%dT%H:%M:%SZ}",
        )
        self._searched = {"at": self._now.isoformat(), "next": turn + 1}
        known = {video for video, _ in self._found}
        for item in page["items"]:
            try:
                post = video_post(item)
            except (LookupError, TypeError, ValueError, AttributeError):
                self._skipped += 1
                continue
            self._posts[post.native_id] = post
            video = post.native_id.partition(":")[2]
            if video not in known and video not in self._settings.videos:
                self._found.insert(0, [video, ""])
        self._found = self._found[:FOUND_VIDEOS]

    def _is_search_due(self) -> bool:
        if not self.purse.affords(SEARCH_UNITS):
            return False
        last, every = self._searched.get("at"), timedelta(days=1) / self._settings.searches_per_day
        return last is None or self._now - datetime.fromisoformat(last) >= every

    def _read_found(self, api: Api) -> None:
        """Read the comments of found videos, those that waited longest."""
        waiting = sorted(self._found, key=lambda found: found[1])[:FOUND_A_POLL]
        for found in waiting:
            self._listing(api, "a found video", videoId=found[0])
            found[1] = self._now.isoformat()

    def batches(self) -> Iterator[Batch]:
        """Yield what is news, oldest last seen first; all that was learnt goes with the last."""
        oldest = self._now - timedelta(days=self._settings.lookback_days)
        fresh = [post for post in self._posts.values() if self._seen.is_news(post)]
        if self._first:
            fresh = [p for p in fresh if p.published_at is None or p.published_at >= oldest]
        current = {digest(name): content_digest(post) for name, post in self._posts.items()}
        learnt: dict[str, Any] = {"found": self._found, "searched": self._searched}
        learnt |= {"channels": self._ids, "replies": list(self._replies.items())[-1000:]}
        learnt |= {"shown": dict(list(self._shown.items())[-200:])}
        if self._first and self.error:
            learnt["first"] = True  # so that what could not be read is looked back at as little
        silent = f"; {self._silent} without comments" if self._silent else ""
        skipped, gap = self._skipped, "; ".join(dict.fromkeys(self._gaps)) or None
        for posts, waiting in portions(fresh, self._settings.max_items):
            state = {**self._kept, **({} if waiting else learnt), "quota": self.purse.state}
            state["seen"] = self._seen.entries(current, waiting)
            yield Batch(
                posts=posts,
                cursor=state,
                skipped=skipped,
                gap=gap,
                note=f"{self.purse.note}{silent}",
            )
            skipped, gap = 0, None  # told once


def _top(thread: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        top: Mapping[str, Any] = thread["snippet"]["topLevelComment"]["snippet"]
    except (LookupError, TypeError):
        return {}
    return top
