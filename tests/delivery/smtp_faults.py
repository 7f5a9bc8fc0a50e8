"""A mail server on loopback that misbehaves as told, over raw sockets. Talk to it:

    with FaultyServer(Fault.DROP_AFTER_DOT) as server:
        SmtpMailer([server.relay()], sender="monitor@trust.example").send(...)
    assert server.accepted == [...]

One thread a connection. `faults` may also be a function of the connection's number (from 0), so that
a harness can mix good and bad ones. `accepted` holds (recipient, message bytes) for every message that
this server took responsibility for: those whose final dot arrived, whether or not it then said so.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from monitor.delivery.email import Relay

CERTIFICATE = Path(__file__).resolve().parents[1] / "data" / "tls" / "localhost.pem"


class Fault(StrEnum):
    """What goes wrong. The numbers are the answer's first digit."""

    NONE = "none"
    REFUSED = "refused"
    BUSY_GREETING = "421 greeting"
    HARSH_GREETING = "554 greeting"
    SILENT_GREETING = "silent greeting"
    NOT_SMTP = "not smtp"
    EHLO = "5xx at EHLO"
    NO_STARTTLS = "starttls not offered"
    STARTTLS = "454 at STARTTLS"
    HANDSHAKE = "tls handshake fails"
    HANDSHAKE_HANGS = "tls handshake hangs"
    AUTH = "535 at AUTH"
    AUTH_NOT_OFFERED = "auth not offered"
    SIGN_IN_FIRST = "530 at MAIL"
    MAIL_4 = "451 at MAIL"
    MAIL_5 = "550 at MAIL"
    RCPT_4 = "450 at RCPT"
    RCPT_5 = "550 at RCPT"
    DATA_4 = "451 at DATA"
    DATA_5 = "554 at DATA"
    DRIP = "drip before DATA"
    ENDLESS = "endless answer"
    DROP_AT_RCPT = "drop at RCPT"
    DROP_IN_BODY = "drop before the final dot"
    DEAF_IN_BODY = "stops reading the body"
    DOT_4 = "451 at the final dot"
    DOT_5 = "554 at the final dot"
    DROP_AFTER_DOT = "drop after the final dot"
    HANG_AFTER_DOT = "hang after the final dot"
    DRIP_AFTER_DOT = "drip after the final dot"
    GARBAGE_AFTER_DOT = "garbage after the final dot"
    LATE_250 = "late 250"
    QUIT_NOT_221 = "500 at QUIT"
    QUIT_HANGS = "no answer at QUIT"
    QUIT_DROPS = "drop at QUIT"


_ANSWERS = {
    ("MAIL", Fault.SIGN_IN_FIRST): "530 5.7.0 sign in first",
    ("MAIL", Fault.MAIL_4): "451 4.3.0 later",
    ("MAIL", Fault.MAIL_5): "550 5.7.1 not from there",
    ("RCPT", Fault.RCPT_4): "450 4.2.1 greylisted",
    ("RCPT", Fault.RCPT_5): "550 5.1.1 <head@school.example> unknown here",
    ("DATA", Fault.DATA_4): "451 4.3.0 later",
    ("DATA", Fault.DATA_5): "554 5.7.1 no",
    ("AUTH", Fault.AUTH): "535 5.7.8 wrong password",
    ("EHLO", Fault.EHLO): "550 no",
    ("QUIT", Fault.QUIT_NOT_221): "500 what?",
}
_REFUSED_BODY = {
    Fault.DOT_4: "451 4.3.0 <head@school.example> later",
    Fault.DOT_5: "554 5.6.0 <head@school.example> looks like spam",
}


class FaultyServer:
    """See the module. `late_s` is how long LATE_250 takes, in seconds."""

    def __init__(
        self,
        faults: Fault | Callable[[int], Fault] = Fault.NONE,
        *,
        late_s: float = 0.3,
        host: str = "127.0.0.1",
    ) -> None:
        self._fault_of = faults if callable(faults) else (lambda _number: faults)
        self._refuses = faults is Fault.REFUSED
        self._late_s = late_s
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server((host, 0))
        self.port: int = self._listener.getsockname()[1]
        self.accepted: list[tuple[str, bytes]] = []
        self.commands: list[str] = []
        self.connections = 0

    def relay(self, **more: object) -> Relay:
        """How a mailer reaches this server; unencrypted unless told."""
        return Relay(**{"host": "localhost", "port": self.port, "security": "none"} | more)  # type: ignore[arg-type]

    def secure_relay(self) -> Relay:
        """The same with STARTTLS and a password."""
        return self.relay(
            security="starttls", username="monitor", password="a-secret", ca_file=CERTIFICATE
        )

    def __enter__(self) -> FaultyServer:
        if self._refuses:
            self._listener.close()
        else:
            self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                fault = self._fault_of(self.connections)
                self.connections += 1
                self._start(self._serve, sock, fault)

    def _serve(self, sock: socket.socket, fault: Fault) -> None:
        with suppress(OSError, ValueError):
            try:
                _Session(self, sock, fault).run()
            finally:
                sock.close()

    def took(self, recipient: str, message: bytes) -> None:
        with self._lock:
            self.accepted.append((recipient, message))

    def wait(self, seconds: float) -> bool:
        """True when the server was stopped meanwhile."""
        return self._stopped.wait(seconds)

    @property
    def late_s(self) -> float:
        return self._late_s


