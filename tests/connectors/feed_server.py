"""A web server that one can talk to: real sockets on loopback, and every way to misbehave."""

from __future__ import annotations

import gzip
import socket
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape


class FeedServer:
    """Set its attributes, then poll `url`. `requests` holds the headers of every request."""

    def __init__(self) -> None:
        self.feed = b""
        self.status = 200
        self.headers: dict[str, str] = {"Content-Type": "application/rss+xml; charset=utf-8"}
        self.encoding: str | None = None  # "gzip", "deflate", "raw-deflate"
        self.encoded: bytes | None = None  # bytes to send as they are
        self.redirect: str | None = None
        self.hang = False  # accept, and never answer
        self.drip: float | None = None  # seconds between the bytes of the body
        self.drip_headers: float | None = None
        self.drop_at: int | None = None  # close the connection after so many bytes of body
        self.requests: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.stopping = threading.Event()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner._answer(self)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/feed"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        self.requests.append({name.lower(): value for name, value in request.headers.items()})
        self.paths.append(request.path)
        if self.hang:
            self.stopping.wait(60)
            return
        with suppress(OSError):  # the client had enough
            self._send(request)

    def _send(self, request: BaseHTTPRequestHandler) -> None:
        if self.drip_headers is not None:
            for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 10_000:
                request.wfile.write(bytes([byte]))
                if self.stopping.wait(self.drip_headers):
                    return
        if self.redirect and request.path.partition("?")[0] == "/feed":
            request.send_response(302)
            request.send_header("Location", self.redirect)
            request.end_headers()
            return
        etag = self.headers.get("ETag")
        if etag and request.headers.get("If-None-Match") == etag and self.status == 200:
            request.send_response(304)
            request.end_headers()
            return
        body = self._encoded()
        request.send_response_only(self.status)
        for name, value in self.headers.items():
            request.send_header(name, value)
        if self.encoding:
            request.send_header("Content-Encoding", self.encoding.removeprefix("raw-"))
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        self._send_body(request, body)

    def _send_body(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        if self.drop_at is not None:
            request.wfile.write(body[: self.drop_at])
            request.wfile.flush()
            request.connection.shutdown(socket.SHUT_RDWR)
        elif self.drip is not None:
            for byte in body:
                request.wfile.write(bytes([byte]))
                if self.stopping.wait(self.drip):
                    return
        else:
            request.wfile.write(body)

    def _encoded(self) -> bytes:
        if self.encoded is not None:
            return self.encoded
        if self.encoding == "gzip":
            return gzip.compress(self.feed)
        if self.encoding == "deflate":
            return zlib.compress(self.feed)
        if self.encoding == "raw-deflate":
            maker = zlib.compressobj(wbits=-15)
            return maker.compress(self.feed) + maker.flush()
        return self.feed


@contextmanager
def running() -> Iterator[FeedServer]:
    """A server for the length of a `with`."""
    server = FeedServer()
    try:
        yield server
    finally:
        server.stop()


def rss_item(
    text: str = "Lovely concert at Larkmoor School",
    *,
    guid: str | None = None,
    title: str | None = None,
    link: str | None = None,
    date: datetime | str | None = None,
) -> str:
    """One RSS item; what is None is left out."""
    published = format_datetime(date) if isinstance(date, datetime) else date
    parts = {
        "title": title,
        "link": link,
        "guid": guid,
        "pubDate": published,
        "description": text,
    }
    inner = "".join(
        f"<{tag}>{escape(value)}</{tag}>" for tag, value in parts.items() if value is not None
    )
    return f"<item>{inner}</item>"


def rss(items: Sequence[str], *, title: str = "Larkmoor Gazette") -> bytes:
    """A whole RSS 2.0 document."""
    return (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>'
        f"<title>{escape(title)}</title>{''.join(items)}</channel></rss>"
    ).encode()


def silent_listener() -> socket.socket:
    """A bound socket that accepts nothing: a connection is made by the kernel, and never served."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)
    return listener


def elapsed_since(started: float) -> float:
    """Seconds of the monotonic clock since `started`."""
    return time.monotonic() - started
