"""Bluesky's live stream, Jetstream: every post of the network, as it is written.

The second version of its wire is read: JSON frames with a sequence number that one server gives out.
The `atproto` package has a client for it. It sleeps and reconnects by itself, where the monitor's own
backoff must decide; it resolves names past our address guard; and to check a frame against its model
costs more than all that is done with a post here (33 against 25 microseconds, measured).
https://github.com/bluesky-social/jetstream and its lexicon network.bsky.jetstream.subscribeEvents
"""

from __future__ import annotations

import logging
import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn
from urllib.parse import urlencode, urlsplit

from pydantic_core import from_json
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from connectors.address import AddressGuard
from connectors.bluesky_record import COLLECTION, account_prefix, post_uri, to_post
from connectors.errors import SourceError, SourceUnavailable
from connectors.http import refusal, tls
from connectors.post import Batch, CursorState, Post

METHOD = "network.bsky.jetstream.subscribeEvents"
MAX_EVENT = 1_000_000  # bytes; a post has a few thousand. The server leaves longer ones out.
OPEN_S = 15.0  # for name, connection, TLS and handshake
BATCH_S = 1.0  # a post waits no longer than this for others to be committed with
IDLE_COMMIT_S = 10.0  # events that hold nothing for us still move the cursor, this often
# Each server numbers and times events by itself, so on another one we start a little before.
REWIND = timedelta(minutes=1)
_SUBPROTOCOL = Subprotocol("xrpc.v1.json")
# Statuses of an account whose posts are still there for everybody.
_STILL_SHOWN = frozenset({"desynchronized", "throttled"})
_LOST = frozenset({"CursorTooOld", "FutureCursor"})  # the sequence number means nothing there
_CODE = re.compile(r"[A-Za-z]{1,40}")
_QUIET = logging.getLogger(f"{__name__}.library")  # its words quote frames
_QUIET.disabled = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """The last event that was read: `seq` counts on `host` only, `at` is when that server saw it."""

    host: str
    seq: int
    at: datetime

    @classmethod
    def of(cls, state: CursorState | None) -> Position | None:
        """Return what `to_state` made; None: no event was ever read."""
        if not state:
            return None
        at = datetime.fromisoformat(state["at"])
        return cls(host=state["host"], seq=state["seq"], at=at)

    def to_state(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {"host": self.host, "seq": self.seq, "at": self.at.isoformat()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Where and how to follow. `hosts` are ws(s):// addresses, tried in turn; `max_posts` a batch;
    `silence_s` without any event is a failure, since the whole network is never silent."""

    hosts: Sequence[str]
    max_posts: int
    silence_s: float
    allow_private: bool
    user_agent: str


class _PositionLost(Exception):
    """This server can't go on from our sequence number."""


def follow(
    stream: Stream, position: Position | None, *, start: datetime, until: float
) -> Iterator[Batch]:
    """Yield what comes after `position`, or since `start` when there is none, until the monotonic
    clock shows `until` or the server closes. The cursor of each batch is a `Position`'s state.

    When the server has forgotten our position, what it still has is delivered, with a gap. Raises
    SourceRejected or SourceUnavailable when no host can be followed, or one fails before it sent
    anything; after that, a lost connection just ends the poll.
    """
    hosts = sorted(stream.hosts, key=lambda host: not (position and host == position.host))
    for left, host in zip(range(len(hosts) - 1, -1, -1), hosts, strict=True):
        begun = False
        try:
            for batch in _follow_host(stream, host, position, start, until):
                begun = True
                yield batch
        except SourceError:
            if begun or not left:
                raise  # another host would begin where this poll began
        else:
            return


def _follow_host(
    stream: Stream, host: str, position: Position | None, start: datetime, until: float
) -> Iterator[Batch]:
    if position and position.host == host:
        try:
            yield from _read(stream, host, position.seq, until, position=position)
        except _PositionLost:
            gap = (
                "the live stream could not be taken up where it was left at "
                f"{position.at:%H:%M UTC on %d %B}: posts may have been missed"
            )
        else:
            return
    else:
        gap = None
    since = position.at - REWIND if position else start
    try:
        # A lost sequence may have been counted anew, so nothing is known by its number.
        yield from _read(stream, host, int(since.timestamp() * 1e6), until, gap=gap)
    except _PositionLost:
        raise SourceUnavailable(f"{_name(host)}: it can't resume from a time either") from None


def _read(
    stream: Stream,
    host: str,
    cursor: int,
    until: float,
    *,
    position: Position | None = None,
    gap: str | None = None,
) -> Iterator[Batch]:
    """One connection, from `cursor` on: a sequence number, or microseconds of Unix time. `position`,
    where given, is known to be on this host, in this count."""
    pending = _Pending(host, position, gap)
    with _opened(stream, host, cursor, until) as connection:
        for frame in _frames(stream, host, connection, pending, until):
            if frame is not None and not pending.take(frame):
                break
            if pending.due(stream.max_posts):
                yield pending.batch()
    if pending.worth_it:
        yield pending.batch()
    if pending.unreadable_only:
        raise SourceUnavailable(f"{_name(host)}: sends nothing that can be read as a live stream")
    if not pending.heard and time.monotonic() < until:
        raise SourceUnavailable(f"{_name(host)}: closed the live stream before any event")


def _frames(
    stream: Stream, host: str, connection: ClientConnection, pending: _Pending, until: float
) -> Iterator[str | bytes | None]:
    """What the server sends, and None whenever a batch may be due meanwhile."""
    heard = time.monotonic()
    while (now := time.monotonic()) < until:
        try:
            frame = connection.recv(timeout=min(until - now, pending.patience()))
        except TimeoutError:
            if time.monotonic() - heard > stream.silence_s:
                raise SourceUnavailable(
                    f"{_name(host)}: silent for {stream.silence_s:g} s"
                ) from None
            yield None
        except ConnectionClosed:
            return
        else:
            heard = now
            yield frame


class _Pending:
    """What was read and not yet committed. A post comes once, in its last wording."""

    def __init__(self, host: str, position: Position | None, gap: str | None) -> None:
        self._host = host
        self._last = position
        self._gap = gap
        self._opened: float | None = None  # when the first thing to commit came
        self._empty_since = time.monotonic()
        self.heard = False
        self._bad = 0
        self._clear()

    def _clear(self) -> None:
        self._posts: dict[str, Post] = {}
        self._deleted: dict[str, None] = {}
        self._gone: dict[str, None] = {}
        self._skipped = 0
        self._moved = False
        self._opened = None
        self._empty_since = time.monotonic()
        self._held: Mapping[str, Any] | None = None

    @property
    def worth_it(self) -> bool:
        return self._moved or self._skipped > 0

    @property
    def unreadable_only(self) -> bool:
        return self._bad > 0 and not self.heard

    def patience(self) -> float:
        """Seconds until the batch is due, at most one."""
        if self._opened is None:
            return BATCH_S
        return max(self._opened + BATCH_S - time.monotonic(), 0.001)

    def due(self, max_posts: int) -> bool:
        if self._held is not None or len(self._posts) >= max_posts:
            return True
        now = time.monotonic()
        if self._opened is not None:
            return now - self._opened >= BATCH_S
        return self._moved and now - self._empty_since >= IDLE_COMMIT_S

    def batch(self) -> Batch:
        """Everything so far, and where we are."""
        made = Batch(
            posts=tuple(self._posts.values()),
            cursor=self._last.to_state() if self._last else {},
            deleted=tuple(self._deleted),
            gone=tuple(self._gone),
            skipped=self._skipped,
            gap=self._gap,
        )
        held, self._gap = self._held, None
        self._clear()
        if held is not None:
            self._event(held)
        return made

    def take(self, frame: str | bytes) -> bool:
        """Read one frame; False: the server said goodbye. Raises _PositionLost."""
        try:
            message = from_json(frame)
            if message["$type"] == "message":
                self._event(message["payload"])
                return True
            if message["$type"] == "error":
                _told(self._host, message.get("error"), fatal=not self.heard)
                return False
        except (ValueError, KeyError, TypeError, AttributeError):
            pass
        self._bad += 1
        self._skipped += 1 if self.heard else 0
        return True

    def _event(self, event: Mapping[str, Any]) -> None:
        """Raises ValueError, KeyError or TypeError for what is not an event."""
        kind = event["$type"].rpartition("#")[2]
        if kind == "info":
            self._info(event.get("name"))
            return
        seq, at = (
            int(event["seq"]),
            datetime.fromisoformat(event.get("witnessedAt") or event["time"]),
        )
        if self._last is not None and seq <= self._last.seq:
            self.heard = True  # resuming is inclusive
            return
        try:
            if kind == "commit":
                self._commit(event, at)
            elif kind == "account":
                self._account(event)
        except (ValueError, KeyError, TypeError):
            self._skipped += 1  # counted, and passed: it will not read better next time
        if self._held is None:
            self._last = Position(host=self._host, seq=seq, at=at.astimezone(UTC))
            self.heard = self._moved = True

    def _info(self, name: object) -> None:
        if name in _LOST and self._last is not None and not self.heard:
            raise _PositionLost
        if name == "OutdatedCursor" and self._gap is None:
            self._gap = "the live stream began later than asked: posts may have been missed"

    def _commit(self, event: Mapping[str, Any], at: datetime) -> None:
        if event["collection"] != COLLECTION:
            return
        uri = post_uri(event["did"], event["rkey"])
        if event["operation"] == "delete":
            self._posts.pop(uri, None)
            self._deleted[uri] = None
        else:
            post = to_post(event["did"], event["rkey"], event["record"], at)
            if uri in self._deleted or account_prefix(event["did"]) in self._gone:
                self._held = event  # erased first, in a batch of its own: order matters
                return
            self._posts.pop(uri, None)
            self._posts[uri] = post
        self._open_batch()

    def _account(self, event: Mapping[str, Any]) -> None:
        account = event["account"]
        if account["active"] is False and account.get("status") not in _STILL_SHOWN:
            prefix = account_prefix(event["did"])
            self._posts = {u: p for u, p in self._posts.items() if not u.startswith(prefix)}
            self._gone[prefix] = None
            self._open_batch()

    def _open_batch(self) -> None:
        if self._opened is None:
            self._opened = time.monotonic()


def _told(host: str, code: object, *, fatal: bool) -> None:
    """An error frame ends the stream. After events it only ends this poll ("ConsumerTooSlow")."""
    if fatal and code in _LOST:
        raise _PositionLost
    if fatal:
        said = code if isinstance(code, str) and _CODE.fullmatch(code) else "an error"
        raise SourceUnavailable(f"{_name(host)}: ended the live stream with {said}")


@contextmanager
def _opened(stream: Stream, host: str, cursor: int, until: float) -> Iterator[ClientConnection]:
    """Connect to the very address that was checked, and ask for posts and account events."""
    parts = urlsplit(host)
    name, secure = parts.hostname or "", parts.scheme == "wss"
    port = parts.port or (443 if secure else 80)
    deadline = min(time.monotonic() + OPEN_S, until)
    asked = {"collections": COLLECTION, "cursor": cursor, "maxMessageSizeBytes": MAX_EVENT}
    guard = AddressGuard(name, port, stream.allow_private)
    addresses = guard.addresses(name, port, timeout_s=_left(deadline))
    with ExitStack() as stack:
        try:
            dialled = connect(
                f"{host.rstrip('/')}/xrpc/{METHOD}?{urlencode(asked)}",
                sock=_connected(addresses, port, deadline),
                ssl=tls() if secure else None,
                server_hostname=name if secure else None,
                subprotocols=[_SUBPROTOCOL],
                compression=None,  # a third of the bandwidth for a multiple of the time
                user_agent_header=stream.user_agent,
                proxy=None,
                open_timeout=_left(deadline),
                close_timeout=0.5,
                max_size=2 * MAX_EVENT,
                max_queue=256,
                logger=_QUIET,
            )
            connection = stack.enter_context(dialled)
        except InvalidStatus as error:
            _refused(name, error)
        except TimeoutError:
            raise SourceUnavailable(f"{name}: no complete answer within the deadline") from None
        except ssl.SSLCertVerificationError as error:
            raise SourceUnavailable(
                f"{name}: its TLS certificate was refused ({error.verify_message})"
            ) from None
        except (OSError, InvalidHandshake, EOFError):
            raise SourceUnavailable(f"{name}: no live stream could be opened") from None
        yield connection


def _connected(addresses: Sequence[str], port: int, deadline: float) -> socket.socket:
    for untried in range(len(addresses), 0, -1):
        try:
            left = _left(deadline) / untried
            connection = socket.create_connection((addresses[-untried], port), timeout=left)
        except OSError:
            if untried == 1:
                raise
        else:
            connection.settimeout(None)
            return connection
    raise AssertionError("the guard never returns an empty list")


def _refused(name: str, error: InvalidStatus) -> NoReturn:
    response = error.response
    try:
        told = from_json(response.body or b"")
        code = told.get("error") if isinstance(told, dict) else None
    except ValueError:
        code = None
    if response.status_code == 400 and code in _LOST:
        raise _PositionLost from None
    if response.status_code < 400:
        raise SourceUnavailable(f"{name}: answers, but not with a live stream") from None
    headers = {key.lower(): value for key, value in response.headers.raw_items()}
    raise refusal(name, response.status_code, headers) from None


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise SourceUnavailable("no time was left to open the live stream")
    return left


def _name(host: str) -> str:
    return urlsplit(host).hostname or "the live stream"
