"""What the check of a ladder finds, one fault at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from monitor import ladders
from monitor.commands.ladder import TYPICAL
from monitor.policy.drafts.check import DraftContext, load_rules
from monitor.policy.ladder import Ladder, load_profile
from monitor.policy.ladder.check import Trial, check_ladder
from tests.policy.builders import packaged
from tests.policy.standing import PROFILES

TRIAL = Trial(
    values=TYPICAL,
    rules=load_rules(packaged("draft_check.toml")),
    context=DraftContext(
        contacts=(TYPICAL["contact"] or "",),
        hosts=frozenset({"larkmoortrust.example"}),
        organisations=(TYPICAL["school"] or "", TYPICAL["trust"] or ""),
    ),
    today=date(2026, 11, 21),
)
HEAD = 'inherits = "base"\nname = "ours"\n'


def ours(text: str) -> Ladder:
    """A trust's own ladder over the base."""
    return load_profile(
        "ours", lambda name: HEAD + text if name == "ours" else ladders.packaged(name)
    )


def rung(rung_id: str, text: str) -> str:
    """A rung of that id, with these lines."""
    return f'[[rung]]\nid = "{rung_id}"\n{text}\n'


NEW = """name = "New"
who = "somebody"
approver = "somebody else"
clock = "none"
source = "house: ours"
reviewed_on = 2026-11-01
"""


@pytest.mark.parametrize("profile", PROFILES)
def test_the_packaged_ladders_are_fit(profile):
    """Every packaged profile passes its own check with long typical values."""
    assert [str(found) for found in check_ladder(PROFILES[profile], TRIAL)] == []


@pytest.mark.parametrize(
    ("text", "where", "problem"),
    [
        (rung("X1", NEW + 'stop = "none"\ncloses = ["resolved"]'), "X1", "nothing leads to"),
        (rung("X1", NEW + 'closes = ["resolved"]'), "X1", "neither a draft nor a reason"),
        (rung("X1", NEW + 'stop = "none"'), "X1", "dead end"),
        (rung("X1", NEW + 'stop = "none"'), "X1", "nothing ever closes"),
        (rung("M1", 'met_by = "reply"'), "M1.met_by", "there is no draft"),
        (rung("L3", 'approver = " "'), "L3.approver", "nobody approves"),
        (
            rung("L1", 'public = "' + "Thank you. " * 25 + '{contact} {school} team"'),
            "L1.public",
            "more than 300",
        ),
        (rung("L3", 'private = "' + "Thank you. " * 95 + '"'), "L3.private", "more than 1000"),
        (
            rung("L1", 'public = "Thank you. As you are a parent of the school, ring {contact}."'),
            "L1.public",
            "",
        ),
        (
            rung("L2", 'public = "Your complaint is being investigated. Ring {contact}."'),
            "L2.public",
            "",
        ),
        (
            rung("L1", 'public = "Please remove this post and ring {contact}. {school} team"'),
            "L1.public",
            "speaks of 'remove'",
        ),
        ('off = ["L9"]\n', "choice", "no such rung"),
        (
            'off = ["L8"]\n[[rung]]\nid = "L5"\nexits = [{ when = ["refused"], to = "L8" }]\n',
            "L5.exits",
            "leads to L8, which is off",
        ),
        (
            rung("L1", 'exits = [{ when = ["unresolved"], to = "L7" }]'),
            "L1.exits",
            "lawful criticism to L7",
        ),
        (
            '[[choice]]\nlabels = { campaign = 0.5 }\nrung = "L7"\n',
            "choice of L7 for campaign",
            "names no harm",
        ),
        (
            rung("L4", 'exits = [{ when = ["unresolved"], to = "L3" }]'),
            "L4.exits",
            "round in a circle",
        ),
        (
            f'[[choice]]\nlabels = {{ query = 0.5 }}\nrung = "L1"\ndrafts = ["{"Thank you. " * 30}"]',
            "choice of L1 for query, drafts",
            "none fits into 300",
        ),
    ],
)
def test_each_fault_is_found_where_it_is(text, where, problem):
    """Each fault is found, serious, at its rung and key."""
    if problem == "no such rung":
        with pytest.raises(ladders.ConfigError, match="no such rung, or it is off: L9"):
            ours(text)
        return
    found = check_ladder(ours(text), TRIAL)
    assert any(
        weakness.serious and weakness.where == where and problem in weakness.problem
        for weakness in found
    ), [str(weakness) for weakness in found]


def test_confirming_a_parent_or_a_case_cites_the_clause():
    """A draft that confirms a relationship or a case is found by the draft checker, with its clause."""
    text = rung("L2", 'public = "Your complaint is being investigated. Ring {contact}. {school}"')
    found = [w for w in check_ladder(ours(text), TRIAL) if w.where == "L2.public"]
    assert any("confirm" in weakness.problem.lower() for weakness in found), found
    assert all(weakness.remedy.startswith("(") for weakness in found)


def test_old_clauses_are_a_remark():
    """A clause that was read more than a year ago is remarked on, and stops nothing."""
    later = replace(TRIAL, today=date(2027, 12, 1))
    found = check_ladder(PROFILES["base"], later)
    assert len(found) == len(PROFILES["base"].rung)
    assert not any(weakness.serious for weakness in found)
    assert all("2026-11-21" in weakness.problem for weakness in found)


def test_what_is_not_configured_is_a_remark():
    """A draft whose link isn't configured can't be filled in, and says which key to set."""
    bare = replace(TRIAL, values=dict(TYPICAL) | {"complaints_url": None})
    found = {weakness.where: weakness for weakness in check_ladder(PROFILES["base"], bare)}
    assert "complaints_url is not configured" in found["L4.public"].problem
    assert not found["L4.public"].serious


def test_a_stop_without_a_choice_is_found():
    """A ladder that sends no threat anywhere is told where a threat would then wait."""
    base = PROFILES["base"]
    kept = tuple(choice for choice in base.choice if "threat" not in choice.labels)
    found = check_ladder(base.model_copy(update={"choice": kept}), TRIAL)
    assert [w.problem for w in found] == ["none for 'threat' alone: it would wait on R0 to be read"]
