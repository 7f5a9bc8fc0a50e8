"""`trust-monitor demo`: the whole house on an invented trust, told as it happens and judged at its end.

The monitor is the real one: only the feeds are ours, and the mail goes into a folder.
"""

from __future__ import annotations

import logging
import queue
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console

from monitor import logs
from monitor.app import build
from monitor.config_file import load_config
from monitor.daemon import App
from monitor.demo.closing import tell_outcome
from monitor.demo.narrator import WIDEST, Event, Narrator
from monitor.demo.outcome import examine
from monitor.demo.script import load_posts
from monitor.demo.setting import prepare
from monitor.demo.site import Site

_LONDON = ZoneInfo("Europe/London")
_DIGEST_AT = 45.0  # seconds of the script: after its first and busiest part
_START_UP_S = 3.0  # real seconds that building the house may take


def run_demo(*, state: Path, for_s: float | None = None, pace: float = 1.0) -> int:
    """Run the demo in `state` until Ctrl-C, or for `for_s` seconds, and return the exit status.

    `pace` stretches the script's seconds (0.2: five times as fast). With `for_s` the status is 0
    only when every promise was kept: each urgent post alerted within 60 s, the child at risk known
    to the safeguarding lead only, nothing foreign stored, criticism left in peace, the digest
    delivered. Ctrl-C is 0. Raises MonitorError, as when `state` is not a demo's.
    """
    console = Console(highlight=False, soft_wrap=False)
    console.width = min(console.width, WIDEST)
    events = _listen()
    with Site(load_posts(), pace=pace) as site, _stop_signals() as stopping:
        digest_at = _digest_at(pace)
        config = load_config(
            prepare(state, site_url=site.url, digest_at=digest_at.timetz().replace(tzinfo=None))
        )
        app = build(config)
        narrator = Narrator(console, app, site)
        narrator.opening(digest_at, for_s)
        began = site.begin()
        interrupted = _perform(app, narrator, events, stopping, for_s)
        ended_at, posts = datetime.now(UTC), site.published()
    outcome = examine(app, posts, ended_at=ended_at)
    app.database.dispose()
    kept = tell_outcome(console, outcome, config, ran_s=(ended_at - began).total_seconds())
    return 0 if interrupted or for_s is None or kept else 1


def _listen() -> queue.SimpleQueue[Event]:
    """Send the log's events into a queue instead of onto the terminal; the narrator reads them."""
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()

    def renderer(_logger: Any, _method: str, event: Any) -> str:
        events.put(dict(event))
        return ""

    logs.configure("console", renderer=renderer)
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.terminator = ""
    return events


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """An event that Ctrl-C or SIGTERM sets, instead of killing anything half-way."""
    stopping = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: stopping.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _digest_at(pace: float) -> datetime:
    """When the digest is due: a whole second, in the trust's time."""
    due = datetime.now(_LONDON) + timedelta(seconds=_DIGEST_AT * pace + _START_UP_S)
    return due.replace(microsecond=0)


def _perform(
    app: App,
    narrator: Narrator,
    events: queue.SimpleQueue[Event],
    stopping: threading.Event,
    for_s: float | None,
) -> bool:
    """Run the app beside us and tell its events; True when somebody interrupted it."""
    deadline = None if for_s is None else time.monotonic() + for_s
    with ThreadPoolExecutor(1, thread_name_prefix="monitor") as pool:
        running: Future[bool] = pool.submit(app.run, stopping)
        try:
            while not (stopping.is_set() or running.done()):
                if deadline is not None and time.monotonic() >= deadline:
                    break
                _tell_next(narrator, events, wait_s=0.1)
        finally:
            interrupted = stopping.is_set()
            stopping.set()
        running.result()
    while _tell_next(narrator, events, wait_s=0):
        pass
    return interrupted


def _tell_next(narrator: Narrator, events: queue.SimpleQueue[Event], *, wait_s: float) -> bool:
    try:
        event = events.get(timeout=wait_s) if wait_s else events.get_nowait()
    except queue.Empty:
        return False
    narrator.tell(event)
    return True
