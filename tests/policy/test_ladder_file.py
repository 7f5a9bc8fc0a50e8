"""How a ladder file is read, and how a profile inherits from another."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor import ladders
from monitor.domain import Fact, Role
from monitor.errors import ConfigError
from monitor.policy.deadlines import Calendar, WeekendRule
from monitor.policy.ladder import load_ladder, load_profile
from monitor.policy.ladder.file import GATES
from monitor.policy.ladder.layers import with_rule_of
from tests.policy.builders import packaged
from tests.policy.standing import BASE, PROFILES

TEXT = packaged("ladders/base.toml")


def own(text: str, inherits: str = "base"):
    """A trust's own ladder, with `text` laid over the packaged profile."""

    def read(name: str) -> str:
        if name != "ours.toml":
            return ladders.packaged(name)
        return f'inherits = "{inherits}"\nname = "ours"\n{text}'

    return load_profile("ours.toml", read)


def test_only_what_differs_is_written():
    """A rung is overridden field by field; the rest, and every other rung, is inherited."""
    ours = own('[[rung]]\nid = "L1"\nwho = "the web officer"\n')
    assert ours.by_id("L1").who == "the web officer"
    assert ours.by_id("L1").public == BASE.by_id("L1").public
    assert ours.by_id("L2") == BASE.by_id("L2")
    assert ours.name == "ours"


def test_what_is_off_is_nowhere():
    """A rung that is off is in no list of rungs, exits or options, and stays off for heirs."""
    ours = own('off = ["C1", "L8"]\n[[choice]]\nlabels = { campaign = 0.5 }\nrung = "L1"\n')
    assert not {"C1", "L8"} & set(ours.rung)
    assert not any({"C1", "L8"} & set(rung.options) for rung in ours.rungs)
    assert not any(way.to in {"C1", "L8"} for rung in ours.rungs for way in rung.exits)
    assert "L5" not in PROFILES["yes"].rung


def test_a_choice_with_the_same_conditions_replaces():
    """A choice is replaced by its conditions; another one comes before those of its rank."""
    ours = own('[[choice]]\nlabels = { complaint = 0.5 }\nrung = "L2"\n')
    chosen = [choice.rung for choice in ours.choices if set(choice.labels) == {"complaint"}]
    assert chosen == ["L2"]
    assert len(ours.choice) == len(BASE.choice)


def test_choices_stand_in_the_order_of_restrictiveness_wherever_they_are_written():
    """A file can't put praise before a child at risk."""
    head, *choices = TEXT.split("\n[[choice]]\n")
    ladder = load_ladder("\n[[choice]]\n".join([head, *reversed(choices)]))
    ranks = [choice.rank() for choice in ladder.choices]
    assert ranks == sorted(ranks)
    assert set(ladder.choices[0].labels) == {"safeguarding"}


def test_tables_are_inherited_key_by_key():
    """A profile that changes the hold keeps the roles, and the other way round."""
    ours = own("[approval]\nhold_min = 30\n", inherits="fierte")
    assert ours.approval.hold_min == 30
    assert ours.approval.roles == {Role.SLT, Role.DSL}


def test_a_file_may_demand_more_but_not_less():
    """Needs that a file takes away are there all the same; what it adds counts too."""
    less = own('[[rung]]\nid = "L5"\nneeds = []\nharms_only = false\n')
    assert less.by_id("L5").needs == GATES["L5"]
    assert less.by_id("L5").harms_only
    more = own('[[rung]]\nid = "L7"\nneeds = ["harm_confirmed"]\n')
    assert more.by_id("L7").needs == {Fact.HARM_CONFIRMED, Fact.EVIDENCE_KEPT}
    assert less.by_id("L6").own_account_only


def test_a_profiles_weekend_rule_goes_first():
    """Coast's wording is strict whatever the calendar says; a policy without a rule leaves it."""
    rolling = Calendar(weekend_rule=WeekendRule.ROLL)
    assert with_rule_of(PROFILES["coast"], rolling).weekend_rule is WeekendRule.STRICT
    assert with_rule_of(PROFILES["fierte"], rolling) == rolling


def test_a_circle_of_heirs_is_refused():
    """Two files that inherit from each other are told so, and nothing hangs."""
    with pytest.raises(ConfigError, match="circle: one > two > one"):
        load_profile("one", lambda name: f'inherits = "{"two" if name == "one" else "one"}"')


def test_an_unknown_profile_is_named_with_those_that_there_are():
    """A misspelt profile is refused with the list of the right ones."""
    with pytest.raises(ConfigError, match=r"no profile 'coats'.*coast"):
        ladders.load("coats")


def test_a_file_of_ones_own_inherits_from_a_packaged_profile(tmp_path):
    """A trust's file is read from where it lies, and may have a packaged profile's name."""
    path = tmp_path / "coast.toml"
    path.write_text('inherits = "coast"\nname = "ours"\n[approval]\nhold_min = 10\n')
    ours = ladders.load_file(path)
    assert (ours.name, ours.approval.hold_min, ours.path) == ("ours", 10, PROFILES["coast"].path)
    with pytest.raises(ConfigError, match=r"missing\.toml"):
        ladders.load_file(Path("missing.toml"))


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('rung = "M1"', 'rung = "L19"', "no such rung"),
        ('review = "R0"', 'review = "L7"', "acts against"),
        ("{school} team", "{shcool} team", "shcool"),
        ('clock = "standard"', 'clock = "soonish"', "rung.R0.clock: .*unknown clock"),
        ('id = "L2"', 'id = "L1"', "same id"),
        ('who = "media lead"', 'whom = "media lead"', "rung.M1.whom"),
        ('to = "L3"', 'to = "L33"', "L1 leads to no such rung: L33"),
        ('when = ["contacted"]', 'when = ["contatced"]', "rung.L1.exits.2.when"),
        ('author = ["pupil"]\n', "", "must name labels, flags or author"),
        ('roles = ["media"]', 'roles = ["medium"]', "rung.M1.roles"),
        ("hold_min = 0 ", "hold_min = -1 ", "approval.hold_min"),
        ("[approval]", "[approval", "not TOML"),
        ("[[rung]]", "[rung]", "ladder"),
    ],
)
def test_a_faulty_ladder_is_refused(old, new, named):
    """A ladder file that contradicts itself is refused, with the rung and the key."""
    assert old in TEXT
    with pytest.raises(ConfigError, match=named):
        load_ladder(TEXT.replace(old, new, 1))