class _Session:
    def __init__(self, server: FaultyServer, sock: socket.socket, fault: Fault) -> None:
        self._server = server
        self._sock = sock
        self._fault = fault
        self._file: BinaryIO = sock.makefile("rb")
        self._encrypted = False
        self._recipient = ""

    def run(self) -> None:
        self._sock.settimeout(20)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not self._greet():
            return
        while line := self._file.readline():
            verb = line[:4].decode("latin-1").upper().strip()
            self._server.commands.append(verb)
            if not self._answer(verb, line.decode("utf-8", "replace").strip()):
                return

    def _greet(self) -> bool:
        match self._fault:
            case Fault.BUSY_GREETING:
                self._say("421 4.3.2 too busy")
                return False
            case Fault.HARSH_GREETING:
                self._say("554 go away")
                return False
            case Fault.SILENT_GREETING:
                return self._hang()
            case Fault.NOT_SMTP:
                self._say("HTTP/1.1 400 Bad Request")
                return False
            case _:
                self._say("220 faulty.example ESMTP")
                return True

    def _answer(self, verb: str, line: str) -> bool:
        if (refusal := _ANSWERS.get((verb, self._fault))) is not None:
            self._say(refusal)
            return True
        handler = getattr(self, f"_on_{verb.lower()}", None)
        if handler is None:
            self._say("250 2.0.0 fine")
            return True
        return bool(handler(line))

    def _on_ehlo(self, _line: str) -> bool:
        offers = ["faulty.example", "8BITMIME"]
        if not self._encrypted and self._fault is not Fault.NO_STARTTLS:
            offers.append("STARTTLS")
        if self._encrypted and self._fault is not Fault.AUTH_NOT_OFFERED:
            offers.append("AUTH PLAIN")
        for offer in offers:
            self._say(f"250-{offer}")
        self._say("250 HELP")
        return True

    def _on_star(self, _line: str) -> bool:
        if self._fault is Fault.STARTTLS:
            self._say("454 4.7.0 not now")
            return True
        self._say("220 go ahead")
        if self._fault is Fault.HANDSHAKE:
            self._sock.sendall(b"this is not TLS at all, sorry\r\n")
            return False
        if self._fault is Fault.HANDSHAKE_HANGS:
            return self._hang()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        self._sock = context.wrap_socket(self._sock, server_side=True)
        self._file = self._sock.makefile("rb")
        self._encrypted = True
        return True

    def _on_auth(self, _line: str) -> bool:
        self._say("235 2.7.0 welcome")
        return True

    def _on_rcpt(self, line: str) -> bool:
        if self._fault is Fault.DROP_AT_RCPT:
            return False
        if self._fault is Fault.DRIP:
            return self._drip(b"250 " + b"." * 4000)
        if self._fault is Fault.ENDLESS:
            while True:
                self._sock.sendall(b"250-and more\r\n" * 1000)
        self._recipient = line.partition("<")[2].partition(">")[0]
        self._say("250 2.1.5 fine")
        return True

    def _on_data(self, _line: str) -> bool:
        self._say("354 go on")
        if self._fault is Fault.DEAF_IN_BODY:
            return self._hang()
        body = bytearray()
        while line := self._file.readline():
            if self._fault is Fault.DROP_IN_BODY and len(body) > 200:
                return False
            if line == b".\r\n":
                return self._after_dot(bytes(body))
            body += line[1:] if line.startswith(b".") else line
        return False

    def _after_dot(self, body: bytes) -> bool:
        if (refusal := _REFUSED_BODY.get(self._fault)) is not None:
            self._say(refusal)
            return True
        self._server.took(self._recipient, body)
        match self._fault:
            case Fault.DROP_AFTER_DOT:
                return False
            case Fault.HANG_AFTER_DOT:
                return self._hang()
            case Fault.DRIP_AFTER_DOT:
                return self._drip(b"250 " + b"." * 4000)
            case Fault.GARBAGE_AFTER_DOT:
                self._say("maybe")
                return True
            case Fault.LATE_250:
                self._server.wait(self._server.late_s)
        self._say("250 2.0.0 queued for <head@school.example>")
        return True

    def _on_quit(self, _line: str) -> bool:
        match self._fault:
            case Fault.QUIT_HANGS:
                return self._hang()
            case Fault.QUIT_DROPS:
                return False
        self._say("221 bye")
        return False

    def _drip(self, text: bytes) -> bool:
        """A byte every 20 ms: each read succeeds, the answer never comes."""
        for byte in text:
            self._sock.sendall(bytes([byte]))
            if self._server.wait(0.02):
                break
        return False

    def _hang(self) -> bool:
        started = time.monotonic()
        while not self._server.wait(0.05) and time.monotonic() - started < 20:
            pass
        return False

    def _say(self, line: str) -> None:
        self._sock.sendall(line.encode() + b"\r\n")
