"""Lists over the concern log: concerns, whom they wait for, the moderation register, the moves."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from monitor.commands.concerns import Office
from monitor.commands.concerns_json import at, is_overdue, move_json, short
from monitor.domain import ENDED, Concern, ConcernState, MetBy, Outline, Person
from monitor.errors import MonitorError
from monitor.policy import life
from monitor.policy.campaigns.campaign import is_campaign
from monitor.policy.life import Move
from monitor.policy.life.next import awaited
from monitor.policy.life.table import LIVE

WORDS = {
    ConcernState.OPEN: "open",
    ConcernState.ACKNOWLEDGED: "in hand",
    ConcernState.SECOND_OPINION: "second opinion asked",
    ConcernState.FOR_APPROVAL: "reply to be approved",
    ConcernState.APPROVED: "approved, to be posted",
    ConcernState.WAITING: "waiting",
    ConcernState.CLOSED: "closed",
    ConcernState.MERGED: "merged",
}
MET = {MetBy.REPLY: "answered", MetBy.ACCEPTANCE: "taken up", MetBy.STEP: "done", MetBy.EXIT: ""}
COMMANDS = {move: move.value.replace("_", "-") for move in Move} | {
    Move.ACKNOWLEDGE: "ack",
    Move.ASK_OPINION: "opinion ask",
    Move.GIVE_OPINION: "opinion give",
    Move.DROP_OPINION: "opinion drop",
    Move.UNFLAG: "flag --remove",
    Move.LINK_COMPLAINT: "complaint",
    Move.RELEASE: "hold --release",
}
"""What each move is called on the command line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What `list` is asked for. `state` "all" or one of the states; "" what is not ended."""

    state: str = ""
    school: str = ""
    who: str = ""
    mine: bool = False
    overdue: bool = False
    awaiting: bool = False

    def states(self) -> Sequence[ConcernState]:
        if self.state == "all":
            return tuple(ConcernState)
        if not self.state:
            return sorted(LIVE)
        if self.state not in set(ConcernState):
            raise MonitorError(f"--state {self.state}: use all, {', '.join(ConcernState)}.")
        return (ConcernState(self.state),)


def show_list(office: Office, wanted: Wanted, *, as_json: bool) -> None:
    """The gravest and most pressing first; what the asker may not see says no more than whose it is."""
    viewer = _viewer(office, wanted)
    with office.store.read() as rows:
        found = rows.concerns.outlines(states=wanted.states())
    chosen = sorted(
        (one for one in found if _fits(office, one.concern, wanted, viewer)), key=_pressing
    )
    if as_json:
        print_json(
            office.console, [short(office, one.concern, viewer, one.posts) for one in chosen]
        )
        return
    table = Table(show_lines=True, title=_count(len(chosen), "concern"))
    for column in ("case", "severity", "schools", "what", "due", "owner", "posts"):
        table.add_column(column, no_wrap=column in {"case", "severity"}, overflow="fold")
    for one in chosen:
        table.add_row(*_line(office, _with_folded(one, found), viewer))
    office.console.print(table)


def _with_folded(one: Outline, found: Sequence[Outline]) -> Outline:
    """A campaign's case has the posts of the cases that are part of it."""
    if not is_campaign(one.concern):
        return one
    folded = (other.posts for other in found if other.concern.campaign == one.concern.reference)
    return replace(one, posts=sum(folded))


def _viewer(office: Office, wanted: Wanted) -> Person | None:
    if wanted.mine and not wanted.who:
        raise MonitorError("--mine needs --who: your id in [[people]].")
    return office.person(wanted.who) if wanted.who else None


def _fits(office: Office, concern: Concern, wanted: Wanted, viewer: Person | None) -> bool:
    waits_for = awaited(concern, office.book.people, office.today)
    return (
        (not wanted.school or _known_of(office, concern, wanted.school, viewer))
        and (not wanted.overdue or is_overdue(concern, office.now))
        and (not wanted.mine or wanted.who == concern.owner or wanted.who in waits_for)
        and (not wanted.awaiting or concern.state in _AWAITING)
    )


def _known_of(office: Office, concern: Concern, school: str, viewer: Person | None) -> bool:
    """What the asker may not see is about no school for them: else asking for one would tell."""
    return school in concern.organisations and not office.hidden(concern, viewer)


_AWAITING = frozenset(
    {ConcernState.FOR_APPROVAL, ConcernState.SECOND_OPINION, ConcernState.APPROVED}
)


def _pressing(one: Outline) -> tuple[bool, int, str, str]:
    concern = one.concern
    due = concern.suggestion.due_at
    ended = concern.state in ENDED
    return ended, -concern.severity.rank, due.isoformat() if due else "9", concern.reference


