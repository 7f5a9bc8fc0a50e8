"""A small Bluesky that one can talk to: real sockets on loopback, no network behind it.

Speaks what the connector uses: the second wire of Jetstream over a WebSocket, and createSession,
refreshSession, searchPosts and getPosts over XRPC. A real network is in test_bluesky_network.py.
"""

from __future__ import annotations

import base64
import json
import logging
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve
from websockets.typing import Subprotocol

METHOD = "network.bsky.jetstream.subscribeEvents"
COLLECTION = "app.bsky.feed.post"
DID = "did:plc:mossgateparents234567ab"
PASSWORD = "app-pass-word-1234"
_SILENT = logging.getLogger("tests.bluesky")
_SILENT.disabled = True


def record(text: str, created: datetime | str | None, **more: Any) -> dict[str, Any]:
    """A post as a client writes it; `created` None: without a date."""
    told = created.isoformat().replace("+00:00", "Z") if isinstance(created, datetime) else created
    dated = {} if told is None else {"createdAt": told}
    return {"$type": COLLECTION, "text": text, **dated, **more}


@dataclass
class Shown:
    """A post as the search has it."""

    record: dict[str, Any]
    indexed: datetime
    did: str = DID

    def __post_init__(self) -> None:
        self.sort_at = min(self.record.get("createdAt") or "9", self.indexed.isoformat())
        self.said = self.record["text"].casefold()


