"""Silences: who may ask for one, for how long, what they hold back, and what they never do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.verdict import Label, Severity
from monitor.domain import AlertSilence, AuthorRole, Flag, Role, SilenceScope
from monitor.errors import ConfigError
from monitor.policy.routes import silences
from monitor.policy.routes.routing import CHILD_AT_RISK, Matter
from tests.policy.builders import labels_sets, packaged, person
from tests.policy.test_escalation import concern

NOW = datetime(2026, 3, 10, 9, 15, tzinfo=UTC)
RULES = silences.load_rules(packaged("silences.toml"))
AMARA = person("amara", Role.SLT)
GWEN = person("gwen", Role.HEAD, Role.SLT, schools=["hill"])
FRANS = person("frans", Role.COMMS)
HAMID = person("hamid", Role.CHAIR)
CELIA = person("celia", Role.DSL)
PEOPLE = (AMARA, GWEN, FRANS, HAMID, CELIA)
CONCERN, SOURCE, ORGANISATION = SilenceScope


def silence(scope: SilenceScope, target: str, **more: object) -> AlertSilence:
    made = AlertSilence(
        id=1,
        scope=scope,
        target=target,
        owner="amara",
        reason="the sports day, all day",
        since=NOW - timedelta(hours=1),
        until=NOW + timedelta(hours=1),
    )
    return replace(made, **more)  # type: ignore[arg-type] - a test's shorthand


def matter(*labels: Label, **more: object) -> Matter:
    made = Matter(severity=Severity.URGENT, labels=frozenset(labels), organisations=("hill",))
    return replace(made, **more)  # type: ignore[arg-type]


def held(about: Matter, *standing: AlertSilence, sources=("gazette",), now=NOW, people=PEOPLE):
    found = silences.holding(about, "2026-0001", sources, standing, people=people, now=now)
    return found.id if found else None


@pytest.mark.parametrize(
    ("standing", "holds"),
    [
        (silence(CONCERN, "2026-0001"), True),
        (silence(CONCERN, "2026-0002"), False),
        (silence(SOURCE, "gazette"), True),
        (silence(SOURCE, "2026-0001"), False),
        (silence(SOURCE, "forum"), False),
        (silence(ORGANISATION, "hill"), True),
        (silence(ORGANISATION, "mill"), False),
        (silence(ORGANISATION, "hill", since=NOW + timedelta(seconds=1)), False),
        (silence(ORGANISATION, "hill", until=NOW), False),
        (silence(ORGANISATION, "hill", ended_at=NOW, ended_by="amara"), False),
    ],
)
def test_a_silence_holds_back_what_it_is_about_while_it_stands(standing, holds) -> None:
    """Its case, its source or its school, from its beginning to its end, and nothing else."""
    assert (held(matter(Label.HATE), standing) is not None) is holds


def test_all_schools_of_a_case_must_be_silenced() -> None:
    """A post about two schools, of which one is silenced, is alerted."""
    both = matter(Label.HATE, organisations=("hill", "mill"))
    assert held(both, silence(ORGANISATION, "hill")) is None
    later = silence(ORGANISATION, "mill", id=2, until=NOW + timedelta(hours=2))
    assert held(both, silence(ORGANISATION, "hill"), later) == 1, "told until both stand"
    assert held(both, silence(SOURCE, "gazette"), sources=("gazette", "forum")) is None


anything = st.builds(
    matter,
    severity=st.sampled_from(Severity),
    labels=labels_sets,
    author=st.sampled_from(AuthorRole),
    flags=st.frozensets(st.sampled_from(Flag)),
    about_head=st.booleans(),
    confidential=st.booleans(),
)
everything = (
    silence(CONCERN, "2026-0001"),
    silence(SOURCE, "gazette"),
    silence(ORGANISATION, "hill"),
)


@given(anything, st.permutations(everything))
def test_a_child_at_risk_a_named_child_and_a_threat_are_never_silenced(about, standing) -> None:
    """Whatever stands, they are not held back; nor is what was with the safeguarding lead before.
    What is none of these is held back: the rule is not simply to silence nothing."""
    grave = about.child or bool(about.labels & (CHILD_AT_RISK | {Label.THREAT}))
    assert (held(about, *standing) is None) is grave


@given(anything)
def test_nobody_silences_what_is_about_themselves(about) -> None:
    """A senior leader who must be gone round can't keep it from whom it goes to."""
    standing = [replace(each, owner="gwen") for each in everything]
    if "gwen" in about.barred(PEOPLE):
        assert held(about, *standing) is None
        assert held(about, *standing, *everything) == held(about, *everything)
    else:
        assert held(about, *standing) == held(about, *everything)


