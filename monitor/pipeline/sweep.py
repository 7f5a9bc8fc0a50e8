"""Sweeping: what was deleted at its source is forgotten here within a day.

    sweep(source)  due* -> ask -> COMMIT* {erasures, who was asked about when}

(* = effect.) A connector that can be asked about posts (`check_gone`) is asked; for feeds, each post's
own page is. What can't be told counts as still there. What a senior leader holds as evidence is marked
as deleted and kept until they release it. Logs count, and name no post.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog

from connectors.errors import SourceError
from monitor.errors import StorageFault
from monitor.pipeline.collect import Polled
from monitor.pipeline.hosts import Hosts
from monitor.policy.sources.rules import GoneRules
from monitor.ports import Store, Stored

log = structlog.get_logger("monitor.pipeline")

Ask = Callable[[Sequence[str]], frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeper:
    """Asks sources about the posts whose text is kept. `sources` are those that are polled; `go_on`
    is False once the program is to end."""

    store: Store
    sources: Mapping[str, Polled]
    rules: GoneRules
    hosts: Hosts
    clock: Callable[[], datetime]
    go_on: Callable[[], bool]

    def sweep(self, source: str) -> None:
        """Ask one source about what nobody has asked about lately, and forget what is gone. Failures
        are the source's own: the rest is asked about at the next sweep."""
        polled, now = self.sources[source], self.clock()
        with self.store.begin() as rows:
            erased = rows.deletions.forget(now=now)  # what was held, and is no longer
        with self.store.read() as rows:
            due = list(
                rows.deletions.due(
                    source,
                    before=now - timedelta(seconds=self._every_s(polled)),
                    missing_before=now - timedelta(seconds=self.rules.confirm_s),
                    limit=self.rules.most,
                )
            )
        # Otherwise one post that can't be answered about would always stop the same others.
        random.shuffle(due)
        asked = 0
        try:
            for part, gone, missing in self._answers(polled, due):
                erased += self._settle(part, gone, missing)
                asked += len(part)
                if not self.go_on():
                    break
        except SourceError as error:
            log.warning("not_swept", source=source, reason=str(error))
        except StorageFault:
            raise  # not the source's fault
        except Exception:  # a connector's surprise must not stop the others, nor be hidden
            log.exception("sweep_failed", source=source)
        if asked or erased:
            log.info("swept", source=source, posts=asked, erased=erased)

    def _every_s(self, polled: Polled) -> float:
        """A page must be asked twice within the day."""
        return self.rules.every_s if _ask_of(polled) else self.rules.pages_every_s

    def _answers(
        self, polled: Polled, due: Sequence[Stored]
    ) -> Iterator[tuple[Sequence[Stored], Sequence[Stored], Sequence[Stored]]]:
        """Who was asked about, who is gone, and who was not found for the first time, in portions."""
        ask = _ask_of(polled)
        if ask is not None:
            yield from self._by_id(polled, ask, due)
        elif polled.pages is not None:
            yield from self._by_page(polled, due)

    def _by_id(
        self, polled: Polled, ask: Ask, due: Sequence[Stored]
    ) -> Iterator[tuple[Sequence[Stored], Sequence[Stored], Sequence[Stored]]]:
        platform = polled.connector.platform
        own = [post for post in due if post.platform == platform]
        for start in range(0, len(own), self.rules.at_once):
            part = own[start : start + self.rules.at_once]
            with polled.busy, self.hosts.visit(polled.hosts) as welcome:
                if not welcome:
                    return
                gone = ask([post.native_id for post in part])
            yield part, [post for post in part if post.native_id in gone], ()

    def _by_page(
        self, polled: Polled, due: Sequence[Stored]
    ) -> Iterator[tuple[Sequence[Stored], Sequence[Stored], Sequence[Stored]]]:
        """Gone is what was not found twice, hours apart: a site under repair is no deletion."""
        pages = polled.pages
        if pages is None:
            return
        confirmed = self.clock() - timedelta(seconds=self.rules.confirm_s)
        asked: Counter[str] = Counter()
        for post in due:
            host = urlsplit(post.url or "").hostname
            if not (post.url and host):
                yield [post], (), ()  # there is nothing to ask
                continue
            if asked[host] >= self.rules.pages_per_host:
                continue
            asked[host] += 1
            with self.hosts.visit((host,)) as welcome:
                answer = pages.is_gone(post.url) if welcome else None
            before = post.missing_at
            twice = answer and before is not None and before <= confirmed
            unclear = answer is None and before is not None
            yield [post], [post] if twice else (), [post] if answer or unclear else ()

    def _settle(
        self, part: Sequence[Stored], gone: Sequence[Stored], missing: Sequence[Stored]
    ) -> int:
        now = self.clock()
        erased = 0
        with self.store.begin() as rows:
            rows.deletions.asked(
                [post.mention for post in part],
                missing=[post.mention for post in missing],
                now=now,
            )
            for platform in {post.platform for post in gone}:
                ids = [post.native_id for post in gone if post.platform == platform]
                erased += rows.deletions.gone(platform, ids, now=now)
        return erased


def _ask_of(polled: Polled) -> Ask | None:
    connector: Any = polled.connector
    ask: Ask | None = getattr(connector, "check_gone", None)
    return ask
