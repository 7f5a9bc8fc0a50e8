"""Foreign text made plain: HTML to text, dates to UTC, links to http(s) or nothing. Pure."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from urllib.parse import urldefrag, urljoin, urlsplit
from zoneinfo import ZoneInfo

import nh3

UK = ZoneInfo("Europe/London")

# The tags that a reader sees as a new line; nh3 leaves them in, bare, and drops all others.
_BLOCKS = frozenset(
    """address article aside blockquote br dd div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6
    header hr li main nav ol p pre section table td th tr ul""".split()  # noqa: SIM905  (legible)
)
_TAG = re.compile(r"<[^<>]*>")
_ESCAPED_TAG = re.compile(r"</?(?:a|b|br|div|em|i|li|p|span|strong|ul)(?=[\s/>])", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});")
_HALF = re.compile("[\ud800-\udfff]")
_BLANKS = re.compile(r"[^\S\n]+")
_LINE_ENDS = re.compile(r" ?\n[ \n]*")

# Offsets in hours. Those that RFC 822 knows (GMT, EST, ...) email.utils reads itself.
_ZONES = {"BST": 1, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "IST": 1}
_RFC_822_ZONES = frozenset(
    ["UT", "UTC", "GMT", "Z", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT"]
)
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)\s*(.*))?", re.ASCII)
_UK_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?:,?\s+(\d\d?):(\d\d)(?::(\d\d))?)?", re.ASCII)
_CLOCK = re.compile(r"\d:\d\d(?::\d\d)?\s+(.+)$", re.ASCII)
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)", re.ASCII)


def text_of_html(markup: str) -> str:
    """Return what a reader sees of `markup`: no tags, scripts or styles; block elements on lines of
    their own; entities decoded, twice where a publisher (WordPress) escaped twice."""
    once = _strip(markup)
    return _strip(once) if _ESCAPED_TAG.search(once) else once


def _strip(markup: str) -> str:
    flat = " ".join(markup.split())
    bare = nh3.clean(flat, tags=set(_BLOCKS), attributes={}, link_rel=None)
    return text_of(html.unescape(_TAG.sub("\n", bare)))


def text_of(text: str) -> str:
    """Return plain `text` with left-over entities decoded and blanks and blank lines collapsed."""
    if _ENTITY.search(text):
        text = html.unescape(text)
    # Half a character, which JSON can hold and no database stores, becomes a replacement mark.
    text = _HALF.sub("\ufffd", text).replace("\r", "\n").replace("\x00", "")
    return _LINE_ENDS.sub("\n", _BLANKS.sub(" ", text)).strip()


def web_link(link: str | None, base: str) -> str | None:
    """Return `link` as an absolute http(s) URL without credentials, or None: never javascript:,
    data: or file:. A relative link is resolved against `base`."""
    if not link or not link.strip():
        return None
    try:
        absolute = urljoin(base, link.strip())
        parts = urlsplit(absolute)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not host:
        return None
    if "@" in parts.netloc:
        absolute = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return re.sub("[\x00-\x20\x7f\ud800-\udfff]", "", absolute)


def without_fragment(link: str) -> str:
    """Return `link` up to its #."""
    return urldefrag(link).url


def parse_date(text: str | None) -> datetime | None:
    """Return the moment that `text` names, in UTC, or None when it can't be known.

    Reads RFC 822 (also with BST, which feedparser takes for UTC), ISO 8601 and dd/mm/yyyy. A time
    without a zone is UK time. An unknown zone or a nonsense date gives None, never the present.
    """
    text = " ".join((text or "").split())
    if not text or len(text) > 100:
        return None
    try:
        return (_iso(text) or _uk_day(text) or _rfc_822(text) or _never()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _never() -> datetime:
    raise ValueError("not a date in any form that we read")


def _iso(text: str) -> datetime | None:
    found = _ISO.fullmatch(text)
    if not found:
        return None
    day, clock, zone = found.groups()
    when = datetime.fromisoformat(f"{day}T{(clock or '00:00').replace(',', '.')}")
    return when.replace(tzinfo=_zone(zone or ""))


def _uk_day(text: str) -> datetime | None:
    found = _UK_DAY.fullmatch(text)
    if not found:
        return None
    day, month, year, hour, minute, second = (int(number or 0) for number in found.groups())
    return datetime(year, month, day, hour, minute, second, tzinfo=UK)


def _rfc_822(text: str) -> datetime | None:
    fields = parsedate_tz(text)
    if fields is None:
        return None
    found = _CLOCK.search(text)
    year, month, day, hour, minute, second = fields[:6]
    zone = found[1] if found else ""
    when = datetime(year, month, day, hour, minute, min(second, 59))  # noqa: DTZ001  (set below)
    if zone in _RFC_822_ZONES:
        return when.replace(tzinfo=timezone(timedelta(seconds=fields[9] or 0)))
    return when.replace(tzinfo=_zone(re.sub(r"\s*\(.*\)$", "", zone)))


def _zone(text: str) -> timezone | ZoneInfo:
    """Raises ValueError for a zone that we don't know."""
    text = text.strip().upper()
    if not text:
        return UK
    if text in {"Z", "UTC", "GMT", "UT"}:
        return UTC
    if text in _ZONES:
        return timezone(timedelta(hours=_ZONES[text]))
    found = _OFFSET.fullmatch(text)
    if not found:
        raise ValueError("unknown zone")
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-offset if found[1] == "-" else offset)
