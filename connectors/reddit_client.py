"""Reddit's API through praw, made safe to call from a poll: bounded, read-only, honest about failure.

praw 8 (prawcore 4) on its own sleeps for up to ten minutes when Reddit's x-ratelimit headers say so,
retries a 503 for five seconds, raises KeyError(401) for a 401 without a www-authenticate header and
ValueError for a fractional x-ratelimit-used, and takes addresses from a praw.ini in the working
directory. So its requestor is ours: it never sleeps, sends over the guarded session, and turns each
refusal into one of our two errors; when to try again is decided in one place, by the monitor.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import praw
import requests
from praw.exceptions import PRAWException
from prawcore import Requestor
from prawcore.exceptions import OAuthException, PrawcoreException

from connectors.errors import SourceError, SourceRejected, SourceUnavailable
from connectors.guarded_requests import guarded_session
from connectors.http import refusal

PAGE = 100  # Reddit's own maximum, of listings and of info
MAX_BYTES = (
    10_000_000  # of one answer: 100 posts of 40,000 characters each, twice (Markdown and HTML)
)
MAX_WAIT_S = 24 * 3600.0

# What a library does with an answer that isn't what Reddit documents, besides its own exceptions.
_SURPRISES = (ValueError, LookupError, TypeError, AttributeError, RecursionError)


class SubredditClosed(SourceRejected):
    """This listing can't be read by anybody like us; others may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a listing: `things` are the `data` of its posts and comments, on the wire's own
    order; `skipped` counts what was neither. `after` None: the listing ends here."""

    things: Sequence[Mapping[str, Any]]
    after: str | None
    skipped: int


class RedditClient:
    """One poll's connection. The token is asked for anew each time: it costs one request, and is
    then never too old. Only application-only credentials are used, which belong to no account."""

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        user_agent: str,
        site: str,
        api_url: str,
        timeout_s: float,
        allow_private: bool,
    ) -> None:
        session = guarded_session(
            (site, api_url),
            timeout_s=timeout_s,
            max_bytes=MAX_BYTES,
            allow_private=allow_private,
        )
        self.close = session.close
        # Each setting is given, so that none comes from a praw.ini or the environment.
        self._reddit = praw.Reddit(
            "DEFAULT",
            requestor_class=_PatientRequestor,
            requestor_kwargs={"session": session},
            client_id=client_id,
            client_secret=client_secret,
            user_agent=user_agent,
            reddit_url=site,
            oauth_url=api_url,
            refresh_token=None,
            username=None,
            password=None,
            redirect_uri=None,
            check_for_updates=False,
            check_for_async=False,
        )

    def page(self, path: str, params: Mapping[str, str | int], *, after: str | None = None) -> Page:
        """GET one page of the listing at `path`: what follows `after`, or its beginning.

        Raises SubredditClosed, SourceRejected or SourceUnavailable.
        """
        asked = {**params, "limit": PAGE} | ({"after": after} if after else {})
        return page_of(self._get(path, asked))

    def info(self, fullnames: Sequence[str]) -> Page:
        """Return what Reddit has of `fullnames` (t1_... and t3_..., 100 at most) now."""
        try:
            return page_of(self._get("api/info/", {"id": ",".join(fullnames)}))
        except SubredditClosed as error:
            raise SourceRejected(f"reddit: what is known of posts: {error}") from None

    def _get(self, path: str, params: Mapping[str, str | int]) -> Any:
        try:
            return self._reddit.request(method="GET", path=path, params=dict(params))
        except SourceError:
            raise
        except OAuthException:
            raise SourceRejected(
                "reddit: gave no token: check client_id and the client secret's file"
            ) from None
        except (PrawcoreException, PRAWException, *_SURPRISES):
            # Their messages may quote the answer, and so a post.
            raise SourceUnavailable("reddit: an answer that is not Reddit's API") from None


class _PatientRequestor(Requestor):
    """praw's door to the network: refusals become our errors here, before praw sleeps or retries."""

    _resume_at: float | None = None  # on the monotonic clock: no request is left before

    def request(
        self,
        *args: Any,
        timeout: float | None = None,  # noqa: ARG002  (the session has a deadline)
        **kwargs: Any,
    ) -> requests.Response:
        wait = self._resume_at - time.monotonic() if self._resume_at is not None else 0.0
        if wait > 0:
            raise SourceUnavailable(
                "reddit: its limit on our requests is used up", retry_after=wait
            )
        response = self._http.request(*args, **kwargs)
        left, reset = _limit(response.headers)
        for name in [name for name in response.headers if name.lower().startswith("x-ratelimit-")]:
            del response.headers[name]  # read above; praw would sleep on them, or trip over them
        if response.status_code != 200:
            raise _refused(response, token=str(args[0]).lower() == "post", reset=reset)
        if left is not None and left < 1 and reset:
            self._resume_at = time.monotonic() + reset
        return response


def page_of(answer: Any) -> Page:
    """Take a listing's JSON apart. Raises SourceUnavailable for what is not a listing."""
    listing = answer.get("data") if isinstance(answer, dict) else None
    children = listing.get("children") if isinstance(listing, dict) else None
    if not isinstance(listing, dict) or not isinstance(children, list):
        raise SourceUnavailable("reddit: an answer that is not a listing")
    things = [
        child["data"]
        for child in children
        if isinstance(child, dict)
        and child.get("kind") in {"t1", "t3"}
        and isinstance(child.get("data"), dict)
    ]
    after = listing.get("after")
    return Page(
        things=things,
        after=after if isinstance(after, str) and after else None,
        skipped=len(children) - len(things),
    )


def _refused(response: requests.Response, *, token: bool, reset: float | None) -> SourceError:
    status = response.status_code
    if status == 401 or (token and 300 <= status < 500 and status not in {408, 425, 429}):
        return SourceRejected(
            f"reddit: refused our credentials (HTTP status {status}): check client_id and the "
            "client secret's file"
        )
    if 300 <= status < 400:
        return SubredditClosed("does not exist, or is banned (Reddit redirects to its search)")
    if status in {403, 404, 451}:
        words = {403: "private or quarantined", 404: "banned or gone", 451: "withheld by law"}
        return SubredditClosed(f"{words[status]} (HTTP status {status})")
    error = refusal(
        "reddit", status, {name.lower(): value for name, value in response.headers.items()}
    )
    if status == 429 and isinstance(error, SourceUnavailable) and error.retry_after is None:
        error.retry_after = reset
    return error


def _limit(headers: Mapping[str, str]) -> tuple[float | None, float | None]:
    """Requests left, and seconds until there are more; None for what the headers don't say well."""
    return _number(headers.get("x-ratelimit-remaining")), _number(headers.get("x-ratelimit-reset"))


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return min(number, MAX_WAIT_S) if math.isfinite(number) and number >= 0 else None
