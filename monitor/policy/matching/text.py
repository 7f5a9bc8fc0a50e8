"""Text as the watchlist reads it: a short ASCII-like key, and the way back to the original.

    "St. John’s C of E"  ->  b" st. johns c of e "

`normalise` runs on every post, so it is a handful of passes in C: non-ASCII characters are folded by
a codec error handler (only the runs that need it), the rest by one `bytes.translate`. The way back
(`Located`) is worked out only for the few posts in which something was found.

In a key, letters and digits are lower case without accents; spaces stand for every blank, dash,
bracket, quotation mark or emoji; apostrophes and zero-width characters are gone; "+" reads "&"; "."
stays; and a comma, colon, "!" or "?" is the byte `BREAK`, which no name may cross.
"""

from __future__ import annotations

import codecs
import html
import re
import unicodedata
from functools import lru_cache

BREAK = 0x01
NUL = "\x00"  # between two fields; never inside one
POST = "\x02"  # between two posts that are folded together
FIELD = NUL.encode()

_APOSTROPHES = frozenset("'`’‘‛ʼʹʻʽ′´＇ꞌ")
_BREAKS = frozenset(",;:!?|")
_LETTERS = {
    "ø": "o",
    "ł": "l",
    "đ": "d",
    "ħ": "h",
    "ı": "i",
    "æ": "ae",
    "œ": "oe",
    "þ": "th",
    "ð": "d",
}
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_HANDLER = "trust-monitor-fold"


def _ascii_byte(code: int) -> int:
    char = chr(code)
    if char.isalnum() or char in "@#_&.":
        return ord(char.lower())
    if char == "+":
        return ord("&")
    if char in {NUL, POST}:
        return code
    return BREAK if char in _BREAKS or code == BREAK else ord(" ")


_TABLE = bytes(_ascii_byte(code) if code < 0x80 else code for code in range(256))
_DELETED = b"'`"
WORD_BYTE = tuple(code >= 0x80 or chr(code).isalnum() or chr(code) == "_" for code in range(256))


def _fold_decomposed(char: str) -> str:
    if unicodedata.combining(char) or unicodedata.category(char) in {"Mn", "Me", "Mc", "Cf"}:
        return ""
    char = _LETTERS.get(char, char)
    if char.isascii():
        return char.encode().translate(_TABLE, _DELETED).decode()
    return char if char.isalnum() else " "


@lru_cache(maxsize=4096)
def _fold_char(char: str) -> str:
    """What one character of any script becomes: no context, so runs fold piece by piece."""
    if char in _APOSTROPHES:
        return ""
    if char == "…" or unicodedata.category(char) == "Cs":
        return " "
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold())
    return "".join(map(_fold_decomposed, decomposed))


@lru_cache(maxsize=4096)
def _fold_run(run: str) -> bytes:
    return "".join(map(_fold_char, run)).encode("utf-8", "replace")


def _on_non_ascii(error: UnicodeError) -> tuple[bytes, int]:
    if not isinstance(error, UnicodeEncodeError):  # registered for encoding only
        raise error
    end = error.end
    return _fold_run(error.object[error.start : end]), end


codecs.register_error(_HANDLER, _on_non_ascii)


def fold(text: str) -> bytes:
    """The key of `text`, in which runs of spaces stand as they fell. About a microsecond a post."""
    if "&" in text and ";" in text:
        text = _ENTITY.sub(lambda match: html.unescape(match[0]), text)
    return text.encode("ascii", _HANDLER).translate(_TABLE, _DELETED)


def normalise(text: str) -> bytes:
    """The key of `text` with one space at both ends, and never two together."""
    return with_single_spaces(fold(f" {text} "))


def with_single_spaces(key: bytes) -> bytes:
    """The key with each run of spaces made one."""
    while b"  " in key:
        key = key.replace(b"  ", b" ")
    return key


def plain(text: str) -> str:
    """The key as a string without its outer spaces: for terms and places."""
    return normalise(text).decode("utf-8", "replace").strip()


class Located:
    """The way back from one field's key to its text. `span` alone is needed; the work is put off
    until then, and is a binary search where each character folds to one byte at most."""

    def __init__(self, text: str) -> None:
        self.text = text
        aligned = None if "&" in text and ";" in text else _align(text)
        self._places = _Searched(aligned) if aligned is not None else _Listed(text)

    def span(self, key: bytes, start: int, end: int) -> tuple[int, int]:
        """The original (start, end) of `key[start:end]`, which begins and ends with a letter; `key`
        is the field's own."""
        undotted = key.replace(b".", b" ")
        first = _letters(undotted, start)
        last = _letters(undotted, end - 1)
        return self._places.start(first), self._places.end(last)


def _letters(key: bytes, end: int) -> int:
    return end - key.count(b" ", 0, end)


# Dots are passed over too, because a second reading takes runs of them out of the key.
_UNSEEN = bytes(
    0x20 if code in _DELETED or code == ord(".") else _TABLE[code] for code in range(256)
)


def _align(text: str) -> bytes | None:
    """One byte for each character, a space for all that a key leaves out; None when some character
    needs more bytes than one."""
    if text.isascii():
        return text.encode().translate(_UNSEEN)
    folded = [char if char < "\x80" else _fold_char(char) or "'" for char in text]
    aligned = "".join(folded)
    if len(aligned) != len(text) or not aligned.isascii():
        return None
    return aligned.encode().translate(_UNSEEN)


class _Searched:
    """Places by counting letters in an aligned text."""

    def __init__(self, aligned: bytes) -> None:
        self._aligned = aligned

    def start(self, letter: int) -> int:
        """The index of the `letter`-th (from 0) byte that is not a space."""
        aligned, low, high = self._aligned, 0, len(self._aligned)
        while low < high:
            middle = (low + high) // 2
            if _letters(aligned, middle + 1) > letter:
                high = middle
            else:
                low = middle + 1
        return low

    def end(self, letter: int) -> int:
        return self.start(letter) + 1


class _Listed:
    """Places written down byte by byte, for entities and characters of several bytes."""

    def __init__(self, text: str) -> None:
        spans: list[tuple[int, int]] = []
        entities = {match.start(): match for match in _ENTITY.finditer(text)}
        at = 0
        while at < len(text):
            match = entities.get(at)
            end = match.end() if match else at + 1
            said = html.unescape(match[0]) if match else text[at]
            folded = said.encode("ascii", _HANDLER).translate(_TABLE, _DELETED)
            spans.extend((at, end) for byte in folded if byte not in b" .")
            at = end
        self._spans = spans

    def start(self, letter: int) -> int:
        return self._spans[letter][0]

    def end(self, letter: int) -> int:
        return self._spans[letter][1]


_DOTS = re.compile(rb"\.\.+")
_SPACED = re.compile(rb"(?<= )(?:[a-z0-9&] ){3,}[a-z0-9&](?= )")


def without_spacing_out(key: bytes) -> bytes:
    """The key with "b r i g h t" read as "bright"."""
    return _SPACED.sub(lambda match: match[0].replace(b" ", b""), key)


def without_dot_runs(key: bytes) -> bytes:
    """The key with "shut...Moor View" parted."""
    return _DOTS.sub(b" ", key)
