"""One instance per state directory: a second one would send everything twice."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monitor.errors import MonitorError


@contextmanager
def only_instance(state_dir: Path) -> Iterator[None]:
    """Hold the state directory's lock. The kernel frees it however the process ends.

    Raises MonitorError when another process holds it.
    """
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = state_dir / "lock"
    with path.open("a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise MonitorError(
                f"{path}: another trust-monitor is running on this state directory. Stop it first, "
                "or give this one a state_dir of its own."
            ) from error
        yield


def is_held(state_dir: Path) -> bool:
    """Whether a monitor runs on this state directory."""
    path = state_dir / "lock"
    if not path.exists():
        return False
    with path.open("a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
