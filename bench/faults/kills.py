"""SIGKILL at random moments: lost 0, missing 0, extra copies at most one per kill, back within 30 s.

A post that becomes urgent while the monitor is being killed again and again must still reach the mail
server, and nothing may be sent twice that a kill does not explain.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from bench.faults.offering import Count, Feed, assessed, count, owed, total
from bench.faults.report import Row, faults_of
from bench.faults.world import Warm, write_config
from tests.delivery.smtp_faults import FaultyServer

SHORTEST_LIFE_S = 0.02  # before the first commit
LONGEST_LIFE = 1.6  # of what a whole round takes on this machine, from the start to the last mark
LONGEST_LIFE_S = 20.0  # where a round takes longer, the machine is busy with something else
SETTLE_S = 240.0
SIDE_BY_SIDE = 4


def sqlite(kills: int, *, seed: int = 1) -> Row:
    """Random kills of monitors on SQLite."""
    return run("kill at random, SQLite", kills, [""] * beside(kills), seed=seed)


def beside(kills: int) -> int:
    """How many monitors share so many kills."""
    return max(1, min(SIDE_BY_SIDE, kills // 250))


@dataclass(frozen=True)
class Part:
    """What one of several monitors, killed beside each other, came to."""

    found: Count
    longest_s: float  # life
    recovery_s: float
    ended: str  # exit status and seconds, or why the parent gave up


def run(name: str, kills: int, databases: Sequence[str], *, seed: int) -> Row:
    """`kills` random kills, shared by one monitor a database (a URL, or empty for a SQLite file of its
    own), and for each then one life in peace."""
    began = time.monotonic()
    each = kills // len(databases)
    with ThreadPoolExecutor(len(databases)) as pool:
        parts = list(
            pool.map(lambda n: _part(each, databases[n], seed + 100 * n), range(len(databases)))
        )
    found = total(part.found for part in parts)
    recovery = max(part.recovery_s for part in parts)
    badly = sorted({f"ended {part.ended}" for part in parts if not part.ended.startswith("0 ")})
    return Row(
        fault=name,
        volume=f"{each * len(databases):,} kills, {found.ours:,} posts, {found.urgent:,} urgent, "
        f"{found.mails:,} mails",
        lost=found.lost,
        missing=found.missing,
        extras=found.extras,
        note=f"{len(parts)} monitors side by side, lives of up to "
        f"{max(part.longest_s for part in parts):.1f} s; at most {found.most_copies} copies; settled in "
        f"{recovery:.0f} s; integrity {found.integrity}",
        faults=faults_of_count(found, kills, recovery) + tuple(badly),
        minutes=(time.monotonic() - began) / 60,
    )


def _part(kills: int, database: str, seed: int) -> Part:
    chance = random.Random(seed)
    folder = Path(tempfile.mkdtemp(prefix="faults-kill-"))
    with Feed(lambda draw: draw.choice((0, 1, 1, 2)), seed) as feed, FaultyServer() as relay:
        config = write_config(folder, url=feed.url, port=relay.port, database=database)
        engine = sa.create_engine(database or f"sqlite:///{folder}/state/monitor.db")
        with Warm(config) as warm:
            longest = min(LONGEST_LIFE * _round_s(warm, engine, feed), LONGEST_LIFE_S)
            recovery = 0.0
            for number in range(kills):
                answer = warm.say(f"kill {chance.uniform(SHORTEST_LIFE_S, longest):.3f}")
                if answer != "killed":
                    ended = f"early, {answer}: see {warm.log}"
                    break
                if (number + 1) % 100 == 0:
                    print(f"  {seed}: {number + 1} kills, {len(feed.items)} posts", flush=True)
            else:
                feed.producing = False
                warm.say("live")
                recovery = settled(engine, feed)
                ended = warm.say("stop").removeprefix("ended ")
        found = count(feed, relay.accepted, engine)
        engine.dispose()
    return Part(found=found, longest_s=longest, recovery_s=recovery, ended=ended)


def _round_s(warm: Warm, engine: sa.Engine, feed: Feed) -> float:
    """Seconds from a start to the last mark, for one urgent post with nothing behind it; the second
    start, because the first one makes the database."""
    feed.producing = False
    round_s = 0.0
    for _ in range(2):
        feed.add("urgent")
        warm.say("live")
        round_s = settled(engine, feed)
        warm.say("stop")
    feed.producing = True
    return round_s


def faults_of_count(found: Count, kills: int, recovery: float) -> tuple[str, ...]:
    return faults_of(
        alerts_lost=found.lost > 0,
        mentions_missing=found.missing > 0,
        strangers_stored=found.strangers > 0,
        more_extras_than_kills=found.extras > kills,
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
