"""`trust-monitor silences`, as somebody types it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from classifiers.verdict import Label, Severity
from monitor.cli import cli
from tests.commands.log import Log


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def say(log: Log, *words: str, status: int = 0) -> str:
    result = CliRunner().invoke(
        cli,
        ["silences", *words, "-c", str(log.path)],
        env={"COLUMNS": "160", "NO_COLOR": "1"},
    )
    assert result.exit_code == status, result.output + repr(result.exception)
    return " ".join(result.output.split())


def add(log: Log, scope: str, target: str, *more: str, status: int = 0) -> str:
    given = dict(zip(more[::2], more[1::2], strict=True))
    asked = {"--who": "slt-1", "--why": "the sports day", "--until": "4h"} | given
    return say(log, "add", scope, target, *sum(asked.items(), ()), status=status)


def test_asked_for_shown_and_ended(log: Log) -> None:
    """Its number, its end and what is never silenced; then the list; then it is over."""
    told = add(log, "organisation", "tarnside")
    assert told.startswith(
        "Silence 1: alerts about organisation tarnside wait for the digest until"
    )
    assert "a child at risk, a named child, a threat" in told
    shown = say(log, "list")
    for words in ("organisation tarnside", "slt-1", "the sports day"):
        assert words in shown
    assert "is over" in say(log, "end", "1", "--who", "slt-2")
    assert say(log, "list") == "Nothing is silenced."
    assert "by slt-2" in say(log, "list", "--all")
    assert "No silence 1 stands" in say(log, "end", "1", "--who", "slt-2", status=1)


def test_each_scope_and_each_way_to_say_until(log: Log) -> None:
    """A case for days, a source until a local hour: both come out in UTC."""
    case = log.opens(Label.ABUSE, severity=Severity.URGENT)
    now = datetime.now(UTC)
    add(log, "concern", case, "--until", "2d")
    until = (now + timedelta(days=3)).replace(tzinfo=None, microsecond=0)
    add(log, "source", "gazette", "--until", until.isoformat(" "))
    (newest, first) = json.loads(say(log, "list", "--json"))
    assert (first["scope"], first["target"], first["stands"]) == ("concern", case, True)
    assert first["held_back"] == 0
    ends = datetime.fromisoformat(newest["until"])
    assert abs(ends - (now + timedelta(days=3))) <= timedelta(hours=1, minutes=1)


@pytest.mark.parametrize(
    ("scope", "target", "more", "says"),
    [
        ("organisation", "tarnside", ("--who", "comms"), "only a senior leader"),
        ("organisation", "tarnside", ("--who", "nobody"), "nobody has this id"),
        ("organisation", "tarnside", ("--until", "25h"), "at most 24 hours"),
        ("organisation", "tarnside", ("--until", "tomorrow"), "write day and time"),
        ("organisation", "tarnside", ("--until", "2020-01-01 09:00"), "in the past"),
        ("organisation", "tarnside", ("--why", " "), "must say why"),
        ("organisation", "elsewhere", (), "no school or trust has this id. Known: tarnside, trust"),
        ("source", "elsewhere", (), "no source has this id. Known: gazette"),
        ("concern", "2026-9999", (), "no such case"),
        ("everything", "all", (), "write one of concern, source, organisation"),
    ],
)
def test_what_is_refused(
    log: Log, scope: str, target: str, more: tuple[str, ...], says: str
) -> None:
    """A sentence with the rule, and nothing is stored."""
    assert says in add(log, scope, target, *more, status=1)
    assert say(log, "list", "--all") == "There was no silence."


def test_a_threat_and_a_child_can_not_be_asked_for(log: Log) -> None:
    """Nor does the refusal say more than the log does."""
    threat = log.opens(Label.THREAT, severity=Severity.URGENT)
    child = log.opens(Label.SAFEGUARDING, confidential=True)
    assert "a threat is never silenced" in add(log, "concern", threat, status=1)
    assert "with the DSL" in add(log, "concern", child, status=1)
    assert "only a senior leader" in say(log, "end", "1", "--who", "comms", status=1)
