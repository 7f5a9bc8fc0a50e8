"""Leases: a dead holder's work is taken up soon, a living one's is not, and one that was frozen can no
longer say what became of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from monitor.domain import Delivery, DeliveryKind, DeliveryState, Outcome, Sent
from monitor.pipeline import Deliverer
from monitor.ports import NewDelivery
from monitor.store.store import SqlStore
from tests.fakes import FakeClock, FakeMailer

ALERT = [DeliveryKind.ALERT]
WHO = "slt@hollin.example"


def now() -> datetime:
    return datetime.now(UTC)


class SlowMailer:
    """A relay that answers when it is told to."""

    channel = "email"

    def __init__(self, outcome: Outcome = Outcome.ACCEPTED) -> None:
        self.begun, self.may_end = threading.Event(), threading.Event()
        self._outcome = outcome

    def send(self, recipient: str, message: bytes, *, attempt: int) -> Sent:
        del recipient, message, attempt
        self.begun.set()
        assert self.may_end.wait(20)
        return Sent(outcome=self._outcome, detail="451", relay="r")


def queue(store: SqlStore, at: datetime, key: str = "alert:2026-0001:1") -> None:
    new = NewDelivery(
        key=key,
        kind=DeliveryKind.ALERT,
        concern=None,
        recipient=WHO,
        channel="email",
        message=b"Subject: x\r\n\r\ny\r\n",
    )
    with store.begin() as rows:
        rows.outbox.enqueue([new], now=at)


def standing(store: SqlStore) -> tuple[str, int]:
    """State and attempts of the one delivery."""
    with store.read() as rows:
        (posted,) = rows.outbox.listed()
    return posted.state.value, posted.attempts


@contextmanager
def at_work(deliverer: Deliverer, mailer: SlowMailer) -> Iterator[None]:
    """One delivery in `deliverer`'s hands, in an exchange that ends with the block."""
    thread = threading.Thread(target=deliverer.deliver, args=(ALERT,))
    thread.start()
    try:
        assert mailer.begun.wait(10)
        yield
    finally:
        mailer.may_end.set()
        thread.join(20)


def claim(store: SqlStore, owner: str, at: datetime) -> Delivery:
    with store.begin() as rows:
        found = rows.outbox.claim(ALERT, owner=owner, lease_s=30, now=at)
    assert found is not None
    return found


def test_a_frozen_holder_can_t_mark(store: SqlStore) -> None:
    """A holder that slept through its lease and whose work another did says nothing any more: what it
    heard, "not yet", would send the alert a third time."""
    clock, slow = FakeClock(), SlowMailer(Outcome.DEFERRED)
    queue(store, clock())
    frozen = Deliverer(store=store, mailer=slow, owner="frozen", clock=clock, renew_s=999)
    other = Deliverer(store=store, mailer=FakeMailer(), owner="other", clock=clock)
    with at_work(frozen, slow):
        assert not other.deliver(ALERT), "taken while the lease stands"
        clock.forward(seconds=31)
        assert other.deliver(ALERT)
        assert standing(store) == ("sent", 2)
    assert standing(store) == ("sent", 2)


@pytest.mark.parametrize("again", ["other", "frozen"])
def test_each_claim_has_a_token_of_its_own(store: SqlStore, again: str) -> None:
    """An old claim neither renews nor marks once there is a newer one, be it of the same owner."""
    clock = FakeClock()
    queue(store, clock())
    old = claim(store, "frozen", clock())
    clock.forward(seconds=31)
    new = claim(store, again, clock())
    assert new.lease_token == old.lease_token + 1
    ending = {"detail": "", "due_at": clock(), "ambiguous": False, "now": clock()}
    with store.begin() as rows:
        assert not rows.outbox.renew(old, lease_s=30, now=clock())
        assert not rows.outbox.mark(old, DeliveryState.DEAD, **ending)
        assert rows.outbox.renew(new, lease_s=30, now=clock())
        assert rows.outbox.mark(new, DeliveryState.SENT, **ending)
        assert not rows.outbox.renew(new, lease_s=30, now=clock()), "it has ended"
    assert standing(store)[0] == "sent"


def test_a_living_holder_keeps_its_lease(store: SqlStore) -> None:
    """An exchange that takes longer than a lease is renewed all along, and nobody takes it."""
    slow = SlowMailer()
    queue(store, now())
    holder = Deliverer(
        store=store, mailer=slow, owner="holder", clock=now, lease_s=1.0, renew_s=0.2
    )
    other = Deliverer(store=store, mailer=FakeMailer(), owner="other", clock=now)
    with at_work(holder, slow):
        until = time.monotonic() + 2.0
        while time.monotonic() < until:
            assert not other.deliver(ALERT)
            time.sleep(0.1)
    assert standing(store) == ("sent", 1)


