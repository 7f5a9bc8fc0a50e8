"""Is this ladder fit to climb? What reading the file can't see: rungs that nobody reaches or leaves,
drafts that are missing, too long or say too much, steps against lawful criticism, stale clauses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from datetime import date, timedelta

from classifiers.verdict import Label
from monitor.domain import Fact, MetBy, Placeholders
from monitor.policy.drafts.check import DraftContext, DraftRules, check_draft
from monitor.policy.ladder.drafts import LONGEST_DRAFT, fill
from monitor.policy.ladder.file import (
    ASKED_FOR,
    GATES,
    LAWFUL_RUNGS,
    PLACEHOLDER,
    Choice,
    Ladder,
    RungSpec,
)
from monitor.policy.ladder.stops import HARM_FLAGS, STOPS
from monitor.policy.triage import COUNTS_FROM, HARMS

LONGEST_PRIVATE = 1000  # characters: what a direct message holds on the platforms that we read
REVIEWED_WITHIN = timedelta(days=366)
_STEP_AGAINST = re.compile(
    r"\b(remov\w*|delet\w*|take (it |this |that )?down|block\w*|ban|banned|warn\w*|legal|lawyer\w*"
    r"|solicitor\w*|police|report(ed|ing)? (you|it|this))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Weakness:
    """One thing wrong with a ladder. `where` is its key ("L5.private"); `serious`: don't run it."""

    where: str
    problem: str
    remedy: str
    serious: bool = True

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}. {self.remedy}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What the drafts are tried with: the trust's own values, or long typical ones."""

    values: Placeholders
    rules: DraftRules
    context: DraftContext
    today: date


def check_ladder(ladder: Ladder, trial: Trial) -> tuple[Weakness, ...]:
    """All that is wrong with a ladder that could be read; () means fit to run. Pure."""
    specs = ladder.rung.values()
    found = [
        *_unreachable(ladder),
        *(weakness for spec in specs for weakness in _rung(spec, ladder, trial.today)),
        *_circles(ladder),
        *_unending(ladder),
        *(weakness for spec in specs for weakness in _drafts(spec, trial)),
        *(weakness for choice in ladder.choices for weakness in _choice(choice, trial)),
        *_unrouted(ladder),
    ]
    return tuple(sorted(found, key=lambda weakness: not weakness.serious))


# --- the rungs and their arrows -------------------------------------------------------------------


def _unreachable(ladder: Ladder) -> Iterator[Weakness]:
    reached = _reached(
        ladder, {*(choice.rung for choice in ladder.choice), ladder.review, ladder.nothing}
    )
    for rung_id in ladder.rung:
        if rung_id not in reached | set(ladder.anytime):
            yield Weakness(
                rung_id,
                "nothing leads to this rung",
                f'Lead an exit, option or choice to it, or write off = ["{rung_id}"]',
            )


def _reached(ladder: Ladder, starts: Iterable[str]) -> set[str]:
    found = set(starts)
    ahead = list(found)
    while ahead:
        rung = ladder.by_id(ahead.pop())
        for further in {*rung.options, *(way.to for way in rung.exits)} - found:
            found.add(further)
            ahead.append(further)
    return found


def _rung(spec: RungSpec, ladder: Ladder, today: date) -> Iterator[Weakness]:
    if not spec.approver.strip():
        yield Weakness(
            f"{spec.id}.approver",
            "nobody approves",
            'Say who, or say that it takes "nobody" and why',
        )
    if not (spec.public or spec.private or spec.stop or spec.silent_because):
        yield Weakness(
            spec.id,
            "has neither a draft nor a reason for having none",
            "Write public or private, or stop, or silent_because",
        )
    elif spec.met_by is MetBy.REPLY and not (spec.public or spec.private):
        yield Weakness(
            f"{spec.id}.met_by",
            "its clock waits for a reply, and there is no draft",
            'Write a draft, or met_by = "acceptance" or "exit"',
        )
    if not (spec.exits or spec.options or spec.closes):
        yield Weakness(
            spec.id,
            "a dead end: nothing leads off it and nothing closes it",
            "Write exits or closes",
        )
    for way in spec.exits:
        yield from _exit(spec, way.to, way.when, ladder)
    yield from _stale(spec, today)


def _exit(spec: RungSpec, to: str, when: Set[Fact], ladder: Ladder) -> Iterator[Weakness]:
    where = f"{spec.id}.exits"
    if to not in ladder.rung:
        remedy = f"Write exits for {spec.id} that leave {to} out"
        yield Weakness(where, f"leads to {to}, which is off", remedy)
        return
    against = ladder.rung[to].acts_against_a_post()
    if spec.id in LAWFUL_RUNGS and against and Fact.HARM_CONFIRMED not in when:
        yield Weakness(
            where,
            f"would lead lawful criticism to {to}, a step against a post; it is never followed there",
            'Add "harm_confirmed" to when, or lead elsewhere',
        )


def _stale(spec: RungSpec, today: date) -> Iterator[Weakness]:
    where = f"{spec.id}.reviewed_on"
    if spec.reviewed_on is None:
        yield Weakness(
            where, "nobody says when its clause was last read", "Write a date", serious=False
        )
    elif today - spec.reviewed_on > REVIEWED_WITHIN:
        yield Weakness(
            where,
            f"its clause was last read on {spec.reviewed_on}",
            "Read the policy again, and write today's date",
            serious=False,
        )


