"""Mastodon: posts with the organisations' hashtags on one instance, and what its search finds.

A hashtag's timeline is paged forward by `min_id`, which loses nothing between two polls. But a post
that reaches the instance late gets the id of when it was written, behind what was read already
(Mastodon's ids are made from `created_at`): so the newest page is always read too, and paging starts
80 posts back. That is also how edits are noticed; deletions are by `check_gone`.

Several instances are several sources. One large one sees most: an instance shows what reached it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from connectors.errors import SourceRejected
from connectors.mastodon_client import LOOKED_UP, PAGE, MastodonClient, Status
from connectors.mastodon_memory import Memory, order
from connectors.mastodon_post import to_post
from connectors.post import Batch, CursorState, Post

__all__ = ["MastodonConnector", "MastodonSettings", "to_post"]

MAX_SEARCHES = 30  # in one poll, of 300 requests that an instance allows in five minutes
SEARCH_PAGES = 5  # of one search in one poll, where nothing on the first ones is known
MAX_PAGES = 100  # of one hashtag in one poll
_TAG = re.compile(r"\w{2,100}")


def _instance(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise ValueError("write the instance's address, such as https://mastodon.example")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ValueError("write the instance's address alone, without a page or a profile")
    return f"{parts.scheme}://{parts.netloc}"


class MastodonSettings(BaseModel):
    """The keys of a `[[sources]]` stanza with `kind = "mastodon"`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    instance: Annotated[str, AfterValidator(_instance)]
    # Besides the watchlist's own.
    hashtags: tuple[Annotated[str, Field(pattern=r"^#?\w{2,100}$")], ...] = Field((), max_length=50)
    token_file: Path | None = None  # searching needs an account there
    lookback_days: int = Field(30, ge=0, le=30)  # at the first poll
    timeout_s: float = Field(60.0, gt=0, le=300)  # for a whole poll, and for one deletion check
    contact: str | None = Field(None, max_length=200, pattern=r"^[\x20-\x7e]+$")
    allow_private: bool = False  # for an instance inside the trust's own network


