"""A lease that is kept while work goes on: short, so that a dead holder's work is taken up soon, and
renewed, so that a living one's is not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

log = structlog.get_logger("monitor.pipeline")


@contextmanager
def kept(renew: Callable[[], bool], *, every_s: float) -> Iterator[None]:
    """Call `renew` every `every_s` seconds until the block ends, or `renew` says that the lease is
    somebody else's. What `renew` raises is logged: the next turn may go well."""
    done = threading.Event()

    def keep() -> None:
        while not done.wait(every_s):
            try:
                if not renew():
                    return
            except Exception:
                log.exception("lease_not_renewed")

    threading.Thread(target=keep, name="lease", daemon=True).start()
    try:
        yield
    finally:
        # Not joined: a renewal that comes after the mark finds nothing to renew.
        done.set()


class InHand:
    """What this process is working on. A process that was frozen finds its own leases run out, and
    must not take its own work from itself."""

    def __init__(self) -> None:
        self._ids: set[int] = set()
        self._lock = threading.Lock()

    def ids(self) -> frozenset[int]:
        with self._lock:
            return frozenset(self._ids)

    @contextmanager
    def holding(self, id_: int) -> Iterator[None]:
        with self._lock:
            self._ids.add(id_)
        try:
            yield
        finally:
            with self._lock:
                self._ids.discard(id_)
