"""A stand-in for what chat rooms and text message gateways offer: a real HTTP server that one can tell
what goes wrong, and ask what it got."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Any

from tests.delivery.smtp_faults import CERTIFICATE


class Mood(StrEnum):
    """What it does once it has read a whole request."""

    GOOD = "good"
    LATE = "late"  # says yes after a second
    BROKEN = "broken"  # 500
    GONE = "gone"  # 404: the webhook was deleted
    HANGS = "hangs"  # never says a word
    DRIPS = "drips"  # a byte every tenth of a second, for ever
    DROPS = "drops"  # closes the connection without an answer


@dataclass
class Webhook:
    """Listens on loopback from __enter__ to __exit__. `got` are the bodies of the requests, as JSON."""

    mood: Mood = Mood.GOOD
    tls: bool = False
    got: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ending = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]

    @property
    def url(self) -> str:
        """As Apprise writes it, with a token that nobody may see."""
        return f"json://127.0.0.1:{self.port}/hook/t0ken%2Fsecret"

    def __enter__(self) -> Webhook:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ending.set()
        self._socket.close()

    def _accept(self) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(CERTIFICATE)
        while not self._ending.is_set():
            try:
                sock, _ = self._socket.accept()
                if self.tls:
                    sock = context.wrap_socket(sock, server_side=True)
            except OSError:
                continue
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with sock:
            try:
                self._read(sock)
                self._answer(sock)
            except OSError:
                pass

    def _read(self, sock: socket.socket) -> None:
        file = sock.makefile("rb")
        path = file.readline().split()[1].decode()
        length = 0
        while line := file.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        self.paths.append(path)
        self.got.append(json.loads(file.read(length)))

    def _answer(self, sock: socket.socket) -> None:
        match self.mood:
            case Mood.LATE:
                self._ending.wait(1)
                self._say(sock, "200 OK")
            case Mood.GOOD:
                self._say(sock, "200 OK")
            case Mood.BROKEN:
                self._say(sock, "500 Internal Server Error")
            case Mood.GONE:
                self._say(sock, "404 Not Found")
            case Mood.HANGS:
                self._ending.wait(60)
            case Mood.DRIPS:
                sock.sendall(b"HTTP/1.1 200 OK\r\nX-Drip: ")
                while not self._ending.wait(0.1):
                    sock.sendall(b"x")

    @staticmethod
    def _say(sock: socket.socket, status: str) -> None:
        sock.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nok".encode())