def _circles(ladder: Ladder) -> Iterator[Weakness]:
    """Exits that lead back to where they began, on facts that are all established by then."""
    for spec in ladder.rung.values():
        ahead = {way.to for way in spec.exits}
        seen: set[str] = set()
        while ahead - seen:
            seen |= ahead
            ahead = {w.to for e in ahead if e in ladder.rung for w in ladder.rung[e].exits}
        if spec.id in seen:
            yield Weakness(
                f"{spec.id}.exits",
                "lead round in a circle, back to it",
                "Let a person choose the way back: write it under options",
            )


def _unending(ladder: Ladder) -> Iterator[Weakness]:
    for spec in ladder.rung.values():
        ways = _reached(ladder, {spec.id})
        if not any(ladder.rung[rung_id].closes for rung_id in ways):
            yield Weakness(
                spec.id,
                "from here nothing ever closes a concern",
                "Write closes for it, or lead it to a rung that has them",
            )


# --- the drafts -----------------------------------------------------------------------------------


def _drafts(spec: RungSpec, trial: Trial) -> Iterator[Weakness]:
    if spec.public:
        yield from _draft(f"{spec.id}.public", spec.public, trial, longest=LONGEST_DRAFT)
    if spec.private:
        yield from _draft(
            f"{spec.id}.private", spec.private, trial, longest=LONGEST_PRIVATE, public=False
        )
    for key, draft in (("public", spec.public), ("private", spec.private)):
        if draft and spec.id in LAWFUL_RUNGS and (found := _STEP_AGAINST.search(draft)):
            yield Weakness(
                f"{spec.id}.{key}",
                f"speaks of '{found[0].lower()}' where lawful criticism is answered",
                "Take it out: criticism is never removed, warned or blocked",
            )


def _draft(
    where: str, draft: str, trial: Trial, *, longest: int, public: bool = True
) -> Iterator[Weakness]:
    filled = fill(draft, trial.values)
    if filled is None:
        missing = sorted(
            name for name in set(PLACEHOLDER.findall(draft)) if not trial.values.get(name)
        )
        yield Weakness(
            where,
            f"can't be filled in: {', '.join(missing)} is not configured",
            "Set it under [replies], or write a draft without it",
            serious=False,
        )
        return
    if len(filled) > longest:
        yield Weakness(
            where,
            f"{len(filled)} characters when filled in, more than {longest}",
            "Shorten the draft, or the contact",
        )
    told = _with_answers(filled)
    context = trial.context.for_reply(public=public)
    for found in check_draft(told, trial.rules, context):
        if found.rule != "too-long":  # told above, of this ladder's own bounds
            yield Weakness(where, found.why.rstrip("."), f"({found.source})", found.blocking)


def _with_answers(draft: str) -> str:
    """The draft as it will read once a person has replaced the notes in square brackets."""
    for note in ASKED_FOR.values():
        draft = draft.replace(note, "something said plainly")
    return draft


# --- where a concern starts -----------------------------------------------------------------------


def _choice(choice: Choice, trial: Trial) -> Iterator[Weakness]:
    where = f"choice of {choice.rung} for {_conditions(choice)}"
    harms = [
        each for each, least in choice.labels.items() if each in HARMS and least >= COUNTS_FROM
    ]
    against = choice.rung not in LAWFUL_RUNGS and choice.rung in {*GATES, "L9", "L10"}
    if against and not (harms or choice.flags & HARM_FLAGS):
        yield Weakness(
            where,
            "names no harm, and leads to a step against a post; it is never followed",
            "Name a harm label or flag, or choose a lawful rung",
        )
    fitting = [fill(draft, trial.values) for draft in choice.drafts]
    if choice.drafts and not any(each and len(each) <= LONGEST_DRAFT for each in fitting):
        yield Weakness(
            f"{where}, drafts",
            f"none fits into {LONGEST_DRAFT} characters with what is configured",
            "Shorten one",
        )
    for number, (draft, filled) in enumerate(zip(choice.drafts, fitting, strict=True), 1):
        if filled and len(filled) <= LONGEST_DRAFT:
            yield from _draft(f"{where}, draft {number}", draft, trial, longest=LONGEST_DRAFT)


def _conditions(choice: Choice) -> str:
    account = {None: (), True: ("own account",), False: ("not our account",)}[choice.own_account]
    return ", ".join((*choice.labels, *sorted(choice.flags), *sorted(choice.author), *account))


def _unrouted(ladder: Ladder) -> Iterator[Weakness]:
    for stop in STOPS:
        alone = any(
            stop.condition in {*_counted(choice), *choice.flags, *choice.author}
            and len(choice.labels) + len(choice.flags) <= 1
            and choice.own_account is None
            for choice in ladder.choice
        )
        if not alone:
            yield Weakness(
                "choice",
                f"none for '{stop.condition}' alone: it would wait on {ladder.review} to be read",
                "Add a choice, or inherit one from base",
            )


def _counted(choice: Choice) -> list[Label]:
    return [label for label, least in choice.labels.items() if least == COUNTS_FROM]
