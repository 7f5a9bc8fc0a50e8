"""The trust's own Bluesky account: one signed-in session, kept on disk, asked through its own server.

The network's search answers only who is signed in, through the account's own server (its "PDS").
Signing in is limited to 30 times in 5 minutes and 300 a day, so the session is kept in a file, renewed
by the `atproto` package as its tokens run out, and made anew at most every five minutes.
https://docs.bsky.app/docs/advanced-guides/rate-limits
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpcore2
import httpx  # the engine of the atproto package
from atproto_client import Client, Session, SessionEvent
from atproto_client.exceptions import (
    AtProtocolError,
    BadRequestError,
    RateLimitExceededError,
    RequestErrorBase,
    UnauthorizedError,
)
from atproto_client.models.dot_dict import DotDict
from atproto_client.request import Request, Response

from connectors.address import AddressGuard
from connectors.errors import SourceError, SourceRejected, SourceUnavailable
from connectors.http import first_headers, read_body, refusal, tls, why_failed
from connectors.network import GuardedBackend

SIGN_IN_EVERY_S = 300.0
REQUEST_S = 20.0  # for each step of a request; the caller's deadline is for all of them
MAX_ANSWER = 5_000_000  # bytes; a hundred posts have about 300,000
SPARE = 10  # requests left of the server's allowance when we stop asking
MAX_WAIT_S = 24 * 3600.0
_STALE = frozenset({"ExpiredToken", "InvalidToken"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server to ask. `account` None: nobody signs in, which some questions allow."""

    url: str
    account: str | None
    password_file: Path | None
    session_file: Path | None
    allow_private: bool
    user_agent: str


