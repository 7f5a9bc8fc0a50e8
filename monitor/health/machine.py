"""What the machine under us does: its disks, and its clock."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from monitor.domain.health import Disk, Jump


def wall() -> datetime:
    """The wall clock as it is, in UTC: health must see what `SteadyClock` smooths out."""
    return datetime.now(UTC)


def disks(folders: Sequence[Path]) -> tuple[Disk, ...]:
    """What is free where these folders lie, one line for each file system. One that can't be asked
    is left out: the database, which lies there, then says more."""
    found: dict[int, Disk] = {}
    for folder in folders:
        try:
            device, free = folder.stat().st_dev, shutil.disk_usage(folder).free
        except OSError:
            continue
        found.setdefault(device, Disk(path=str(folder), free=free))
    return tuple(found.values())


class ClockWatch:
    """Compares the wall clock with the monotonic one, from one look to the next. Slewing, as time
    servers do it, and summer time, which UTC doesn't have, are no jumps; a machine that slept is."""

    def __init__(
        self,
        jump_s: float,
        wall: Callable[[], datetime] = wall,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._jump_s, self._wall, self._monotonic = jump_s, wall, monotonic
        self._before = (wall(), monotonic())
        self.last: Jump | None = None
        self.jumps = 0

    def look(self) -> Jump | None:
        """The last jump of more than `jump_s` seconds; None when there was none since the start."""
        now, at = self._wall(), self._monotonic()
        then, then_at = self._before
        moved = (now - then).total_seconds() - (at - then_at)
        if abs(moved) > self._jump_s:
            self.last = Jump(at=now, seconds=moved)
            self.jumps += 1
        self._before = (now, at)
        return self.last
