"""Who is told now, and how much."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.verdict import Label, Severity
from monitor.domain import Absence, AuthorRole, Disclosure, Flag, Role
from monitor.policy.routes.routing import CHILD_AT_RISK, route
from tests.policy.builders import labels_sets, person, triaged

L, S = Label, Severity
DAY = date(2026, 3, 10)
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
    routing = route(triaged(labels, severity), schools, PEOPLE, day=DAY)
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
    assert told(route(triaged({L.HATE}, S.URGENT), (MILL,), people, day=DAY)) == expected


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
    assert told(route(triaged({L.SAFEGUARDING}), (MILL,), people, day=DAY)) == expected


def test_somebody_who_is_both_reads_it_in_full_once():
    """A leader who is the safeguarding lead gets one notice, with everything."""
    both = person("gwen", Role.SLT, Role.DSL)
    routing = route(triaged({L.SAFEGUARDING, L.THREAT}, S.URGENT), (HILL,), (both,), day=DAY)
    assert told(routing) == {("gwen", FULL)}
    assert len(routing.notices) == 1


GWEN = person("gwen", Role.HEAD, schools=[HILL])
HAMID = person("hamid", Role.CHAIR, schools=[HILL])
INES = person("ines", Role.MEDIA)
JORIS = person("joris", Role.HR)
KEZIA = person("kezia", Role.DPO)
EVERYBODY = (*PEOPLE, GWEN, HAMID, INES, JORIS, KEZIA)
BOTH_HEAD_AND_SLT = person("gwen", Role.HEAD, Role.SLT, schools=[HILL])
BOTH_HEAD_AND_DSL = person("gwen", Role.HEAD, Role.DSL, schools=[HILL])


def ids(routing):
    """Who is told in full."""
    return {n.person.id for n in routing.notices if n.disclosure is FULL}


@pytest.mark.parametrize(
    ("labels", "severity", "schools", "more", "expected"),
    [
        ({L.ALLEGATION}, S.CONCERN, (HILL,), {}, {"gwen"}),
        ({L.ALLEGATION}, S.CONCERN, (MILL,), {}, {"amara"}),
        ({L.ALLEGATION}, S.CONCERN, ("trust",), {}, {"amara"}),
        ({L.ALLEGATION}, S.URGENT, (HILL,), {}, {"gwen", "amara", "bruno"}),
        ({L.ALLEGATION}, S.CONCERN, (HILL,), {"about_head": True}, {"hamid"}),
        ({L.ALLEGATION}, S.URGENT, (HILL,), {"about_head": True}, {"hamid"}),
        ({L.ALLEGATION}, S.CONCERN, (MILL,), {"about_head": True}, {"amara"}),
        ({L.MEDIA}, S.CONCERN, (HILL,), {}, {"ines"}),
        ({L.MEDIA}, S.ROUTINE, (HILL,), {}, set()),
        ({L.MEDIA, L.THREAT}, S.URGENT, (HILL,), {}, {"ines", "amara", "bruno"}),
        ({L.MEDIA, L.SAFEGUARDING}, S.CONCERN, (HILL,), {}, {"celia"}),
        ({L.COMPLAINT}, S.CONCERN, (HILL,), {"author": AuthorRole.STAFF}, {"joris"}),
        ({L.COMPLAINT}, S.CONCERN, (HILL,), {"author": AuthorRole.GOVERNANCE}, {"hamid"}),
        ({L.COMPLAINT}, S.CONCERN, (HILL,), {"author": AuthorRole.PUPIL}, {"celia"}),
        ({L.COMPLAINT}, S.CONCERN, (HILL,), {"author": AuthorRole.PARENT}, set()),
        (
            {L.ALLEGATION},
            S.CONCERN,
            (HILL,),
            {"author": AuthorRole.STAFF},
            {"joris", "amara", "bruno"},
        ),
        ({L.COMPLAINT}, S.CONCERN, (HILL,), {"flags": {Flag.DATA_PROTECTION}}, {"kezia"}),
        ({L.COMPLAINT}, S.CONCERN, (HILL,), {"flags": {Flag.DOUBTFUL_CONTACT}}, {"celia"}),
    ],
)
def test_what_has_a_person_of_its_own(labels, severity, schools, more, expected):
    """Head, chair, media lead, HR, DPO and DSL hear at once of what is theirs, urgent or not."""
    more = {key: frozenset(value) if key == "flags" else value for key, value in more.items()}
    routing = route(triaged(labels, severity), schools, EVERYBODY, day=DAY, **more)
    assert ids(routing) == expected
    assert routing.because


def away(who, cover=None, since=DAY, until=DAY):
    return replace(who, absences=(Absence(since=since, until=until, cover=cover),))


@pytest.mark.parametrize(
    ("labels", "people", "expected"),
    [
        ({L.THREAT}, (SLT_ALL, away(SLT_HILL), COMMS), {"amara"}),
        ({L.THREAT}, (away(SLT_ALL, "frans"), away(SLT_HILL), COMMS), {"frans"}),
        ({L.THREAT}, (away(SLT_ALL, "bruno"), away(SLT_HILL, "frans"), COMMS), {"frans"}),
        ({L.THREAT}, (away(SLT_ALL, "bruno"), away(SLT_HILL, "amara")), {"amara", "bruno"}),
        ({L.THREAT}, (away(SLT_ALL, "nobody"), COMMS), {"frans"}),
        ({L.THREAT}, (away(SLT_ALL),), {"amara"}),
        ({L.SAFEGUARDING}, (away(DSL_HILL), DEPUTY_HILL, SLT_ALL), {"dilip"}),
        ({L.SAFEGUARDING}, (away(DSL_HILL, "edie"), DEPUTY_HILL, DEPUTY_MILL), {"edie"}),
        ({L.SAFEGUARDING}, (away(DSL_HILL, "amara"), DEPUTY_HILL, SLT_ALL), {"dilip"}),
        ({L.SAFEGUARDING}, (away(DSL_HILL), DEPUTY_MILL, SLT_ALL), {"edie"}),
        (
            {L.SAFEGUARDING},
            (away(DSL_HILL, since=date(2026, 3, 11), until=date(2026, 3, 12)),),
            {"celia"},
        ),
    ],
)
def test_who_is_away_is_covered(labels, people, expected):
    """Cover stands in, through several who are away; without it comes whoever is next for the role;
    nobody but a lead stands in for a lead; and rather somebody who is away than nobody."""
    routing = route(triaged(labels, S.URGENT), (HILL,), people, day=DAY)
    assert ids(routing) == expected


def test_when_every_lead_is_away_somebody_is_asked_to_ring():
    """Mail to an absent lead is not enough: a senior leader is asked to reach them, told no more."""
    people = (away(DSL_HILL), away(DEPUTY_HILL), SLT_ALL, COMMS)
    routing = route(triaged({L.SAFEGUARDING, L.THREAT}, S.URGENT), (HILL,), people, day=DAY)
    assert told(routing) == {("celia", FULL), ("amara", Disclosure.RING)}


@pytest.mark.parametrize(
    ("labels", "people", "expected"),
    [
        ({L.ALLEGATION}, (BOTH_HEAD_AND_SLT, SLT_ALL, HAMID), {"hamid"}),
        ({L.ALLEGATION}, (BOTH_HEAD_AND_SLT, SLT_ALL), {"amara"}),
        ({L.ALLEGATION}, (BOTH_HEAD_AND_SLT, away(SLT_ALL, "gwen")), {"amara"}),
        ({L.ALLEGATION}, (BOTH_HEAD_AND_SLT, COMMS), {"frans"}),
        ({L.ALLEGATION}, (BOTH_HEAD_AND_SLT,), set()),
        ({L.SAFEGUARDING}, (BOTH_HEAD_AND_DSL, DEPUTY_HILL, SLT_ALL), {"dilip"}),
        ({L.SAFEGUARDING}, (BOTH_HEAD_AND_DSL, DEPUTY_MILL, SLT_ALL), {"edie"}),
        ({L.SAFEGUARDING}, (BOTH_HEAD_AND_DSL, SLT_ALL, HAMID), {"hamid"}),
        ({L.SAFEGUARDING}, (BOTH_HEAD_AND_DSL, SLT_ALL), {"amara"}),
    ],
)
def test_an_allegation_about_a_head_goes_round_that_head(labels, people, expected):
    """Whatever else the head is, and whomever they cover, they are not told; somebody else is."""
    routing = route(triaged(labels, S.URGENT), (HILL,), people, day=DAY, about_head=True)
    assert ids(routing) == expected
    assert "gwen" not in {notice.person.id for notice in routing.notices}


def test_the_head_of_another_school_is_not_gone_round():
    """A leader of the trust who is head of another school reads about this one's head."""
    other = person("leto", Role.HEAD, Role.SLT, schools=[MILL])
    routing = route(
        triaged({L.ALLEGATION}, S.URGENT), (HILL,), (other, GWEN), day=DAY, about_head=True
    )
    assert ids(routing) == {"leto"}


