"""Errors that reach a person. Each message says what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

EX_CONFIG = 78  # sysexits.h; the systemd unit does not restart on it (RestartPreventExitStatus=78)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one place: `where` is "file: key.path" (or a line number)."""

    where: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}. {self.remedy}"


class MonitorError(Exception):
    """Base: its text may be shown to a person as it is."""


class ConfigError(MonitorError):
    """Everything wrong with the configuration, all at once."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)


class Trouble(StrEnum):
    """How a database fails its user."""

    FULL = "full"
    READ_ONLY = "read-only"
    LOCKED = "locked"
    CORRUPT = "corrupt"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    DISK = "disk fails"


class StorageFault(MonitorError):
    """The database can't be used: `trouble` says how, the text what to do. It holds no data."""

    def __init__(self, trouble: Trouble, told: str) -> None:
        super().__init__(told)
        self.trouble = trouble
