"""Is a post's own page still there? For platforms that can't be asked about a post in any other way.

One GET of the page's first byte, where the host's robots.txt allows it. Only 404 and 410 mean gone: a
page that moved, asks for a password or fails tells nothing, and neither does a comment whose page is
there without it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

from connectors.errors import SourceError, SourceGone
from connectors.http import fetch

AGENT = "trust-monitor"
TIMEOUT_S = 15.0
ROBOTS_KEPT_S = 3600.0
ROBOTS_BYTES = 500_000  # RFC 9309, section 2.5: at least so much must be read


class Pages:
    """Asks for pages. `allow_private` is for a host inside the trust's own network; `contact` is a
    mail or web address that the hosts' owners are shown."""

    def __init__(
        self,
        *,
        allow_private: bool = False,
        contact: str | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._allow_private = allow_private
        self._user_agent = f"{AGENT} (+{contact})" if contact else AGENT
        self._monotonic = monotonic
        self._robots: dict[str, tuple[float, RobotFileParser | None]] = {}

    def is_gone(self, url: str) -> bool | None:
        """True for 404 and 410, False when the page is there, None when that can't be told: then
        perhaps nothing was asked. Takes 30 seconds at most, and raises nothing."""
        robots = self._rules(url)
        if robots is None or not robots.can_fetch(AGENT, url):
            return None
        try:
            self._get(url, 1)
        except SourceGone:
            return True
        except SourceError:
            return None
        return False

    def _get(self, url: str, max_bytes: int) -> bytes:
        return fetch(
            url,
            timeout_s=TIMEOUT_S,
            max_bytes=max_bytes,
            allow_private=self._allow_private,
            user_agent=self._user_agent,
        ).body

    def _rules(self, url: str) -> RobotFileParser | None:
        """The host's robots.txt, read at most once an hour; None: it can't be read, so nothing there
        is asked for (RFC 9309, section 2.3.1)."""
        parts = urlsplit(url)
        site = f"{parts.scheme}://{parts.netloc}"
        read_at, known = self._robots.get(site, (-ROBOTS_KEPT_S, None))
        if site in self._robots and self._monotonic() - read_at < ROBOTS_KEPT_S:
            return known
        rules: RobotFileParser | None = RobotFileParser()
        try:
            text = self._get(f"{site}/robots.txt", ROBOTS_BYTES).decode("utf-8", "replace")
        except SourceGone:
            text = ""  # no rules: all may be asked for
        except SourceError:
            rules = None
        if rules is not None:
            rules.parse(text.splitlines())
        self._robots[site] = (self._monotonic(), rules)
        return rules
