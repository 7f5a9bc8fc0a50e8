"""A disk that is full, a database that is read-only, or locked by somebody else: the cursor does not
move, nothing is lost, and it goes on by itself."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from bench.faults.driven import Driven, driven
from bench.faults.offering import count
from bench.faults.report import Row, faults_of
from tests.delivery.smtp_faults import FaultyServer

Trouble = Callable[[Driven], AbstractContextManager[None]]


@contextmanager
def full(monitor: Driven) -> Iterator[None]:
    """SQLITE_FULL, without filling a disk: no page may be added, and none is free."""
    with _pragma(monitor, "max_page_count = 1", "max_page_count = 1073741823"):
        yield


@contextmanager
def read_only(monitor: Driven) -> Iterator[None]:
    """Every connection refuses to write, as on a file system that went read-only."""
    with _pragma(monitor, "query_only = ON", "query_only = OFF"):
        yield


@contextmanager
def locked(monitor: Driven) -> Iterator[None]:
    """Somebody holds the database for longer than we are ready to wait (here a tenth of a second, and
    not 15, so that a hundred of these end within the hour)."""
    holder = sa.create_engine(monitor.app.database.url, isolation_level="AUTOCOMMIT")
    with (
        _pragma(monitor, "busy_timeout = 100", "busy_timeout = 15000"),
        holder.connect() as connection,
    ):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield
        connection.exec_driver_sql("ROLLBACK")
    holder.dispose()


@contextmanager
def _pragma(monitor: Driven, worse: str, better: str) -> Iterator[None]:
    """Set on every connection that is opened meanwhile, and taken back on them."""
    engine = monitor.app.database
    engine.dispose()

    def listen(connection: object, _record: object) -> None:
        connection.execute(f"PRAGMA {worse}")  # type: ignore[attr-defined]

    sa.event.listen(engine, "connect", listen)
    try:
        yield
    finally:
        sa.event.remove(engine, "connect", listen)
        engine.dispose()
        with engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA {better}")


def all_of(each: int) -> list[Row]:
    """`each` of the three."""
    return [
        _run(name, trouble, each)
        for name, trouble in (
            ("disk full", full),
            ("database read-only", read_only),
            ("database locked", locked),
        )
    ]


def _run(name: str, trouble: Trouble, each: int) -> Row:
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="faults-storage-"))
    moved = 0
    with FaultyServer() as server, driven(folder, [server.relay()]) as monitor:
        monitor.judge(1)
        for _ in range(each):
            before = _cursor(monitor)
            monitor.feed.add("urgent", words=3_000)  # it needs pages of its own
            with trouble(monitor):
                for step in (
                    lambda: monitor.app.collector.collect("numbered"),
                    monitor.app.assessor.assess,
                    monitor.look_round,
                ):
                    _shrugged(step)
                moved += _cursor(monitor) != before
            monitor.clock.now += timedelta(hours=2)
            monitor.judge(0)
            monitor.look_round()
        monitor.until(lambda: not monitor.owes(), within=timedelta(hours=24))
        found = count(monitor.feed, server.accepted, monitor.app.database)
    return Row(
        fault=name,
        volume=f"{each} times, {found.urgent} alerts",
        lost=found.lost,
        missing=found.missing,
        extras=found.extras,
        note=f"cursor moved {moved} times; integrity {found.integrity}",
        faults=faults_of(
            alerts_lost=found.lost > 0,
            mentions_missing=found.missing > 0,
            cursor_moved=moved > 0,
            database_damaged=found.integrity != "ok",
        ),
        minutes=(time.monotonic() - began) / 60,
    )


def _shrugged(step: Callable[[], object]) -> None:
    """As the engine does: what a handler raises ends only that run."""
    with suppress(Exception):
        step()


def _cursor(monitor: Driven) -> str:
    aside = sa.create_engine(monitor.app.database.url)  # not one of the connections in trouble
    with aside.connect() as connection:
        found = str(connection.execute(sa.text("SELECT cursor FROM source")).scalar_one())
    aside.dispose()
    return found
