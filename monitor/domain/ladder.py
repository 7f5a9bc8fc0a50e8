"""The parent-escalation ladder's vocabulary: rungs, what moves a concern along them, what is suggested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from monitor.domain.mentions import Triage
from monitor.domain.people import Role


class AuthorRole(StrEnum):
    """Who the author appears to be: because the post says so, or somebody reported it. Nobody is
    ever looked up."""

    UNKNOWN = "unknown"
    PARENT = "parent"
    PUPIL = "pupil"
    STAFF = "staff"
    GOVERNANCE = "governance"  # governor, trustee or member
    PRESS = "press"
    PUBLIC = "public"


class Flag(StrEnum):
    """What only a reviewer may say of a post; no classifier sets it."""

    DEFAMATION = "defamation"
    HARASSMENT = "harassment"  # a course of conduct (Protection from Harassment Act 1997)
    BULLYING = "bullying"
    CONFIDENTIALITY = "confidentiality"
    DATA_PROTECTION = "data_protection"
    COPYRIGHT = "copyright"
    IMPERSONATION = "impersonation"  # a fake account, identity theft
    DOXXING = "doxxing"  # a private address or number
    NAMED_STAFF = "named_staff"
    DOUBTFUL_CONTACT = "doubtful_contact"  # between an adult of the school and a child
    DISREPUTE = "disrepute"  # for the record: by itself it leads nowhere


class Fact(StrEnum):
    """What is established about a concern: recorded by a person, or come about by the clock. A
    rung's exits and entry conditions are made of these."""

    REPLIED = "replied"  # a person posted the approved reply
    NO_REPLY = "no_reply"  # decided, with the reason
    CONTACTED = "contacted"  # the author and the school talk in private
    SILENT = "silent"  # clock: five working days after the invitation without contact
    RESOLVED = "resolved"
    UNRESOLVED = "unresolved"
    COMPLAINT_ASKED = "complaint_asked"  # the author asks for the complaints procedure
    PASSED_ON = "passed_on"  # taken into another record: complaints, safeguarding, HR
    EVIDENCE_KEPT = "evidence_kept"
    HARM_CONFIRMED = "harm_confirmed"  # by two different people
    REMOVAL_ASKED = "removal_asked"
    NO_ANSWER = "no_answer"  # clock: three working days after asking
    REMOVED = "removed"  # by its author or its host
    REFUSED = "refused"
    CONTINUED = "continued"  # after the refusal
    MODERATED = "moderated"  # on an account of our own
    HOST_TOLD = "host_told"
    HOST_DECLINED = "host_declined"  # or 48 hours without a result
    WORDING_CHECKED = "wording_checked"  # of a letter, by a lawyer
    LETTER_SENT = "letter_sent"
    ADVICE_TAKEN = "advice_taken"
    POLICE_TOLD = "police_told"
    DSL_ACCEPTED = "dsl_accepted"
    LADO_TOLD = "lado_told"
    CASE_MANAGER = "case_manager"  # named
    MEDIA_TAKEN = "media_taken"  # by the media lead
    HR_ACCEPTED = "hr_accepted"
    BOARD_TOLD = "board_told"
    QUIET = "quiet"  # clock: a campaign has been quiet for 72 hours


class MetBy(StrEnum):
    """What stops a rung's clock."""

    REPLY = "reply"  # a reply sent, or decided against with a reason
    ACCEPTANCE = "acceptance"  # somebody acknowledged the concern
    STEP = "step"  # the rung's own step is recorded: asked, sent, moderated
    EXIT = "exit"  # only one of its exits


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """The way off a rung: when all of `when` are established, the concern goes on to rung `to`."""

    when: frozenset[Fact]
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One step of the ladder, as the trust's ladder file gives it.

    `who` acts and `approver` agrees, in words; `approvers` are the roles that whoever approves a
    reply or step here must hold, all of them (empty: any second person). `clock` is one of
    `policy.deadlines`' clocks, stopped by `met_by`; `step` is the
    fact that records the rung's own step, where it has one. `needs` must be established before the rung may
    be entered; `exits` lead on by themselves; `options` are the rungs that a person may choose from
    here. `public` and `private` are drafts with placeholders such as {school}. `stop` says why no
    reply may be suggested, and `route` whom it goes to instead. `harms_only`: never for lawful
    criticism. `source` is the clause that the rung comes from, last read on `reviewed_on`.
    """

    id: str
    name: str
    who: str
    approver: str
    approvers: frozenset[Role]
    clock: str
    met_by: MetBy
    step: Fact | None
    needs: frozenset[Fact]
    exits: tuple[Exit, ...]
    options: tuple[str, ...]
    public: str | None
    private: str | None
    stop: str | None
    route: str | None
    harms_only: bool
    own_account_only: bool
    do: tuple[str, ...]
    dont: tuple[str, ...]
    source: str
    reviewed_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """All that the ladder may know of a concern.

    `facts` are all that are established, `fresh` those since the rung `chosen` was chosen by a
    person (equal to `facts` when none was).
    """

    triage: Triage
    flags: frozenset[Flag] = frozenset()
    author: AuthorRole = AuthorRole.UNKNOWN
    own_account: bool = False
    facts: frozenset[Fact] = frozenset()
    fresh: frozenset[Fact] = frozenset()
    chosen: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """What the ladder suggests for one concern. `reply` is the public draft with its placeholders
    filled in, or None: then `no_reply_because` says why not (a hard stop, or nothing to answer), and
    `route` whom it goes to instead. `missing` says, in words, what must be recorded before the next
    rung opens; `options` are the ids of the rungs that a person may choose now."""

    rung: str
    rung_name: str
    who: str
    approver: str
    reply: str | None
    private_reply: str | None
    no_reply_because: str | None
    do: tuple[str, ...]
    dont: tuple[str, ...]
    due_at: datetime | None
    source: str
    approvers: frozenset[Role] = frozenset()
    met_by: MetBy = MetBy.REPLY
    step: Fact | None = None
    since: datetime | None = None
    """When the concern came to stand on this rung: what was answered before stops no clock of it."""
    route: str | None = None
    missing: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    exits: tuple[str, ...] = ()
    """In words, what to record next and where it leads: "contacted: Resolve with the school"."""


Placeholders = Mapping[str, str | None]
"""What {school}, {contact}, {trust}, ... stand for in drafts; None: not configured."""
