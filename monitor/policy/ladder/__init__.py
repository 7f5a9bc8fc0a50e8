"""What to do and what to say: the parent-escalation ladder. The rungs and drafts are data
(data/ladders/*.toml, shaped in `file.py`); four promises are code, whatever a file says:

1. a hard stop (`stops.py`: a child, a threat, an allegation, the press, abuse...) gets no reply;
2. without harm, which means for lawful criticism, no step against a post or its author is open;
3. no such step comes before what `GATES` demands, and moderation only touches our own accounts;
4. what nobody has read, and what a senior leader must decide, gets no reply drafted either.

    circumstances -> start (the most restrictive choice), or the rung that a person chose
                  -> along the exits whose facts are established -> the rung where it stands
"""

from __future__ import annotations

from datetime import datetime

from classifiers.verdict import Label, Severity
from monitor.domain import Circumstances, Fact, MetBy, Placeholders, Role, Rung, Suggestion
from monitor.policy import deadlines
from monitor.policy.deadlines import Calendar
from monitor.policy.ladder.drafts import LONGEST_DRAFT, fill, first_that_fits, no_draft
from monitor.policy.ladder.file import (
    GATES,
    HANDOVERS,
    LAWFUL_RUNGS,
    PLACEHOLDERS,
    Approval,
    Choice,
    Ladder,
)
from monitor.policy.ladder.layers import load_ladder, load_profile
from monitor.policy.ladder.stops import (
    LABEL_CLOCKS,
    SPOKEN_TO,
    STOPS,
    harmful,
    may_be_asked,
    stops,
)
from monitor.policy.ladder.words import FACT_WORDS, facts_in_words
from monitor.policy.triage import COUNTS_FROM

__all__ = [
    "GATES",
    "HANDOVERS",
    "LAWFUL_RUNGS",
    "LONGEST_DRAFT",
    "PLACEHOLDERS",
    "STOPS",
    "Approval",
    "Ladder",
    "approvers_for",
    "due_at",
    "fill",
    "holds",
    "load_ladder",
    "load_profile",
    "may_step",
    "place",
    "suggest",
]

LETTERS = frozenset({"L5", "L8"})
"""Rungs whose private draft is the step itself: a request or a letter, and no reply."""

ANSWERS = frozenset({"L1", "L2", "C1"})
TALKS = frozenset({"L3", "L4"})
"""Rungs on which the author is answered in public; and where the school talks with the author, which
may follow abuse, but not a threat, an allegation or a child at risk."""

STARTS_WITH_EVIDENCE = frozenset({"L6", "L7"})
"""A concern may stand here from the start, so that the clock runs; keeping the evidence is then the
first thing to do, and `may_step` refuses the step itself until it is done."""


def place(c: Circumstances, ladder: Ladder) -> Rung:
    """The rung on which a concern stands; it always exists and is open to these circumstances."""
    rung = ladder.by_id(_chosen(c, ladder) or _start(c, ladder)[0])
    passed = {rung.id}
    while (further := _exit(c, ladder, rung)) and further.id not in passed:
        rung = further
        passed.add(rung.id)
    return rung


def may_step(rung_id: str, c: Circumstances, ladder: Ladder) -> str | None:
    """None when a person may choose this rung, or take its step, now; else which rule refuses.

    Asked of the rung where the concern stands, it says whether its step may be taken.
    """
    if rung_id not in ladder.rung:
        return f"{rung_id} is not on this trust's ladder ({ladder.name})"
    if refused := _shut(c, ladder, rung_id):
        return refused
    here = place(c, ladder)
    if rung_id not in {here.id, *_ahead(here, ladder)}:
        return f"{rung_id} can't be reached from {here.id} ({here.name}) on this ladder"
    if rung_id not in _within(c, ladder):
        return f"{stops(c)[0].why}; {rung_id} is no way to deal with that"
    return None


