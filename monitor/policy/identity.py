"""Which concern does a mention belong to? One incident is one concern, however often it is told.

Two mentions are one incident when they stand in one thread, or say nearly the same words anywhere,
about an organisation in common and within a week. Short or generic words ("shame on you") prove
nothing and never join anything.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence, Set
from datetime import datetime, timedelta

from rapidfuzz import fuzz

from connectors.post import Post
from monitor.domain import Candidate

WINDOW = timedelta(days=7)
TAKEN_UP_WITHIN = timedelta(days=14)  # after closing: a thread that goes on reopens its concern
MOST_CANDIDATES = 200  # newest first: bounds the cost of one mention
MOST_TEXTS = 5  # per candidate, newest first
LONGEST_TEXT = 1000  # characters compared
FEWEST_CHARACTERS = 40  # below these two, a text is too short to be anybody's in particular
FEWEST_WORDS = 6  # different words of four letters or more
SAME_WORDS = 88.0  # rapidfuzz's ratio, 0..100
CONTAINED = 92.0  # rapidfuzz's token_set_ratio, 0..100
LEAST_SHARE = 0.6  # of the longer text's length, and of the smaller vocabulary: less can't be one

_URL = re.compile(r"https?://\S+")
_NOT_WORD = re.compile(r"[^\w]+")


def thread_keys(post: Post) -> frozenset[str]:
    """The threads that the post stands in: its own, and the one that it may have started."""
    ids = {post.native_id, post.thread_id or post.native_id}
    return frozenset(f"{post.platform}:{thread}" for thread in ids)


def normalise(text: str) -> str:
    """Casefolded words, without addresses, punctuation, emoji or accents; at most 1,000 characters."""
    bare = _URL.sub(" ", text[: 4 * LONGEST_TEXT])
    folded = unicodedata.normalize("NFKD", bare).casefold()
    words = "".join(char for char in folded if not unicodedata.combining(char))
    return _NOT_WORD.sub(" ", words).strip()[:LONGEST_TEXT]


def fingerprint(text: str) -> str:
    """32 hexadecimal digits, the same for texts that differ only in case, punctuation or links."""
    return hashlib.blake2b(normalise(text).encode(), digest_size=16).hexdigest()


def incident_for(
    post: Post,
    organisations: Sequence[str],
    candidates: Sequence[Candidate],
    *,
    now: datetime,
) -> int | None:
    """The id of the concern that the post joins, or None for a new one. The thread is asked first,
    then the words; among equals the concern seen last wins. A closed concern is joined by its
    thread only, and only where no live one stands in it."""
    wanted = set(organisations)
    ordered = sorted(
        (candidate for candidate in candidates if wanted & candidate.organisations),
        key=lambda candidate: (not candidate.closed, candidate.last_seen, candidate.concern_id),
        reverse=True,
    )
    recent = [c for c in ordered if not c.closed and now - c.last_seen <= WINDOW][:MOST_CANDIDATES]
    threads = thread_keys(post)
    for candidate in (*recent, *(c for c in ordered if c.closed)):
        if threads & candidate.threads:
            return candidate.concern_id
    said = normalise(f"{post.title or ''} {post.text}")
    words = frozenset(said.split())
    if not _is_telling(said, words):
        return None
    for candidate in recent:
        if any(_nearly_same(said, words, text) for text in candidate.texts[:MOST_TEXTS]):
            return candidate.concern_id
    return None


def _is_telling(text: str, words: Set[str]) -> bool:
    return len(text) >= FEWEST_CHARACTERS and sum(len(word) >= 4 for word in words) >= FEWEST_WORDS


def _nearly_same(said: str, words: Set[str], other: str) -> bool:
    """Cheap refusals first: the comparisons proper cost a hundred times as much."""
    if said == other:
        return True
    if min(len(said), len(other)) < LEAST_SHARE * max(len(said), len(other)):
        return False
    others = set(other.split())
    if len(words & others) < LEAST_SHARE * min(len(words), len(others)):
        return False
    return _is_telling(other, others) and bool(
        fuzz.ratio(said, other, score_cutoff=SAME_WORDS)
        or fuzz.token_set_ratio(said, other, score_cutoff=CONTAINED)
    )
