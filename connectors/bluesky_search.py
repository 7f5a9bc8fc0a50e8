"""Searching Bluesky for organisations: what the live stream can't give, or missed.

The search shows newest first, by the author's date or the indexing, whichever is earlier; so a post
may appear late, or far down. Pages are therefore read until one brings nothing new, and always back to
where the last complete search of the same term began.
https://docs.bsky.app/docs/api/app-bsky-feed-search-posts
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any

from connectors.bluesky_record import COLLECTION, to_post
from connectors.errors import SourceError, SourceUnavailable
from connectors.http import digest
from connectors.post import Batch, CursorState, Post
from connectors.seen import content_digest

PAGE = 100  # posts, the most that the search gives at once
MAX_PAGES = 100  # of one term in one poll
REMEMBERED = 6000  # posts, newest last
OVERLAP = timedelta(hours=1)  # searched again, for what was indexed late

Ask = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Asks the search with its parameters, and returns its answer; raises SourceError."""


@dataclass(slots=True)
class Progress:
    """What searching has done: `done` says when a term's last complete search began, `known` what was
    delivered or passed over (digest of the id -> of the content, newest last). Terms are kept as
    digests. `since` is how far back the first search went."""

    done: dict[str, datetime] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)
    since: datetime | None = None

    @classmethod
    def of(cls, state: CursorState | None) -> Progress:
        """Return what `to_state` made."""
        if not state:
            return cls()
        return cls(
            done={
                entry[:16]: datetime.fromtimestamp(int(entry[16:]), UTC) for entry in state["done"]
            },
            known={entry[:16]: entry[16:] for entry in state["known"]},
            since=datetime.fromisoformat(state["since"]) if state["since"] else None,
        )

    def to_state(self) -> dict[str, Any]:
        """As JSON can hold it; lists, since some databases re-order the keys of an object."""
        since = self.since.isoformat() if self.since else None
        return {
            "done": [f"{term}{int(at.timestamp())}" for term, at in self.done.items()],
            "known": [f"{key}{content}" for key, content in self.known.items()],
            "since": since,
        }

    def due(self, terms: Sequence[str], before: datetime | None = None) -> list[str]:
        """The terms, the longest waiting first; only those whose last complete search began `before`
        that, where given."""
        never = datetime.min.replace(tzinfo=UTC)
        waiting = sorted(
            ((self.done.get(digest(term), never), term) for term in terms), key=itemgetter(0)
        )
        return [term for at, term in waiting if before is None or at < before]

    def reopen(self, since: datetime) -> None:
        """Search everything again from `since` on: something was missed."""
        self.done = {term: min(at, since) for term, at in self.done.items()}

    def is_news(self, post: Post) -> bool:
        return self.known.get(digest(post.native_id)) != content_digest(post)

    def remember(self, posts: Sequence[Post], most: int) -> None:
        for post in posts:
            key = digest(post.native_id)
            self.known.pop(key, None)
            self.known[key] = content_digest(post)
        for key in list(self.known)[: max(len(self.known) - most, 0)]:
            del self.known[key]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How to search. `remember` False: what was delivered before may come again, from the last hour
    of the search before on (the monitor knows it by its id)."""

    lookback: timedelta
    max_posts: int
    remember: bool


@dataclass(slots=True)
class _Found:
    """What one term showed; `whole`: back to where it had to go. `failed`: after the first page."""

    posts: dict[str, Post] = field(default_factory=dict)
    shown: int = 0
    met: bool = False
    skipped: int = 0
    whole: bool = False
    failed: SourceError | None = None


def run(
    search: Search,
    progress: Progress,
    terms: Sequence[str],
    ask: Ask,
    *,
    now: datetime,
    go_on: Callable[[], bool],
) -> Iterator[Batch]:
    """Search `terms` in turn while `go_on()`; yield what is new, oldest first, and at the end a batch
    with all progress. The cursor of each batch is a `Progress`'s state; `progress` moves with them.

    Raises what `ask` raises, and SourceUnavailable for an answer of another shape; what was yielded
    until then stays good.
    """
    if progress.since is None:
        progress.since = now - search.lookback
    knew, met, shown, skipped = bool(progress.known), False, 0, 0
    gap: str | None = None
    for place, term in enumerate(terms):
        if place and not go_on():
            break
        found = _find(search, progress, term, ask, now=now, go_on=go_on)
        met, shown, skipped = met or found.met, shown + found.shown, skipped + found.skipped
        if not (found.whole or found.failed):
            gap = "a search showed more than could be read: posts may have been missed"
        yield from _deliver(search, progress, term, found, now)
        if found.failed:
            raise found.failed
    else:
        if search.remember and knew and shown and not met:
            gap = "the search shows nothing of what it showed before: posts may have been missed"
    yield Batch(posts=(), cursor=progress.to_state(), skipped=skipped, gap=gap)


def _deliver(
    search: Search, progress: Progress, term: str, found: _Found, now: datetime
) -> Iterator[Batch]:
    """The term counts as done with its last batch, so a death before that repeats the search."""
    posts = list(found.posts.values())[::-1]
    for start in range(0, len(posts), search.max_posts):
        part = posts[start : start + search.max_posts]
        if search.remember:
            progress.remember(part, REMEMBERED)
        if start + search.max_posts >= len(posts) and found.whole:
            progress.done[digest(term)] = now
        yield Batch(posts=tuple(part), cursor=progress.to_state())
    if found.whole:
        progress.done[digest(term)] = now


def _find(
    search: Search,
    progress: Progress,
    term: str,
    ask: Ask,
    *,
    now: datetime,
    go_on: Callable[[], bool],
) -> _Found:
    """Page through one term, newest first."""
    found = _Found()
    done = progress.done.get(digest(term))
    floor = progress.since or now
    question: dict[str, Any] = {"q": phrase(term), "sort": "latest", "limit": PAGE}
    back_to = done - OVERLAP if done else now - search.lookback
    if not done or not search.remember:
        question["since"] = back_to.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    for _ in range(MAX_PAGES):
        try:
            answer = ask(question)
        except SourceError as error:
            if not found.posts:
                raise
            found.failed = error  # what was read is good; the next search begins from the top
            return found
        news, oldest = _take(answer, found, progress, floor)
        cursor = answer.get("cursor")
        enough = not news and oldest is not None and oldest < back_to
        if not cursor or enough:
            found.whole = True
            return found
        if not go_on():
            return found
        question["cursor"] = cursor
    return found


def _take(
    answer: Mapping[str, Any], found: _Found, progress: Progress, floor: datetime
) -> tuple[int, datetime | None]:
    """Sort one page into `found`; return how many posts of it are new, and the oldest date on it."""
    views = answer.get("posts")
    if not isinstance(views, list):
        raise SourceUnavailable("the search's answer holds no list of posts")
    news, oldest = 0, None
    for view in views:
        try:
            indexed = datetime.fromisoformat(view["indexedAt"]).astimezone(UTC)
            post = of_view(view)
        except (ValueError, KeyError, TypeError, AttributeError):
            found.skipped += 1
            continue
        found.shown += 1
        dated = min(post.published_at or indexed, indexed)
        oldest = min(oldest or dated, dated)
        if not progress.is_news(post):
            found.met = True
        elif indexed >= floor:
            news += post.native_id not in found.posts
            found.posts.setdefault(post.native_id, post)
    if views and found.shown == 0:
        raise SourceUnavailable("the search's answer holds no post that can be read")
    return news, oldest


def of_view(view: Mapping[str, Any]) -> Post:
    """Return a post as the search shows it. Raises ValueError, KeyError, TypeError or AttributeError
    for something else."""
    did, collection, key = view["uri"].removeprefix("at://").split("/")
    if collection != COLLECTION:
        raise ValueError("not a post")
    indexed = datetime.fromisoformat(view["indexedAt"]).astimezone(UTC)
    return to_post(did, key, view["record"], indexed)


def phrase(term: str) -> str:
    """The query for one term: exactly these words, and none of the search's operators."""
    bare = " ".join(term.replace('"', " ").replace("\\", " ").split())
    return bare if bare.startswith("#") and " " not in bare else f'"{bare}"'
