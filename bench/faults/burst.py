"""Ten times the usual: 5,000 mentions within a minute, 50 of them urgent, each about another school. From
the fetch to the relay's 250 an urgent one takes under 60 s, 99 times of 100.

The monitor runs as its users run it, in a process of its own, with the built-in model. More than ten
alerts an hour go to one reader together: the wait for their letter counts.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import sqlalchemy as sa

from bench.faults.offering import Feed
from bench.faults.report import Row, faults_of
from bench.faults.world import ROOT, write_config
from tests.delivery.smtp_faults import FaultyServer

SCHOOL = """
[[schools]]
id = "school-{n}"
name = "{name} Academy"
town = "Quenby"
"""
_CASE = re.compile(r"\b20\d\d-\d{4,}\b")


def name_of(number: int) -> str:
    """A school's name that nobody else has."""
    first = (
        "Brindle",
        "Carrow",
        "Dunmore",
        "Elsby",
        "Fenholt",
        "Garsk",
        "Holt",
        "Irwen",
        "Jarrow",
        "Kesk",
    )
    second = ("wick", "mere", "stead", "combe", "thwaite")
    return first[number % 10] + second[number // 10 % 5]


class Timed(FaultyServer):
    """Remembers when it took what."""

    def __init__(self) -> None:
        super().__init__()
        self.at: list[tuple[float, bytes]] = []

    def took(self, recipient: str, message: bytes) -> None:
        super().took(recipient, message)
        self.at.append((time.time(), message))


def minute(times: int, *, mentions: int = 5_000, urgent: int = 50, over_s: float = 60.0) -> Row:
    """`times` bursts, one after the other, each on a fresh monitor."""
    began = time.monotonic()
    waits: list[float] = []
    lost = 0
    for seed in range(times):
        found, missing = _burst(seed, mentions, urgent, over_s)
        waits += found
        lost += missing
    waits.sort()
    p99 = waits[min(len(waits) - 1, int(len(waits) * 0.99))] if waits else float("inf")
    middle = waits[len(waits) // 2] if waits else float("inf")
    return Row(
        fault=f"burst of {mentions:,} in {over_s:.0f} s",
        volume=f"{times} times, {urgent} urgent each",
        lost=lost,
        note=f"fetch to 250: p50 {middle:.1f} s, p99 {p99:.1f} s, slowest {max(waits, default=0):.1f} s",
        faults=faults_of(alerts_lost=lost > 0, late=p99 > 60),
        minutes=(time.monotonic() - began) / 60,
    )


def _burst(seed: int, mentions: int, urgent: int, over_s: float) -> tuple[list[float], int]:
    folder = Path(tempfile.mkdtemp(prefix="faults-burst-"))
    schools = "".join(SCHOOL.format(n=n, name=name_of(n)) for n in range(urgent))
    with Feed(lambda _: 0, seed) as feed, Timed() as relay:
        config = write_config(folder, url=feed.url, port=relay.port, more=schools)
        text = config.read_text().replace(
            '[classifier]\nkind = "lexicon"', '[classifier]\nkind = "auto"'
        )
        config.write_text(text)
        with (folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "bench.faults.plain", str(config)],
                stdout=log,
                stderr=log,
                cwd=ROOT,
            )
        engine = sa.create_engine(f"sqlite:///{folder}/state/monitor.db")
        wait_until_started(folder / "log")
        producer = threading.Thread(target=_produce, args=(feed, mentions, urgent, over_s))
        producer.start()
        producer.join()
        _wait(engine, mentions)
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        return _waits(engine, feed, relay)


def wait_until_started(log: Path) -> None:
    """Until the monitor says so in its log; a minute at most."""
    deadline = time.monotonic() + 60
    while b'"started"' not in log.read_bytes() and time.monotonic() < deadline:
        time.sleep(0.2)


def _produce(feed: Feed, mentions: int, urgent: int, over_s: float) -> None:
    """Evenly over the time; the urgent ones among them."""
    began = time.monotonic()
    for number in range(mentions):
        due = began + over_s * number / mentions
        time.sleep(max(0.0, due - time.monotonic()))
        every = mentions // urgent
        if number % every == every // 2:
            feed.add("urgent")
            at, kind, text = feed.items[-1]
            feed.items[-1] = (
                at,
                kind,
                text.replace("Quenby Moor", name_of(number // every)),
            )
        else:
            feed.add("ours")


def _wait(engine: sa.Engine, mentions: int) -> None:
    """Until all are judged and no letter is owed; ten minutes at most."""
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        with engine.connect() as connection:
            judged = connection.execute(
                sa.text("SELECT count(*) FROM mention WHERE state = 'assessed'")
            ).scalar_one()
            due = connection.execute(
                sa.text(
                    "SELECT count(*) FROM delivery WHERE state NOT IN ('sent','bundled','dead')"
                )
            ).scalar_one()
        if judged == mentions and due == 0:
            return
        time.sleep(1)


def _waits(engine: sa.Engine, feed: Feed, relay: Timed) -> tuple[list[float], int]:
    told: dict[str, float] = {}
    for at, data in relay.at:
        message = message_from_bytes(data, policy=default)
        body = message.get_body(("plain",))
        words = f"{message['Subject']} {body.get_content() if body else ''}"
        for case in _CASE.findall(words):
            told.setdefault(case, at)
    with engine.connect() as connection:
        rows = connection.execute(
            sa.text(
                "SELECT mention.native_id AS id, strftime('%s', mention.first_seen_at) AS seen, "
                "strftime('%f', mention.first_seen_at) AS second, concern.reference AS reference "
                "FROM mention LEFT JOIN concern ON concern.id = mention.concern_id"
            )
        ).all()
    seen = {row.id: (float(row.seen) + float(row.second) % 1, row.reference) for row in rows}
    urgent = [str(number) for number, kind, _ in feed.items if kind == "urgent"]
    waits = [
        told[reference] - at
        for at, reference in (seen[number] for number in urgent if number in seen)
        if reference in told
    ]
    return waits, len(urgent) - len(waits)
