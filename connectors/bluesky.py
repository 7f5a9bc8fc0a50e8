"""Bluesky: the whole network as it is written, and its search for what that can't give.

Without an account, the public live stream (Jetstream) is followed: every post passes by and is matched
in the monitor. With the trust's own account, the network's search finds posts about its organisations
as well: thirty days back at first, what a broken stream missed, and everything while the stream is
down. With an account and `jetstream = []`, the search works alone.

Posts of both ways have the same ids, so what both bring is stored once. Queries are made from the
watchlist's organisation terms; nobody can be followed or looked up.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from connectors import bluesky_search, bluesky_stream
from connectors.bluesky_record import COLLECTION, PLATFORM, to_post
from connectors.bluesky_search import Progress, Search
from connectors.bluesky_stream import Position, Stream
from connectors.errors import SourceError, SourceUnavailable
from connectors.post import Batch, CursorState

if TYPE_CHECKING:
    from connectors.bluesky_account import Account

__all__ = ["BlueskyConnector", "BlueskySettings", "to_post"]

SEARCH = "app.bsky.feed.searchPosts"
POSTS = "app.bsky.feed.getPosts"
POSTS_AT_ONCE = 25
CHECK_S = 60.0  # for one call of check_gone
INDEXED_AFTER = timedelta(hours=1)  # a younger post may not be indexed yet, and is not "gone"
# Beside the stream the search is the smaller part: of the time of a poll, and of the requests.
SHARE = 0.25
INSTEAD_EVERY = timedelta(minutes=5)  # while the stream is down
STREAM_AGAIN_S = 60.0


def _checked(url: str, schemes: dict[str, bool]) -> str:
    parts = urlsplit(url)
    secure = schemes.get(parts.scheme)
    if secure is None or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"write a full {' or '.join(f'{name}://' for name in schemes)} address")
    if "@" in parts.netloc:
        raise ValueError("take the user name and password out: secrets never stand in the TOML")
    if not secure and not _is_loopback(parts.hostname):
        raise ValueError("without TLS only a server on this machine may be named")
    return url.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _web(url: str) -> str:
    return _checked(url, {"https": True, "http": False})


def _socket(url: str) -> str:
    return _checked(url, {"wss": True, "ws": False})


class BlueskySettings(BaseModel):
    """The keys of a `[[sources]]` stanza with `kind = "bluesky"`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    jetstream: tuple[Annotated[str, AfterValidator(_socket)], ...] = Field(
        ("wss://jetstream.us-east.bsky.network",), max_length=5
    )
    account: str | None = Field(None, min_length=3, max_length=253)  # the trust's own, to sign in
    password_file: Path | None = None  # an app password, not the account's own
    session_file: Path | None = None  # written by us
    pds: Annotated[str, AfterValidator(_web)] = "https://bsky.social"
    appview: Annotated[str, AfterValidator(_web)] = "https://public.api.bsky.app"
    lookback_days: int = Field(30, ge=0, le=30)  # of the first search
    catch_up_hours: float = Field(
        1.0, ge=0, le=36
    )  # of the stream, at first and without an account
    search_every_s: float = Field(3600.0, ge=300, le=86400)  # beside the stream
    timeout_s: float = Field(240.0, gt=0, le=900)  # one poll; the stream is followed so long
    silence_s: float = Field(60.0, gt=0, le=900)
    max_items: int = Field(1000, ge=1, le=5000)  # in one batch, which is one commit
    allow_private: bool = False  # for servers on the trust's own network only
    contact: str | None = Field(None, max_length=200, pattern=r"^[\x21-\x7e]+$")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        signing_in = (self.account, self.password_file, self.session_file)
        if any(signing_in) and not all(signing_in):
            raise ValueError("account, password_file and session_file belong together")
        if not self.jetstream and not self.account:
            raise ValueError("name a live stream in jetstream, or an account that may search")
        return self

    @property
    def user_agent(self) -> str:
        """How we call ourselves."""
        return f"trust-monitor (+{self.contact})" if self.contact else "trust-monitor"


