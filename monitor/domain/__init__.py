"""The values that walk through the house, from a match to a notice. Plain, frozen, and pure.

Posts and verdicts are owned by their leaves (`connectors.post`, `classifiers.verdict`); everything
that the monitor itself decides or stores is here, one file a subject.
"""

from __future__ import annotations

from monitor.domain.campaigns import Rally, Voice
from monitor.domain.concerns import (
    ENDED,
    MONITOR,
    Candidate,
    Closing,
    Concern,
    ConcernEvent,
    ConcernState,
    Outline,
    Reply,
    ReplyState,
    Settled,
)
from monitor.domain.coverage import ClosedBy, CoverageGap, Outage, Silence, SourceHealth
from monitor.domain.ladder import (
    AuthorRole,
    Circumstances,
    Exit,
    Fact,
    Flag,
    MetBy,
    Placeholders,
    Rung,
    Suggestion,
)
from monitor.domain.mail import Delivery, DeliveryKind, DeliveryState, Digest, Outcome, Sent, Week
from monitor.domain.mentions import Match, Mention, RoutineMention, Strength, Triage
from monitor.domain.people import Absence, Disclosure, Notice, Person, Role

__all__ = [
    "ENDED",
    "MONITOR",
    "Absence",
    "AuthorRole",
    "Candidate",
    "Circumstances",
    "ClosedBy",
    "Closing",
    "Concern",
    "ConcernEvent",
    "ConcernState",
    "CoverageGap",
    "Delivery",
    "DeliveryKind",
    "DeliveryState",
    "Digest",
    "Disclosure",
    "Exit",
    "Fact",
    "Flag",
    "Match",
    "Mention",
    "MetBy",
    "Notice",
    "Outage",
    "Outcome",
    "Outline",
    "Person",
    "Placeholders",
    "Rally",
    "Reply",
    "ReplyState",
    "Role",
    "RoutineMention",
    "Rung",
    "Sent",
    "Settled",
    "Silence",
    "SourceHealth",
    "Strength",
    "Suggestion",
    "Triage",
    "Voice",
    "Week",
]
