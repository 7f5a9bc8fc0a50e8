"""Reading a watchlist: every fault at once, with its place and remedy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import ConfigError, Fault
from monitor.policy.matching.organisations import Watchlist
from monitor.watchlist_file import check_watchlist, load_watchlist, parse_watchlist

GOOD = """
[trust]
id = "orrin"
name = "Orrin Water Schools Trust"

[[schools]]
id = "elm"
name = "Elm School"
town = "Tarrowby"
"""


def faults(path: Path) -> tuple[Fault, ...]:
    with pytest.raises(ConfigError) as caught:
        load_watchlist(path)
    return caught.value.faults


def write(folder: Path, text: str, name: str = "watchlist.toml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_toml_and_json_say_the_same(tmp_path: Path) -> None:
    """The same keys in TOML and in JSON give the same watchlist."""
    data = {
        "trust": {"id": "orrin", "name": "Orrin Water Schools Trust"},
        "schools": [{"id": "elm", "name": "Elm School", "town": "Tarrowby"}],
    }
    from_json = load_watchlist(write(tmp_path, json.dumps(data), "watchlist.json"))
    assert load_watchlist(write(tmp_path, GOOD)) == from_json


def test_a_registers_person_keys_are_passed_over(tmp_path: Path) -> None:
    """A register's `chief_executive` is neither refused nor kept."""
    path = write(tmp_path, GOOD.replace('id = "orrin"', 'id = "orrin"\nchief_executive = "Dr A"'))
    assert "chief_executive" not in load_watchlist(path).trust.model_dump()


@pytest.mark.parametrize(
    ("change", "where", "problem"),
    [
        (('name = "Elm School"', 'nmae = "Elm School"'), "schools[1].nmae", "unknown key"),
        (('id = "elm"', 'id = "Elm!"'), "schools[1].id", "not a valid id"),
        (('id = "elm"', 'id = "orrin"'), "schools[1].id", "also that of trust"),
        (('town = "Tarrowby"', ""), "schools[1].town", "is common"),
        (('town = "Tarrowby"', 'town = "T"\naliases = ["!?"]'), "aliases[1]", "no letter"),
        (('town = "Tarrowby"', "town = 3"), "schools[1].town", "string"),
        (("[[schools]]", "[[scholls]]"), "scholls", "unknown key"),
    ],
)
def test_each_fault_is_named(
    tmp_path: Path, change: tuple[str, str], where: str, problem: str
) -> None:
    """A fault names the file, the key and what is wrong, and says what to do."""
    path = write(tmp_path, GOOD.replace(*change))
    found = [fault for fault in faults(path) if where in fault.where and problem in fault.problem]
    assert found
    assert found[0].where.startswith(str(path))
    assert found[0].remedy


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    """Two unknown keys are two faults of one error."""
    path = write(
        tmp_path, GOOD.replace("town =", "twon =").replace('id = "orrin"', 'id = "orrin"\nx = 1')
    )
    assert len(faults(path)) == 2


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("absent.toml", None, "cannot be read"),
        ("broken.toml", b"[trust", "not valid TOML"),
        ("broken.json", b"{", "not valid JSON"),
        ("list.json", b"[]", "not a table"),
        ("latin.toml", b'[trust]\nname = "\xe9"', "not UTF-8"),
    ],
)
def test_an_unreadable_file_is_refused(
    tmp_path: Path, name: str, content: bytes | None, problem: str
) -> None:
    """A file that is absent or malformed gives one clear fault."""
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    (fault,) = faults(path)
    assert problem in fault.problem


def test_one_name_in_one_town_is_refused() -> None:
    """A term of two schools in the same town could never be told apart."""
    school: dict[str, Any] = {"name": "Elm School", "town": "Tarrowby"}
    data = {
        "trust": {"id": "orrin", "name": "Orrin Water Schools Trust"},
        "schools": [{"id": "a", **school}, {"id": "b", **school}],
    }
    (fault,) = check_watchlist(Watchlist.model_validate(data), "here")
    assert fault.where == "here: schools[2]"
    data["schools"][1]["town"] = "Quendale"
    assert parse_watchlist(data, "here").schools[1].town == "Quendale"
