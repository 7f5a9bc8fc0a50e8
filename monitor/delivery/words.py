"""Text from outside, made safe to set in a line of mail: seen as it is, on one line, within bounds."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from urllib.parse import urlsplit

ELLIPSIS = "…"
_JOINER = "\u200d"  # holds emoji such as families together
_MARKS = r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]"
_STACKED_MARKS = re.compile(rf"({_MARKS}{{2}}){_MARKS}+")
# Mail programs turn these into links by themselves; a quoted post must not offer its own.
_ADDRESS = re.compile(
    r"(?:\b[a-z][a-z0-9+.-]{1,12}://|\bwww\.)\S*|\b[\w-]+(?:\.[\w-]+)+/\S*", re.IGNORECASE
)
_LINK_BOUND = 500  # characters; longer ones are left to `trust-monitor concerns show`


def clean(text: str) -> str:
    """`text` on one line without characters that are not seen: controls, bidirectional overrides,
    zero-width and tag characters, lone surrogates, private use, and marks stacked more than two high."""
    seen = (
        " " if char.isspace() else char
        for char in unicodedata.normalize("NFC", text)
        if char.isspace()
        or char == _JOINER
        or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co"}
    )
    return " ".join(_STACKED_MARKS.sub(r"\1", "".join(seen)).split())


def without_links(text: str) -> str:
    """`text` with web addresses replaced by "[link]"."""
    return _ADDRESS.sub("[link]", text)


def clip(text: str, *, characters: int, words: int | None = None) -> str:
    """At most `characters` characters and `words` words, cut between words with an ellipsis."""
    parts = text.split()
    kept = parts[:words]
    short = " ".join(kept)
    if len(kept) == len(parts) and len(short) <= characters:
        return short
    while len(kept) > 1 and len(short) >= characters:
        kept.pop()
        short = " ".join(kept)
    return short[: characters - 1].rstrip(" ,;:–") + ELLIPSIS


def fit(sentences: Sequence[str], *, words: int) -> tuple[str, ...]:
    """The first sentences that go into `words` words together, each with its full stop. Whole ones,
    since half an instruction can say the opposite; only a first one too long by itself is clipped."""
    taken: list[str] = []
    room = words
    for sentence in map(clean, sentences):
        need = len(sentence.split())
        if need > room or len(sentence) > words * 12:
            break
        taken.append(sentence)
        room -= need
    if not taken:
        taken = [clip(clean(first), words=words, characters=words * 12) for first in sentences][:1]
    return tuple(
        sentence if sentence[-1] in ".!?…" else f"{sentence}." for sentence in taken if sentence
    )


def safe_link(url: str | None) -> str | None:
    """`url` when it is an http(s) address that can stand in a line of mail, else None."""
    if url is None or len(url) > _LINK_BOUND or clean(url) != url or " " in url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.hostname else None


def host(url: str) -> str:
    """The host of a safe link, without "www."."""
    return (urlsplit(url).hostname or "").removeprefix("www.")
