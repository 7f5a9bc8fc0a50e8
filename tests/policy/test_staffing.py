"""Nobody approves what they drafted themselves: are there two for each school?"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import ladders
from monitor.domain import Role
from monitor.policy.matching.organisations import Organisation, Watchlist
from monitor.policy.routes import staffing
from tests.policy.builders import person

WATCHLIST = Watchlist(
    trust=Organisation(id="trust", name="Tarnbeck Learning Trust", town="Tarnbeck"),
    schools=(
        Organisation(id="hill", name="Tarnbeck Hill School", town="Tarnbeck"),
        Organisation(id="mill", name="Tarnbeck Mill School", town="Tarnbeck"),
    ),
)
SLT = [person("amara", Role.SLT), person("bruno", Role.SLT)]
BOTH = [person("celia", Role.SLT, Role.DSL), person("dilip", Role.SLT, Role.DEPUTY_DSL)]


def short(people, profile="base"):
    return [problem for problem, _ in staffing.shortages(people, WATCHLIST, ladders.load(profile))]


@pytest.mark.parametrize("profile", ["base", "trust-online-safety", "coast", "bradgate"])
def test_two_senior_leaders_are_enough(profile: str) -> None:
    """Most policies: two senior leaders, trust-wide."""
    assert short(SLT, profile) == []
    (problem,) = short(SLT[:1], profile)
    assert "slt" in problem
    assert "Tarnbeck Learning Trust, Tarnbeck Hill School, Tarnbeck Mill School" in problem


def test_only_the_schools_without_are_named() -> None:
    """Where one school has leaders of its own, the others are named and it is not."""
    people = [SLT[0], person("eve", Role.SLT, schools=["hill"])]
    (problem,) = short(people)
    assert "Tarnbeck Hill School" not in problem
    assert "Tarnbeck Mill School" in problem


def test_fierte_wants_senior_leaders_who_are_safeguarding_leads() -> None:
    """Both roles in one person, twice; a deputy lead counts as a lead; one of each does not."""
    assert short(BOTH, "fierte") == []
    (problem,) = short([*SLT, person("edie", Role.DSL)], "fierte")
    assert "dsl and slt" in problem


def test_yes_wants_somebody_authorised() -> None:
    """Two approvers, and nobody whom a senior leader has authorised to draft."""
    assert short(SLT, "yes") == ["nobody is authorised to draft a reply"]
    authorised = replace(SLT[1], authorised_by="amara", authorised_on=date(2026, 9, 1))
    assert short([SLT[0], authorised], "yes") == []


def test_one_address_is_one_person() -> None:
    """Two names with one mailbox can't check each other."""
    twin = replace(SLT[1], email=SLT[0].email.upper())
    assert short([SLT[0], twin]) != []


@given(
    st.lists(
        st.tuples(
            st.frozensets(st.sampled_from(Role), min_size=1, max_size=3),
            st.frozensets(st.sampled_from(["hill", "mill"]), max_size=2),
        ),
        max_size=6,
    ),
    st.sampled_from(ladders.profiles()),
)
def test_enough_means_a_second_person_everywhere(drawn, profile) -> None:
    """Where nothing is short, whoever drafts at any school finds another who may approve it."""
    people = [
        person(f"p{number}", *roles, schools=schools)
        for number, (roles, schools) in enumerate(drawn)
    ]
    ladder = ladders.load(profile)
    if any(staffing.shortages(people, WATCHLIST, ladder)):
        return
    for organisation in WATCHLIST.organisations:
        for roles in staffing.approving(ladder):
            able = staffing.approvers(organisation.id, roles, people)
            for drafter in people:
                assert any(approver.id != drafter.id for approver in able)
