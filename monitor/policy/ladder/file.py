"""The shape of a ladder file (data/ladders/*.toml), once all that it inherits is laid together
(`layers.py`). What no file may change is code: `stops.py`, and `GATES` here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from classifiers.verdict import Label
from monitor.domain import AuthorRole, Exit, Fact, Flag, MetBy, Role, Rung
from monitor.policy.deadlines import CLOCKS, WeekendRule
from monitor.policy.ladder.stops import LEAST, Condition, rank
from monitor.policy.triage import COUNTS_FROM

LAWFUL_RUNGS = frozenset({"L0", "L1", "L2", "L3", "L4", "C1", "M1", "R0"})
"""Rungs that act against nobody: lawful criticism ends on one of these."""

HANDOVERS = frozenset({"S1", "S2", "H1"})
"""Rungs that hand a concern over in confidence. They act against nobody either. Every other rung,
whatever a file calls it, counts as a step against a post."""

GATES: Mapping[str, frozenset[Fact]] = {
    "L5": frozenset({Fact.HARM_CONFIRMED, Fact.EVIDENCE_KEPT}),
    "L6": frozenset({Fact.EVIDENCE_KEPT}),
    "L7": frozenset({Fact.EVIDENCE_KEPT}),
    "L8": frozenset({Fact.REFUSED, Fact.CONTINUED, Fact.WORDING_CHECKED}),
}
"""What must be established before these rungs, whatever a file says; a file may demand more."""

OWN_ACCOUNT_RUNGS = frozenset({"L6"})  # nobody can moderate what stands on another's account

FILLED_IN = frozenset({"school", "contact", "trust", "complaints_url", "info_url", "rules_url"})
"""Placeholders that the configuration fills in."""

ASKED_FOR: Mapping[str, str] = {
    "rule": "[the rule, in a few words]",
    "reason_plain": "[what is wrong with it, in plain words]",
    "date": "[date of the request]",
    "deadline": "[date]",
    "rules_url": "[link to our page rules]",
}
"""Placeholders that only a person can fill in, and what stands in the draft until somebody does."""

FALLS_BACK: Mapping[str, str] = {"topic_neutral": "this"}
"""Placeholders with words of their own where nothing better is known: a campaign may have no name."""

PLACEHOLDERS = FILLED_IN | set(ASKED_FOR) | set(FALLS_BACK)
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def _known_placeholders(draft: str) -> str:
    unknown = set(PLACEHOLDER.findall(draft)) - PLACEHOLDERS
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
RungId = Annotated[str, Field(pattern=r"^[A-Z][0-9]{1,2}$")]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ExitSpec(_Table):
    """An arrow: once all of `when` are established, the concern goes on to `to`."""

    when: frozenset[Fact] = Field(min_length=1)
    to: RungId


class RungSpec(_Table):
    """One rung as written in TOML; most fields are those of `monitor.domain.Rung`.

    `roles` are those that whoever approves here must hold, all of them; left out, those of
    `[approval]`. `closes` are the facts with which a concern may be closed here. `silent_because`
    says why a rung has neither draft nor stop: a draft was not forgotten.
    """

    id: RungId
    name: str = Field(min_length=1)
    who: str = Field(min_length=1)
    approver: str
    roles: frozenset[Role] | None = None
    clock: Annotated[str, AfterValidator(_known_clock)]
    met_by: MetBy = MetBy.REPLY
    step: Fact | None = None
    enter: str = ""
    needs: frozenset[Fact] = frozenset()
    exits: tuple[ExitSpec, ...] = ()
    closes: tuple[Fact, ...] = ()
    options: tuple[RungId, ...] = ()
    public: Draft | None = None
    private: Draft | None = None
    silent_because: str | None = None
    stop: str | None = None
    route: str | None = None
    harms_only: bool = False
    own_account_only: bool = False
    do: tuple[str, ...] = ()
    dont: tuple[str, ...] = ()
    source: str = Field(min_length=1)
    reviewed_on: date | None = None

    @model_validator(mode="after")
    def _says_which_step(self) -> Self:
        if (self.met_by is MetBy.STEP) != (self.step is not None):
            raise ValueError(
                'met_by = "step" and step belong together: give both, such as '
                'step = "letter_sent", or another met_by'
            )
        return self

    def acts_against_a_post(self) -> bool:
        """True unless the rung is one of those that act against nobody."""
        return self.harms_only or self.id not in LAWFUL_RUNGS | HANDOVERS


class Choice(_Table):
    """Where a new concern starts. `rung` is chosen when every condition holds: each label of
    `labels` scores at least its value, all `flags` are set, the author is one of `author`, and the
    account is ours or not. `drafts` are tried before the rung's own public draft, in this order."""

    labels: Mapping[Label, Annotated[float, Field(ge=0.0, le=1.0)]] = Field(default_factory=dict)
    flags: frozenset[Flag] = frozenset()
    author: frozenset[AuthorRole] = frozenset()
    own_account: bool | None = None
    rung: RungId
    drafts: tuple[Draft, ...] = ()

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if not (self.labels or self.flags or self.author):
            raise ValueError("a choice must name labels, flags or author")
        return self

    def rank(self) -> int:
        """How restrictive its most restrictive condition is, 0 the most. A score below the one
        from which a label counts is a hint, and restricts nothing."""
        counted = [label for label, least in self.labels.items() if least >= COUNTS_FROM]
        conditions: list[Condition] = [*counted, *self.flags, *self.author]
        return min((rank(each) for each in conditions), default=LEAST)