class MastodonConnector:
    """One instance."""

    Settings = MastodonSettings
    platform = "mastodon"
    searches = True
    apply_for = (
        "Hashtags need no token on most instances. To search, or where the instance shows hashtags "
        "to its own people only: make an account for the trust there, then Preferences, "
        "Development, New application, with the scopes read:statuses and read:search only, and "
        "write its access token into token_file."
    )

    def __init__(
        self, settings: MastodonSettings, *, source: str, terms: Sequence[str] = ()
    ) -> None:
        self.source = source
        self._settings = settings
        self._streams = _streams(settings, terms)

    def poll(self, cursor: CursorState, *, now: datetime) -> Iterator[Batch]:
        """Yield what is new or edited, hashtag by hashtag and search by search, 200 at most a batch.

        Ends within `timeout_s`; raises like `Connector.poll`. What was read longest ago comes first,
        so that many searches take turns.
        """
        if not self._streams:
            raise SourceRejected(
                "mastodon: no hashtags, and no token_file to search for organisations with"
            )
        memory = Memory(cursor, self._streams)
        since = now - timedelta(days=self._settings.lookback_days)
        searched = 0
        with closing(self._client()) as client:
            for name in memory.least_lately_read():
                if name.startswith("#"):
                    yield from self._hashtag(client, name, memory, since=since, now=now)
                elif searched < MAX_SEARCHES:
                    searched += 1
                    yield from self._search(client, name, memory, since=since, now=now)

    def check_gone(self, native_ids: Sequence[str]) -> frozenset[str]:
        """Return which of `native_ids` the instance answers with 404 or 410: deleted, hidden, or its
        account gone. Ids of other instances are not asked about. Takes `timeout_s` at most; raises
        like `poll`."""
        gone: set[str] = set()
        with closing(self._client()) as client:
            own = f"{client.host}/"
            names = [name.removeprefix(own) for name in native_ids if name.startswith(own)]
            for start in range(0, len(names), LOOKED_UP):
                gone |= client.gone(names[start : start + LOOKED_UP])
        return frozenset(own + name for name in gone)

    def _hashtag(
        self,
        client: MastodonClient,
        name: str,
        memory: Memory,
        *,
        since: datetime,
        now: datetime,
    ) -> Iterator[Batch]:
        tag = name.removeprefix("#")
        newest, skipped = _posts(client.hashtag(tag), client.host)
        first = memory.begin(name, newest, since, whole=len(newest) + skipped < PAGE)
        if not memory.knows_all(name, newest):
            at: str | datetime = memory.start(name) or since
            for _ in range(MAX_PAGES):
                page = client.hashtag(tag, min_id=at)
                posts, unread = _posts(page, client.host)
                skipped += unread
                if not page:
                    break
                at = max((str(status.get("id")) for status in page), key=order)
                yield Batch(
                    posts=memory.news(name, posts, forward=True),
                    cursor=memory.cursor(),
                    skipped=skipped,
                )
                skipped = 0
            else:
                return  # the newest are told once what lies before them is: at the next polls
        late = memory.news(name, newest, forward=False)
        lost = not first and memory.lost_sight(name)
        memory.done(name, now)
        gap = f"{name}: nothing that was known is left: some may have been missed"
        yield Batch(posts=late, cursor=memory.cursor(), skipped=skipped, gap=gap if lost else None)

    def _search(
        self,
        client: MastodonClient,
        name: str,
        memory: Memory,
        *,
        since: datetime,
        now: datetime,
    ) -> Iterator[Batch]:
        found: list[Post] = []
        skipped, more = 0, True
        for page in range(SEARCH_PAGES):
            statuses = client.search(name, offset=page * PAGE)
            posts, unread = _posts(statuses, client.host)
            found, skipped = found + posts, skipped + unread
            more = len(statuses) == PAGE and not memory.knows_any(name, posts)
            if not more:
                break
        memory.begin(name, found, since, whole=len(found) + skipped < PAGE)
        news = memory.news(name, found, forward=False)
        memory.done(name, now)
        gap = f'the search for "{name}" found more than the {len(found)} that were read'
        yield Batch(posts=news, cursor=memory.cursor(), skipped=skipped, gap=gap if more else None)

    def _client(self) -> MastodonClient:
        settings = self._settings
        contact = f" (+{settings.contact})" if settings.contact else ""
        return MastodonClient(
            settings.instance,
            token=self._token(),
            user_agent=f"trust-monitor{contact}",
            timeout_s=settings.timeout_s,
            allow_private=settings.allow_private,
        )

    def _token(self) -> str | None:
        """Read anew for each poll: a new token is taken up without a restart."""
        path = self._settings.token_file
        if path is None:
            return None
        try:
            token = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise SourceRejected(f"mastodon: token_file {path}: {reason}") from None
        if not re.fullmatch(r"[\x21-\x7e]+", token):
            raise SourceRejected(f"mastodon: token_file {path} must hold one token, and no more")
        return token


def _streams(settings: MastodonSettings, terms: Sequence[str]) -> list[str]:
    """The hashtags with their #, in one spelling each; with a token, the phrases too."""
    tags = [f"#{tag.lstrip('#')}" for tag in settings.hashtags]
    tags += [term for term in terms if term.startswith("#") and _TAG.fullmatch(term[1:])]
    found = list({tag.casefold(): tag for tag in reversed(tags)}.values())[::-1]
    if settings.token_file is not None:
        phrases = (" ".join(term.replace('"', " ").split()) for term in terms)
        found += dict.fromkeys(phrase for phrase in phrases if phrase and phrase[0] != "#")
    return found


def _posts(statuses: Sequence[Status], host: str) -> tuple[list[Post], int]:
    """Return what can be read, and how many can't."""
    posts: list[Post] = []
    for status in statuses:
        try:
            posts.append(to_post(status, host))
        except ValueError:
            continue
    return posts, len(statuses) - len(posts)
