"""What to do and what to say: the parent-escalation ladder. The rungs and drafts are data
(data/ladders/*.toml); three promises are code, whatever a ladder file says:

1. a hard stop (a child, a threat, security, an allegation, the press, abuse, hate) gets no reply;
2. lawful criticism never reaches removal, warning, reporting or blocking;
3. what nobody has read, and what a senior leader must decide, gets no reply drafted either.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from classifiers.verdict import Label, Severity
from monitor.domain import Rung, Suggestion, Triage
from monitor.policy.deadlines import CLOCKS
from monitor.policy.toml import parse
from monitor.policy.triage import COUNTS_FROM, HARMS

LONGEST_DRAFT = 300  # characters, placeholders filled in: it fits every platform that we read

STOPS: Mapping[Label, str] = {
    Label.SAFEGUARDING: "a child may be at risk: the safeguarding lead decides",
    Label.IDENTIFIES_CHILD: "a pupil can be recognised: a reply would point at the child",
    Label.THREAT: "a threat: keep the evidence and ring the police, don't answer",
    Label.SECURITY: "a security matter: an answer would confirm it",
    Label.ALLEGATION: "an allegation: the school must not identify anybody accused "
    "(Education Act 2002, section 141F)",
    Label.MEDIA: "the press: the media lead answers",
    Label.HATE: "hate: report it and support the people attacked, don't answer",
    Label.ABUSE: "abuse: report it and support the person attacked, don't answer",
}
"""Labels that forbid a reply, most restrictive first, and why."""

LAWFUL_RUNGS = frozenset({"L0", "L1", "L2", "L3", "L4", "C1", "M1", "R0"})
"""Rungs that act against nobody: a post without one of `HARMS` ends on one of these."""

PLACEHOLDERS = frozenset({"school", "contact", "trust", "complaints_url", "info_url"})
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def _known_placeholders(draft: str) -> str:
    unknown = set(_PLACEHOLDER.findall(draft)) - PLACEHOLDERS
    if unknown:
        raise ValueError(
            f"unknown placeholder {sorted(unknown)}; use {', '.join(sorted(PLACEHOLDERS))}"
        )
    return draft


def _known_clock(clock: str) -> str:
    if clock not in CLOCKS:
        raise ValueError(f"unknown clock; use {', '.join(sorted(CLOCKS))}")
    return clock


Draft = Annotated[str, Field(min_length=1), AfterValidator(_known_placeholders)]


class RungSpec(BaseModel):
    """One rung as written in TOML; the fields are those of `monitor.domain.Rung`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[A-Z][0-9]{1,2}$")
    name: str
    who: str
    approver: str
    clock: Annotated[str, AfterValidator(_known_clock)]
    public: Draft | None = None
    private: Draft | None = None
    stop: str | None = None
    do: tuple[str, ...] = ()
    dont: tuple[str, ...] = ()
    source: str

    def rung(self) -> Rung:
        """The same, as the house's value."""
        return Rung(**self.model_dump())


class Choice(BaseModel):
    """`rung` is chosen when every label of `labels` scores at least its value. `drafts` are tried
    before the rung's own public draft, in this order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    labels: Mapping[Label, Annotated[float, Field(ge=0.0, le=1.0)]] = Field(min_length=1)
    rung: str
    drafts: tuple[Draft, ...] = ()


class Ladder(BaseModel):
    """Rungs, and which of them a new concern starts on: the first choice that fits, so the most
    restrictive stand first. `review` is the rung for what has no label but needs a person."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    rung: tuple[RungSpec, ...]
    choice: tuple[Choice, ...]
    review: str
    nothing: str

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        ids = [spec.id for spec in self.rung]
        if len(set(ids)) != len(ids):
            raise ValueError("two rungs have the same id")
        used = {choice.rung for choice in self.choice} | {self.review, self.nothing}
        if missing := used - set(ids):
            raise ValueError(f"no such rung: {', '.join(sorted(missing))}")
        for name in (self.review, self.nothing):
            if name not in LAWFUL_RUNGS:
                raise ValueError(f"{name} acts against a post and can't be where posts start")
        for choice in self.choice:
            if choice.rung not in LAWFUL_RUNGS and not HARMS & set(choice.labels):
                raise ValueError(
                    f"choice of {choice.rung} for {sorted(choice.labels)}: lawful criticism may "
                    f"only lead to {', '.join(sorted(LAWFUL_RUNGS))}"
                )
        return self

    def by_id(self, rung_id: str) -> Rung:
        """The rung of that id. Raises KeyError."""
        for spec in self.rung:
            if spec.id == rung_id:
                return spec.rung()
        raise KeyError(rung_id)


