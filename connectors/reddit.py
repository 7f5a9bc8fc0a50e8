"""Reddit: what is posted and commented in chosen subreddits, and found by searching for the schools.

Every listing is read newest first until a whole page of it is known. Reddit's own `before` is never
used: once the post that it names is deleted, Reddit answers with an empty list for ever after. A
listing shows its newest 1,000 things only; where that wasn't enough, a gap is told.

What leaves the listing's first pages is not read again: an edit of an older post is not noticed, and
its deletion by `check_gone` only. Searching finds posts, never comments (https://www.reddit.com/dev/api).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from connectors.errors import SourceRejected
from connectors.post import Batch, CursorState
from connectors.reddit_client import PAGE, RedditClient, SubredditClosed
from connectors.reddit_listing import Listing, Memory, Reading, batches, read
from connectors.reddit_post import is_gone, to_post

__all__ = ["RedditConnector", "RedditSettings", "to_post"]

SITE, API = "https://www.reddit.com", "https://oauth.reddit.com"
MAX_QUERY = 512  # characters; Reddit refuses longer ones
MAX_PHRASE = 200

# Listings of everything, and of one's own account's things, are no communities.
_NOT_COMMUNITIES = frozenset({"all", "popular", "friends", "mod", "random"})


def _community(name: str) -> str:
    plain = name.removeprefix("/").removeprefix("r/")
    if plain.lower().startswith("u_"):
        raise ValueError("is one person's profile: this program watches places, never people")
    if plain.lower() in _NOT_COMMUNITIES:
        raise ValueError("is not a community: name the ones where the schools are talked about")
    return plain


Subreddit = Annotated[
    str, Field(pattern=r"^(/?r/)?[A-Za-z0-9][A-Za-z0-9_]{1,20}$"), AfterValidator(_community)
]


class RedditSettings(BaseModel):
    """The keys of a `[[sources]]` stanza with `kind = "reddit"`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    subreddits: tuple[Subreddit, ...] = Field((), max_length=25)
    search: Literal["everywhere", "subreddits", "off"] = "everywhere"
    client_id: str = Field(pattern=r"^[A-Za-z0-9_-]{5,100}$", repr=False)
    client_secret_file: Path
    # Reddit wants to know whom to ask: https://github.com/reddit-archive/reddit/wiki/API
    contact: str = Field(min_length=3, max_length=200, pattern=r"^[\x20-\x7e]+$")
    lookback_days: int = Field(30, ge=0, le=30)  # at the first poll
    timeout_s: float = Field(60.0, gt=0, le=300)  # for a whole poll, and for one deletion check
    allow_private: bool = False  # for a stand-in of Reddit on one's own network
    site: str = SITE
    api_url: str = API

    @model_validator(mode="after")
    def _is_usable(self) -> RedditSettings:
        if not self.subreddits and self.search != "everywhere":
            raise ValueError('name subreddits, or write search = "everywhere"')
        if (self.site, self.api_url) != (SITE, API) and not self.allow_private:
            raise ValueError("site and api_url are for stand-ins, with allow_private = true")
        if any(urlsplit(url).scheme not in {"http", "https"} for url in (self.site, self.api_url)):
            raise ValueError("site and api_url must be full http:// or https:// addresses")
        return self