class BlueskyConnector:
    """The network, through its stream, its search, or both."""

    Settings = BlueskySettings
    platform = PLATFORM
    searches: ClassVar[bool] = True
    apply_for: ClassVar[str] = (
        "The live stream needs nothing. To search, make an account for the trust on Bluesky, then an "
        "app password (Settings, Privacy and security, App passwords; not the account's own), and "
        "write it into password_file."
    )

    def __init__(
        self, settings: BlueskySettings, *, source: str, terms: Sequence[str] = ()
    ) -> None:
        self.source = source
        self._settings = settings
        self._terms = tuple(dict.fromkeys(term.strip() for term in terms if term.strip(' "#')))
        # Made here, not at the first poll: its package takes two seconds to load.
        self._account = self._asking(settings.pds, settings.account) if settings.account else None
        self._stream_again = 0.0  # monotonic: a broken stream is not tried before

    def poll(self, cursor: CursorState, *, now: datetime) -> Iterator[Batch]:
        """Search what is due, then follow the stream until `timeout_s` seconds have passed.

        Yields at least every second while the stream brings posts. Raises like `Connector.poll`.
        With both ways, one that fails is made up for by the other, and said in `note`; only both
        together fail the poll. A stream that can't be taken up where it was left is a gap, and the
        next polls search from there on.
        """
        until = time.monotonic() + self._settings.timeout_s
        state: dict[str, Any] = dict(cursor)
        if not self._settings.account:
            yield from _within(state, "stream", self._follow(state, now, until))
        elif not self._settings.jetstream:
            yield from _within(state, "search", self._search(state, now, now, until))
        else:
            yield from self._both(state, now, until)

    def _both(self, state: dict[str, Any], now: datetime, until: float) -> Iterator[Batch]:
        settings = self._settings
        due = now - timedelta(seconds=settings.search_every_s)
        share = time.monotonic() + settings.timeout_s * SHARE
        failed: SourceError | None = None
        try:
            yield from _within(state, "search", self._search(state, now, due, share))
            yield from self._made_up_for(state)
        except SourceError as error:
            failed = error
            yield Batch(posts=(), cursor=dict(state), note=f"only the live stream is seen: {error}")
        left_at = Position.of(state.get("stream"))
        try:
            for batch in _within(state, "stream", self._follow(state, now, until)):
                if batch.gap and left_at:
                    _search_again(state, min(left_at.at, due), now)
                    yield replace(batch, cursor=dict(state))
                else:
                    yield batch
        except SourceError as error:
            self._stream_again = time.monotonic() + _wait(error)
            if failed:
                raise
            yield Batch(posts=(), cursor=dict(state), note=f"searched instead: {error}")
            due = now - INSTEAD_EVERY
            yield from _within(state, "search", self._search(state, now, due, until))

    def _made_up_for(self, state: dict[str, Any]) -> Iterator[Batch]:
        """Say so when every term was searched since the stream missed something."""
        missed = state.get("missed")
        progress = Progress.of(state.get("search"))
        if missed and not progress.due(self._terms, datetime.fromisoformat(missed)):
            del state["missed"]
            note = "the search has made up for what the live stream missed"
            yield Batch(posts=(), cursor=dict(state), note=note, backfilled=True)

    def _follow(self, state: CursorState, now: datetime, until: float) -> Iterator[Batch]:
        settings = self._settings
        if time.monotonic() < self._stream_again:
            raise SourceUnavailable("the live stream failed a moment ago")
        stream = Stream(
            hosts=settings.jetstream,
            max_posts=settings.max_items,
            silence_s=settings.silence_s,
            allow_private=settings.allow_private,
            user_agent=settings.user_agent,
        )
        position = Position.of(state.get("stream"))
        start = now - timedelta(hours=settings.catch_up_hours)
        return bluesky_stream.follow(stream, position, start=start, until=until)

    def _search(
        self, state: CursorState, now: datetime, due: datetime, until: float
    ) -> Iterator[Batch]:
        """Search the terms that were not searched since `due`; nothing, when there are none."""
        settings = self._settings
        progress = Progress.of(state.get("search"))
        alone = not settings.jetstream
        terms = progress.due(self._terms, None if alone else due)
        if not terms:
            return
        search = Search(
            lookback=timedelta(days=settings.lookback_days),
            max_posts=settings.max_items,
            remember=alone,
        )
        account = self._account or self._asking(settings.pds, settings.account)

        def ask(question: Any) -> Any:
            return account.query(SEARCH, question, until=until)

        def go_on() -> bool:
            return time.monotonic() < until and not account.must_wait

        yield from bluesky_search.run(search, progress, terms, ask, now=now, go_on=go_on)

    def check_gone(self, native_ids: Sequence[str]) -> frozenset[str]:
        """Return which of these posts Bluesky no longer shows: deleted, taken down, or their account
        is gone. Younger ones than an hour are never among them: they may not be indexed yet.

        Asks 25 at a time, the public way, without an account. Raises SourceError when it can't tell;
        also when it shows none of 25 or more, which is more likely a fault than the truth.
        """
        until = time.monotonic() + CHECK_S
        young = datetime.now(UTC) - INDEXED_AFTER
        ours = [uri for uri in dict.fromkeys(native_ids) if _written_before(uri, young)]
        asked, shown = self._asking(self._settings.appview, None), set[str]()
        for start in range(0, len(ours), POSTS_AT_ONCE):
            part = ours[start : start + POSTS_AT_ONCE]
            views = asked.query(POSTS, {"uris": part}, until=until).get("posts")
            if not isinstance(views, list):
                raise SourceUnavailable("the answer holds no list of posts")
            shown.update(view["uri"] for view in views if isinstance(view, dict) and "uri" in view)
        if len(ours) >= POSTS_AT_ONCE and not shown.intersection(ours):
            raise SourceUnavailable("not one of the posts asked for was shown: taken for a fault")
        return frozenset(ours) - shown

    def _asking(self, url: str, account: str | None) -> Account:
        from connectors.bluesky_account import Account, Server  # noqa: PLC0415 - only who asks

        settings = self._settings
        return Account(
            Server(
                url=url,
                account=account,
                password_file=settings.password_file,
                session_file=settings.session_file,
                allow_private=settings.allow_private,
                user_agent=settings.user_agent,
            )
        )