@dataclass
class Faults:
    """How to misbehave; as it stands: not at all."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None  # instead of every answer, or as the only frame
    hang: bool = False
    drip: bool = False


class BlueskyServer:
    """Set its attributes, then poll. `asked` holds (method, parameters) of every question."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls  # of the stream
        self.faults = Faults()
        self.stopping = threading.Event()
        # the stream
        self.events: list[tuple[int, datetime, dict[str, Any]]] = []
        self.frames: list[str] = []  # sent as they are, after the events
        self.oldest = 1  # the first sequence number that is still known
        self.stay = False  # after everything was sent, stay connected
        self.cursors: list[int | None] = []
        self._seq = 0
        # the search
        self.shown: dict[str, Shown] = {}
        self.most = 2000  # of the newest posts that a search reaches
        self.pages: int | None = None  # of one search that are answered; the next one fails
        self.asked: list[tuple[str, dict[str, list[str]]]] = []
        self.sign_ins = 0
        self.refreshes = 0
        self.token_s = 7200  # how long an access token is good for
        self.tokens: set[str] = set()
        self.password = PASSWORD
        self.answer_headers: dict[str, str] = {}
        self._start()

    def _start(self) -> None:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner._serve(self, parse_qs(urlsplit(self.path).query), {})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                owner._serve(self, {}, json.loads(body or b"{}"))

            def log_message(self, *args: object) -> None:
                pass

        self._web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._web.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._web.server_address[1]}"
        threading.Thread(target=self._web.serve_forever, args=(0.01,), daemon=True).start()
        self._sockets = serve(
            self._stream,
            "127.0.0.1",
            0,
            process_request=self._gate,
            subprotocols=[Subprotocol("xrpc.v1.json")],
            compression=None,
            ssl=self._tls,
            logger=_SILENT,
        )
        port = self._sockets.socket.getsockname()[1]
        self.stream_url = f"wss://localhost:{port}" if self._tls else f"ws://127.0.0.1:{port}"
        threading.Thread(target=self._sockets.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.stopping.set()
        self._sockets.shutdown()
        self._web.shutdown()
        self._web.server_close()

    # --- what happens on the network ---

    def emit(self, kind: str, at: datetime, did: str = DID, **body: Any) -> int:
        """Add an event to the stream; return its sequence number."""
        self._seq += 1
        told = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        head = {"$type": f"{METHOD}#{kind}", "seq": self._seq, "did": did, "time": told}
        self.events.append((self._seq, at, head | body))
        return self._seq

    def write(
        self, key: str, post: dict[str, Any], at: datetime, *, did: str = DID, edit: bool = False
    ) -> str:
        """Somebody posts, or edits; return the post's address."""
        uri = f"at://{did}/{COLLECTION}/{key}"
        operation = "update" if edit else "create"
        body = {"operation": operation, "collection": COLLECTION, "rkey": key, "record": post}
        self.emit("commit", at, did, **body)
        indexed = self.shown[uri].indexed if uri in self.shown else at
        self.shown[uri] = Shown(post, indexed, did)
        return uri

    def delete(self, key: str, at: datetime, *, did: str = DID) -> None:
        self.emit("commit", at, did, operation="delete", collection=COLLECTION, rkey=key)
        self.shown.pop(f"at://{did}/{COLLECTION}/{key}", None)

    def account(
        self, at: datetime, *, active: bool, status: str | None = None, did: str = DID
    ) -> None:
        told = {"active": active, "did": did} | ({"status": status} if status else {})
        self.emit("account", at, did, account=told)
        if not active:
            self.shown = {uri: post for uri, post in self.shown.items() if post.did != did}

    def forget(self) -> None:
        """The stream keeps nothing of what was so far."""
        self._seq += 1000
        self.oldest = self._seq + 1
        self.events.clear()

    def count_anew(self) -> None:
        """The stream's server was set up again: its numbers begin at one."""
        self._seq, self.oldest = 0, 1
        self.events.clear()

    # --- the stream ---

    def _gate(self, connection: ServerConnection, request: Request) -> Response | None:
        faults = self.faults
        if faults.hang:
            self.stopping.wait(30)
        if faults.drip:
            with suppress(OSError):
                for byte in b"HTTP/1.1 101 Switching Protocols\r\nX-Slow: " + b"x" * 2000:
                    connection.socket.sendall(bytes([byte]))
                    if self.stopping.wait(0.01):
                        break
        if faults.status != 200:
            return _response(faults.status, b"{}", faults.headers)
        cursor = self._cursor(request)
        self.cursors.append(cursor)
        if cursor is not None and cursor < self.oldest:
            return _response(400, b'{"error": "CursorTooOld", "message": "gone"}', {})
        return None

    def _cursor(self, request: Request) -> int | None:
        given = parse_qs(urlsplit(request.path).query).get("cursor")
        return int(given[0]) if given else None

    def _stream(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        cursor = self._cursor(connection.request)
        with suppress(ConnectionClosed, OSError):
            if self.faults.body is not None:
                connection.send(self.faults.body.decode("utf-8", "replace"))
                return
            if cursor is not None and self._seq < cursor < 10**15:
                info = {"$type": f"{METHOD}#info", "name": "FutureCursor", "message": "at the tip"}
                connection.send(json.dumps({"$type": "message", "payload": info}))
            for seq, at, event in list(self.events):
                if _is_from(cursor, seq, at):
                    connection.send(json.dumps({"$type": "message", "payload": event}))
            for frame in self.frames:
                connection.send(frame)
            while self.stay and not self.stopping.wait(0.05):
                pass

    # --- the personal server ---

    def _serve(
        self, http: BaseHTTPRequestHandler, params: dict[str, list[str]], body: dict[str, Any]
    ) -> None:
        method = urlsplit(http.path).path.rpartition("/")[2]
        self.asked.append((method, params))
        if self.faults.hang:
            self.stopping.wait(30)
            return
        status, answer = self._answer(method, params, body, http.headers.get("Authorization", ""))
        data = json.dumps(answer).encode()
        if self.faults.status != 200:
            status, data = self.faults.status, b'{"error": "Nope", "message": "no"}'
        elif self.faults.body is not None:
            status, data = 200, self.faults.body
        with suppress(OSError):
            self._send(http, status, data)

    def _send(self, http: BaseHTTPRequestHandler, status: int, data: bytes) -> None:
        http.send_response_only(status)
        for name, value in (self.answer_headers | self.faults.headers).items():
            http.send_header(name, value)
        http.send_header("Content-Type", "application/json")
        http.send_header("Content-Length", str(len(data)))
        http.end_headers()
        if not self.faults.drip:
            http.wfile.write(data)
            return
        for byte in data:
            http.wfile.write(bytes([byte]))
            if self.stopping.wait(0.01):
                return

    def _answer(
        self, method: str, params: dict[str, list[str]], body: dict[str, Any], bearer: str
    ) -> tuple[int, dict[str, Any]]:
        if method.startswith("com.atproto.server."):
            return self._signing_in(method, body)
        if method == "app.bsky.feed.getPosts":
            wanted = params.get("uris", [])
            if len(wanted) > 25:
                return 400, {"error": "InvalidRequest", "message": "too many"}
            return 200, {"posts": [self._view(uri) for uri in wanted if uri in self.shown]}
        if bearer.removeprefix("Bearer ") not in self.tokens:
            return 400, {"error": "ExpiredToken", "message": "Token has expired"}
        return self._search({name: values[0] for name, values in params.items()})

    def _signing_in(self, method: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if method.endswith("refreshSession"):
            self.refreshes += 1
            return 200, self._session()
        self.sign_ins += 1
        if body.get("password") != self.password:
            return 401, {"error": "AuthenticationRequired", "message": "Invalid password"}
        return 200, self._session()

    def _session(self) -> dict[str, Any]:
        return {
            "accessJwt": self._token(self.token_s),
            "refreshJwt": self._token(90 * 86400),
            "handle": "monitor.example",
            "did": "did:plc:monitoraccount234567abc",
        }

    def _token(self, seconds: int) -> str:
        payload = {"exp": int(time.time()) + seconds, "jti": f"{len(self.tokens)}"}
        parts = [base64.urlsafe_b64encode(json.dumps(part).encode()) for part in ({}, payload)]
        signature = base64.urlsafe_b64encode(self.password.encode())
        token = b".".join(part.rstrip(b"=") for part in (*parts, signature)).decode()
        self.tokens.add(token)
        return token

    def _search(self, params: dict[str, str]) -> tuple[int, dict[str, Any]]:
        wanted = params["q"].strip('"').casefold()
        found = [
            (post.sort_at, uri)
            for uri, post in self.shown.items()
            if wanted in post.said and post.sort_at >= params.get("since", "").replace("Z", "")
        ]
        found.sort(key=lambda pair: pair[0], reverse=True)
        start, limit = int(params.get("cursor", 0)), int(params.get("limit", 25))
        if self.pages is not None and start >= self.pages * limit:
            return 503, {"error": "Down"}
        page = found[: self.most][start : start + limit]
        more = start + limit < min(len(found), self.most)
        answer = {"posts": [self._view(uri) for _, uri in page]}
        return 200, answer | ({"cursor": str(start + limit)} if more else {})

    def _view(self, uri: str) -> dict[str, Any]:
        post = self.shown[uri]
        indexed = post.indexed.isoformat().replace("+00:00", "Z")
        author = {"did": post.did, "handle": "somebody.example"}
        return {
            "uri": uri,
            "cid": "bafy",
            "author": author,
            "record": post.record,
            "indexedAt": indexed,
        }


def _is_from(cursor: int | None, seq: int, at: datetime) -> bool:
    if cursor is None:
        return False
    return at.timestamp() * 1e6 >= cursor if cursor >= 10**15 else seq >= cursor


def _response(status: int, body: bytes, more: dict[str, str]) -> Response:
    headers = Headers({"Content-Length": str(len(body)), "Connection": "close", **more})
    return Response(status, "", headers, body)


@contextmanager
def running(tls: ssl.SSLContext | None = None) -> Iterator[BlueskyServer]:
    """A server for the length of a `with`."""
    server = BlueskyServer(tls)
    try:
        yield server
    finally:
        server.stop()


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)
