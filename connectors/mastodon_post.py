"""A Mastodon status taken apart: the wire's JSON in, our post out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.plain import parse_date, text_of, text_of_html, web_link
from connectors.post import Post

_PUBLIC = frozenset({"public", "unlisted"})


def to_post(status: Mapping[str, Any], host: str) -> Post:
    """Return `status`, as the instance at `host` shows it, as a post: its content warning, words,
    poll and descriptions of pictures. Raises ValueError for what is no public status of its own (a
    boost, something for followers only, something without an id).

    Ids are the instance's: the same status has others elsewhere. https://docs.joinmastodon.org/entities/Status/
    """
    name = _text(status, "id")
    if not name or status.get("reblog") or status.get("visibility") not in _PUBLIC:
        raise ValueError("not a public status")
    link = web_link(_text(status, "url") or _text(status, "uri"), f"https://{host}/")
    return Post(
        platform="mastodon",
        native_id=f"{host}/{name}",
        text=_said(status),
        url=link,
        author=_author(status.get("account"), host),
        published_at=_moment(status.get("created_at")),
        language=_text(status, "language") or None,
        thread_id=f"{host}/{_text(status, 'in_reply_to_id') or name}",
    )


def _said(status: Mapping[str, Any]) -> str:
    poll = status.get("poll")
    options = poll.get("options") if isinstance(poll, Mapping) else ()
    parts = [
        text_of(_text(status, "spoiler_text")),
        text_of_html(_text(status, "content")),
        *(text_of(_text(option, "title")) for option in _mappings(options)),
        *(
            text_of(_text(medium, "description"))
            for medium in _mappings(status.get("media_attachments"))
        ),
    ]
    return "\n".join(part for part in parts if part)


def _author(account: object, host: str) -> str | None:
    """The full name: `acct` leaves out the instance of its own people."""
    acct = _text(account, "acct") if isinstance(account, Mapping) else ""
    if not acct:
        return None
    return acct if "@" in acct else f"{acct}@{host}"


def _mappings(values: object) -> list[Mapping[str, Any]]:
    if not isinstance(values, list | tuple):
        return []
    return [value for value in values if isinstance(value, Mapping)]


def _text(values: Mapping[str, Any], field: str) -> str:
    """A field as text; ids are numbers where Mastodon.py has been at them."""
    value = values.get(field)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _moment(value: object) -> datetime | None:
    """The wire has text, Mastodon.py makes times of it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return parse_date(value) if isinstance(value, str) else None