def _line(office: Office, one: Outline, viewer: Person | None) -> tuple[str, ...]:
    concern = one.concern
    hidden = office.hidden(concern, viewer)
    if hidden:
        return concern.reference, hidden, "", "", "", "", ""
    schools = ", ".join(concern.organisations)
    labels = spoken(concern.labels) or "to be read"
    rung = f"{concern.suggestion.rung} {concern.suggestion.rung_name.lower()}"
    folded = concern.campaign not in {None, concern.reference}
    part = f"\npart of {concern.campaign}" if folded else ""
    waits_for = awaited(concern, office.book.people, office.today)
    others = [who for who in waits_for if who != concern.owner]
    waiting = f"\nwaits for {' or '.join(others)}" if others else ""
    return (
        concern.reference,
        concern.severity,
        schools,
        f"{labels}\n{WORDS[concern.state]}; {rung}{part}",
        _due(office, concern),
        f"{concern.owner or 'nobody yet'}{waiting}",
        str(one.posts),
    )


def _due(office: Office, concern: Concern) -> str:
    due = concern.suggestion.due_at
    if due is None or concern.state in ENDED:
        return ""
    if life.met(concern):
        return MET[concern.suggestion.met_by]
    late = "\n[bold red]overdue[/]" if due < office.now else ""
    return f"{due.astimezone(office.config.timezone):%a %d %b %H:%M}{late}"


def show_people(office: Office, *, as_json: bool) -> None:
    """Whom the log waits for, and with what. Of confidential ones only the number."""
    with office.store.read() as rows:
        found = [one.concern for one in rows.concerns.outlines(states=sorted(LIVE))]
    waiting = {
        person.id: [
            concern
            for concern in found
            if person.id in awaited(concern, office.book.people, office.today)
        ]
        for person in office.book.people
    }
    nobody = [
        concern for concern in found if concern.state is ConcernState.OPEN and not concern.owner
    ]
    if as_json:
        print_json(
            office.console,
            {
                "people": [
                    {
                        "who": person.id,
                        "roles": sorted(person.roles),
                        "away": person.away(office.today) is not None,
                        "cases": [
                            {"case": concern.reference, "state": concern.state}
                            for concern in waiting[person.id]
                        ],
                    }
                    for person in office.book.people
                ],
                "nobody_yet": [concern.reference for concern in nobody],
            },
        )
        return
    table = Table("who", "roles", "waits for them", title="Whose turn it is")
    for person in office.book.people:
        cases = [f"{concern.reference} {WORDS[concern.state]}" for concern in waiting[person.id]]
        away = " (away)" if person.away(office.today) else ""
        table.add_row(person.id + away, ", ".join(sorted(person.roles)), "\n".join(cases) or "-")
    table.add_row("nobody yet", "", "\n".join(concern.reference for concern in nobody) or "-")
    office.console.print(table)


def show_register(office: Office, who: str, *, as_json: bool) -> None:
    """The moderation register: every action on our own accounts, with rule, reason and notice."""
    viewer = office.person(who) if who else None
    with office.store.read() as rows:
        entries = [
            (concern, event)
            for concern, event in rows.concerns.register()
            if office.hidden(concern, viewer) is None
        ]
    if as_json:
        print_json(
            office.console,
            [
                {
                    "case": concern.reference,
                    "at": at(event.at),
                    "who": event.who,
                    "why": event.why,
                    **event.details,
                }
                for concern, event in entries
            ],
        )
        return
    table = Table(
        "case", "when", "who", "action", "rule", "reason", "what the audience was told",
        show_lines=True, title=_count(len(entries), "moderation"),
    )  # fmt: skip
    for concern, event in entries:
        table.add_row(
            concern.reference,
            office.time(event.at),
            event.who,
            *(escape(event.details.get(key, "")) for key in ("action", "rule")),
            escape(event.why),
            escape(event.details.get("audience", "")),
        )
    office.console.print(table)


def show_moves(console: Console, *, as_json: bool) -> None:
    """The table of moves, as the program decides by it."""
    if as_json:
        print_json(console, [move_json(move) for move in life.TABLE])
        return
    table = Table(show_lines=True, title="What people may do with a concern")
    for column in (
        "command",
        "while it is",
        "it becomes",
        "what must be said",
        "who",
        "what it is for",
    ):
        table.add_column(column, overflow="fold")
    for move, spec in life.TABLE.items():
        needs = [*spec.needs, *(["why"] if spec.because else [])]
        table.add_row(
            COMMANDS[move],
            _states(spec.start),
            (spec.to or spec.leads or "as it was").replace("_", " "),
            ", ".join(needs) or "-",
            ", ".join(sorted(spec.may)) or "whoever may see it",
            spec.help,
        )
    console.print(table)


def spoken(words: Collection[str]) -> str:
    """Labels, facts or flags in order, as a person says them."""
    return ", ".join(sorted(words)).replace("_", " ")


def _states(states: frozenset[ConcernState]) -> str:
    if states == LIVE:
        return "not ended"
    if states == frozenset(ConcernState) - {ConcernState.MERGED}:
        return "not merged"
    return ", ".join(sorted(state.replace("_", " ") for state in states))


def print_json(console: Console, value: object) -> None:
    console.print(
        json.dumps(value, ensure_ascii=False, indent=2),
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
