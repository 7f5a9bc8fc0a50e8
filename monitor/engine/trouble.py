"""A database in trouble is said once, not by every loop every few seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from monitor.errors import StorageFault

log = structlog.get_logger("monitor.engine")

OVER_AFTER_S = (
    60.0  # without another fault, while something works: what has nothing to write proves little
)
AGAIN_AFTER_S = 3_600.0


class StorageTrouble:
    """What the handlers have met lately. Safe from any thread."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._fault: StorageFault | None = None
        self._since = self._last = self._told = 0.0

    def failed(self, handler: str, fault: StorageFault) -> None:
        """Log a fault when it is a new one, and again after an hour."""
        with self._lock:
            now = self._last = self._monotonic()
            known = self._fault is not None and self._fault.trouble is fault.trouble
            if self._fault is None:
                self._since = now
            self._fault = fault
            if known and now - self._told < AGAIN_AFTER_S:
                return
            self._told = now
        log.error("storage_failed", kind=fault.trouble.value, handler=handler, reason=str(fault))

    def worked(self) -> None:
        """A handler ran to its end. Logs when the trouble is over."""
        if self._fault is None:
            return
        with self._lock:
            now = self._monotonic()
            if self._fault is None or now - self._last < OVER_AFTER_S:
                return
            trouble, seconds = self._fault.trouble, self._last - self._since
            self._fault = None
        log.warning("storage_recovered", kind=trouble.value, seconds=round(seconds))

    def current(self) -> StorageFault | None:
        """The fault that was met within the last minute or so; None: the database works."""
        return self._fault