def suggest(
    c: Circumstances, ladder: Ladder, values: Placeholders, *, due_at: datetime | None
) -> Suggestion:
    """Where the concern stands, with its drafts filled in, or why no reply is suggested."""
    rung = place(c, ladder)
    start, drafts = _start(c, ladder)
    stopped = stops(c)
    because = _no_reply(c, rung)
    reply = private = None
    if because is None:
        own = (rung.public,) if rung.public else ()
        candidates = (*drafts, *own) if rung.id == start else own
        reply = first_that_fits(candidates, values)
        private = fill(rung.private, values) if rung.private else None
        because = None if reply else no_draft(candidates, talks=rung.id in TALKS)
    elif rung.private and _may_write(c, rung):
        private = fill(rung.private, values)
    return Suggestion(
        rung=rung.id,
        rung_name=rung.name,
        who=rung.who,
        approver=rung.approver,
        reply=reply,
        private_reply=private,
        no_reply_because=because,
        do=(*rung.do, *_notice(rung, values)),
        dont=rung.dont,
        due_at=due_at,
        source=rung.source,
        approvers=approvers_for(rung, ladder),
        met_by=MetBy.ACCEPTANCE if stopped and rung.id == start else rung.met_by,
        step=rung.step,
        route="; ".join(dict.fromkeys(stop.route for stop in stopped)) or rung.route,
        missing=_missing(c, ladder, rung),
        options=_options(c, ladder, rung),
        exits=_ways_on(ladder, rung),
    )


def approvers_for(rung: Rung, ladder: Ladder) -> frozenset[Role]:
    """The roles that whoever approves a reply or step here must hold, all of them (see `holds`)."""
    return rung.approvers | (ladder.approval.public_roles if rung.public else frozenset())


def holds(roles: frozenset[Role], needed: frozenset[Role]) -> bool:
    """Whether somebody with `roles` may act for all of `needed`. A deputy DSL may act for the DSL:
    deputies are trained to the same standard (Keeping children safe in education, annex C)."""
    also = {Role.DSL} if Role.DEPUTY_DSL in roles else set()
    return needed <= roles | also


def due_at(
    c: Circumstances, ladder: Ladder, calendar: Calendar, *, received: datetime
) -> datetime | None:
    """The deadline of the rung where the concern stands, in UTC; None: it has none. Where it only
    starts, a threat, a child at risk, abuse, hate and an allegation bring a limit of their own."""
    rung = place(c, ladder)
    clocks = [rung.clock]
    if rung.id == _start(c, ladder)[0]:
        clocks += [clock for label, clock in LABEL_CLOCKS.items() if label in c.triage.labels]
    due = (deadlines.due_at(received, clock, calendar) for clock in clocks)
    return min((each for each in due if each), default=None)


def _chosen(c: Circumstances, ladder: Ladder) -> str | None:
    """The rung that a person chose, where it still holds."""
    if c.chosen is None or c.chosen not in _within(c, ladder):
        return None
    return c.chosen if _shut(c, ladder, c.chosen) is None else None


def _start(c: Circumstances, ladder: Ladder) -> tuple[str, tuple[str, ...]]:
    for choice in ladder.choices:
        if _fits(choice, c) and _shut(c, ladder, choice.rung, starting=True) is None:
            return choice.rung, choice.drafts
    undecided = c.triage.needs_review or c.triage.severity is not Severity.ROUTINE or bool(stops(c))
    return (ladder.review if undecided else ladder.nothing), ()


def _fits(choice: Choice, c: Circumstances) -> bool:
    return (
        all(_score(c, label) >= least for label, least in choice.labels.items())
        and choice.flags <= c.flags
        and (not choice.author or c.author in choice.author)
        and choice.own_account in {None, c.own_account}
    )


def _score(c: Circumstances, label: Label) -> float:
    """What counts may come from an earlier post of the same concern, with other scores."""
    counted = COUNTS_FROM if label in c.triage.labels else 0.0
    return max(c.triage.scores.get(label, 0.0), counted)


