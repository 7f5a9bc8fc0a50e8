"""smtplib's grammar over a socket whose every operation ends by one deadline.

smtplib's own timeout starts anew with every read, so a server that sends a byte now and then holds a
client for ever. Here each read and write gets what remains of the whole.
"""

from __future__ import annotations

import contextlib
import io
import smtplib
import socket
import ssl
import time

_HEARD_AT_MOST = 1 << 20  # bytes from the server in one exchange
_CHUNK = 1 << 16


class Deadline:
    """Seconds that count down from creation, and anew after `restart`."""

    def __init__(self, seconds: float) -> None:
        self.restart(seconds)

    def restart(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    @property
    def remaining(self) -> float:
        """Seconds left, above 0; raises TimeoutError when there are none."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class _Replies(io.RawIOBase):
    """What the server says, read within the deadline."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline
        self._heard = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        self._sock.settimeout(self._deadline.remaining)
        count = self._sock.recv_into(buffer)
        self._heard += count
        if self._heard > _HEARD_AT_MOST:
            raise ConnectionAbortedError
        return count


class Connection(smtplib.SMTP):
    """One connection to one server, for one exchange."""

    def __init__(self, deadline: Deadline) -> None:
        # The name is set once the socket knows its address: a look-up could block.
        super().__init__(local_hostname="localhost")
        self._deadline = deadline

    def open(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        """Connect, with TLS from the first byte when `tls` is given; the greeting is still to be read.

        Resolving the name has the resolver's own limit; everything after it has ours.
        """
        self.sock = sock = self._dial(host, port)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        address = sock.getsockname()[0]
        self.local_hostname = f"[IPv6:{address}]" if ":" in address else f"[{address}]"
        if tls is not None:
            self.encrypt(host, tls)
        else:
            self._listen(sock)

    def encrypt(self, host: str, tls: ssl.SSLContext) -> None:
        """TLS from here on. What was heard before is forgotten, as RFC 3207 asks."""
        plain = self._connected()
        plain.settimeout(self._deadline.remaining)  # bounds the handshake as a whole
        self.sock = tls.wrap_socket(plain, server_hostname=host)
        self.esmtp_features = {}
        self.helo_resp = self.ehlo_resp = None
        self._listen(self.sock)

    def send(self, s: bytes | str) -> None:  # type: ignore[override]
        """All of `s` within the deadline; OSError when the connection fails."""
        sock = self._connected()
        left = memoryview(s.encode(self.command_encoding) if isinstance(s, str) else s)
        while left:
            sock.settimeout(self._deadline.remaining)
            left = left[sock.send(left[:_CHUNK]) :]

    def hang_up(self) -> None:
        """Close without a word, whatever state the connection is in."""
        with contextlib.suppress(OSError):
            self.close()

    def _connected(self) -> socket.socket:
        if self.sock is None:  # smtplib closes it on the first failure
            raise smtplib.SMTPServerDisconnected
        return self.sock

    def _listen(self, sock: socket.socket) -> None:
        self.file = io.BufferedReader(_Replies(sock, self._deadline))

    def _dial(self, host: str, port: int) -> socket.socket:
        failure: OSError = ConnectionRefusedError()
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host, port, 0, socket.SOCK_STREAM
        ):
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(self._deadline.remaining)
                sock.connect(address)
            except OSError as error:
                sock.close()
                failure = error
            else:
                return sock
        raise failure
