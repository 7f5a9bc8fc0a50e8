"""The values that walk through the house, from a match to a notice. Plain, frozen, and pure.

Posts and verdicts are owned by their leaves (`connectors.post`, `classifiers.verdict`); everything
that the monitor itself decides or stores is here, one file a subject.
"""

from __future__ import annotations

from monitor.domain.campaigns import Rally, Voice
from monitor.domain.channels import OTHER, Call, Case, Channel, Letter, Recent
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
from monitor.domain.mail import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    Digest,
    HeldLetter,
    Outcome,
    Posted,
    Sent,
    Suppression,
    SuppressionKind,
    Waiting,
    Week,
)
from monitor.domain.mentions import Match, Mention, Parked, RoutineMention, Strength, Triage
from monitor.domain.people import Absence, Disclosure, Notice, Person, Role
from monitor.domain.silences import AlertSilence, SilenceScope

__all__ = [
    "ENDED",
    "MONITOR",
    "OTHER",
    "Absence",
    "AlertSilence",
    "AuthorRole",
    "Call",
    "Candidate",
    "Case",
    "Channel",
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
    "HeldLetter",
    "Letter",
    "Match",
    "Mention",
    "MetBy",
    "Notice",
    "Outage",
    "Outcome",
    "Outline",
    "Parked",
    "Person",
    "Placeholders",
    "Posted",
    "Rally",
    "Recent",
    "Reply",
    "ReplyState",
    "Role",
    "RoutineMention",
    "Rung",
    "Sent",
    "Settled",
    "Silence",
    "SilenceScope",
    "SourceHealth",
    "Strength",
    "Suggestion",
    "Suppression",
    "SuppressionKind",
    "Triage",
    "Voice",
    "Waiting",
    "Week",
]
