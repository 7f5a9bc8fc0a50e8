"""One bad source is its own trouble: others are polled in time, and hosts are treated politely."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from connectors.errors import SourceUnavailable
from connectors.post import Batch
from monitor.engine.embedded import EmbeddedEngine
from monitor.pipeline import Collector, Hosts, Polled
from monitor.pipeline.hosts import hosts_of
from monitor.policy.sources.rules import HostRules
from monitor.ports import SourceSpec
from monitor.sources import load_rules
from monitor.store.store import SqlStore
from tests.fakes import FakeSource

RULES = load_rules()
SOURCES = 40
EVERY_S = 1.0


class Troubled:
    """A source that notes when it is polled, and then does what its `trouble` is."""

    platform = "rss"

    def __init__(self, trouble: str, over: threading.Event) -> None:
        self._trouble, self._over = trouble, over
        self.polled: list[float] = []

    def poll(self, cursor: object, *, now: datetime) -> Iterator[Batch]:
        self.polled.append(time.monotonic())
        if self._trouble == "hangs":
            self._over.wait(60)
        if self._trouble == "drips":
            while not self._over.wait(0.05):
                yield Batch(posts=(), cursor={})
        if self._trouble == "fails":
            raise SourceUnavailable("HTTP status 503")
        yield Batch(posts=(), cursor={})


class Nothing:
    def match_many(self, posts: object) -> list[object]:
        return []


def test_half_of_forty_sources_in_trouble_delay_no_other(store: SqlStore) -> None:
    """With 20 of 40 sources hanging, dripping or failing, the others are never late by more than two
    intervals; those that fail are left in peace for longer each time."""
    over = threading.Event()
    troubles = ["", "hangs", "", "drips", "", "fails"]
    made = {f"s{n}": Troubled(troubles[n % 6], over) for n in range(SOURCES)}
    with store.begin() as rows:
        specs = [SourceSpec(id=n, kind="rss", interval_s=EVERY_S, fingerprint="") for n in made]
        rows.sources.register(specs, now=datetime.now(UTC))
    collector = Collector(
        store=store,
        sources={n: Polled(id=n, every_s=EVERY_S, connector=each) for n, each in made.items()},
        matcher=Nothing(),
        rules=RULES,
        hosts=Hosts(RULES.hosts),
        clock=lambda: datetime.now(UTC),
        wake=lambda _: None,
    )
    engine = EmbeddedEngine(ZoneInfo("Europe/London"))
    for name in made:
        engine.every(f"collect:{name}", EVERY_S, partial(collector.collect, name))
    engine.start()
    time.sleep(7)
    ended = time.monotonic()
    over.set()
    assert engine.stop(20)
    by_trouble = defaultdict(list)
    for each in made.values():
        by_trouble[each._trouble].append(each.polled)
    lateness = [
        after - before - EVERY_S
        for polled in by_trouble[""]
        for before, after in pairwise([*polled, ended])
    ]
    assert max(lateness) < 2 * EVERY_S
    assert min(map(len, by_trouble[""])) >= 4
    assert max(map(len, by_trouble["hangs"] + by_trouble["drips"])) == 1
    assert max(map(len, by_trouble["fails"])) <= 3
    with store.read() as rows:
        health = {each.source: each for each in rows.sources.health()}
    assert all(health[n].failures for n, each in made.items() if each._trouble == "fails")


def test_any_number_of_hung_polls_holds_up_no_other() -> None:
    """Eighty sources that hang leave the eighty-first alone, and neither hold up nor outlive the
    program's end: what they had not committed is read again."""
    over, ran = threading.Event(), threading.Event()
    engine = EmbeddedEngine(ZoneInfo("Europe/London"))
    for number in range(80):
        engine.every(f"hung{number}", 60, lambda: over.wait(30))
    engine.every("well", 60, ran.set)
    engine.start()
    assert ran.wait(5)
    assert engine.stop(0.1)
    assert all(thread.daemon for thread in threading.enumerate() if thread.name.startswith("job-"))
    over.set()


def test_one_host_gets_two_polls_at_a_time_and_some_time_between() -> None:
    """Eight sources of one host are read by twos, and begin apart from each other."""
    hosts = Hosts(HostRules(at_once=2, apart_s=0.05, patience_s=10))
    inside, most, begun = 0, 0, []
    lock = threading.Lock()

    def visit() -> None:
        nonlocal inside, most
        with hosts.visit(("feeds.example",)) as welcome:
            assert welcome
            with lock:
                inside += 1
                most = max(most, inside)
                begun.append(time.monotonic())
            time.sleep(0.12)
            with lock:
                inside -= 1

    threads = [threading.Thread(target=visit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(begun) == 8
    assert most == 2
    assert all(after - before > 0.04 for before, after in pairwise(sorted(begun)))


def test_a_full_host_holds_up_no_other_and_is_given_up_in_time() -> None:
    """Two that hang at one host leave every other host free; a third waits for its patience only, and
    leaves nothing locked behind."""
    hosts = Hosts(HostRules(at_once=1, apart_s=0, patience_s=0.2))
    with hosts.visit(("a.example",)) as first:
        assert first
        with hosts.visit(("b.example",)) as other:
            assert other
        started = time.monotonic()
        with hosts.visit(("a.example", "b.example")) as third:
            assert not third
        assert time.monotonic() - started < 1
        with hosts.visit(("b.example",)) as again:
            assert again


@pytest.mark.parametrize(
    ("settings", "own", "expected"),
    [
        ({"url": "https://b.example/feed?key=1"}, None, ("b.example",)),
        (
            {
                "alerts": ("https://b.example/1", "https://a.example/2"),
                "news": True,
                "other": "x://y",
            },
            None,
            ("a.example", "b.example"),
        ),
        ({"stream": "wss://live.example/", "path": "a/b"}, None, ("live.example",)),
        ({"url": "https://b.example/"}, ("c.example",), ("c.example",)),
        ({}, None, ()),
    ],
)
def test_hosts_are_read_off_the_settings(
    settings: dict[str, object], own: tuple[str, ...] | None, expected: tuple[str, ...]
) -> None:
    """A connector says whom it asks, or else its settings' web addresses do."""
    connector = FakeSource()
    if own is not None:
        connector.hosts = own  # type: ignore[attr-defined]
    assert hosts_of(connector, list(settings.items())) == expected
