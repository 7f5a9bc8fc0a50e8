"""The hard stops: what forbids a reply, most restrictive first, and whom it goes to instead.

They are code and not data, so that no ladder file can soften them. The order is the order of
restrictiveness: a concern that meets several goes where the first one sends it, and everybody whom
the others name is told as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from classifiers.verdict import Label
from monitor.domain import AuthorRole, Circumstances, Fact, Flag
from monitor.policy.triage import HARMS

Condition = Label | Flag | AuthorRole


@dataclass(frozen=True, slots=True)
class Stop:
    """Why nothing may be answered, and to whom it goes."""

    condition: Condition
    why: str
    route: str


_DSL = "the safeguarding lead (DSL), at once"
_POLICE = "the police: 999 if anybody may be in danger, else 101 today; keep the evidence"
_MEDIA = "the media lead, and nobody else"
_SUPPORT = "a senior leader: keep the evidence, support the person attacked"
_LAWYER = "a senior leader, with the trust's lawyer"

STOPS: tuple[Stop, ...] = (
    # A child comes before everything: only the safeguarding lead knows what else is known.
    Stop(Label.SAFEGUARDING, "a child may be at risk: the safeguarding lead decides", _DSL),
    Stop(
        Label.IDENTIFIES_CHILD,
        "a pupil can be recognised: a reply would point at the child",
        _DSL,
    ),
    Stop(
        Flag.DOUBTFUL_CONTACT,
        "doubtful contact between an adult of the school and a child",
        _DSL + ", and a senior leader",
    ),
    Stop(
        AuthorRole.PUPIL,
        "the author appears to be a child: no reply and no message to an apparent pupil",
        _DSL + ", with pastoral staff",
    ),
    # Then danger: an answer can only make it worse.
    Stop(Label.THREAT, "a threat: keep the evidence and ring the police, don't answer", _POLICE),
    Stop(Label.SECURITY, "a security matter: an answer would confirm it", _POLICE),
    # Then people who stand accused, or who work for us: the law and their rights forbid comment.
    Stop(
        Label.ALLEGATION,
        "an allegation: the school must not identify anybody accused "
        "(Education Act 2002, section 141F)",
        "the head as case manager (about the head: the chair); where a child may have been "
        "harmed, the local authority's designated officer (LADO)",
    ),
    Stop(
        AuthorRole.STAFF,
        "the author appears to work for us: a confidential staff matter",
        "human resources, in confidence",
    ),
    Stop(
        AuthorRole.GOVERNANCE,
        "the author appears to be a governor or trustee: a matter for the board",
        "the chair of the trust board, in confidence",
    ),
    # The press before abuse and hate: reporting a journalist's post would be the graver mistake.
    Stop(AuthorRole.PRESS, "the press: the media lead answers", _MEDIA),
    Stop(Label.MEDIA, "the press: the media lead answers", _MEDIA),
    # Then what harms people or rights: no answer, but protection.
    Stop(
        Label.HATE,
        "hate: support the people attacked, don't answer",
        _SUPPORT + "; 101 where it may be a crime",
    ),
    Stop(Flag.DEFAMATION, "possibly defamation: a lawyer advises before anything is said", _LAWYER),
    Stop(Flag.HARASSMENT, "possibly harassment: an answer would feed it", _LAWYER),
    Stop(Flag.CONFIDENTIALITY, "confidential material: an answer would confirm it", _LAWYER),
    Stop(
        Flag.DATA_PROTECTION,
        "personal data made public: an answer would point at it",
        "the data protection officer",
    ),
    Stop(Flag.DOXXING, "a private address or number: an answer would point at it", _SUPPORT),
    Stop(
        Flag.IMPERSONATION,
        "a false account: report it, don't talk with it",
        "a senior leader: keep the evidence, report the account",
    ),
    Stop(Flag.BULLYING, "bullying: support the person attacked, don't answer", _SUPPORT),
    Stop(Label.ABUSE, "abuse: support the person attacked, don't answer", _SUPPORT),
)

ANSWERABLE: tuple[Condition, ...] = (
    Label.CAMPAIGN,
    Label.COMPLAINT,
    Label.QUERY,
    Flag.COPYRIGHT,
    Label.PRAISE,
)
"""What may be answered, most restrictive first; it comes after every stop."""

_RANKS: Mapping[Condition, int] = {
    condition: rank
    for rank, condition in enumerate((*(stop.condition for stop in STOPS), *ANSWERABLE))
}
LEAST = len(_RANKS)

HARM_FLAGS = frozenset(Flag) - {Flag.DISREPUTE, Flag.NAMED_STAFF}
"""Flags that allow a step against a post. To bring a school into disrepute, or to name who works
there, is no harm by itself: criticism does both."""

SPOKEN_TO = frozenset(
    {Label.ABUSE, Label.HATE, Flag.BULLYING, Flag.HARASSMENT, Flag.DOXXING, Flag.DATA_PROTECTION}
)
"""Stops under which the author may still be asked in private to remove the post, once two people
have confirmed the harm. Under every other stop nobody writes to the author at all."""

LABEL_CLOCKS: Mapping[Label, str] = {
    Label.SAFEGUARDING: "urgent_15min",
    Label.THREAT: "urgent_15min",
    Label.HATE: "elapsed_24h",
    Label.ABUSE: "elapsed_24h",
    Label.ALLEGATION: "elapsed_24h",
}
"""How long somebody has to take a new one in hand at the most, whatever the rung's own clock says."""


def rank(condition: Condition) -> int:
    """0 for the most restrictive; `LEAST` for what restricts nothing."""
    return _RANKS.get(condition, LEAST)


def stops(c: Circumstances) -> tuple[Stop, ...]:
    """Every hard stop that applies, most restrictive first. Empty: an answer is allowed."""
    here: frozenset[Condition] = c.triage.labels | c.flags | {c.author}
    return tuple(stop for stop in STOPS if stop.condition in here)


def harmful(c: Circumstances) -> bool:
    """Whether there is harm. Without it, whatever is said is lawful criticism and no step against
    the post or its author is ever open."""
    return bool(c.triage.labels & HARMS or c.flags & HARM_FLAGS)


def may_be_asked(c: Circumstances) -> bool:
    """Whether a request or letter to the author may be drafted in spite of the stops."""
    confirmed = Fact.HARM_CONFIRMED in c.facts
    return confirmed and all(stop.condition in SPOKEN_TO for stop in stops(c))
