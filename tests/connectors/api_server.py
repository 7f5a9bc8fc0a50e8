"""A JSON API on loopback that one can talk to: what the stand-ins of platforms have in common."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request as it arrived; header names in lower case."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: str

    def given(self, name: str) -> str | None:
        """The first value of a query parameter."""
        return next(iter(self.query.get(name, ())), None)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A status, and something to be sent as JSON (bytes: as they are)."""

    status: int = 200
    content: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class ApiServer:
    """Set its faults, then poll `url`. `calls` holds every request. Faults befall the calls for which
    `befalls` is true: all, at first."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.stopping = threading.Event()
        self.recover()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner._serve(self)

            def do_POST(self) -> None:
                owner._serve(self)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def respond(self, call: Call) -> Answer:
        """What the platform answers when all is well."""
        raise NotImplementedError

    def recover(self) -> None:
        """All is well (again)."""
        self.fault: Answer | None = None  # answered instead
        self.hang = False
        self.drip: float | None = None  # seconds between the bytes of a body
        self.befalls: Callable[[Call], bool] = lambda _: True

    def stop(self) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        length = int(request.headers.get("Content-Length") or 0)
        call = Call(
            method=request.command,
            path=parts.path,
            query=parse_qs(parts.query, keep_blank_values=True),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=request.rfile.read(length).decode(),
        )
        self.calls.append(call)
        befallen = self.befalls(call)
        if befallen and self.hang:
            self.stopping.wait(60)
            return
        answer = self.fault if befallen and self.fault else self.respond(call)
        with suppress(OSError):  # the client had enough
            self._send(request, answer, drip=self.drip if befallen else None)

    def _send(self, request: BaseHTTPRequestHandler, answer: Answer, drip: float | None) -> None:
        body = answer.content
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        request.send_response_only(answer.status)
        headers = {"Content-Type": "application/json; charset=utf-8"} | dict(answer.headers)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if drip is None:
            request.wfile.write(body)
            return
        for byte in body:
            request.wfile.write(bytes([byte]))
            if self.stopping.wait(drip):
                return
