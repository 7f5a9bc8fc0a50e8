"""A clause that loses its evidence is told, and a run of all tests then fails."""

from __future__ import annotations

import csv
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
import typer

from monitor.cli import cli
from tests.conformance import clauses

HERE = Path(__file__).parent
SHARED = HERE.parents[1] / ".." / "shared" / "policies" / "clauses.csv"
CLAUSES, EVIDENCE = clauses.read()

SCRATCH = """
[evidence.apple]
title = "An apple a day"
says = "Somebody eats an apple."
command = "trust-monitor check"
tests = ["tests/test_fruit.py::test_apple", "tests/test_fruit.py::test_pear"]

[[clause]]
policy = "coast"
quote = "eat | fruit"
evidence = ["apple"]
note = "Not stones."

[[clause]]
policy = "yes"
quote = "wash it"
not_built = "Washing is for people."

[[clause]]
policy = "yes"
quote = "grow it"
not_yet = "Nobody has planted a tree."
"""
APPLE, PEAR = "tests/test_fruit.py::test_apple", "tests/test_fruit.py::test_pear"
PASSED = {APPLE: {"passed"}, PEAR: {"passed"}}
FRUIT = """
import pytest

@pytest.mark.parametrize("n", [1, 2])
def test_apple(n):
    assert n

def test_pear():
    pass
"""


@pytest.mark.parametrize(
    ("outcomes", "told"),
    [
        ({}, []),
        ({APPLE: {"passed", "skipped"}}, []),
        ({APPLE: {"passed", "failed"}}, [f"{APPLE}: failed, passed"]),
        ({APPLE: {"failed"}}, [f"{APPLE}: failed"]),
        ({PEAR: {"skipped"}}, []),
        ({PEAR: {"skipped", "failed"}}, [f"{PEAR}: failed, skipped"]),
        ({PEAR: set()}, [f"{PEAR}: was not run: renamed or removed?"]),
    ],
)
def test_what_was_lost_is_told(outcomes: dict[str, set[str]], told: list[str]) -> None:
    """Evidence that failed or is gone is named with its test; what this machine lacks is not lost."""
    _, evidence = clauses.read(SCRATCH)
    assert clauses.lost(evidence, PASSED | outcomes) == [f"evidence.apple: {each}" for each in told]


def test_what_was_skipped_altogether_is_told_apart() -> None:
    """A test that only was skipped is unseen here; one that passed somewhere is not."""
    _, evidence = clauses.read(SCRATCH)
    outcomes = PASSED | {PEAR: {"skipped"}, APPLE: {"passed", "skipped"}}
    told = f"evidence.apple: {PEAR}: skipped on this machine"
    assert clauses.unseen(evidence, outcomes) == [told]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('["apple"]', '["aple"]', "no evidence called aple; no clause names evidence.apple"),
        ('policy = "coast"', 'policy = "coats"', "coats, “eat | fruit”: no such policy"),
        ('quote = "wash it"', 'quote = "grow it"', "yes, “grow it”: given twice"),
        ("not_built =", 'not_yet = "x"\nnot_built =', "“wash it”: give one of evidence, not_built"),
        ('not_yet = "Nobody has planted a tree."', "", "“grow it”: give one of evidence"),
        (f'"{APPLE}", "{PEAR}"', "", "evidence.apple has no test"),
        ("test_pear", "test_pear[1]", "leave the parameters out"),
        ("says =", "sais =", "sais"),
    ],
)
def test_what_does_not_fit_is_refused(old: str, new: str, told: str) -> None:
    """A misspelt, double, idle or contradictory entry is named."""
    assert old in SCRATCH
    with pytest.raises(ValueError, match=re.escape(told)):
        clauses.read(SCRATCH.replace(old, new))


def test_the_page_says_what_is_kept_left_and_missing() -> None:
    """Each clause stands once on the page, and each piece of evidence with its tests and command."""
    page = clauses.page(*clauses.read(SCRATCH))
    assert "| “eat \\| fruit”<br>*Not stones.* | [An apple a day](#apple) |" in page
    assert "- “wash it”: Washing is for people." in page
    assert "- “grow it”: Nobody has planted a tree." in page
    assert "| [Coast](#coast) (`coast`) | 1 | 0 | 0 |" in page
    assert "| **all 3 clauses** | **1** | **1** | **1** |" in page
    assert f"- To see it: `trust-monitor check`\n- Proved by `{APPLE}`\n" in page


def test_the_page_leaves_nothing_out() -> None:
    """Of the real file every clause, reason, sentence, command and test is on the page, and every
    link leads to something."""
    page = clauses.page(CLAUSES, EVIDENCE)
    for clause in CLAUSES:
        assert f"“{clause.quote}”" in page
        assert (clause.note or clause.not_built or clause.not_yet or "") in page
    for entry in EVIDENCE.values():
        for part in (entry.title, entry.says, entry.command or "", *entry.tests):
            assert part in page
    headings = re.findall(r"^## (.*)$", page, re.MULTILINE)
    slugs = {heading.casefold().replace("'", "").replace(" ", "-") for heading in headings}
    anchors = slugs | set(re.findall(r'<a id="([\w-]+)">', page))
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) <= anchors


