"""Implements `monitor.ports.Letters`: words from the renderer, bytes frozen for the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.delivery.message import freeze
from monitor.delivery.render import Rendered, Renderer
from monitor.delivery.thaw import thaw
from monitor.domain import Concern, Digest, Notice, Outage, Person, Rally

ESCALATION = "escalate:"  # how the keys of `policy.routes.escalation`'s letters begin


@dataclass(frozen=True, slots=True)
class Letters:
    """`sender` is the address that mail comes from."""

    renderer: Renderer
    sender: str

    def alert(self, concern: Concern, notice: Notice, *, key: str, now: datetime) -> bytes:
        """The alert for one person, ready to send. An escalation's `key` says that it is one."""
        still = key.startswith(ESCALATION)
        rendered = self.renderer.alert(concern, notice, still=still)
        return self._freeze(rendered, notice.person, key, now)

    def campaign(self, rally: Rally, notice: Notice, *, key: str, now: datetime) -> bytes:
        """A campaign's notice for one person, ready to send."""
        return self._freeze(self.renderer.campaign(rally, notice), notice.person, key, now)

    def digest(self, digest: Digest, person: Person, *, key: str, now: datetime) -> bytes:
        """The day's digest for one person, ready to send."""
        return self._freeze(self.renderer.digest(digest, person), person, key, now)

    def outage(self, outage: Outage, person: Person, *, key: str, now: datetime) -> bytes:
        """The notice about silent sources for one person, ready to send."""
        return self._freeze(self.renderer.outage(outage), person, key, now)

    def canary(self, recipient: str, *, key: str, now: datetime) -> bytes:
        """The canary's mail, ready to send."""
        rendered = self.renderer.canary()
        return freeze(rendered, sender=self.sender, recipient=recipient, now=now, key=key)

    def bundle(
        self,
        letters: Sequence[bytes],
        recipient: str,
        *,
        per_hour: int,
        key: str,
        now: datetime,
    ) -> bytes:
        """Frozen letters to one recipient in one, ready to send."""
        rendered = self.renderer.bundle([thaw(each) for each in letters], per_hour=per_hour)
        return freeze(rendered, sender=self.sender, recipient=recipient, now=now, key=key)

    def _freeze(self, rendered: Rendered, person: Person, key: str, now: datetime) -> bytes:
        return freeze(rendered, sender=self.sender, recipient=person.email, now=now, key=key)
