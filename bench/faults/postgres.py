"""The same kills on PostgreSQL, and PostgreSQL itself stopped at once, again and again."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from bench.faults.kills import beside, faults_of_count, run, settled
from bench.faults.offering import Feed, count
from bench.faults.report import Row, faults_of
from bench.faults.world import Warm, write_config
from tests.delivery.smtp_faults import FaultyServer
from tests.postgresql import Server


@contextmanager
def _server() -> Iterator[Server]:
    server = Server()
    try:
        yield server
    finally:
        server.remove()


def kills(number: int) -> Row:
    """Random kills of monitors on one PostgreSQL, each with a database of its own."""
    with _server() as server:
        databases = [server.database(f"monitor_{n}") for n in range(beside(number))]
        return run("kill at random, PostgreSQL", number, databases, seed=2)


def stops(number: int) -> Row:
    """PostgreSQL is stopped without a word under a living monitor, and started again."""
    began = time.monotonic()
    chance = random.Random(3)
    folder = Path(tempfile.mkdtemp(prefix="faults-pg-"))
    with (
        _server() as server,
        Feed(lambda draw: draw.choice((1, 2, 4)), 3) as feed,
        FaultyServer() as relay,
    ):
        config = write_config(folder, url=feed.url, port=relay.port, database=server.url)
        with Warm(config) as warm:
            warm.say("live")
            for _ in range(number):
                time.sleep(chance.uniform(0.5, 6.0))
                server.stop(at_once=True)
                time.sleep(chance.uniform(0.1, 2.0))
                server.start()
            feed.producing = False
            engine = sa.create_engine(server.url)
            recovery = settled(engine, feed)
            status = warm.say("stop").split()[1]
            found = count(feed, relay.accepted, engine)
            engine.dispose()
    return Row(
        fault="PostgreSQL stopped at once",
        volume=f"{number} stops, {found.ours} posts, {found.urgent} urgent, {found.mails} mails",
        lost=found.lost,
        missing=found.missing,
        extras=found.extras,
        note=f"settled in {recovery:.0f} s",
        faults=faults_of_count(found, number, recovery) + faults_of(exit_status=status != "0"),
        minutes=(time.monotonic() - began) / 60,
    )
