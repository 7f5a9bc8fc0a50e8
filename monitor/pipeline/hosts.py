"""Politeness: how many sources are read from one host at a time, and how far apart they begin."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from connectors.post import Connector
from monitor.policy.sources.rules import HostRules

_SCHEMES = frozenset({"http", "https", "ws", "wss"})


def hosts_of(connector: Connector, settings: object) -> tuple[str, ...]:
    """The hosts that a connector reads from: what it says itself (`hosts`), or those of the web
    addresses among its settings. Sorted, so that two sources never wait for each other."""
    own = getattr(connector, "hosts", None)
    if own is not None:
        return tuple(sorted(set(own)))
    values = [value for _, value in settings] if hasattr(settings, "__iter__") else []
    flat = [
        each
        for value in values
        for each in (value if isinstance(value, tuple | list) else (value,))
    ]
    parts = [urlsplit(each) for each in flat if isinstance(each, str) and "://" in each]
    found = {part.hostname for part in parts if part.scheme in _SCHEMES and part.hostname}
    return tuple(sorted(found))


@dataclass(slots=True)
class _Door:
    slots: threading.BoundedSemaphore
    lock: threading.Lock = field(default_factory=threading.Lock)
    next_at: float = 0.0


class Hosts:
    """One door for each host. Safe from any thread; holds nothing that a restart would miss."""

    def __init__(
        self, rules: HostRules, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._rules, self._monotonic = rules, monotonic
        self._lock = threading.Lock()
        self._doors: dict[str, _Door] = {}

    @contextmanager
    def visit(self, hosts: tuple[str, ...]) -> Iterator[bool]:
        """Wait for a turn at every one of `hosts`, and hold it. False when `patience_s` was over
        before; then nothing is held, and nothing may be asked."""
        deadline = self._monotonic() + self._rules.patience_s
        with ExitStack() as held:
            yield all(self._enter(self._door(host), deadline, held) for host in hosts)

    def _enter(self, door: _Door, deadline: float, held: ExitStack) -> bool:
        if not door.slots.acquire(timeout=max(0.0, deadline - self._monotonic())):
            return False
        held.callback(door.slots.release)
        with door.lock:
            now = self._monotonic()
            wait = max(0.0, door.next_at - now)
            if now + wait > deadline:
                return False
            door.next_at = now + wait + self._rules.apart_s
        time.sleep(wait)
        return True

    def _door(self, host: str) -> _Door:
        with self._lock:
            if host not in self._doors:
                self._doors[host] = _Door(threading.BoundedSemaphore(self._rules.at_once))
            return self._doors[host]