class Account:
    """Asks one server, signed in when it has an account. Used by one thread at a time."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._client: Client | None = None
        self._transport = _GuardedTransport(server)
        self._wait_until = 0.0  # monotonic: the server's allowance is used up until then
        self._refused: str | None = None  # a session that the server would not take any more

    @property
    def must_wait(self) -> bool:
        """True while the server's allowance is used up."""
        return time.monotonic() < self._wait_until

    def query(self, method: str, params: Mapping[str, Any], *, until: float) -> Mapping[str, Any]:
        """Ask `method` (an XRPC query) and return the JSON object that came; end at monotonic `until`.

        Raises SourceUnavailable, with the time that the server's rate-limit headers name, or
        SourceRejected; messages hold the host, and neither the question nor anything secret.
        """
        if self.must_wait:
            raise SourceUnavailable(
                f"{self._name}: its allowance of requests is used up",
                retry_after=self._wait_until - time.monotonic(),
            )
        self._transport.end_at(until)
        for renewed in (False, True):
            try:
                client = self._client = self._client or self._signed_in()
                answer = client.invoke_query(method, params=DotDict(dict(params)))
            except SourceError:
                raise
            except RequestErrorBase as error:
                if renewed or not self._session_is_stale(error):
                    raise self._refusal(error) from None
                self._refused = self._client.export_session_string() if self._client else None
                self._client = None
            except (AtProtocolError, httpx.HTTPError, ValueError):
                raise SourceUnavailable(f"{self._name}: the answer can't be read") from None
            else:
                return self._object(answer)
        raise AssertionError("the second try returns or raises")

    @property
    def _name(self) -> str:
        return urlsplit(self._server.url).hostname or "the server"

    def _object(self, answer: Response) -> Mapping[str, Any]:
        remaining = answer.headers.get("ratelimit-remaining", "")
        if remaining.isdigit() and int(remaining) <= SPARE:
            self._wait_until = time.monotonic() + _until_reset(answer.headers, default=60.0)
        if not isinstance(answer.content, dict):
            raise SourceUnavailable(f"{self._name}: the answer is not what was asked for")
        return answer.content

    # --- the session ---

    def _session_is_stale(self, error: RequestErrorBase) -> bool:
        if not self._server.account or self._client is None:
            return False
        if isinstance(error, BadRequestError):
            return _code(error) in _STALE
        return isinstance(error, UnauthorizedError) and _status(error) == 401

    def _signed_in(self) -> Client:
        """A client with a session: the kept one, or else a new one."""
        request = Request(transport=self._transport, timeout=REQUEST_S, trust_env=False)
        client = Client(base_url=self._server.url, request=request)
        if not self._server.account:
            return client
        client.on_session_change(self._keep)
        kept = self._kept()
        session = kept.get("session")
        if session and session != self._refused:
            with suppress(ValueError, TypeError, AtProtocolError):
                client.login(session_string=session, fetch_bsky_profile=False)
                return client
        self._may_sign_in(kept)
        client.login(self._server.account, self._password(), fetch_bsky_profile=False)
        return client

    def _may_sign_in(self, kept: Mapping[str, Any]) -> None:
        """At most every five minutes, also over restarts: the attempt is noted before it is made."""
        since = time.time() - float(kept.get("signed_in_at") or 0)
        if 0 <= since < SIGN_IN_EVERY_S:
            if kept.get("session"):
                raise SourceRejected(f"{self._name}: refuses the account, which had just signed in")
            raise SourceUnavailable(
                f"{self._name}: the last try to sign in was less than five minutes ago",
                retry_after=SIGN_IN_EVERY_S - since,
            )
        self._write({**kept, "signed_in_at": time.time()})

    def _password(self) -> str:
        path = self._server.password_file
        try:
            password = path.read_text(encoding="utf-8").strip() if path else ""
        except (OSError, UnicodeDecodeError):
            password = ""
        if not password:
            raise SourceRejected(f"password_file {path}: put the account's app password into it")
        return password

    @property
    def _whose(self) -> str:
        return f"{self._server.account} at {self._server.url}"

    def _kept(self) -> dict[str, Any]:
        """What the session file holds for this account; nothing, for another's or a damaged one."""
        try:
            kept = json.loads((self._server.session_file or Path()).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return kept if isinstance(kept, dict) and kept.get("of") == self._whose else {}

    def _keep(self, event: SessionEvent, session: Session) -> None:
        if event is not SessionEvent.IMPORT:
            self._write({**self._kept(), "session": session.encode()})

    def _write(self, kept: Mapping[str, Any]) -> None:
        """Replace the file in one step, readable by this account of the machine only."""
        path = self._server.session_file or Path()
        try:
            handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump({**kept, "of": self._whose}, file)
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(path)
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise SourceRejected(f"session_file {path}: {error.strerror}") from None

    # --- refusals ---

    def _refusal(self, error: RequestErrorBase) -> SourceError:
        status = _status(error)
        if status is None:
            return SourceUnavailable(f"{self._name}: the connection failed")
        headers = error.response.headers if error.response else {}
        if isinstance(error, RateLimitExceededError):
            wait = error.retry_after if error.retry_after is not None else _until_reset(headers)
            if wait is not None:
                wait = min(wait, MAX_WAIT_S)
                self._wait_until = time.monotonic() + wait
            return SourceUnavailable(f"{self._name}: HTTP status 429", retry_after=wait)
        if isinstance(error, UnauthorizedError) and self._server.account:
            return SourceRejected(
                f"{self._name}: HTTP status {status}; check account and password_file"
            )
        return refusal(self._name, status, headers)


class _GuardedTransport(httpx.BaseTransport):
    """httpx's requests over sockets that the address guard let through, within a deadline and a size.

    Redirects are refused: the SDK would follow them with the password.
    """

    def __init__(self, server: Server) -> None:
        self._home = urlsplit(server.url)
        self._allow_private = server.allow_private
        self._user_agent = server.user_agent
        self._until = 0.0  # monotonic
        self._pool = self._new_pool()

    def end_at(self, until: float) -> None:
        """Let no request outlive that moment. Connections are kept for requests of one moment."""
        if until != self._until:
            self._pool.close()
            self._until = until
            self._pool = self._new_pool()

    def _new_pool(self) -> httpcore2.ConnectionPool:
        port = self._home.port or (443 if self._home.scheme == "https" else 80)
        guard = AddressGuard(self._home.hostname or "", port, self._allow_private)
        return httpcore2.ConnectionPool(
            ssl_context=tls(), network_backend=GuardedBackend(guard, self._until)
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        host = url.host
        # Only the configured server, on loopback, may be asked without TLS; an account's document
        # may name another one.
        if url.scheme != "https" and (url.scheme, host) != (
            self._home.scheme,
            self._home.hostname,
        ):
            raise SourceRejected(f"{host}: only https may carry the account's session")
        request.headers["User-Agent"] = self._user_agent
        request.headers["Accept-Encoding"] = "gzip, deflate"
        target = httpcore2.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        )
        try:
            with self._pool.stream(
                request.method,
                target,
                headers=request.headers.raw,
                content=request.read(),
                extensions={"timeout": dict.fromkeys(("connect", "read", "write"), REQUEST_S)},
            ) as response:
                return self._answer(host, response)
        except SourceError:
            raise
        except (httpcore2.TimeoutException, TimeoutError):
            raise SourceUnavailable(f"{host}: no complete answer within the deadline") from None
        except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
            raise SourceUnavailable(f"{host}: {why_failed(error)}") from None

    def _answer(self, host: str, response: httpcore2.Response) -> httpx.Response:
        headers = first_headers(response)
        if 300 <= response.status < 400:
            raise SourceUnavailable(f"{host}: answers with a redirect")
        body, incomplete = read_body(host, response, headers, self._until, MAX_ANSWER)
        if incomplete:
            raise SourceUnavailable(f"{host}: the answer is {incomplete}")
        told = {name: value for name, value in headers.items() if name not in _BODY_HEADERS}
        return httpx.Response(response.status, headers=told, content=body)


_BODY_HEADERS = frozenset({"content-encoding", "content-length", "transfer-encoding"})


def _status(error: RequestErrorBase) -> int | None:
    return error.response.status_code if error.response else None


def _code(error: RequestErrorBase) -> str | None:
    return getattr(error.response.content, "error", None) if error.response else None


def _until_reset(headers: Mapping[str, str], *, default: float | None = None) -> Any:
    """Seconds until `ratelimit-reset`, which is a moment in the server's own clock."""
    reset = headers.get("ratelimit-reset", "")
    if not reset.isdigit():
        return default
    return min(max(float(reset) - time.time(), 1.0), MAX_WAIT_S)
