"""SIGKILL at random moments: lost 0, missing 0, extra copies at most one per kill, back within 30 s.

A post that becomes urgent while the monitor is being killed again and again must still reach the mail
server, and nothing may be sent twice that a kill does not explain.
"""

from __future__ import annotations

import random
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa

from bench.faults.offering import Count, Feed, assessed, count, owed
from bench.faults.report import Row, faults_of
from bench.faults.world import Warm, write_config
from tests.delivery.smtp_faults import FaultyServer

SHORTEST_LIFE_S = 0.02  # before the first commit
LONGEST_LIFE = 1.6  # of what a whole round takes on this machine, from the start to the last mark
LONGEST_LIFE_S = 20.0  # where a round takes longer, the machine is busy with something else
SETTLE_S = 240.0


def sqlite(kills: int, *, seed: int = 1) -> Row:
    """Random kills of a monitor on SQLite."""
    return run("kill at random, SQLite", kills, "", seed=seed)


def run(name: str, kills: int, database: str, *, seed: int) -> Row:
    """`kills` random kills, then one life in peace; `database` is a URL, or empty for SQLite."""
    chance = random.Random(seed)
    folder = Path(tempfile.mkdtemp(prefix="faults-kill-"))
    began = time.monotonic()
    with Feed(lambda draw: draw.choice((0, 1, 1, 2)), seed) as feed, FaultyServer() as relay:
        config = write_config(folder, url=feed.url, port=relay.port, database=database)
        engine = sa.create_engine(database or f"sqlite:///{folder}/state/monitor.db")
        with Warm(config) as warm:
            feed.producing = False  # a round is measured: one post, and nothing behind it
            feed.add("urgent")
            warm.say("live")
            longest = min(LONGEST_LIFE * settled(engine, feed), LONGEST_LIFE_S)
            warm.say("stop")
            feed.producing = True
            for number in range(kills):
                answer = warm.say(f"kill {chance.uniform(SHORTEST_LIFE_S, longest):.3f}")
                if answer != "killed":
                    return _ended(name, number, f"{answer}: see {warm.log}", began)
                if (number + 1) % 100 == 0:
                    print(f"  {number + 1} kills, {len(feed.items)} posts", flush=True)
            feed.producing = False
            warm.say("live")
            recovery = settled(engine, feed)
            status, seconds = warm.say("stop").split()[1:]
        found = count(feed, relay.accepted, engine)
        engine.dispose()
    return Row(
        fault=name,
        volume=f"{kills:,} kills, {found.ours:,} posts, {found.urgent:,} urgent, {found.mails:,} mails",
        lost=found.lost,
        missing=found.missing,
        extras=found.extras,
        note=f"lives of up to {longest:.1f} s; at most {found.most_copies} copies; settled in "
        f"{recovery:.0f} s; ended in {seconds} s; integrity {found.integrity}",
        faults=faults_of_count(found, kills, recovery) + faults_of(exit_status=status != "0"),
        minutes=(time.monotonic() - began) / 60,
    )


def faults_of_count(found: Count, kills: int, recovery: float) -> tuple[str, ...]:
    return faults_of(
        alerts_lost=found.lost > 0,
        mentions_missing=found.missing > 0,
        strangers_stored=found.strangers > 0,
        more_extras_than_kills=found.extras > kills,
        more_than_three_copies=found.most_copies > 3,
        still_due=found.due > 0,
        database_damaged=found.integrity != "ok",
        slow_recovery=recovery > 30,
    )


def settled(engine: sa.Engine, feed: Feed) -> float:
    """Seconds until every post is judged and nothing is owed; SETTLE_S if that never comes."""
    began = time.monotonic()
    wanted = sum(kind != "elsewhere" for _, kind, _ in feed.items)
    while time.monotonic() - began < SETTLE_S:
        with suppress(sa.exc.SQLAlchemyError), engine.connect() as connection:  # not there yet
            if assessed(connection) == wanted and owed(connection) == 0:
                return time.monotonic() - began
        time.sleep(0.05)
    return SETTLE_S


def _ended(name: str, kills: int, why: str, began: float) -> Row:
    return Row(
        fault=name,
        volume=f"{kills:,} kills",
        faults=(why,),
        minutes=(time.monotonic() - began) / 60,
    )
