"""Who gets what today, for each school: the part of `trust-monitor check` that a person reads twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from rich.markup import escape
from rich.table import Table

from classifiers.verdict import Label, Sentiment, Severity
from monitor.domain import Disclosure, Person, Triage
from monitor.policy.ladder import Ladder
from monitor.policy.matching.organisations import Watchlist
from monitor.policy.routes import routing, staffing
from monitor.policy.routes.roster import covered_by

_ASKED: tuple[tuple[str, Label, Severity, bool], ...] = (
    ("urgent", Label.THREAT, Severity.URGENT, False),
    ("child at risk", Label.SAFEGUARDING, Severity.URGENT, False),
    ("allegation", Label.ALLEGATION, Severity.CONCERN, False),
    ("about the head", Label.ALLEGATION, Severity.CONCERN, True),
    ("press", Label.MEDIA, Severity.CONCERN, False),
)
"""Column, and what is routed to fill it."""


def roster(people: tuple[Person, ...], watchlist: Watchlist, ladder: Ladder, *, day: date) -> Table:
    """A row for the trust and each school: who is told at once on the local `day`, cover applied, and
    who may approve a reply."""
    table = Table(title=f"who gets what on {day:%a} {day.day} {day:%b %Y}", show_lines=True)
    for column in ("school", *(asked[0] for asked in _ASKED), "may approve"):
        table.add_column(column, overflow="fold")
    for organisation in watchlist.organisations:
        told = [
            _ids(_told(label, severity, organisation.id, people, day, about_head=head))
            for _, label, severity, head in _ASKED
        ]
        approvers = [
            staffing.approvers(organisation.id, roles, people)
            for roles in staffing.approving(ladder)
        ]
        row = (organisation.name, *told, "\n".join(map(_ids, approvers)))
        table.add_row(*map(escape, row))
    return table


def absences(people: tuple[Person, ...], *, day: date) -> list[str]:
    """A sentence for everybody who is away on the local `day`."""
    return [
        f"{person.id} is away until {until.day} {until:%b %Y}: "
        + (f"{cover.id} stands in" if cover else "whoever comes next for the role stands in")
        for person in people
        for cover, until in [covered_by(person, people, day)]
        if until is not None
    ]


def _told(
    label: Label,
    severity: Severity,
    organisation: str,
    people: tuple[Person, ...],
    day: date,
    *,
    about_head: bool,
) -> Sequence[Person]:
    triage = Triage(
        severity=severity,
        labels=frozenset({label}),
        sentiment=Sentiment.NEGATIVE,
        scores=dict.fromkeys(Label, 0.0) | {label: 1.0},
        reasons=(),
    )
    found = routing.route(triage, (organisation,), people, day=day, about_head=about_head)
    return [n.person for n in found.notices if n.disclosure is not Disclosure.WITHHELD]


def _ids(people: Iterable[Person]) -> str:
    return ", ".join(person.id for person in people) or "nobody"
