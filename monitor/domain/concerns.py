"""The concern log: incidents, the rung they stand on, and what people did about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from classifiers.verdict import Label, Sentiment, Severity
from monitor.domain.ladder import AuthorRole, Flag, Suggestion
from monitor.domain.mentions import Mention, Triage

MONITOR = "monitor"  # who did it, when nobody did: the program itself


class ConcernState(StrEnum):
    """Where a concern is in its life; `policy/life/` has the table of moves."""

    OPEN = "open"  # nobody has it yet
    ACKNOWLEDGED = "acknowledged"  # somebody has it in hand
    SECOND_OPINION = "second_opinion"  # a colleague was asked, and has not answered yet
    FOR_APPROVAL = "for_approval"  # a reply is drafted and waits for its approver
    APPROVED = "approved"  # a person may post the reply now
    WAITING = "waiting"  # our step is done; the next is theirs, or a clock's
    CLOSED = "closed"
    MERGED = "merged"  # went into another concern: for good


ENDED = frozenset({ConcernState.CLOSED, ConcernState.MERGED})


class Closing(StrEnum):
    """How a concern ended. FALSE_ALARM says that the classifier was wrong, and feeds evaluation."""

    RESOLVED = "resolved"
    NO_ACTION = "no_action"
    NO_CONTACT = "no_contact"
    PASSED_ON = "passed_on"  # it lives on in another record: safeguarding, complaints, HR, police
    FALSE_ALARM = "false_alarm"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcernEvent:
    """One line of a concern's append-only history.

    `who` is a person's id or `MONITOR`; `action` is a `policy.life.Move`'s value, or the monitor's
    own word ("opened", "updated", "alerted"). `details` holds what the move demands beside the
    reason ("reference", "agency", "rule", "audience", ...), as text.
    """

    at: datetime
    who: str
    action: str
    why: str
    details: Mapping[str, str] = field(default_factory=dict)


class ReplyState(StrEnum):
    DRAFTED = "drafted"  # waits for an approver
    APPROVED = "approved"  # a person may post it
    RETURNED = "returned"  # the approver wants it changed
    WITHDRAWN = "withdrawn"
    SENT = "sent"  # a person posted it, and said so


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a person wants to answer. `approver` differs from `drafter`, always.

    `public` False: meant for a private message or letter. `number` counts a concern's replies from
    1; at most one of them is DRAFTED or APPROVED at a time.
    """

    number: int
    public: bool
    text: str
    state: ReplyState
    drafter: str
    drafted_at: datetime
    approver: str | None = None
    decided_at: datetime | None = None
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """One incident: one or more mentions that belong together.

    `reference` is the case number that people quote ("2026-0042"). `confidential` means that only
    the safeguarding lead sees more than "with DSL". `scores` are the highest of its mentions'.
    `owner` is the id of who has it; `ladder` names the profile that its suggestion comes from;
    `merged_into` is the reference of the concern that took it in; `campaign` that of the campaign
    that it is part of. `own_account`: its posts stand on an account or site that the trust runs.
    """

    id: int
    reference: str
    state: ConcernState
    severity: Severity
    labels: frozenset[Label]
    sentiment: Sentiment
    organisations: tuple[str, ...]
    suggestion: Suggestion
    reasons: tuple[str, ...]
    confidential: bool
    needs_review: bool
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    mentions: tuple[Mention, ...] = ()
    history: tuple[ConcernEvent, ...] = ()
    scores: Mapping[Label, float] = field(default_factory=dict)
    ladder: str = "base"
    owner: str | None = None
    closing: Closing | None = None
    author: AuthorRole = AuthorRole.UNKNOWN
    flags: frozenset[Flag] = frozenset()
    own_account: bool = False
    about_head: bool = False
    merged_into: str | None = None
    campaign: str | None = None
    replies: tuple[Reply, ...] = ()

    @property
    def triage(self) -> Triage:
        """What was judged of the concern as a whole."""
        return Triage(
            severity=self.severity,
            labels=self.labels,
            sentiment=self.sentiment,
            scores=dict.fromkeys(Label, 0.0) | dict(self.scores),
            reasons=self.reasons,
            needs_review=self.needs_review,
        )

    @property
    def reply_in_hand(self) -> Reply | None:
        """The reply that waits for approval or for somebody to post it; None: there is none."""
        live = {ReplyState.DRAFTED, ReplyState.APPROVED}
        return next((reply for reply in self.replies if reply.state in live), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A concern as a list shows it: `concern` has no mentions, of its replies those in hand, and of
    its history what people did and the last post that joined. `posts` counts its mentions."""

    concern: Concern
    posts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A concern that a mention might belong to. `threads` are `identity.thread_keys` of its
    mentions; `texts` are its mentions' `identity.normalise`d texts, newest first. One that is
    `closed` is only taken up again when its very thread goes on."""

    concern_id: int
    threads: frozenset[str]
    texts: tuple[str, ...]
    organisations: frozenset[str]
    last_seen: datetime
    closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """An assessed mention as retention sees it. `state` and `closed_at` are its concern's, if any."""

    mention: int
    severity: Severity
    labels: frozenset[Label]
    state: ConcernState | None
    closed_at: datetime | None
    seen_at: datetime