def test_a_post_that_names_the_trust_alone_may_mean_any_head():
    """Where no school is named, no head reads that "the head" is accused."""
    people = (person("gwen", Role.HEAD, Role.SLT, schools=[HILL]), SLT_ALL)
    routing = route(triaged({L.ALLEGATION}, S.URGENT), ("trust",), people, day=DAY, about_head=True)
    assert ids(routing) == {"amara"}


people = st.lists(
    st.builds(
        lambda roles, schools, absences: (roles, schools, absences),
        st.frozensets(st.sampled_from(Role), min_size=1, max_size=3),
        st.frozensets(st.sampled_from([HILL, MILL]), max_size=1),
        st.sampled_from(
            [(), *((Absence(since=DAY, until=DAY, cover=c),) for c in (None, "p0", "p1"))]
        ),
    ),
    min_size=1,
    max_size=5,
).map(
    lambda drawn: tuple(
        replace(person(f"p{number}", *roles, schools=schools), absences=absences)
        for number, (roles, schools, absences) in enumerate(drawn)
    )
)
organisations = st.lists(st.sampled_from([HILL, MILL]), max_size=2, unique=True).map(tuple)


@given(labels_sets, organisations, people)
def test_an_urgent_post_is_never_without_a_full_notice(labels, schools, staff):
    """Whoever is configured, for whatever schools, at least one person is told in full."""
    routing = route(triaged(labels, S.URGENT), schools, staff, day=DAY)
    assert any(notice.disclosure is FULL for notice in routing.notices)
    ids = [notice.person.id for notice in routing.notices]
    assert len(ids) == len(set(ids))