def test_only_a_silence_of_the_case_stops_an_escalation_that_has_begun() -> None:
    """Somebody was told and has not answered: the school's silence changes nothing about that."""
    alerted = concern(Label.HATE)
    untold = replace(alerted, history=alerted.history[:1])

    def waits(asked, standing):
        return silences.escalation_waits(asked, ("gazette",), (standing,), people=PEOPLE, now=NOW)

    for standing in (silence(SOURCE, "gazette"), silence(ORGANISATION, "hill")):
        assert waits(alerted, standing) is None
        assert waits(untold, standing) is standing
    case = silence(CONCERN, alerted.reference)
    assert waits(alerted, case) is case
    assert waits(untold, case) is case
    threat = concern(Label.THREAT)
    assert waits(threat, case) is None, "never silenced, asked for before or not"


def refused(scope, target, *, who=AMARA, reason="the sports day", hours=1.0, asked=None):
    return silences.refusal(
        scope,
        target,
        who=who,
        reason=reason,
        until=NOW + timedelta(hours=hours),
        concern=asked,
        sources=("gazette",),
        organisations=("hill", "mill", "trust"),
        people=PEOPLE,
        rules=RULES,
        now=NOW,
    )


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        ({"target": "hill", "who": FRANS}, 'only a senior leader (role "slt")'),
        ({"target": "hill", "reason": "  "}, "--why"),
        ({"target": "hill", "hours": 0}, "lies in the past"),
        ({"target": "hill", "hours": 24.01}, "at most 24 hours"),
        ({"target": "gazette", "scope": SOURCE, "hours": 168.1}, "at most 7 days"),
        ({"target": "2026-0001", "scope": CONCERN, "hours": 169}, "at most 7 days"),
        ({"target": "dale"}, "no school or trust"),
        ({"target": "forum", "scope": SOURCE}, "no source"),
        ({"target": "2026-0009", "scope": CONCERN}, "no such case"),
        ({"target": "mill", "who": GWEN}, "not yours"),
    ],
)
def test_what_is_refused_says_why(ask, says) -> None:
    """Who asked, for how long, why and about what: each fault is named."""
    ask = {"scope": ORGANISATION} | ask
    answer = refused(
        ask.pop("scope"),
        ask.pop("target"),
        asked=concern(Label.HATE) if ask.get("hours") == 169 else None,
        **ask,
    )
    assert answer
    assert says in answer


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (concern(Label.THREAT), "a threat is never silenced"),
        (concern(Label.SAFEGUARDING), "with the DSL"),
        (concern(Label.IDENTIFIES_CHILD, confidential=False), "a child"),
        (concern(Label.HATE, confidential=True), "with the DSL"),
    ],
)
def test_a_grave_case_can_not_be_asked_for(asked, says) -> None:
    """The refusal comes when it is asked for, and not as a silence that does nothing."""
    answer = refused(CONCERN, asked.reference, asked=asked)
    assert answer
    assert says in answer


def test_a_head_can_not_ask_for_what_goes_round_them() -> None:
    """It is refused in the words of the log: with the chair."""
    asked = concern(Label.ALLEGATION, about_head=True)
    answer = refused(CONCERN, asked.reference, who=GWEN, asked=asked)
    assert answer
    assert "chair" in answer


def test_what_is_in_order_is_allowed() -> None:
    """Each scope up to its longest time."""
    assert refused(ORGANISATION, "hill", hours=24) is None
    assert refused(ORGANISATION, "hill", who=GWEN) is None
    assert refused(SOURCE, "gazette", hours=168) is None
    assert refused(CONCERN, "2026-0001", hours=168, asked=concern(Label.HATE)) is None


def test_the_rules_can_not_be_loosened() -> None:
    """A file that allows a school's silence for more than a day is refused, with its key."""
    with pytest.raises(ConfigError, match="organisation_hours"):
        silences.load_rules("concern_hours = 168\nsource_hours = 168\norganisation_hours = 25\n")
