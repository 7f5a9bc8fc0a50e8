"""The other channels: how somebody learns that a case waits when mail about it doesn't get through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitor.domain.concerns import Concern
from monitor.domain.mail import DeliveryState
from monitor.domain.people import Person

OTHER = "other"  # what a call's delivery has as its channel; its recipient is the channel's id


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A chat room, a telephone or whatever else takes a few words; `people` are the ids of all who
    read it. Where it leads is a secret that only the room that sends knows."""

    id: str
    people: tuple[str, ...]

    @property
    def personal(self) -> bool:
        """True when one person alone reads it: only then may it carry a link made for them."""
        return len(self.people) == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """An alert letter as far as its words got: `state` is that of the bundle that it went into, where
    there is one. `concern` is the id of the case that it tells of; None: it is about the sources.
    `called`: the ids of the channels that were told already."""

    id: int
    key: str
    recipient: str
    state: DeliveryState
    queued_at: datetime
    concern: int | None
    called: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case as a call may tell of it. `may_answer`: its reader may see it, and so acknowledge it."""

    concern: Concern
    may_answer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One message by another channel: it stands in for `letters`, and tells of `cases`. `reader` is
    the one person of a personal channel."""

    channel: Channel
    letters: tuple[Letter, ...]
    cases: tuple[Case, ...]
    reader: Person | None
    because: str

    @property
    def of_sources(self) -> bool:
        """True when it stands in for a letter about silent sources."""
        return any(letter.concern is None for letter in self.letters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """What one channel was given within the last hour: so many messages, the last of them at `last`."""

    messages: int
    last: datetime
