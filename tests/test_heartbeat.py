"""The outside hears that all is well only after a canary proved it, and at once when it isn't."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
import structlog

from monitor.domain.health import CanaryStanding, Health, Problem, Reason
from monitor.health.heartbeat import Heartbeat
from monitor.policy.health import HeartbeatRules
from tests.connectors.feed_server import FeedServer, running

START = datetime(2026, 3, 10, 9, tzinfo=UTC)
RULES = HeartbeatRules(every_s=20, repeat_s=600, timeout_s=2)
SECRET = "0f5c2b7e-heart"


@dataclass
class Outside:
    """The receiver (a real web server), and what the heartbeat is shown."""

    server: FeedServer
    wrong: list[Reason] = field(default_factory=list)
    canary: CanaryStanding = field(default_factory=CanaryStanding)
    flown: int = 0
    now: datetime = START

    def __post_init__(self) -> None:
        self.heart = Heartbeat(
            url=f"http://127.0.0.1:{self.server.port}/{SECRET}",
            rules=RULES,
            health=self._health,
            canary=lambda: self.canary,
            fly=self._fly,
            monotonic=self._monotonic,
            wall=lambda: self.now,
        )

    def _health(self) -> Health:
        problems = [Problem(reason=r, grave=True, says="x", do="y") for r in self.wrong]
        note = Problem(reason=Reason.UNSCORED, grave=False, says="x", do="y")
        return Health(at=self.now, problems=(*problems, note))

    def _monotonic(self) -> float:
        return (self.now - START).total_seconds()

    def _fly(self) -> None:
        self.flown += 1

    def beat(self, seconds: float = 20) -> list[str]:
        """One turn, so much later; the paths that were asked for in it."""
        self.now += timedelta(seconds=seconds)
        before = len(self.server.paths)
        self.heart.beat()
        return [path.removeprefix(f"/{SECRET}") or "ok" for path in self.server.paths[before:]]

    def arrives(self) -> None:
        self.canary = CanaryStanding(passed_at=self.now, took_s=1.0)


@pytest.fixture
def outside() -> Iterator[Outside]:
    with running() as server:
        yield Outside(server)


def test_nothing_is_said_before_a_canary_arrived(outside: Outside) -> None:
    """A program that runs proves nothing: silence, until a canary of its own has arrived."""
    assert outside.beat() == []
    outside.canary = CanaryStanding(passed_at=START - timedelta(minutes=1))  # its predecessor's
    assert outside.beat() == []
    outside.arrives()
    assert outside.beat() == ["ok"]


def test_each_canary_is_told_once(outside: Outside) -> None:
    """One beat for each canary that arrived: none in between."""
    outside.arrives()
    assert [outside.beat() for _ in range(3)] == [["ok"], [], []]
    outside.arrives()
    assert outside.beat() == ["ok"]


def test_what_is_wrong_is_told_at_once_and_again(outside: Outside) -> None:
    """/fail at the first turn that sees it, every ten minutes while it lasts, and for what comes on
    top."""
    outside.wrong = [Reason.DISK_LOW]
    assert outside.beat() == ["/fail"]
    assert outside.beat() == []
    outside.wrong = [Reason.DISK_LOW, Reason.URGENT_WAITS]
    assert outside.beat() == ["/fail"]
    outside.wrong = [Reason.DISK_LOW]
    assert [outside.beat(300) for _ in range(2)] == [[], ["/fail"]]


def test_what_was_mended_is_proved_first(outside: Outside) -> None:
    """After trouble a canary is let fly at once, and only its arrival is told: what arrived before or
    during the trouble proves nothing."""
    outside.arrives()
    outside.beat()
    outside.wrong = [Reason.URGENT_WAITS]
    outside.beat()
    outside.arrives()
    assert outside.beat(0) == []
    outside.wrong = []
    assert [outside.beat() for _ in range(3)] == [[], [], []]
    assert outside.flown == 1
    outside.arrives()
    assert outside.beat() == ["ok"]


def test_a_canary_that_ended_its_own_alarm_is_proof(outside: Outside) -> None:
    """When the canary's own failure was the trouble, the one that arrived is told without another."""
    outside.wrong = [Reason.CANARY_FAILED]
    outside.beat()
    outside.now += timedelta(seconds=5)
    outside.arrives()
    outside.wrong = []
    assert outside.beat() == ["ok"]
    assert outside.flown == 0


def test_an_outside_that_does_not_answer_is_asked_again(
    outside: Outside, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it did not take is said again at the next turn; how that fails is known, and its address,
    which is the password, is in neither log nor reason."""
    logging.getLogger().setLevel(logging.DEBUG)
    structlog.reset_defaults()
    outside.server.status = 503
    outside.arrives()
    assert [outside.beat() for _ in range(2)] == [["ok"], ["ok"]]
    failure = outside.heart.standing().failure
    assert failure is not None
    assert "503" in failure
    assert SECRET not in failure
    assert SECRET not in repr(outside.heart)
    outside.server.status = 200
    assert outside.beat() == ["ok"]
    assert outside.heart.standing().failure is None
    assert outside.heart.standing().told_at == outside.now
    assert outside.beat() == []
    told = capsys.readouterr()
    assert SECRET not in told.out + told.err


def test_a_slow_outside_holds_nothing_up(outside: Outside) -> None:
    """An answer that drips is given up after the configured seconds, as a failure."""
    outside.server.hang = True
    outside.arrives()
    started = datetime.now(UTC)
    outside.beat()
    assert datetime.now(UTC) - started < timedelta(seconds=4)
    assert outside.heart.standing().failure