def test_every_clause_stands_there_word_for_word() -> None:
    """clauses.toml holds each clause of the five policies, and no other."""
    if not SHARED.is_file():
        pytest.skip(
            "LOUD: shared/policies/clauses.csv is not here: NOT CHECKED that none is missing"
        )
    with SHARED.open(encoding="utf-8", newline="") as file:
        wanted = sorted((row["policy"], row["quote"]) for row in csv.DictReader(file))
    assert sorted((clause.policy, clause.quote) for clause in CLAUSES) == wanted


@pytest.mark.parametrize("command", [entry.command for entry in EVIDENCE.values() if entry.command])
def test_every_command_on_the_page_is_there(command: str) -> None:
    """Each command that the page names can be typed: it exists, and takes these options."""
    name, *words = shlex.split(command)
    assert name == "trust-monitor"
    found: click.Command = typer.main.get_command(cli)
    while isinstance(found, click.Group):
        found = found.commands[words.pop(0)]
    found.make_context(name, words)


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A tiny project with our watch, three clauses and two tests."""
    tests = tmp_path / "tests"
    (tests / "conformance").mkdir(parents=True)
    for name in ("__init__.py", "clauses.py", "plugin.py"):
        shutil.copy(HERE / name, tests / "conformance" / name)
    (tests / "conformance" / "clauses.toml").write_text(SCRATCH, encoding="utf-8")
    (tests / "__init__.py").touch()
    (tests / "conftest.py").write_text('pytest_plugins = ["tests.conformance.plugin"]\n')
    (tests / "test_fruit.py").write_text(FRUIT, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\ntestpaths = tests\naddopts = -q -p no:cacheprovider\n", encoding="utf-8"
    )
    (tmp_path / "docs").mkdir()
    page = clauses.page(*clauses.read(SCRATCH))
    (tmp_path / "docs" / "policies.md").write_text(page, encoding="utf-8")
    return tmp_path


def run(scratch: Path, *arguments: str) -> tuple[int, str]:
    """Run the tiny project's tests; exit status and what was said."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "xdist.plugin", *arguments],
        cwd=scratch,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )
    return done.returncode, done.stdout + done.stderr


def test_a_whole_run_is_green_while_all_is_shown(scratch: Path) -> None:
    """Nothing lost and the page true: the run ends with 0."""
    status, said = run(scratch)
    assert (status, "lost their evidence" in said) == (0, False), said


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one", "two"])
def test_a_whole_run_fails_for_a_renamed_test(scratch: Path, workers: tuple[str, ...]) -> None:
    """All tests pass, with one worker or several, and the run fails all the same, saying which
    evidence is gone."""
    fruit = scratch / "tests" / "test_fruit.py"
    fruit.write_text(FRUIT.replace("test_pear", "test_plum"), encoding="utf-8")
    status, said = run(scratch, *workers)
    assert status == 1, said
    assert said.count("evidence.apple: ") == 1
    assert f"evidence.apple: {PEAR}: was not run: renamed or removed?" in said


def test_an_old_page_is_told_and_written_anew(scratch: Path) -> None:
    """A page that says something else fails the run, which names the command that mends it; with
    several workers it is written once, and true."""
    page = scratch / "docs" / "policies.md"
    true = page.read_text(encoding="utf-8")
    page.write_text("# Policies\n", encoding="utf-8")
    status, said = run(scratch)
    assert (status, "make policies" in said) == (1, True), said
    assert run(scratch, "-n", "2", "--write-policies")[0] == 0
    assert page.read_text(encoding="utf-8") == true


def test_a_part_of_the_tests_neither_judges_nor_writes(scratch: Path) -> None:
    """Whoever runs some of the tests hears nothing of the others' clauses."""
    page = scratch / "docs" / "policies.md"
    page.write_text("# Policies\n", encoding="utf-8")
    status, said = run(scratch, "-k", "pear")
    assert (status, "lost their evidence" in said) == (0, False), said
    status, said = run(scratch, "tests/test_fruit.py", "--write-policies")
    assert (status, "only a run of all tests" in said) == (4, True), said
    assert page.read_text(encoding="utf-8") == "# Policies\n"


def test_the_page_is_not_written_over_a_loss(scratch: Path) -> None:
    """While a test fails, --write-policies leaves the page as it was."""
    page = scratch / "docs" / "policies.md"
    page.write_text("# Policies\n", encoding="utf-8")
    fruit = scratch / "tests" / "test_fruit.py"
    fruit.write_text(FRUIT.replace("pass", "raise RuntimeError"), encoding="utf-8")
    status, said = run(scratch, "--write-policies")
    assert (status, f"{PEAR}: failed" in said) == (1, True), said
    assert page.read_text(encoding="utf-8") == "# Policies\n"
