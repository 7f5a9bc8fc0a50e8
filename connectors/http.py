"""One guarded GET: conditional, within a total deadline, a size cap and an address guard.

Why not plain `httpx2.get`: its timeouts are per read (a server that sends a byte a second never
times out), its decoder inflates a whole chunk before one can look at the size (100 KB of gzip became
100 MB), its redirects are followed without a look at the address, and it listens to proxy variables.
So we drive its engine, httpcore2, with a network backend of ours, and keep httpx2's URL.
"""

from __future__ import annotations

import hashlib
import re
import ssl
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache

import httpcore2
import httpx2

from connectors.address import AddressGuard
from connectors.errors import SourceError, SourceGone, SourceRejected, SourceUnavailable
from connectors.inflate import ENCODINGS, Inflate
from connectors.network import GuardedBackend

MAX_REDIRECTS = 5
MAX_RETRY_AFTER_S = 24 * 3600.0
SETTLED_AFTER = timedelta(seconds=5)
_TRY_LATER = frozenset({408, 425, 429})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_VALIDATOR = re.compile(r"[\x20-\x7e]{1,512}")  # what may be sent back in a header


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What makes the next GET conditional. `of` is `digest` of the URL that gave them: they are sent
    to that URL only, so nothing about a host is told to another one after a redirect."""

    of: str
    etag: str | None = None
    last_modified: str | None = None

    def headers(self, url: str) -> dict[str | bytes, str | bytes]:
        """Return the conditional request headers for `url`: none when it is not ours."""
        if self.of != digest(url):
            return {}
        named = (("If-None-Match", self.etag), ("If-Modified-Since", self.last_modified))
        return {name: value for name, value in named if value and _VALIDATOR.fullmatch(value)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A response's decoded body, at most `max_bytes` long.

    `url` is where it came from in the end. `incomplete` says in words why the body may lack its end
    (the size cap, or a lost connection); None: it is whole. `not_modified` bodies are empty.
    """

    url: str
    body: bytes = b""
    content_type: str = ""
    validators: Validators
    not_modified: bool = False
    incomplete: str | None = None


def digest(text: str) -> str:
    """16 hexadecimal digits that stand for `text` where it must not be shown."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def fetch(
    url: str,
    *,
    validators: Validators | None = None,
    timeout_s: float = 20.0,
    max_bytes: int = 5_000_000,
    allow_private: bool = False,
    user_agent: str = "trust-monitor",
    accept: str = "*/*",
) -> Fetched:
    """GET `url`, following at most 5 redirects; everything together within `timeout_s` seconds.

    Raises SourceRejected (401, 403, 404, 410, other 4xx, an address that is not allowed, a content
    encoding that we don't read) or SourceUnavailable (408, 425, 429, 5xx, timeouts, connection
    failures), with the server's Retry-After where it gave one. Messages name the host, never the
    path or the query, which may hold a token.
    """
    deadline = time.monotonic() + timeout_s
    here = _web_url(httpx2.URL(url))
    guard = AddressGuard(here.raw_host.decode("ascii"), port_of(here), allow_private)
    headers: dict[str | bytes, str | bytes] = {
        "User-Agent": user_agent,
        "Accept": accept,
        "Accept-Encoding": "gzip, deflate",
    }
    for _ in range(MAX_REDIRECTS + 1):
        conditional = validators.headers(str(here)) if validators else {}
        step = _get(here, headers | conditional, guard, deadline, max_bytes)
        if isinstance(step, Fetched):
            if step.not_modified and not conditional:
                raise SourceUnavailable(f"{here.host}: HTTP status 304 to an unconditional request")
            return step
        here = step
    raise SourceRejected(f"{here.host}: redirects more than {MAX_REDIRECTS} times")


def _get(
    url: httpx2.URL,
    headers: Mapping[str | bytes, str | bytes],
    guard: AddressGuard,
    deadline: float,
    max_bytes: int,
) -> Fetched | httpx2.URL:
    """One request: what it fetched, or where it redirects to."""
    backend = GuardedBackend(guard, deadline)
    target = httpcore2.URL(
        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
    )
    try:
        with (
            httpcore2.ConnectionPool(ssl_context=tls(), network_backend=backend) as pool,
            pool.stream("GET", target, headers=headers) as response,
        ):
            return _read(url, response, deadline, max_bytes)
    except SourceError:
        raise
    except (httpcore2.TimeoutException, TimeoutError):
        raise SourceUnavailable(f"{url.host}: no complete answer within the deadline") from None
    except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        raise SourceUnavailable(f"{url.host}: {why_failed(error)}") from None


def _read(
    url: httpx2.URL,
    response: httpcore2.Response,
    deadline: float,
    max_bytes: int,
) -> Fetched | httpx2.URL:
    headers = first_headers(response)
    status = response.status
    if status in _REDIRECTS and headers.get("location"):
        return _redirected(url, headers["location"])
    validators = _validators(url, headers)
    if status == 304:
        return Fetched(url=str(url), validators=validators, not_modified=True)
    if status != 200:
        raise refusal(url.host, status, headers)
    body, incomplete = read_body(url.host, response, headers, deadline, max_bytes)
    return Fetched(
        url=str(url),
        body=body,
        content_type=headers.get("content-type", ""),
        validators=validators,
        incomplete=incomplete,
    )


def _validators(url: httpx2.URL, headers: dict[str, str]) -> Validators:
    """None are kept of a document that changed seconds ago: it may change again within the same
    second, which Last-Modified, or an ETag made from it (WordPress), can't tell (RFC 9110, 8.8.2.2)."""
    modified = headers.get("last-modified", "")
    changed = _http_date(modified)
    if changed and _server_time(headers) - changed < SETTLED_AFTER:
        return Validators(of=digest(str(url)))
    return Validators(of=digest(str(url)), etag=headers.get("etag"), last_modified=modified or None)


