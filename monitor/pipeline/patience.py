"""A commit that must not be given up lightly: what it writes down has happened already."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import structlog

from monitor.errors import StorageFault

T = TypeVar("T")
log = structlog.get_logger("monitor.pipeline")


def insist(commit: Callable[[], T], *, for_s: float = 600.0, every_s: float = 1.0) -> T:
    """Return what `commit` returns; while the database is in trouble, try again every `every_s`
    seconds. Raises StorageFault after `for_s`."""
    until = time.monotonic() + for_s
    told = False
    while True:
        try:
            return commit()
        except StorageFault as fault:
            if time.monotonic() + every_s > until:
                raise
            if not told:
                log.warning("commit_waits", kind=fault.trouble.value, reason=str(fault))
                told = True
        time.sleep(every_s)
