"""`trust-monitor concerns ...`: the log, read and worked on by people. Every view and move is kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from monitor.domain import Concern, ConcernState, Person, Role
from monitor.errors import MonitorError
from monitor.ports import Concerns, Store

_DSL = frozenset({Role.DSL, Role.DEPUTY_DSL})
_MOVES = {
    # from: to. A closed concern stays closed; what follows it opens a new one.
    ConcernState.OPEN: {ConcernState.ACKNOWLEDGED, ConcernState.CLOSED},
    ConcernState.ACKNOWLEDGED: {ConcernState.CLOSED},
    ConcernState.CLOSED: set(),
}


class Desk:
    """Somebody at the log. `who` is a person's id from the configuration, or None to look only."""

    def __init__(
        self, store: Store, people: Sequence[Person], timezone: ZoneInfo, console: Console
    ) -> None:
        self._store = store
        self._people = {person.id: person for person in people}
        self._timezone = timezone
        self._console = console

    def list(self, states: Sequence[ConcernState]) -> None:
        """The gravest and most pressing first; confidential ones say no more than "with DSL"."""
        with self._store.read() as rows:
            concerns = sorted(rows.concerns.listed(states=states), key=_first_things_first)
        table = Table(
            show_lines=True, title=f"{len(concerns)} concern{'' if len(concerns) == 1 else 's'}"
        )
        for column in ("case", "severity", "schools", "what", "due", "posts"):
            table.add_column(column, no_wrap=column in {"case", "severity"}, overflow="fold")
        for concern in concerns:
            table.add_row(*self._line(concern))
        self._console.print(table)

    def show(self, reference: str, who: str | None, *, now: datetime) -> None:
        """Everything about one concern. A confidential one opens for the safeguarding lead only, and
        every view of a post's text is written into the history."""
        viewer = self._person(who) if who else None
        with self._store.begin() as rows:
            concern = _find(rows.concerns, reference)
            may_read = not concern.confidential or bool(viewer and viewer.roles & _DSL)
            if viewer and may_read:
                rows.concerns.note(concern.id, who=viewer.id, action="viewed", why="", now=now)
        if concern.confidential and not may_read:
            self._console.print(
                f"{concern.reference}: with DSL. The safeguarding lead can read it with "
                f"[bold]concerns show {concern.reference} --who <their id>[/bold]."
            )
            return
        self._print(concern)

    def move(
        self, reference: str, state: ConcernState, who: str, why: str, *, now: datetime
    ) -> None:
        """Acknowledge or close. Raises MonitorError when the move is not allowed, saying which is."""
        person = self._person(who)
        with self._store.begin() as rows:
            concern = _find(rows.concerns, reference)
            if concern.confidential and not person.roles & _DSL:
                raise MonitorError(
                    f"{reference} is with the DSL: only a DSL or deputy may move it."
                )
            if state not in _MOVES[concern.state]:
                allowed = ", ".join(sorted(_MOVES[concern.state])) or "none: it is closed"
                raise MonitorError(
                    f"{reference} is {concern.state}: it can't become {state}. Allowed: {allowed}."
                )
            rows.concerns.move(concern.id, state, who=person.id, why=why, now=now)
        self._console.print(f"{reference} is {state} by {person.name}.")

    def note(self, reference: str, who: str, text: str, *, now: datetime) -> None:
        """Add a note to the history."""
        person = self._person(who)
        with self._store.begin() as rows:
            concern = _find(rows.concerns, reference)
            rows.concerns.note(concern.id, who=person.id, action="noted", why=text, now=now)
        self._console.print(f"Noted on {reference}.")

    def _person(self, who: str) -> Person:
        if who not in self._people:
            known = ", ".join(sorted(self._people))
            raise MonitorError(f"--who {who}: nobody has this id. Known: {known}.")
        return self._people[who]

    def _line(self, concern: Concern) -> tuple[str, ...]:
        secret = concern.confidential
        due = concern.suggestion.due_at
        return (
            concern.reference,
            "with DSL" if secret else concern.severity,
            ", ".join(concern.organisations),
            "" if secret else self._what(concern),
            self._short(due) if due else "",
            str(len(concern.mentions)),
        )

    def _what(self, concern: Concern) -> str:
        labels = ", ".join(sorted(concern.labels)) or "to be read"
        return f"{labels}\n{concern.state}, {concern.suggestion.rung_name.lower()}"

    def _print(self, concern: Concern) -> None:
        say = self._console.print
        suggestion = concern.suggestion
        say(f"[bold]Case {concern.reference}[/bold]  {concern.state}, {concern.severity}")
        say(f"Schools: {', '.join(concern.organisations)}")
        say(f"What: {', '.join(sorted(concern.labels)) or 'to be read by a person'}")
        for reason in concern.reasons:
            say(f"  - {escape(reason)}")
        say(f"Rung: {suggestion.rung} {suggestion.rung_name} ({suggestion.who})")
        if suggestion.due_at:
            say(f"Due: {self._time(suggestion.due_at)}")
        if suggestion.reply:
            say(f"Suggested reply (a second person approves it; {suggestion.approver}):")
            say(f"  {escape(suggestion.reply)}")
            if suggestion.private_reply:
                say(f"In private: {escape(suggestion.private_reply)}")
        else:
            say(f"No reply: {escape(suggestion.no_reply_because or 'nothing to answer')}")
        for word, steps in (("Do", suggestion.do), ("Don't", suggestion.dont)):
            if steps:
                say(f"{word}: {escape(' '.join(steps))}")
        for mention in concern.mentions:
            post = mention.post
            seen = self._time(mention.first_seen_at)
            say(f"\n[bold]{post.platform}[/bold], seen {seen}, {escape(post.url or 'no link')}")
            for match in mention.matches:
                say(f"  {match.organisation}: {escape(match.reason)}", style="dim")
            say(escape(f"{post.title or ''}\n{post.text}".strip()) or "(erased)")
        say("\nHistory")
        for event in concern.history:
            say(f"  {self._time(event.at)}  {event.who}: {event.action}  {escape(event.why)}")

    def _short(self, at: datetime) -> str:
        return at.astimezone(self._timezone).strftime("%a %d %b %H:%M")

    def _time(self, at: datetime) -> str:
        return at.astimezone(self._timezone).strftime("%a %d %b %Y %H:%M")


def _first_things_first(concern: Concern) -> tuple[int, str, str]:
    due = concern.suggestion.due_at
    return (-concern.severity.rank, due.isoformat() if due else "9999", concern.reference)


def _find(concerns: Concerns, reference: str) -> Concern:
    found = concerns.by_reference(reference)
    if found is None:
        raise MonitorError(f"no case {reference}. `trust-monitor concerns list` shows them.")
    return found
