"""SIGKILL at named points: before and after each commit, and at each step of the mail exchange.

Extra copies are allowed only from the final dot to our mark: a letter that the relay may have had is
sent again, and no other is.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.faults.kills import SIDE_BY_SIDE, settled
from bench.faults.offering import Feed, count
from bench.faults.report import Row, faults_of
from bench.faults.world import Warm, write_config
from monitor.daemon import App
from monitor.delivery import email
from monitor.ports import Store, Transaction
from tests.delivery.smtp_faults import FaultyServer

STORES = ("collector", "assessor", "deliverer")
AFTER_DOT = ("after the final dot", "after the 250", "before the commit: mark")
POINTS = (
    "before the commit: collector",
    "after the commit: collector",
    "before the commit: assessor",
    "after the commit: assessor",
    "before the commit: claim",
    "after the commit: claim",
    "before DATA",
    "before the final dot",
    "after the final dot",
    "after the 250",
    "before the commit: mark",
    "after the commit: mark",
)
LONGEST_S = 20.0  # a life in which the point never comes is ended then


@dataclass(frozen=True)
class Trap:
    """Kills this process when it passes `point`."""

    point: str

    def passing(self, point: str) -> None:
        """Say where we are."""
        if point == self.point:
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class TrapStore:
    """The store, with a trap at the end of its writing transactions."""

    inner: Store
    trap: Trap

    def begin(self) -> AbstractContextManager[Transaction]:
        return self._begin()

    @contextmanager
    def _begin(self) -> Iterator[Transaction]:
        wrote: list[str] = []
        name = ""
        with self.inner.begin() as rows:
            watched = _Watched(rows, wrote)
            yield watched  # type: ignore[misc] # it passes everything on
            name = wrote[-1] if wrote else ""
            self.trap.passing(f"before the commit: {name}")
        self.trap.passing(f"after the commit: {name}")

    def read(self) -> AbstractContextManager[Transaction]:
        return self.inner.read()

    def release(self, *, now: Any) -> None:
        self.inner.release(now=now)


# Which transaction it was is told by what was called in it, and only by calls that changed something.
_TELLS: dict[tuple[str, str], tuple[str, Callable[[Any], bool]]] = {
    ("mentions", "record"): ("collector", bool),
    ("mentions", "assessed"): ("assessor", bool),
    ("outbox", "claim"): ("claim", lambda delivery: delivery is not None),
    ("outbox", "mark"): ("mark", lambda _: True),
}


class _Watched:
    """A transaction that notes which of the telling calls were made on it."""

    def __init__(self, inner: Any, wrote: list[str], room: str = "") -> None:
        self._inner, self._wrote, self._room = inner, wrote, room

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        tell = _TELLS.get((self._room, name))
        if tell:
            said, changed = tell

            def call(*arguments: Any, **named: Any) -> Any:
                result = found(*arguments, **named)
                if changed(result):
                    self._wrote.append(said)
                return result

            return call
        if (
            self._room
            or name.startswith("_")
            or (callable(found) and not hasattr(found, "_connection"))
        ):
            return found
        return _Watched(found, self._wrote, name)


def arm(app: App, point: str) -> App:
    """`app` with the trap at `point`."""
    trap = Trap(point)
    _arm_exchange(trap)
    trapped = {
        name: replace(part, store=TrapStore(part.store, trap))
        for name in STORES
        for part in (getattr(app, name),)
    }
    return replace(app, **trapped)


def _arm_exchange(trap: Trap) -> None:
    exchange = email._Exchange  # noqa: SLF001 - the very steps of the protocol
    expect, final_dot, answer = exchange.expect, exchange.final_dot, email.Connection.getreply
    dotted: list[bool] = []

    def expecting(self: Any, step: str, command: str, **more: Any) -> None:
        if step == "DATA":
            trap.passing("before DATA")
        expect(self, step, command, **more)

    def dotting(self: Any, answer_s: float) -> Any:
        trap.passing("before the final dot")
        dotted.append(True)
        result = final_dot(self, answer_s)
        trap.passing("after the 250")
        return result

    def answering(self: Any) -> Any:
        if dotted:
            dotted.clear()
            if trap.point == "after the final dot":
                time.sleep(0.05)  # the dot is on its way; its answer is not read
            trap.passing("after the final dot")
        return answer(self)

    exchange.expect, exchange.final_dot = expecting, dotting  # type: ignore[method-assign]
    email.Connection.getreply = answering  # type: ignore[method-assign]


def all_points(each: int) -> list[Row]:
    """`each` kills at every point."""
    with ThreadPoolExecutor(min(each, SIDE_BY_SIDE)) as pool:
        return list(pool.map(lambda point: _run(point, each, POINTS.index(point)), POINTS))


def _run(point: str, each: int, seed: int) -> Row:
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="faults-point-"))
    reached, recovery = 0, 0.0
    with Feed(lambda _: 0, seed) as feed, FaultyServer() as relay:
        config = write_config(folder, url=feed.url, port=relay.port)
        engine = sa.create_engine(f"sqlite:///{folder}/state/monitor.db")
        with Warm(config) as warm:
            for _ in range(each):
                feed.add("urgent")
                reached += warm.say(f"point {LONGEST_S} {point}") == "killed"
                # A life in peace: the next kill meets one post, and not a backlog of others.
                warm.say("live")
                recovery = max(recovery, settled(engine, feed))
                warm.say("stop")
        found = count(feed, relay.accepted, engine)
        engine.dispose()
    return Row(
        fault=f"kill {point}",
        volume=f"{reached} of {each} reached, {found.mails} mails",
        lost=found.lost,
        missing=found.missing,
        extras=found.extras,
        note=f"at most {found.most_copies} copies; settled within {recovery:.0f} s",
        faults=faults_of(
            alerts_lost=found.lost > 0,
            mentions_missing=found.missing > 0,
            copies_before_the_dot=found.extras > 0 and point not in AFTER_DOT,
            more_copies_than_kills=found.extras > each,
            more_than_two_copies=found.most_copies > 2,
            point_not_reached=reached < each,
            still_due=found.due > 0,
        ),
        minutes=(time.monotonic() - began) / 60,
    )
