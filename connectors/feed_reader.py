"""One look at one feed: fetched if it changed, and taken apart. What its items mean as posts is its
caller's: connectors.rss takes them as they are, connectors.google unwraps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from connectors import feed_document
from connectors.feed_document import Document
from connectors.http import Fetched, Validators, fetch

READ_S = 20.0  # for taking the document apart, on top of timeout_s: 5 MB take 5 s of CPU
# A server may say "not modified" and be wrong. WordPress makes a comment feed's ETag and Last-Modified
# from the newest comment's date alone, so neither an edit nor an older comment that is approved now
# changes them (seen with 6.1.9): comment feeds are always read whole, and all others this often.
REREAD = timedelta(hours=1)

_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, "
    "text/xml;q=0.9, application/json;q=0.8, */*;q=0.5"
)


def checked_url(url: str) -> str:
    """Return `url`. Raises ValueError, with what to write instead."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("write a full http:// or https:// address")
    if "@" in parts.netloc:
        raise ValueError("take the user name and password out: secrets never stand in the TOML")
    return url


class FeedSettings(BaseModel):
    """The keys that every kind which reads feeds has in its `[[sources]]` stanza."""

    # A URL may hold a token: it is kept out of what pydantic prints.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    lookback_days: int = Field(30, ge=0, le=30)  # at the first poll
    timeout_s: float = Field(20.0, gt=0, le=60)  # for all downloads of one poll
    max_bytes: int = Field(5_000_000, ge=10_000, le=20_000_000)  # of one feed, decoded
    max_items: int = Field(500, ge=1, le=5000)  # in one batch, which is one commit
    allow_private: bool = False  # for a host inside the trust's own network
    contact: str | None = Field(
        None, max_length=200, pattern=r"^[\x21-\x7e]+$"
    )  # mail or web address


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A feed as it was found."""

    fetched: Fetched
    document: Document

    def memory(self, now: datetime) -> dict[str, Any]:
        """Return what lets the next `read_feed` ask "only if changed": nothing, unless the whole
        document was read."""
        if self.fetched.incomplete or self.document.broken or self.document.over:
            return {}
        return {"validators": asdict(self.fetched.validators), "read_at": now.isoformat()}

    def gap(self, *, turned_over: bool) -> str | None:
        """Return what could not be seen, in words fit for the digest."""
        if self.fetched.incomplete:
            return f"only the beginning of the feed was read: {self.fetched.incomplete}"
        if self.document.over:
            return f"{self.document.over} items of the feed were not read: it has too many"
        if turned_over:
            return "the feed turned over completely between two polls: posts may have been missed"
        return None


def read_feed(
    url: str,
    settings: FeedSettings,
    memory: Mapping[str, Any],
    *,
    now: datetime,
    timeout_s: float,
    allow_private: bool,
) -> Reading | None:
    """Fetch `url` within `timeout_s` seconds and take it apart within 20 more.

    `memory` is what `Reading.memory` returned last time, or empty. Returns None when the feed has
    not changed since. Raises SourceUnavailable and SourceRejected.
    """
    contact = f" (+{settings.contact})" if settings.contact else ""
    stored = memory.get("validators") if _read_lately(memory, now) else None
    fetched = fetch(
        url,
        validators=Validators(**stored) if stored else None,
        timeout_s=timeout_s,
        max_bytes=settings.max_bytes,
        allow_private=allow_private,
        user_agent=f"trust-monitor{contact}",
        accept=_ACCEPT,
    )
    if fetched.not_modified:
        return None
    document = feed_document.read(fetched.body, content_type=fetched.content_type, timeout_s=READ_S)
    return Reading(fetched=fetched, document=document)


def _read_lately(memory: Mapping[str, Any], now: datetime) -> bool:
    """Also False when the clock was set back since."""
    if "read_at" not in memory:
        return False
    return timedelta(0) <= now - datetime.fromisoformat(memory["read_at"]) < REREAD
