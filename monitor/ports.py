"""What the pipeline needs of the rooms beside it. Their makers import this; nobody else's types."""

from __future__ import annotations

from typing import Protocol

from monitor.domain import Sent


class Mailer(Protocol):
    """One channel out of the house."""

    channel: str

    def send(self, recipient: str, message: bytes, *, attempt: int) -> Sent:
        """Offer frozen RFC 5322 bytes to one recipient, once, within a hard deadline.

        Never raises for what a relay or network does: that is the `Outcome`. `attempt` counts from
        0 and lets a mailer with a second relay take it after two failures.
        """
        ...