def _shut(c: Circumstances, ladder: Ladder, rung_id: str, *, starting: bool = False) -> str | None:
    """Which rule keeps a concern off a rung, in a sentence; None: it is open."""
    rung = ladder.by_id(rung_id)
    if rung.harms_only and not harmful(c):
        return (
            f"{rung.id} ({rung.name}) acts against a post, and nothing here is harm: "
            "lawful criticism is never removed, reported, warned or blocked"
        )
    if rung.own_account_only and not c.own_account:
        return f"{rung.id} ({rung.name}) is for accounts of our own only"
    lacking = rung.needs - c.facts
    if starting and rung.id in STARTS_WITH_EVIDENCE:
        lacking -= {Fact.EVIDENCE_KEPT}
    if lacking:
        return f"{rung.id} ({rung.name}) first needs: {facts_in_words(lacking)}"
    return None


def _exit(c: Circumstances, ladder: Ladder, rung: Rung) -> Rung | None:
    for way in rung.exits:
        if way.when <= c.fresh and _shut(c, ladder, way.to) is None:
            return ladder.by_id(way.to)
    return None


def _within(c: Circumstances, ladder: Ladder) -> frozenset[str]:
    """The rungs that a person's choice may lead to. Under a hard stop those that lie on the way on
    from where it starts, and none on which the author would be answered: a rung chosen before a
    child or a threat came up no longer counts."""
    stopped = stops(c)
    if not stopped:
        return frozenset(ladder.rung)
    start = _start(c, ladder)[0]
    found = {start} | {ladder.review, *HANDOVERS} & set(ladder.rung)
    ahead = list(found)
    while ahead:
        rung = ladder.by_id(ahead.pop())
        for further in {*rung.options, *(way.to for way in rung.exits)} - found:
            found.add(further)
            ahead.append(further)
    spoken_to = all(stop.condition in SPOKEN_TO for stop in stopped)
    return frozenset(found - (ANSWERS if spoken_to else ANSWERS | TALKS) | {start})


def _no_reply(c: Circumstances, rung: Rung) -> str | None:
    for stop in stops(c):
        return stop.why
    if rung.stop:
        return rung.stop
    if c.chosen is not None:  # somebody has read it and decided where it belongs
        return None
    if c.triage.needs_review:
        return "not assessed automatically: read it first"
    if c.triage.severity is Severity.URGENT:
        return "urgent: a senior leader decides first"
    return None


def _ahead(here: Rung, ladder: Ladder) -> tuple[str, ...]:
    """The rungs that a person may choose from `here`, as far as they are open."""
    listed = dict.fromkeys((*here.options, *(way.to for way in here.exits), *ladder.anytime))
    return tuple(rung_id for rung_id in listed if rung_id != here.id)


def _notice(rung: Rung, values: Placeholders) -> tuple[str, ...]:
    """Where a comment on an account of ours is taken down, its audience is told why. That answers
    nobody, so it is a thing to do and no reply."""
    notice = fill(rung.public, values) if rung.own_account_only and rung.public else None
    return (f"Words for the audience: {notice}",) if notice else ()


def _may_write(c: Circumstances, rung: Rung) -> bool:
    return rung.id in LETTERS and harmful(c) and may_be_asked(c)


def _options(c: Circumstances, ladder: Ladder, rung: Rung) -> tuple[str, ...]:
    within = _within(c, ladder)
    return tuple(
        option
        for option in _ahead(rung, ladder)
        if option in within and _shut(c, ladder, option) is None
    )


def _missing(c: Circumstances, ladder: Ladder, rung: Rung) -> tuple[str, ...]:
    """What opens the step here, and each further rung that facts alone keep shut."""
    found = []
    for ahead in dict.fromkeys((rung.id, *(way.to for way in rung.exits), *rung.options)):
        step = ladder.by_id(ahead)
        lacking = step.needs - c.facts
        barred = (step.harms_only and not harmful(c)) or (
            step.own_account_only and not c.own_account
        )
        if lacking and not barred:
            found.append(f"{step.id} ({step.name}): {facts_in_words(lacking)}")
    return tuple(found)


def _ways_on(ladder: Ladder, rung: Rung) -> tuple[str, ...]:
    on = [f"{facts_in_words(way.when)}: {ladder.by_id(way.to).name}" for way in rung.exits]
    ends = [f"{FACT_WORDS[fact]}: close it" for fact in ladder.rung[rung.id].closes]
    return (*on, *ends)
