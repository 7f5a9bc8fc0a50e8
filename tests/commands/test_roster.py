"""`trust-monitor check` says who gets what today, cover applied."""

from __future__ import annotations

from datetime import date
from io import StringIO
from pathlib import Path

from rich.console import Console

from monitor import ladders
from monitor.commands.roster import absences, roster
from monitor.config_file import load_config

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = load_config(ROOT / "config.example.toml")


def rows(day: date) -> dict[str, list[str]]:
    """The table as {school: the other cells}."""
    table = roster(EXAMPLE.people, EXAMPLE.watchlist, ladders.load("base"), day=day)
    names, *cells = ([str(cell) for cell in column.cells] for column in table.columns)
    return dict(zip(names, map(list, zip(*cells, strict=True)), strict=True))


def test_a_row_for_the_trust_and_for_each_school() -> None:
    """Urgent, child at risk, allegation, about the head, press, and who may approve."""
    found = rows(date(2026, 11, 23))
    assert list(found) == [o.name for o in EXAMPLE.watchlist.organisations]
    both = "slt-1, slt-2"
    assert found["St Mary's Primary School"] == [
        both, "dsl-1", "head-stmarys", "chair", "slt-2", both,
    ]  # fmt: skip
    assert found["Fellgate High School"][2] == both, "a school without a head: its senior leaders"


def test_cover_is_applied_and_said() -> None:
    """On a day of an absence the cover stands in the table, and a sentence says until when."""
    day = date(2026, 12, 25)
    assert rows(day)["Fellgate High School"][0] == "slt-2"
    assert absences(EXAMPLE.people, day=day) == ["slt-1 is away until 4 Jan 2027: slt-2 stands in"]
    assert absences(EXAMPLE.people, day=date(2027, 1, 5)) == []


def test_it_can_be_printed() -> None:
    """Names of schools are shown as they are, whatever marks they hold."""
    console = Console(width=140, record=True, file=StringIO())
    console.print(
        roster(EXAMPLE.people, EXAMPLE.watchlist, ladders.load("base"), day=date(2026, 11, 23))
    )
    assert "Mon 23 Nov" in console.export_text()