def test_a_process_takes_nothing_from_itself(store: SqlStore) -> None:
    """Frozen as a whole and woken, a process finds its own lease run out, and sends no second copy."""
    clock, slow = FakeClock(), SlowMailer()
    queue(store, clock())
    deliverer = Deliverer(store=store, mailer=slow, owner="one", clock=clock, renew_s=999)
    with at_work(deliverer, slow):
        clock.forward(minutes=5)
        assert not deliverer.deliver(ALERT)
    assert standing(store) == ("sent", 1)


def test_a_renewal_that_fails_is_tried_again(store: SqlStore) -> None:
    """A database that is locked for a moment costs one renewal, and not the lease."""
    from monitor.pipeline.lease import kept  # noqa: PLC0415 - only this test asks it directly

    calls: list[int] = []
    seen = threading.Event()

    def renew() -> bool:
        calls.append(1)
        if len(calls) == 1:
            raise sa.exc.OperationalError("locked", None, Exception())
        if len(calls) == 3:
            seen.set()
        return len(calls) < 3

    with kept(renew, every_s=0.01):
        assert seen.wait(5)
        time.sleep(0.1)
    assert len(calls) == 3, "once it is somebody else's, nothing is renewed"


def test_a_mailer_that_breaks_delays_one_message(store: SqlStore) -> None:
    """A mailer's surprise is written down as an attempt that failed; the next alert goes out."""

    class Breaking(FakeMailer):
        def send(self, recipient: str, message: bytes, *, attempt: int) -> Sent:
            if not self.sent:
                self.sent.append((recipient, message))
                raise UnicodeError("a surprise that quotes a name")
            return super().send(recipient, message, attempt=attempt)

    clock = FakeClock()
    queue(store, clock())
    queue(store, clock(), key="alert:2026-0002:1")
    deliverer = Deliverer(store=store, mailer=Breaking(), owner="one", clock=clock)
    while deliverer.deliver(ALERT):
        pass
    with store.read() as rows:
        first, second = rows.outbox.listed()
    assert (first.state, first.detail) == ("pending", "not accepted yet: UnicodeError")
    assert second.state == "sent"


HOLDER = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from monitor.domain import DeliveryKind, Outcome, Sent
from monitor.pipeline import Deliverer
from monitor.store.database import open_database
from monitor.store.store import SqlStore

class Mailer:
    channel = "email"
    def send(self, recipient, message, *, attempt):
        print("begun", flush=True)
        while not Path(sys.argv[2]).exists():
            time.sleep(0.02)
        return Sent(outcome=Outcome.DEFERRED, detail="451", relay="r")

Deliverer(
    store=SqlStore(open_database(sys.argv[1])), mailer=Mailer(), owner="child",
    clock=lambda: datetime.now(UTC), lease_s=1.5, renew_s=0.3,
).deliver([DeliveryKind.ALERT])
print("ended", flush=True)
"""


@contextmanager
def holding_process(
    database: sa.Engine, may_end: Path
) -> Iterator[tuple[subprocess.Popen[str], Callable[[], str]]]:
    """A process of its own with the one delivery in its hands; and its next line."""
    url = database.url.render_as_string(hide_password=False)
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, url, str(may_end)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[1],
    )
    assert child.stdout is not None
    lines = (line.strip() for line in child.stdout if line.strip() in {"begun", "ended"})
    try:
        assert next(lines) == "begun"
        yield child, lambda: next(lines)
    finally:
        child.kill()
        child.wait(10)
        child.stdout.close()


def taken_over(deliverer: Deliverer, *, within_s: float) -> float:
    """Seconds until `deliverer` found something to deliver."""
    began = time.monotonic()
    while not deliverer.deliver(ALERT):
        assert time.monotonic() - began < within_s, "nobody took it over"
        time.sleep(0.05)
    return time.monotonic() - began


def test_a_stopped_process_loses_its_lease_for_good(
    database: sa.Engine, store: SqlStore, tmp_path: Path
) -> None:
    """A process that is SIGSTOPped in an exchange keeps its lease before and loses it then; another
    sends the alert; continued, it finds nothing that it may mark."""
    queue(store, now())
    other = Deliverer(store=store, mailer=FakeMailer(), owner="other", clock=now)
    with holding_process(database, tmp_path / "may-end") as (child, next_line):
        time.sleep(2.0)
        assert not other.deliver(ALERT), "renewed while it runs"
        os.kill(child.pid, signal.SIGSTOP)
        taken_over(other, within_s=10)
        assert standing(store) == ("sent", 2)
        (tmp_path / "may-end").touch()
        os.kill(child.pid, signal.SIGCONT)
        assert next_line() == "ended"
        assert standing(store) == ("sent", 2)


def test_a_killed_process_s_work_is_taken_up_soon(
    database: sa.Engine, store: SqlStore, tmp_path: Path
) -> None:
    """What a killed process had in hand is free when its lease ends, however long an exchange may
    take."""
    queue(store, now())
    other = Deliverer(store=store, mailer=FakeMailer(), owner="other", clock=now)
    with holding_process(database, tmp_path / "never") as (child, _):
        child.kill()
        child.wait(10)
        assert taken_over(other, within_s=10) < 3
    assert standing(store) == ("sent", 2)
