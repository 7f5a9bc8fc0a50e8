"""A `requests` session with this project's guards, for client libraries that are built on requests.

praw and Mastodon.py take a session of ours. Requests' own timeouts are per read, so a server that
drips never times out; it follows redirects to anywhere, reads a body of any size, and listens to
proxy variables and .netrc. Here every request goes through httpcore2 with the address guard, a
deadline for the whole session, a size cap, and to the configured hosts only.
"""

from __future__ import annotations

import io
import time
from collections.abc import Sequence

import httpcore2
import httpx2
import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from connectors.address import AddressGuard
from connectors.errors import SourceError, SourceRejected, SourceUnavailable
from connectors.http import first_headers, port_of, read_body, tls, why_failed
from connectors.network import GuardedBackend


def guarded_session(
    origins: Sequence[str], *, timeout_s: float, max_bytes: int, allow_private: bool = False
) -> requests.Session:
    """A session that talks to the scheme, host and port of `origins` only, and ends `timeout_s`
    seconds from now. With `allow_private` those hosts may have private addresses.

    Redirects are returned, not followed. Raises SourceUnavailable or SourceRejected, whose messages
    name the host only, in place of requests' own exceptions; any complete answer, of whatever
    status, is returned.
    """
    session = _Session()
    session.trust_env = False
    session.headers["Accept-Encoding"] = "gzip, deflate"
    adapter = _GuardedAdapter(
        [httpx2.URL(origin) for origin in origins],
        deadline=time.monotonic() + timeout_s,
        max_bytes=max_bytes,
        allow_private=allow_private,
    )
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002
        """Every redirect is the answer itself, whatever a library asks for."""
        return


class _GuardedAdapter(BaseAdapter):
    """What requests calls for each single exchange."""

    def __init__(
        self,
        origins: Sequence[httpx2.URL],
        *,
        deadline: float,
        max_bytes: int,
        allow_private: bool,
    ) -> None:
        super().__init__()
        self._deadline = deadline
        self._max_bytes = max_bytes
        self._pools = {
            _origin(url): httpcore2.ConnectionPool(
                ssl_context=tls(),
                network_backend=GuardedBackend(
                    AddressGuard(_host(url), port_of(url), allow_private), deadline
                ),
            )
            for url in origins
        }

    def send(
        self, request: requests.PreparedRequest, *_: object, **__: object
    ) -> requests.Response:
        """Requests' own timeout, verify, cert and proxies are not heeded: the guards are."""
        url = httpx2.URL(request.url or "")
        pool = self._pools.get(_origin(url))
        if pool is None:
            raise SourceRejected(f"{url.host}: not a host of this source")
        status, headers, body = self._exchange(pool, url, request)
        response = requests.Response()
        response.status_code = status
        response.headers = CaseInsensitiveDict(headers)
        response.encoding = "utf-8"
        response.raw = io.BytesIO(body)
        response.url = str(url)
        response.request = request
        return response

    def _exchange(
        self, pool: httpcore2.ConnectionPool, url: httpx2.URL, request: requests.PreparedRequest
    ) -> tuple[int, dict[str, str], bytes]:
        target = httpcore2.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        )
        try:
            with pool.stream(
                (request.method or "GET").encode(),
                target,
                headers=[(name.encode(), _bytes(value)) for name, value in request.headers.items()],
                content=_content(request.body),
            ) as response:
                headers = first_headers(response)
                body, incomplete = read_body(
                    url.host, response, headers, self._deadline, self._max_bytes
                )
        except SourceError:
            raise
        except (httpcore2.TimeoutException, TimeoutError):
            raise SourceUnavailable(f"{url.host}: no complete answer within the deadline") from None
        except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
            raise SourceUnavailable(f"{url.host}: {why_failed(error)}") from None
        if incomplete:
            raise SourceUnavailable(f"{url.host}: the answer is not whole: {incomplete}")
        return response.status, headers, body

    def close(self) -> None:
        for pool in self._pools.values():
            pool.close()


def _origin(url: httpx2.URL) -> tuple[str, str, int]:
    return url.scheme, _host(url), port_of(url)


def _host(url: httpx2.URL) -> str:
    return url.raw_host.decode("ascii")


def _content(body: object) -> bytes:
    """Form and query bodies; neither library streams anything to a source."""
    return _bytes(body) if isinstance(body, str | bytes) else b""


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()