class Approval(_Table):
    """Who agrees before anything is said. `roles`: held by whoever approves, all of them.
    `public_roles`: in addition, for whatever is said in public, whatever the rung says.
    `hold_min`: minutes between the draft and its approval, 0 to 1440. `authorised_drafters`: only
    people whom a senior leader has authorised may draft."""

    roles: frozenset[Role] = frozenset({Role.SLT})
    public_roles: frozenset[Role] = frozenset()
    hold_min: int = Field(default=0, ge=0, le=1440)
    authorised_drafters: bool = False


class Deadlines(_Table):
    """`weekend_rule`: the policy's own, which goes before the configuration's; None: it has none."""

    weekend_rule: WeekendRule | None = None


class Ladder(_Table):
    """Rungs by their id, where a concern starts, and who agrees. `review` is the rung for what has
    no label but needs a person, `nothing` for what needs nobody. `path` is the way that most
    concerns take, for drawing. `anytime`: rungs open to a person from everywhere."""

    name: str
    title: str = ""
    inherits: str | None = None
    path: tuple[RungId, ...] = ()
    anytime: tuple[RungId, ...] = ()
    review: RungId
    nothing: RungId
    off: frozenset[RungId] = frozenset()
    approval: Approval = Approval()
    deadlines: Deadlines = Deadlines()
    rung: Mapping[RungId, RungSpec]
    choice: tuple[Choice, ...]

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        for name in (self.review, self.nothing):
            if name not in self.rung:
                raise ValueError(f"no such rung, or it is off: {name}")
            if self.rung[name].acts_against_a_post() or name not in LAWFUL_RUNGS:
                raise ValueError(f"{name} acts against a post and can't be where posts start")
        used = {choice.rung for choice in self.choice} | {*self.anytime, *self.path}
        if missing := used - set(self.rung):
            raise ValueError(f"no such rung, or it is off: {', '.join(sorted(missing))}")
        known = set(self.rung) | self.off
        for spec in self.rung.values():
            if missing := {*spec.options, *(way.to for way in spec.exits)} - known:
                raise ValueError(f"{spec.id} leads to no such rung: {', '.join(sorted(missing))}")
        return self

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        """The choices, the most restrictive first; the file's order among equals."""
        return tuple(sorted(self.choice, key=Choice.rank))

    def by_id(self, rung_id: str) -> Rung:
        """The rung of that id, with what code demands of it. Raises KeyError."""
        return self._built[rung_id]

    @cached_property
    def rungs(self) -> tuple[Rung, ...]:
        """All rungs, in the file's order."""
        return tuple(self._built.values())

    @cached_property
    def _built(self) -> Mapping[str, Rung]:
        return {rung_id: self._rung(spec) for rung_id, spec in self.rung.items()}

    def _rung(self, spec: RungSpec) -> Rung:
        here = set(self.rung)
        return Rung(
            id=spec.id,
            name=spec.name,
            who=spec.who,
            approver=spec.approver,
            approvers=self.approval.roles if spec.roles is None else spec.roles,
            clock=spec.clock,
            met_by=spec.met_by,
            step=spec.step,
            needs=spec.needs | GATES.get(spec.id, frozenset()),
            exits=tuple(Exit(when=w.when, to=w.to) for w in spec.exits if w.to in here),
            options=tuple(option for option in spec.options if option in here),
            public=spec.public,
            private=spec.private,
            stop=spec.stop,
            route=spec.route,
            harms_only=spec.acts_against_a_post(),
            own_account_only=spec.own_account_only or spec.id in OWN_ACCOUNT_RUNGS,
            do=spec.do,
            dont=spec.dont,
            source=spec.source,
            reviewed_on=spec.reviewed_on,
        )