def _server_time(headers: dict[str, str]) -> datetime:
    return _http_date(headers.get("date", "")) or datetime.now(UTC)


def refusal(host: str, status: int, headers: dict[str, str]) -> SourceError:
    """The error for an answer that is not the one asked for, with its Retry-After. Header names are
    in lower case."""
    if status in {404, 410}:
        return SourceGone(f"{host}: HTTP status {status}")
    if 400 <= status < 500 and status not in _TRY_LATER:
        return SourceRejected(f"{host}: HTTP status {status}")
    return SourceUnavailable(f"{host}: HTTP status {status}", retry_after=_retry_after(headers))


def _retry_after(headers: dict[str, str]) -> float | None:
    """Seconds from 0 to 24 hours, from either form of the header (RFC 9110, section 10.2.3); a date
    is measured from the server's own Date, so that neither clock needs to be right."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,12}", value):
        return min(float(value), MAX_RETRY_AFTER_S)
    then = _http_date(value)
    if then is None:
        return None
    return min(max((then - _server_time(headers)).total_seconds(), 0.0), MAX_RETRY_AFTER_S)


def _http_date(value: str) -> datetime | None:
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def read_body(
    host: str,
    response: httpcore2.Response,
    headers: dict[str, str],
    deadline: float,
    max_bytes: int,
) -> tuple[bytes, str | None]:
    """Return the decoded body, and why it is incomplete (None: it is whole)."""
    encoding = headers.get("content-encoding", "").strip().lower() or "identity"
    if encoding not in ENCODINGS:
        raise SourceRejected(f"{host}: sent a content encoding that was not asked for")
    inflate = Inflate(encoding)
    body = bytearray()
    try:
        for chunk in response.iter_stream():
            if time.monotonic() > deadline:
                raise TimeoutError  # a body that always has one more byte ready
            # One byte more than allowed is asked for: it tells "exactly full" from "too long".
            body += inflate.decode(chunk, max_bytes + 1 - len(body))
            if len(body) > max_bytes:
                return bytes(body[:max_bytes]), f"longer than {max_bytes:,} bytes"
    except (httpcore2.ReadError, httpcore2.RemoteProtocolError):
        if not body:
            raise
        return bytes(body), "the connection was lost before its end"
    except zlib.error:
        raise SourceUnavailable(f"{host}: the compressed body is damaged") from None
    return bytes(body), None if inflate.finished else "its compressed form was cut off"


@cache
def tls() -> ssl.SSLContext:
    """The system's certificates, read once, whatever SSL_CERT_FILE says."""
    return httpx2.create_ssl_context(trust_env=False)


def first_headers(response: httpcore2.Response) -> dict[str, str]:
    """Names in lower case; of a repeated header, the first."""
    pairs = [(name.decode("latin-1").lower(), value) for name, value in response.headers]
    return {name: value.decode("latin-1") for name, value in reversed(pairs)}


def _redirected(url: httpx2.URL, location: str) -> httpx2.URL:
    try:
        return _web_url(url.join(location))
    except httpx2.InvalidURL:
        raise SourceRejected(f"{url.host}: redirects to something that is not a URL") from None


def _web_url(url: httpx2.URL) -> httpx2.URL:
    """Without credentials and fragment, which are never sent. Raises SourceRejected for what is not
    http or https."""
    if url.scheme not in {"http", "https"} or not url.host:
        raise SourceRejected(f"{url.host or 'the source'}: only http and https can be read")
    return url.copy_with(userinfo=b"", fragment=None)


def port_of(url: httpx2.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def why_failed(error: Exception) -> str:
    """Words of ours: an exception's own text may quote a header or the request line."""
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its TLS certificate was refused ({cause.verify_message})"
    if isinstance(cause, ssl.SSLError):
        return "no TLS connection could be made"
    if isinstance(cause, ConnectionRefusedError):
        return "the connection was refused"
    if isinstance(error, httpcore2.ProtocolError):
        return "the answer is not proper HTTP"
    return "the connection failed"