def _within(state: dict[str, Any], part: str, batches: Iterator[Batch]) -> Iterator[Batch]:
    """Yield `batches` with the whole cursor, of which theirs is one part."""
    for batch in batches:
        state[part] = batch.cursor
        yield replace(batch, cursor=dict(state))


def _search_again(state: dict[str, Any], since: datetime, now: datetime) -> None:
    """After a gap in the stream every term is due, from where the stream was last whole."""
    progress = Progress.of(state.get("search"))
    progress.reopen(since)
    state["search"] = progress.to_state()
    state["missed"] = now.isoformat()


def _wait(error: SourceError) -> float:
    asked = error.retry_after if isinstance(error, SourceUnavailable) else None
    return max(asked or 0.0, STREAM_AGAIN_S)


def _written_before(uri: str, moment: datetime) -> bool:
    """Whether a post is older than that, by its key, which is a clock's reading in microseconds.

    https://atproto.com/specs/tid. A key of another kind counts as old; no post's address, as young.
    """
    if not uri.startswith("at://") or f"/{COLLECTION}/" not in uri:
        return False
    key = uri.rpartition("/")[2]
    if len(key) != 13 or not set(key) <= set(_TID):
        return True
    number = 0
    for char in key:
        number = number * 32 + _TID.index(char)
    return (number >> 10) / 1e6 < moment.timestamp()


_TID = "234567abcdefghijklmnopqrstuvwxyz"
