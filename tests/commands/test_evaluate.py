"""`trust-monitor evaluate`, on posts made here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from monitor.cli import cli

ROWS = [
    {"id": "a", "text": "I will kill the head of Ashmere High", "labels": ["threat"]}
    | {"severity": "urgent"},
    {"id": "b", "text": "Thank you to all the lovely staff", "labels": ["praise"]}
    | {"severity": "routine"},
    {"id": "c", "text": "zebra accordion umbrella", "labels": [], "severity": "urgent"},
]


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ask(folder: Path, *rows: object, extra: tuple[str, ...] = ()) -> tuple[int, str]:
    path = folder / "labelled.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    found = CliRunner().invoke(cli, ["evaluate", "--jsonl", str(path), *extra])
    return found.exit_code, found.output


def test_figures_and_misses_by_id(alone: Path) -> None:
    """Figures and the id of a missed post are told, and no post's words."""
    status, output = ask(alone, *ROWS)
    assert status == 0
    assert "3 posts" in output
    assert "c: urgent, decided" in output
    assert "accordion" not in output
    assert "kill" not in output


def test_words_only_when_asked_for(alone: Path) -> None:
    """With --show the worst misses come with their words."""
    assert "accordion" in ask(alone, *ROWS, extra=("--show",))[1]


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ({"text": "x", "severity": "dire"}, "severity must be one of"),
        ({"text": "x", "severity": "urgent", "labels": ["menace"]}, "severity must be one of"),
        ({"severity": "urgent"}, "post 2"),
    ],
)
def test_a_bad_line_is_named(alone: Path, row: dict[str, object], named: str) -> None:
    """A row that can't be measured is refused with its number and what is wanted."""
    status, output = ask(alone, ROWS[0], row)
    assert status == 1
    assert "post 2" in output
    assert named in output


def test_a_missing_file_is_named(alone: Path) -> None:
    """A file that isn't there is named."""
    found = CliRunner().invoke(cli, ["evaluate", "--jsonl", str(alone / "none.jsonl")])
    assert found.exit_code == 1
    assert "none.jsonl" in found.output
