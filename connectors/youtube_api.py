"""YouTube's Data API v3: Google's own client, given a transport with our guards and a purse of quota.

The client builds requests from the API description that it bundles, so nothing is asked of Google to
begin with. It would put the key into the URL, time out per read and follow redirects; so the key goes
into a header, and every request through `guarded_session`. It retries nothing: the monitor does.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httplib2
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from connectors.errors import SourceError, SourceRejected, SourceUnavailable
from connectors.guarded_requests import guarded_session
from connectors.http import refusal

SEARCH_UNITS = 100  # every other request that we make costs 1 unit
MAX_BYTES = 10_000_000  # of one answer
# Quotas are renewed at midnight Pacific time: https://developers.google.com/youtube/v3/getting-started
PACIFIC = ZoneInfo("America/Los_Angeles")

# `reason` of an error, https://developers.google.com/youtube/v3/docs/errors
_QUOTA = frozenset({"quotaExceeded", "dailyLimitExceeded"})
_TOO_FAST = frozenset({"rateLimitExceeded", "userRateLimitExceeded"})
_PASSING = frozenset({"processingFailure", "invalidPageToken", "backendError", "internalError"})
_HIDDEN = frozenset({"commentsDisabled", "videoNotFound", "channelNotFound", "commentNotFound"})
_PASSING_S = 60.0

# The client logs the addresses of its requests; they hold our search terms, and ids of comments.
logging.getLogger("googleapiclient").setLevel(logging.ERROR)


class Hidden(Exception):
    """Comments are switched off, or the video or channel is not there: nothing to read, which is no
    fault of the source."""


class Purse:
    """The units of quota used on the Pacific day of `now`."""

    def __init__(self, state: Mapping[str, Any], *, now: datetime, daily: int) -> None:
        self._now = now.astimezone(PACIFIC)
        self.day = self._now.date().isoformat()
        today = state.get("day") == self.day
        self.used = int(state.get("used", 0)) if today else 0
        self.daily = daily

    def pay(self, units: int) -> None:
        """Raises SourceUnavailable when there is not enough left, until midnight Pacific time."""
        if self.used + units > self.daily:
            raise self.empty()
        self.used += units

    def affords(self, units: int) -> bool:
        return self.used + units <= self.daily

    def empty(self) -> SourceUnavailable:
        """The error of a day whose quota is used up."""
        self.used = max(self.used, self.daily)
        midnight = datetime.combine(
            self._now.date() + timedelta(days=1), datetime.min.time(), PACIFIC
        )
        left = midnight.timestamp() - self._now.timestamp()  # days of 23 and 25 hours, too
        return SourceUnavailable("youtube: the day's quota is used up", retry_after=left)

    @property
    def state(self) -> dict[str, Any]:
        return {"day": self.day, "used": self.used}

    @property
    def note(self) -> str:
        return f"quota: {self.used:,} of {self.daily:,} units used today"


class Api:
    """Requests that are paid for from `purse`, all within `timeout_s` seconds from now."""

    def __init__(
        self, url: str, key: str, purse: Purse, *, timeout_s: float, allow_private: bool
    ) -> None:
        self._purse = purse
        self._service = build(
            "youtube",
            "v3",
            http=_Transport(url, key, timeout_s=timeout_s, allow_private=allow_private),
            client_options={"api_endpoint": f"{url.rstrip('/')}/"},
            static_discovery=True,
            cache_discovery=False,
        )

    def list(self, resource: str, **parameters: Any) -> dict[str, Any]:
        """Return one page of `resource` ("commentThreads").

        Raises SourceUnavailable, SourceRejected, or Hidden when there is nothing to see.
        """
        self._purse.pay(SEARCH_UNITS if resource == "search" else 1)
        request = getattr(self._service, resource)().list(**parameters)
        try:
            answer = request.execute(num_retries=0)
        except HttpError as error:
            raise self._failure(int(error.resp.status), error.content) from None
        except (ValueError, RecursionError):
            raise SourceUnavailable("youtube: the answer is not JSON") from None
        if not isinstance(answer, dict) or not isinstance(answer.get("items"), list):
            raise SourceUnavailable("youtube: the answer is not a list of its API")
        return answer

    def pages(self, resource: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Yield page after page; `nextPageToken` in the last one taken means that there is more."""
        while True:
            page = self.list(resource, **parameters)
            yield page
            if not page.get("nextPageToken"):
                return
            parameters["pageToken"] = page["nextPageToken"]

    def _failure(self, status: int, content: bytes) -> Exception:
        reason = _reason(content)
        if reason in _QUOTA:
            return self._purse.empty()
        if reason in _TOO_FAST:
            return SourceUnavailable("youtube: too many requests", retry_after=_PASSING_S)
        if reason in _PASSING:
            return SourceUnavailable(f"youtube: HTTP status {status}")
        if reason in _HIDDEN:
            return Hidden(reason)
        return SourceRejected(
            f"youtube: HTTP status {status}: check api_key_file, and that the key's project has the "
            "YouTube Data API v3 switched on"
        )


class _Transport:
    """What the client takes for an httplib2.Http."""

    def __init__(self, url: str, key: str, *, timeout_s: float, allow_private: bool) -> None:
        self._session = guarded_session(
            [url], timeout_s=timeout_s, max_bytes=MAX_BYTES, allow_private=allow_private
        )
        self._key = key

    def request(self, uri: str, method: str = "GET", **_: Any) -> tuple[httplib2.Response, bytes]:
        headers = {"X-Goog-Api-Key": self._key, "User-Agent": "trust-monitor"}
        answer = self._session.request(method, uri, headers=headers)
        status = answer.status_code
        # The body of a 400, 403 or 404 names the reason; of the others there is nothing to learn.
        if status != 200 and not (status in {400, 403, 404} and _reason(answer.content)):
            lower = {name.lower(): value for name, value in answer.headers.items()}
            raise _without_key(refusal("youtube", status, lower))
        return httplib2.Response({"status": str(status)}), answer.content

    def close(self) -> None:
        self._session.close()


def _without_key(error: SourceError) -> SourceError:
    """A 401 is about the key, which the words of `refusal` don't say."""
    if isinstance(error, SourceRejected):
        return SourceRejected(f"{error}: check api_key_file")
    return error


def _reason(content: bytes) -> str | None:
    """The machine-readable reason of an error; None for a body of another kind."""
    try:
        return str(json.loads(content)["error"]["errors"][0]["reason"])
    except (ValueError, RecursionError, LookupError, TypeError):
        return None
