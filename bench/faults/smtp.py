"""Mail servers that misbehave: lost 0; no copy too many where the outcome is definite, three at most
where it is not.

Each mode takes every alert's first exchange; the ones after it find a server in order. An alert that
was refused for good must have reached the next person.
"""

from __future__ import annotations

import socket
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path

from bench.faults.driven import driven
from bench.faults.offering import Count, count
from bench.faults.report import Row, faults_of
from monitor.delivery.email import Relay
from tests.delivery.smtp_faults import Fault, FaultyServer

AMBIGUOUS = frozenset(
    {
        Fault.DROP_AFTER_DOT,
        Fault.HANG_AFTER_DOT,
        Fault.DRIP_AFTER_DOT,
        Fault.GARBAGE_AFTER_DOT,
        Fault.LATE_250,
    }
)
SECURED = frozenset(
    {
        Fault.NO_STARTTLS,
        Fault.STARTTLS,
        Fault.HANDSHAKE,
        Fault.HANDSHAKE_HANGS,
        Fault.AUTH,
        Fault.AUTH_NOT_OFFERED,
    }
)


def modes(each: int) -> list[Row]:
    """`each` alerts for every mode that the server knows."""
    rows = [_mode(fault, each) for fault in Fault if fault is not Fault.NONE]
    rows.append(_every_second(each))
    return rows


def _mode(fault: Fault, each: int) -> Row:
    seen: Counter[str] = Counter()

    def bad_first(number: int) -> Fault:
        seen["connections"] = number
        return fault if number < each else Fault.NONE

    return _run(f"SMTP: {fault.value}", each, bad_first, fault)


def _unused() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _every_second(each: int) -> Row:
    """One recipient of two is refused: the other is not kept from their letter."""
    return _run(
        "SMTP: one recipient of two refused",
        each,
        lambda number: Fault.RCPT_5 if number % 2 else Fault.NONE,
        Fault.RCPT_5,
    )


def _run(name: str, each: int, fault_of: Callable[[int], Fault], fault: Fault) -> Row:
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="faults-smtp-"))
    with FaultyServer(fault_of, late_s=1.0) as server:
        relays = [server.secure_relay() if fault in SECURED else server.relay()]
        if (
            fault is Fault.REFUSED
        ):  # a server can't refuse some connections: nobody listens at the first
            relays.insert(0, Relay(host="127.0.0.1", port=_unused(), security="none"))
        with driven(folder, relays, exchange_s=0.4) as monitor:
            monitor.judge(each)

            def told() -> Count:
                return count(monitor.feed, server.accepted, monitor.app.database)

            # Where everybody of a case was refused, they are all told again after an hour.
            over = monitor.until(
                lambda: not monitor.owes() and not told().lost, within=timedelta(hours=12)
            )
            found = told()
    copies = Counter(
        (recipient, message_from_bytes(data)["Message-ID"]) for recipient, data in server.accepted
    )
    most = max(copies.values(), default=0)
    ambiguous = fault in AMBIGUOUS
    return Row(
        fault=name,
        volume=f"{each} alerts, {found.mails} mails",
        lost=found.lost,
        extras=found.extras,
        note=f"at most {most} copies" if ambiguous else "",
        faults=faults_of(
            alerts_lost=found.lost > 0,
            copies_though_definite=found.extras > 0 and not ambiguous,
            more_than_three_copies=most > 3,
            never_ended=not over,
        ),
        minutes=(time.monotonic() - began) / 60,
    )
