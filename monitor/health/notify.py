"""Tells the service manager how we are: sd_notify, and a watchdog fed by every loop's progress."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress

import structlog

log = structlog.get_logger("monitor.health")


def notify(state: str) -> None:
    """Send `state` ("READY=1", "STOPPING=1", "WATCHDOG=1", ...) to systemd; no-op elsewhere, and when
    nobody listens there any more: that must not keep us from ending well.

    https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.sendto(state.encode(), address)


def watchdog_interval_s() -> float | None:
    """How often systemd wants to hear from us (half of WatchdogSec); None when it doesn't."""
    microseconds = os.environ.get("WATCHDOG_USEC")
    return int(microseconds) / 2_000_000 if microseconds else None


def keep_watchdog_fed(
    stuck: Callable[[], Mapping[str, float]], stopping: threading.Event, interval_s: float
) -> None:
    """Feed the watchdog as long as no loop is stuck; a stuck one starves it, and systemd restarts us."""
    while not stopping.wait(interval_s):
        hanging = stuck()
        if hanging:
            log.error("loops_stuck", stuck=sorted(hanging))
        else:
            notify("WATCHDOG=1")
