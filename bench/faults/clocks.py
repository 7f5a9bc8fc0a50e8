"""Clocks that are set back or forward, both changes of London's clocks, and 29 February: the urgent path
does not wait, and there is one digest a day."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from bench.faults.driven import Driven, driven
from bench.faults.report import Row, faults_of
from monitor.clock import SteadyClock
from monitor.domain import DeliveryKind
from tests.delivery.smtp_faults import Fault, FaultyServer

JUMPS = (
    timedelta(seconds=-60),
    timedelta(seconds=60),
    timedelta(hours=-1),
    timedelta(hours=1),
)
DAYS = (
    datetime(2026, 3, 28, tzinfo=UTC),  # forward on the 29th at 01:00
    datetime(2026, 10, 24, tzinfo=UTC),  # back on the 25th at 01:00 UTC
    datetime(2028, 2, 28, tzinfo=UTC),
)
RETRIED_WITHIN = timedelta(seconds=15 * 2 + 1)  # half speed until the wall has caught up


def all_of() -> list[Row]:
    """Every jump, and every odd day."""
    return [*(_jump(jump) for jump in JUMPS), *(_days(first) for first in DAYS)]


class Wall:
    """A wall clock that can be set, and a monotonic one that can't."""

    def __init__(self) -> None:
        self.set_by = timedelta()
        self.passed = 0.0

    def now(self) -> datetime:
        return (
            datetime(2026, 3, 10, 9, 15, tzinfo=UTC) + self.set_by + timedelta(seconds=self.passed)
        )

    def monotonic(self) -> float:
        return self.passed


def _jump(jump: timedelta) -> Row:
    """An alert is deferred once; the clock is set before its retry."""
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="faults-clock-"))
    wall = Wall()
    clock = SteadyClock(wall.now, wall.monotonic)
    with (
        FaultyServer(lambda number: Fault.DOT_4 if number == 0 else Fault.NONE) as server,
        driven(folder, [server.relay()], clock=clock) as monitor,
    ):
        monitor.judge(1)
        monitor.app.deliverer.deliver([DeliveryKind.ALERT])
        wall.set_by = jump
        waited = 0.0
        while not server.accepted and waited < 3_600:
            wall.passed += 1
            waited += 1
            monitor.app.deliverer.deliver([DeliveryKind.ALERT])
        mails = len(server.accepted)
    words = f"{'back' if jump < timedelta() else 'forward'} {abs(jump)}"
    return Row(
        fault=f"clock set {words}",
        volume="1 alert, once deferred",
        lost=int(mails == 0),
        extras=max(0, mails - 1),
        note=f"retried after {waited:.0f} s",
        faults=faults_of(
            alert_lost=mails == 0,
            late=timedelta(seconds=waited) > RETRIED_WITHIN,
            copies=mails > 1,
        ),
        minutes=(time.monotonic() - began) / 60,
    )


def _days(first: datetime) -> Row:
    """Three days around `first`, looked at every ten minutes as the sweep does every thirty seconds."""
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="faults-days-"))
    with FaultyServer() as server, driven(folder, [server.relay()]) as monitor:
        monitor.clock.now = first
        monitor.app.day.begin()
        for _ in range(3 * 24 * 6):
            monitor.clock.now += timedelta(minutes=10)
            monitor.app.day.digest()
            while monitor.app.deliverer.deliver([DeliveryKind.DIGEST]):
                pass
        late = _alert_within(monitor, server)
        sent = Counter(_day_of(data) for _, data in server.accepted if _is_digest(data))
    return Row(
        fault=f"three days from {first:%-d %B %Y}",
        volume=f"{sum(sent.values())} digests",
        extras=sum(number - 1 for number in sent.values()),
        note="",
        faults=faults_of(
            not_one_a_day=len(sent) != 3 or max(sent.values(), default=0) != 1,
            alert_late=late,
        ),
        minutes=(time.monotonic() - began) / 60,
    )


def _alert_within(monitor: Driven, server: FaultyServer) -> bool:
    before = len(server.accepted)
    monitor.judge(1)
    monitor.app.deliverer.deliver([DeliveryKind.ALERT])
    return len(server.accepted) != before + 1


def _is_digest(data: bytes) -> bool:
    return str(message_from_bytes(data)["X-Trust-Monitor-Key"]).startswith("digest:")


def _day_of(data: bytes) -> str:
    return str(message_from_bytes(data, policy=default)["X-Trust-Monitor-Key"])