def load_ladder(text: str) -> Ladder:
    """Read a ladder file's text. Raises ConfigError with every fault and its key path."""
    return parse(Ladder, text, "ladder")


def choose(triage: Triage, ladder: Ladder) -> Rung:
    """The rung on which a new concern starts; its `clock` gives the deadline."""
    return ladder.by_id(_start(triage, ladder)[0])


def suggest(
    triage: Triage,
    ladder: Ladder,
    *,
    school: str,
    contact: str,
    complaints_url: str | None,
    info_url: str | None,
    trust: str,
    due_at: datetime | None,
) -> Suggestion:
    """Choose the rung and fill its drafts in, or say why no reply is suggested."""
    rung_id, drafts = _start(triage, ladder)
    rung = ladder.by_id(rung_id)
    values = {
        "school": school,
        "contact": contact,
        "trust": trust,
        "complaints_url": complaints_url,
        "info_url": info_url,
    }
    because = _no_reply(triage, rung)
    reply = private = None
    if because is None:
        candidates = (*drafts, rung.public) if rung.public else drafts
        reply = _first_that_fits(candidates, values)
        private = _fill(rung.private, values) if rung.private else None
        because = None if reply else _no_draft(candidates)
    return Suggestion(
        rung=rung.id,
        rung_name=rung.name,
        who=rung.who,
        approver=rung.approver,
        reply=reply,
        private_reply=private,
        no_reply_because=because,
        do=rung.do,
        dont=rung.dont,
        due_at=due_at,
        source=rung.source,
    )


def _start(triage: Triage, ladder: Ladder) -> tuple[str, tuple[str, ...]]:
    harmful = bool(triage.labels & HARMS)
    for choice in ladder.choice:
        fits = all(_score(triage, label) >= least for label, least in choice.labels.items())
        if fits and (harmful or choice.rung in LAWFUL_RUNGS):
            return choice.rung, choice.drafts
    undecided = triage.needs_review or triage.severity is not Severity.ROUTINE
    return (ladder.review if undecided else ladder.nothing), ()


def _score(triage: Triage, label: Label) -> float:
    """What counts may come from an earlier post of the same concern, with other scores."""
    return max(triage.scores[label], COUNTS_FROM if label in triage.labels else 0.0)


def _no_reply(triage: Triage, rung: Rung) -> str | None:
    for label, why in STOPS.items():
        if label in triage.labels:
            return why
    if rung.stop:
        return rung.stop
    if triage.needs_review:
        return "not assessed automatically: read it first"
    if triage.severity is Severity.URGENT:
        return "urgent: a senior leader decides first"
    return None


def _no_draft(candidates: tuple[str, ...]) -> str:
    if not candidates:
        return "nothing to answer"
    return (
        f"no draft fits into {LONGEST_DRAFT} characters with the details configured: "
        "shorten the contact, or give the missing address"
    )


def _first_that_fits(drafts: tuple[str, ...], values: Mapping[str, str | None]) -> str | None:
    for draft in drafts:
        filled = _fill(draft, values)
        if filled is not None and len(filled) <= LONGEST_DRAFT:
            return filled
    return None


def _fill(draft: str, values: Mapping[str, str | None]) -> str | None:
    """The draft with its placeholders replaced, or None when a value is not configured. One pass:
    braces inside a value stay what they are."""
    if any(not values[name] for name in _PLACEHOLDER.findall(draft)):
        return None
    return _PLACEHOLDER.sub(lambda found: values[found[1]] or "", draft)
