"""The walks through the five policies are true, whole, and would be caught lying."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine

from classifiers.verdict import Classifier
from tests.walks.document import perform
from tests.walks.performance import WALKS, classifier, performed
from tests.walks.trusts import TRUSTS
from tests.walks.world import World, world

POSTS = {
    1: "A question",
    2: "A complaint that stays unresolved",
    3: "Personal abuse",
    4: "A pupil is named",
    5: "A threat",
    6: "A campaign",
}
CASE = re.compile(r"\$ trust-monitor concerns close (\d{4}-\d{4})\b")
ENDED = re.compile(r"^Done \(close\)\. (\d{4}-\d{4}): closed\.$", re.MULTILINE)

walks = pytest.mark.parametrize("profile", sorted(TRUSTS))


@pytest.fixture(scope="module")
def model() -> Classifier:
    return classifier()


@pytest.fixture
def here(tmp_path: Path, model: Classifier) -> Iterator[World]:
    """A trust to whom nothing has happened yet."""
    with world(TRUSTS["coast"], tmp_path, model) as made:
        yield made


@pytest.mark.timeout(300)
@walks
def test_a_walk_says_what_happens(profile: str, tmp_path: Path, model: Classifier) -> None:
    """Performed from the start on whatever day it is, each walk is what stands in its file."""
    written = _walk(profile)
    with time_machine.travel(datetime(2031, 7, 9, 3, 4, tzinfo=UTC)):
        happened = performed(profile, tmp_path, model)
    if happened != written:
        lines = difflib.unified_diff(
            written.splitlines(), happened.splitlines(), "written", "happened", n=2, lineterm=""
        )
        pytest.fail(
            f"docs/walks/{profile}.md is no longer what happens. Run `python -m tests.walks "
            f"{profile}`, and read it through before you keep it.\n" + "\n".join(lines),
            pytrace=False,
        )


@walks
def test_a_walk_goes_from_detection_to_closure(profile: str) -> None:
    """Six posts in each walk, in the same order: each begins with what was said or reported, and ends
    with its case closed, by a person who says why."""
    parts = re.split(r"^## ", _walk(profile), flags=re.MULTILINE)[1:]
    assert len(parts) == len(POSTS)
    for (number, kind), part in zip(POSTS.items(), parts, strict=True):
        assert part.startswith(f"{number}. {kind}")
        assert "```post" in part or "concerns add " in part
        closings = CASE.findall(part)
        assert closings, f"{profile} {number}: nobody closes it"
        assert ENDED.findall(part)[-1:] == closings[-1:], f"{profile} {number}: it stays open"
        said = part[part.rindex("$ trust-monitor concerns close") :].split("\nDone", 1)[0]
        assert "--who " in said
        assert "--why " in said


@walks
def test_a_walk_replies_to_nobody_in_the_three_hard_cases(profile: str) -> None:
    """Abuse, a named pupil and a threat get no public reply, whoever drafts one: it is refused by the
    rule, and nothing of the kind is drafted."""
    parts = re.split(r"^## ", _walk(profile), flags=re.MULTILINE)[1:]
    for part in parts[3:5]:
        assert "draft is refused by the rule hard-stop" in part
        assert "Done (draft)" not in part
    if "concerns draft" in parts[2]:
        assert "draft is refused by the rule hard-stop" in parts[2]


@walks
def test_a_walk_is_short_enough_to_read(profile: str) -> None:
    """A head reads it in one sitting, on paper as well."""
    lines = _walk(profile).splitlines()
    assert len(lines) <= 730
    assert max(map(len, lines)) <= 115


def test_a_false_line_is_found(here: World) -> None:
    """What a walk claims is replaced by what happened: a lie can't stand."""
    lie = "```console\n# Monday 5 January 2026, 09:00\n$ trust-monitor concerns list\nAll is well.\n```"
    happened = perform(lie, here)
    assert happened != lie
    assert "All is well." not in happened
    assert "0 concerns" in happened
    assert perform("```mail\nTo: everybody\n```", here) == "```mail\n(nothing was sent)\n```"


@pytest.mark.parametrize(
    ("block", "fault"),
    [
        ("```post\nGullhaven Town Talk · Monday 6 January 2026, 09:00\nHi\n```", "a Tuesday"),
        ("```post\nThe Town Crier · Tuesday 6 January 2026, 09:00\nHi\n```", "Town Crier"),
        ("```console\n# Sunday 4 January 2026, 09:00\n```", "lies before"),
        ("```console\n$ rm -r mail\n```", "nothing else"),
    ],
    ids=["weekday", "place", "backwards", "another program"],
)
def test_a_walk_that_makes_no_sense_is_refused(here: World, block: str, fault: str) -> None:
    """A weekday that isn't the date's, a place that isn't watched, time that runs backwards, and any
    other program: each is an error that says so."""
    with pytest.raises(ValueError, match=fault):
        perform(block, here)


def test_a_long_command_is_broken_where_a_shell_would_join_it(here: World) -> None:
    """A command wrapped by the last performance runs as the same command in the next one."""
    words = "The blazer may be worn until it is outgrown. " * 4
    typed = f'```console\n$ trust-monitor lint "{words.strip()}"\n```'
    once = perform(typed, here)
    assert " \\\n" in once
    assert perform(once, here) == once


def _walk(profile: str) -> str:
    return (WALKS / f"{profile}.md").read_text(encoding="utf-8")
