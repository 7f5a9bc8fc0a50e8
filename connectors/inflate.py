"""A compressed body, decoded while it streams and never beyond the room that there is."""

from __future__ import annotations

import zlib
from typing import Any

ENCODINGS = frozenset({"identity", "gzip", "x-gzip", "deflate"})
_GZIP_OR_ZLIB = 47  # zlib's window bits


class Inflate:
    """Decodes identity, gzip and deflate, stopping exactly where its caller's room ends."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._zlib: Any = None

    @property
    def finished(self) -> bool:
        return self._zlib is None or self._zlib.eof

    def decode(self, chunk: bytes, room: int) -> bytes:
        """Return what `chunk` decodes to, at most `room` bytes; what would exceed it is dropped."""
        if self._encoding == "identity":
            return chunk[:room]
        decoded = b""
        while chunk and len(decoded) < room:
            if self._zlib is None:
                self._zlib = zlib.decompressobj(_window(chunk[0]))
            elif self._zlib.eof:
                if chunk[0] != 0x1F:
                    break  # padding after the end
                self._zlib = zlib.decompressobj(_GZIP_OR_ZLIB)  # gzip files may follow one another
            decoded += self._zlib.decompress(chunk, room - len(decoded))
            chunk = self._zlib.unused_data or self._zlib.unconsumed_tail
        return decoded


def _window(first: int) -> int:
    """zlib's window bits for a body that begins with `first`: many servers' "deflate" lacks the
    header that RFC 9110 (section 8.4.1.2) asks for."""
    return _GZIP_OR_ZLIB if first == 0x1F or first & 0x0F == 8 else -15