class RedditConnector:
    """Chosen subreddits, and a search for the organisations."""

    Settings = RedditSettings
    platform = "reddit"
    searches = True
    apply_for = (
        "Reddit gives API credentials on request only: read its Responsible Builder Policy and file "
        "an API access request (https://support.reddithelp.com, article 42728983564564), for a "
        "read-only, non-commercial application without an account. When it is granted, write the "
        "id into client_id and the secret into client_secret_file. Without it, leave this source "
        "out: everything else works without Reddit."
    )

    def __init__(self, settings: RedditSettings, *, source: str, terms: Sequence[str] = ()) -> None:
        self.source = source
        self._settings = settings
        self._listings = _listings(settings, terms)

    def poll(self, cursor: CursorState, *, now: datetime) -> Iterator[Batch]:
        """Yield what is new, edited or deleted, listing by listing, 100 at most a batch.

        Ends within `timeout_s`; raises like `Connector.poll`. The listing that was read longest ago
        comes first, so that one poll cut short by Reddit's limits does not starve the last ones. A
        subreddit that can't be read (private, banned) is a gap; all of them: SourceRejected.
        """
        if not self._listings:
            raise SourceRejected("reddit: no subreddits, and no organisations to search for")
        memory = Memory(cursor, [listing.key for listing in self._listings])
        oldest = now - timedelta(days=self._settings.lookback_days)
        closed: dict[str, str] = {}
        with closing(self._client()) as client:
            for listing in memory.least_lately_read(self._listings):
                if listing.place in closed:
                    continue
                try:
                    reading = self._read(client, listing, memory, oldest)
                except SubredditClosed as error:
                    closed[listing.place] = str(error)
                else:
                    yield from batches(listing, reading, memory, now=now)
        if not closed:
            return
        told = "; ".join(f"{place}: {reason}" for place, reason in closed.items())
        if closed.keys() == {listing.place for listing in self._listings}:
            raise SourceRejected(f"reddit: {told}")
        yield Batch(posts=(), cursor=memory.cursor(), gap=told)

    def check_gone(self, native_ids: Sequence[str]) -> frozenset[str]:
        """Return which of `native_ids` their author deleted or a moderator removed. An id of which
        Reddit says nothing is not among them. Takes `timeout_s` at most; raises like `poll`."""
        gone: set[str] = set()
        with closing(self._client()) as client:
            for start in range(0, len(native_ids), PAGE):
                page = client.info(native_ids[start : start + PAGE])
                gone |= {str(thing.get("name")) for thing in page.things if is_gone(thing)}
        return frozenset(gone.intersection(native_ids))

    def _read(
        self, client: RedditClient, listing: Listing, memory: Memory, oldest: datetime
    ) -> Reading:
        first = memory.is_new(listing)
        return read(client, listing, memory.own(listing), not_before=oldest if first else None)

    def _client(self) -> RedditClient:
        settings = self._settings
        return RedditClient(
            client_id=settings.client_id,
            client_secret=self._secret(),
            user_agent=f"python:trust-monitor:1 ({settings.contact})",
            site=settings.site.rstrip("/"),
            api_url=settings.api_url.rstrip("/"),
            timeout_s=settings.timeout_s,
            allow_private=settings.allow_private,
        )

    def _secret(self) -> str:
        """Read anew for each poll: a new secret is taken up without a restart."""
        path = self._settings.client_secret_file
        try:
            secret = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise SourceRejected(f"reddit: client_secret_file {path}: {reason}") from None
        if not secret:
            raise SourceRejected(f"reddit: client_secret_file {path} is empty")
        return secret


def queries(terms: Sequence[str]) -> list[str]:
    """Pack `terms` (phrases; a hashtag with its #) into as few OR queries as Reddit's length allows.
    Pure."""
    phrases = dict.fromkeys(
        f'"{phrase}"'
        for term in terms
        if (phrase := " ".join(term.replace('"', " ").lstrip("#").split())[:MAX_PHRASE].strip())
    )
    packed: list[str] = []
    for phrase in phrases:
        if packed and len(joined := f"{packed[-1]} OR {phrase}") <= MAX_QUERY:
            packed[-1] = joined
        else:
            packed.append(phrase)
    return packed


def _listings(settings: RedditSettings, terms: Sequence[str]) -> list[Listing]:
    found: list[Listing] = []
    for name in dict.fromkeys(settings.subreddits):
        place = f"r/{name}"
        found += [
            Listing(
                key=f"{place}/comments", place=place, what="comments", path=f"{place}/comments/"
            ),
            Listing(key=f"{place}/new", place=place, what="posts", path=f"{place}/new/"),
        ]
    if settings.search == "off":
        return found
    within = "+".join(settings.subreddits) if settings.search == "subreddits" else ""
    return found + [Listing.of_search(query, within=within) for query in queries(terms)]
