"""Mastodon's API through Mastodon.py, made safe to call from a poll: bounded, read-only, honest.

Mastodon.py raises a rate-limit error for an X-RateLimit-Reset that it can't parse, also when all is
well, quotes whole answers in its messages, follows redirects and doesn't pass a Retry-After on. So
answers are judged here first, as they come off the guarded session, and its own messages are dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from mastodon import Mastodon, MastodonError

from connectors.errors import SourceError, SourceRejected, SourceUnavailable
from connectors.guarded_requests import guarded_session
from connectors.http import refusal
from connectors.plain import parse_date

PAGE = 40  # the API's maximum, of timelines and of search
LOOKED_UP = 20  # the API's maximum of statuses by id
MAX_BYTES = 5_000_000  # of one answer

Status = Mapping[str, Any]

_SURPRISES = (ValueError, LookupError, TypeError, AttributeError, RecursionError)


class NotThere(SourceRejected):
    """HTTP status 404 or 410."""


class MastodonClient:
    """One poll's connection to one instance. Only ever GETs."""

    def __init__(
        self,
        instance: str,
        *,
        token: str | None,
        user_agent: str,
        timeout_s: float,
        allow_private: bool,
    ) -> None:
        self.host = urlsplit(instance).netloc
        session = guarded_session(
            (instance,), timeout_s=timeout_s, max_bytes=MAX_BYTES, allow_private=allow_private
        )
        session.hooks["response"] = [self._judge]
        self.close = session.close
        self._api = _Plain(
            api_base_url=instance,
            access_token=token,
            ratelimit_method="throw",
            # Said, not asked: otherwise each search is preceded by questions about the version. All
            # that is used is older than this, but for the list of statuses, which may be missing.
            mastodon_version="4.3.0",
            version_check_mode="created",
            request_timeout=timeout_s,
            session=session,
            user_agent=user_agent,
        )

    def hashtag(self, tag: str, *, min_id: str | datetime | None = None) -> list[Status]:
        """Return 40 statuses at most with `tag` (without its #), newest first: the newest of all, or
        those that follow `min_id`, an id or a moment, immediately.

        Raises SourceRejected or SourceUnavailable.
        """
        return _statuses(
            self._ask(lambda: self._api.timeline_hashtag(tag, min_id=min_id, limit=PAGE)), self.host
        )

    def search(self, phrase: str, *, offset: int = 0) -> list[Status]:
        """Return 40 statuses at most that hold `phrase`, newest first, from `offset`. Needs a token."""
        found = self._ask(
            lambda: self._api.search_v2(
                f'"{phrase}"',
                resolve=False,
                result_type="statuses",
                exclude_unreviewed=False,  # of hashtags, which are not asked for
                limit=PAGE,
                offset=offset,
            )
        )
        return _statuses(found.get("statuses") if isinstance(found, dict) else None, self.host)

    def gone(self, ids: Sequence[str]) -> set[str]:
        """Return which of `ids`, 20 at most, are not there any more."""
        try:
            found = _statuses(self._ask(lambda: self._api.statuses(list(ids))), self.host)
        except NotThere:
            found = []  # before Mastodon 4.3: one by one
        shown = {str(status.get("id")) for status in found}
        return {name for name in ids if name not in shown and self._is_gone(name)}

    def _is_gone(self, name: str) -> bool:
        try:
            self._ask(lambda: self._api.status(name))
        except NotThere:
            return True
        return False

    def _ask(self, question: Callable[[], Any]) -> Any:
        try:
            return question()
        except MastodonError as error:
            raise _judgement(error) or _unreadable(self.host) from None
        except _SURPRISES:
            raise _unreadable(self.host) from None

    def _judge(self, response: requests.Response, **_: Any) -> requests.Response:
        """Raise for what isn't an answer, before Mastodon.py sees it."""
        limits = {
            name.lower(): response.headers.pop(name)
            for name in list(response.headers)
            if name.lower().startswith("x-ratelimit-")
        }
        status = response.status_code
        if status == 200:
            return response
        if status in {404, 410}:
            raise NotThere(f"{self.host}: HTTP status {status}")
        if status in {401, 403, 422}:
            raise SourceRejected(
                f"{self.host}: HTTP status {status}: it wants a (valid) token: see token_file"
            )
        if 300 <= status < 400:
            raise SourceRejected(f"{self.host}: redirects: write the address where it is now")
        headers = {name.lower(): value for name, value in response.headers.items()}
        error = refusal(self.host, status, headers)
        if isinstance(error, SourceUnavailable) and error.retry_after is None:
            error.retry_after = _until(limits.get("x-ratelimit-reset"), headers.get("date"))
        raise error


class _Plain(Mastodon):
    """Leaves lists as they came. Mastodon.py makes typed objects of each status, with all the fields
    that there might be: 2 ms each, nine tenths of a poll's time. `to_post` reads both, so that a
    version without this inner method is only slower."""

    def _Mastodon__try_cast_to_type(  # noqa: N802  (its private name)
        self, value: Any, override_type: Any = None
    ) -> Any:
        if isinstance(value, list):
            return value, None
        inner: Any = super()
        return inner._Mastodon__try_cast_to_type(value, override_type)  # noqa: SLF001


def _judgement(error: BaseException) -> SourceError | None:
    """What `_judge` or the session raised, which Mastodon.py wraps in an error of its own."""
    cause = error.__context__
    while cause is not None and not isinstance(cause, SourceError):
        cause = cause.__context__
    return cause


def _unreadable(host: str) -> SourceError:
    return SourceUnavailable(f"{host}: an answer that is not Mastodon's API")


def _statuses(answer: object, host: str) -> list[Status]:
    if not isinstance(answer, list):
        raise _unreadable(host)
    return [status for status in answer if isinstance(status, Mapping)]


def _until(moment: str | None, served: str | None) -> float | None:
    """Seconds from `served`, the answer's own Date, to `moment`; None where it isn't in the future."""
    then, now = parse_date(moment), parse_date(served) or datetime.now(UTC)
    seconds = (then - now).total_seconds() if then else 0.0
    return min(seconds, 24 * 3600.0) if seconds > 0 else None
