"""Implements `monitor.ports.Letters`: words from the renderer, bytes frozen for the outbox."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitor.delivery.message import freeze
from monitor.delivery.render import Rendered, Renderer
from monitor.domain import Concern, Digest, Notice, Person


@dataclass(frozen=True, slots=True)
class Letters:
    """`sender` is the address that mail comes from."""

    renderer: Renderer
    sender: str

    def alert(self, concern: Concern, notice: Notice, *, key: str, now: datetime) -> bytes:
        """The alert for one person, ready to send."""
        return self._freeze(self.renderer.alert(concern, notice), notice.person, key, now)

    def digest(self, digest: Digest, person: Person, *, key: str, now: datetime) -> bytes:
        """The day's digest for one person, ready to send."""
        return self._freeze(self.renderer.digest(digest, person), person, key, now)

    def _freeze(self, rendered: Rendered, person: Person, key: str, now: datetime) -> bytes:
        return freeze(rendered, sender=self.sender, recipient=person.email, now=now, key=key)