@given(labels_sets, organisations, people, st.sampled_from(Severity))
def test_only_safeguarding_leads_read_about_a_child(labels, schools, staff, severity):
    """While there is a safeguarding lead or a deputy, nobody else reads about a child in full."""
    routing = route(triaged(labels, severity), schools, staff, day=DAY)
    assert routing.confidential is bool(labels & CHILD_AT_RISK)
    leads = {p.id for p in staff if p.roles & {Role.DSL, Role.DEPUTY_DSL}}
    if routing.confidential and leads:
        assert {n.person.id for n in routing.notices if n.disclosure is FULL} <= leads


@given(labels_sets, organisations, people, st.sampled_from(Severity), st.sampled_from(AuthorRole))
def test_no_head_reads_an_allegation_about_themselves(labels, schools, staff, severity, author):
    """Whatever the labels, the rota and their other roles, the schools' heads are never told; and
    an urgent one finds somebody as long as there is anybody else."""
    routing = route(
        triaged(labels, severity), schools, staff, day=DAY, about_head=True, author=author
    )
    heads = {p.id for p in staff if Role.HEAD in p.roles and p.covers(schools)}
    assert not heads & {notice.person.id for notice in routing.notices}
    others = [p for p in staff if Role.HEAD not in p.roles]
    if severity is S.URGENT and others:
        assert ids(routing)


@given(labels_sets, organisations, people, st.sampled_from(Severity), st.sampled_from(AuthorRole))
def test_whoever_writes_an_urgent_post_reaches_somebody(labels, schools, staff, severity, author):
    """Staff and governors are kept from their own head; but rather the head than nobody."""
    routing = route(triaged(labels, severity), schools, staff, day=DAY, author=author)
    if severity is S.URGENT or labels & CHILD_AT_RISK:
        assert ids(routing)
    told_ids = [notice.person.id for notice in routing.notices]
    assert len(told_ids) == len(set(told_ids))
