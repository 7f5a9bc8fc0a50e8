"""Who is told now, and how much."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.verdict import Label, Severity
from monitor.domain import Disclosure, Role
from monitor.policy.routing import CHILD_AT_RISK, route
from tests.policy.builders import labels_sets, person, triaged

L, S = Label, Severity
HILL, MILL = "hill", "mill"
SLT_ALL = person("amara", Role.SLT)
SLT_HILL = person("bruno", Role.SLT, schools=[HILL])
DSL_HILL = person("celia", Role.DSL, schools=[HILL])
DEPUTY_HILL = person("dilip", Role.DEPUTY_DSL, schools=[HILL])
DEPUTY_MILL = person("edie", Role.DEPUTY_DSL, schools=[MILL])
COMMS = person("frans", Role.COMMS)
PEOPLE = (SLT_ALL, SLT_HILL, DSL_HILL, DEPUTY_HILL, DEPUTY_MILL, COMMS)

FULL, WITHHELD = Disclosure.FULL, Disclosure.WITHHELD


def told(routing):
    """Who is told, and how much."""
    return {(notice.person.id, notice.disclosure) for notice in routing.notices}


@pytest.mark.parametrize(
    ("labels", "severity", "schools", "expected", "confidential"),
    [
        ({L.COMPLAINT}, S.CONCERN, (HILL,), set(), False),
        ({L.PRAISE}, S.ROUTINE, (HILL,), set(), False),
        ({L.THREAT}, S.URGENT, (HILL,), {("amara", FULL), ("bruno", FULL)}, False),
        ({L.THREAT}, S.URGENT, (MILL,), {("amara", FULL)}, False),
        ({L.ALLEGATION}, S.URGENT, (HILL,), {("amara", FULL), ("bruno", FULL)}, False),
        ({L.SAFEGUARDING}, S.URGENT, (HILL,), {("celia", FULL)}, True),
        ({L.SAFEGUARDING}, S.CONCERN, (HILL,), {("celia", FULL)}, True),
        ({L.IDENTIFIES_CHILD}, S.CONCERN, (MILL,), {("edie", FULL)}, True),
        ({L.SAFEGUARDING}, S.URGENT, (HILL, MILL), {("celia", FULL), ("edie", FULL)}, True),
        (
            {L.SAFEGUARDING, L.THREAT},
            S.URGENT,
            (HILL,),
            {("celia", FULL), ("amara", WITHHELD), ("bruno", WITHHELD)},
            True,
        ),
        ({L.SAFEGUARDING, L.ALLEGATION}, S.URGENT, (HILL,), {("celia", FULL)}, True),
    ],
)
def test_who_is_told(labels, severity, schools, expected, confidential):
    """Leaders hear of what is urgent, the safeguarding lead of a child, and nobody of the rest."""
    routing = route(triaged(labels, severity), schools, PEOPLE)
    assert told(routing) == expected
    assert routing.confidential is confidential
    assert routing.because


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        ((SLT_HILL, COMMS), {("bruno", FULL)}),
        ((DSL_HILL, COMMS), {("frans", FULL)}),
        ((DSL_HILL,), {("celia", FULL)}),
    ],
)
def test_an_urgent_post_finds_somebody(people, expected):
    """Where no leader covers a school, any leader is told, then communications, then everybody."""
    assert told(route(triaged({L.HATE}, S.URGENT), (MILL,), people)) == expected


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        ((SLT_ALL, DSL_HILL, DEPUTY_HILL), {("celia", FULL)}),
        ((SLT_ALL, DEPUTY_HILL), {("dilip", FULL)}),
        ((SLT_ALL, COMMS), {("amara", FULL)}),
        ((COMMS,), {("frans", FULL)}),
    ],
)
def test_a_child_at_risk_finds_somebody(people, expected):
    """Where no safeguarding lead covers a school, any lead is told, then a deputy, then leaders."""
    assert told(route(triaged({L.SAFEGUARDING}), (MILL,), people)) == expected


def test_somebody_who_is_both_reads_it_in_full_once():
    """A leader who is the safeguarding lead gets one notice, with everything."""
    both = person("gwen", Role.SLT, Role.DSL)
    routing = route(triaged({L.SAFEGUARDING, L.THREAT}, S.URGENT), (HILL,), (both,))
    assert told(routing) == {("gwen", FULL)}
    assert len(routing.notices) == 1


people = st.lists(
    st.builds(
        lambda roles, schools: (roles, schools),
        st.frozensets(st.sampled_from(Role), min_size=1, max_size=3),
        st.frozensets(st.sampled_from([HILL, MILL]), max_size=1),
    ),
    min_size=1,
    max_size=5,
).map(
    lambda drawn: tuple(
        person(f"p{number}", *roles, schools=schools)
        for number, (roles, schools) in enumerate(drawn)
    )
)
organisations = st.lists(st.sampled_from([HILL, MILL]), max_size=2, unique=True).map(tuple)


@given(labels_sets, organisations, people)
def test_an_urgent_post_is_never_without_a_full_notice(labels, schools, staff):
    """Whoever is configured, for whatever schools, at least one person is told in full."""
    routing = route(triaged(labels, S.URGENT), schools, staff)
    assert any(notice.disclosure is FULL for notice in routing.notices)
    ids = [notice.person.id for notice in routing.notices]
    assert len(ids) == len(set(ids))


@given(labels_sets, organisations, people, st.sampled_from(Severity))
def test_only_safeguarding_leads_read_about_a_child(labels, schools, staff, severity):
    """While there is a safeguarding lead or a deputy, nobody else reads about a child in full."""
    routing = route(triaged(labels, severity), schools, staff)
    assert routing.confidential is bool(labels & CHILD_AT_RISK)
    leads = {p.id for p in staff if p.roles & {Role.DSL, Role.DEPUTY_DSL}}
    if routing.confidential and leads:
        assert {n.person.id for n in routing.notices if n.disclosure is FULL} <= leads
