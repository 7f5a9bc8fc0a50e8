"""What of a post may stand in mail: an address that names nobody, and perhaps its words with names masked.

Never in mail: names of pupils or staff, quotes of abuse, handles, allegations, pictures, attachments.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal
from urllib.parse import unquote, urlsplit, urlunsplit

from classifiers.verdict import Label
from connectors.post import Post
from monitor.delivery.words import clean, clip, safe_link, without_links

Excerpt = Literal["none", "redacted", "full"]

NEVER_QUOTED = frozenset(
    {Label.ABUSE, Label.HATE, Label.ALLEGATION, Label.SAFEGUARDING, Label.IDENTIFIES_CHILD}
)
READ_AT_MOST = 4000  # characters of a post that redaction gets to see
FULL_WORDS = 120
MASK = "[name]"  # what redaction leaves of a person

# "/@somebody", "/u/somebody": an address that is a handle. Bluesky's did: is none that anybody knows.
_HANDLE = re.compile(r"/@|/(?:u|user|users|profile|author|channel)/(?!did:)[^/]", re.IGNORECASE)
_REDDIT = re.compile(r"(/comments/\w+)/.*")
_SLUG = re.compile(r"[^\W\d_]{2,}(?:[-_+. ][^\W_]+)+")
_SHORTEST_HANDLE = 3


class Quoting:
    """One trust's setting. `redact` masks people's names, slurs and whatever leads to a person; it is
    called on everything that is quoted, whatever the setting: "full" only quotes more words."""

    def __init__(self, excerpt: Excerpt, redact: Callable[[str], str]) -> None:
        self._excerpt = excerpt
        self._redact = redact

    def words(
        self, title: str | None, text: str, *, labels: frozenset[Label], unread: bool, words: int
    ) -> str | None:
        """What may be quoted of a post, in at most `words` words; None: nothing of it. An unread post
        could hold anything."""
        if self._excerpt == "none" or unread or labels & NEVER_QUOTED:
            return None
        said = f"{title} – {text}" if title and not text.startswith(title) else text
        said = without_links(self._redact(clean(said[:READ_AT_MOST])))
        return clip(said, characters=words * 8, words=words) or None

    def link(self, url: str | None, author: str | None) -> str | None:
        """`url` when it is safe to open, and says neither who wrote the post nor who is meant."""
        link = safe_link(url)
        if link is None:
            return None
        parts = urlsplit(link)
        host = parts.hostname or ""
        path = unquote(parts.path)
        if host.endswith("reddit.com"):
            path = _REDDIT.sub(r"\1/", path)
            link = urlunsplit(parts._replace(path=path, query="", fragment=""))
        if parts.username or _HANDLE.search(path) or _bears(author, host, f"{path}?{parts.query}"):
            return None
        return None if any(map(self._names_somebody, _SLUG.findall(path))) else link

    def _names_somebody(self, slug: str) -> bool:
        """A slug's words are all small: each is tried with a capital, and all of them as they stand."""
        words = re.split(r"[-_+. ]", slug)
        tried = (*(word.capitalize() for word in words), " ".join(words))
        return any(MASK in self._redact(each) for each in tried)

    def longest(self, words: int) -> int:
        """How many words of a post a list may show, where `words` is the usual."""
        return FULL_WORDS if self._excerpt == "full" else words


def post_words(
    quoting: Quoting, post: Post, *, labels: frozenset[Label], unread: bool, words: int
) -> str | None:
    """`Quoting.words` of a whole post."""
    return quoting.words(post.title, post.text, labels=labels, unread=unread, words=words)


def _bears(author: str | None, host: str, rest: str) -> bool:
    """Whether an address holds its author's handle."""
    handle = (author or "").strip().lstrip("@").removeprefix("u/").casefold()
    if len(handle) < _SHORTEST_HANDLE:
        return False
    own = host.partition(".")[0].casefold() if host.count(".") > 1 else ""
    return handle in rest.casefold() or own == handle
