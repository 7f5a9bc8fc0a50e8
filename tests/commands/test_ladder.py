"""`trust-monitor ladder`: what a person and a program see of a ladder."""

from __future__ import annotations

import io
import json
import re

import pytest
from rich.console import Console
from typer.testing import CliRunner

from monitor.cli import cli
from monitor.commands.ladder_drawing import draw, markdown, start_rows
from monitor.config_file import load_config
from monitor.errors import ConfigError
from tests.policy.standing import PROFILES

OWN = 'inherits = "coast"\nname = "ours"\n[[rung]]\nid = "L1"\n'


def ladder(*arguments: str, code: int = 0) -> str:
    """What the program prints."""
    result = CliRunner().invoke(cli, ["ladder", *arguments])
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture(autouse=True)
def _nowhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("profile", PROFILES)
def test_the_drawing_fits_and_shows_every_rung(profile, width):
    """Every rung is drawn with who, approver, drafts and clause, within the terminal's width."""
    out = io.StringIO()
    draw(PROFILES[profile], Console(file=out, width=width))
    lines = out.getvalue().splitlines()
    assert max(len(line) for line in lines) <= width
    for rung in PROFILES[profile].rungs:
        assert any(f" {rung.id} {rung.name} " in line and "╭" in line for line in lines), rung.id
    for word in ("who", "approves", "says", "source"):
        assert sum(line.startswith(f"│ {word} ") for line in lines) == len(PROFILES[profile].rungs)


def test_the_drawing_says_what_a_policy_is_about():
    """Bradgate's gate, Coast's hold and Fierte's two roles can be seen."""
    assert "refused and continues after refusing──▶ G1" in ladder("show", "bradgate").replace(
        "│\n│          ", ""
    )
    assert "at least 5 minutes" in ladder("show", "coast")
    assert "dsl and slt" in ladder("show", "fierte")
    assert "harm only, never for criticism" in ladder("show", "base")


def test_the_markdown_is_a_chart_and_a_table():
    """The docs get one Mermaid node and one table row a rung, and arrows between nodes only."""
    text = ladder("show", "coast", "--markdown")
    assert text == markdown(PROFILES["coast"])
    chart = text.split("```mermaid\n")[1].split("```")[0]
    nodes = set(re.findall(r"^  (\w+)\[", chart, re.MULTILINE))
    assert nodes == set(PROFILES["coast"].rung)
    ends = re.findall(r'^  (\w+) (?:-->\|"[^"|]+"\||-\.->) (\w+)$', chart, re.MULTILINE)
    assert len(ends) > 20
    assert {end for pair in ends for end in pair} <= nodes
    assert all(f"| **{rung_id}** " in text for rung_id in nodes)
    assert not re.search(r"[ \t]+$", text, re.MULTILINE)


def test_programs_get_json():
    """The whole ladder, and what is wrong with one, as JSON."""
    shown = json.loads(ladder("show", "coast", "--json"))
    assert shown["approval"]["hold_min"] == 5
    assert {rung["id"] for rung in shown["rungs"]} == set(PROFILES["coast"].rung)
    checked = json.loads(ladder("check", "coast", "--json"))
    assert checked == {"ladder": "coast", "fit": True, "weaknesses": []}


def test_the_start_is_listed_most_restrictive_first():
    """The first row is a child at risk, the last what needs nobody."""
    rows = start_rows(PROFILES["base"])
    assert rows[0] == ("safeguarding; identifies child; flag doubtful contact; author pupil", "S1")
    assert rows[-1] == ("anything else", "L0")


def test_a_ladder_of_ones_own_is_checked(tmp_path):
    """A file is checked like a profile; a fault is told and the exit status says so."""
    path = tmp_path / "ours.toml"
    path.write_text(OWN + 'who = "the web officer"\n')
    assert "fit to climb" in ladder("check", str(path))
    path.write_text(OWN + 'public = "Please delete this post, {school}."\n')
    assert "speaks of 'delete'" in ladder("check", str(path), code=1)
    path.write_text(OWN + 'public = "Hello from {shcool}"\n')
    assert "rung.L1.public" in ladder("check", str(path), code=78)
    assert "no profile 'coats'" in ladder("show", "coats", code=78)


CONFIG = """
[trust]
id = "trust"
name = "Larkmoor Trust"
[[schools]]
id = "fernhollow"
name = "Fernhollow Primary"
town = "Larkmoor"
[[people]]
id = "one"
name = "One"
email = "one@larkmoor.example"
roles = ["comms", "slt"]
[[people]]
id = "two"
name = "Two"
email = "two@larkmoor.example"
roles = ["dsl", "slt", "head", "chair", "media", "hr"]
[[sources]]
id = "feed"
kind = "rss"
url = "https://news.larkmoor.example/feed"
[mail]
channel = "folder"
folder = "mail"
sender = "monitor@larkmoor.example"
[replies]
contact = "office@larkmoor.example"
"""


def test_the_trusts_own_values_fill_the_drafts(tmp_path):
    """With a configuration its own ladder is checked, with its own contact and links."""
    config = tmp_path / "config.toml"
    config.write_text(CONFIG + '[ladder]\nprofile = "coast"\n')
    output = " ".join(ladder("check", "--config", str(config)).split())
    assert "complaints_url is not configured" in output
    assert "coast, 16 rungs: 0 to mend" in output
    config.write_text(CONFIG.replace("office@", "x" * 200 + "@"))
    assert "more than 300" in ladder("check", "--config", str(config), code=1)


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ('profile = "coats"', "no profile 'coats'"),
        ('file = "ours.toml"', r"ours\.toml: No such file"),
        ('profile = "coast"\nfile = "ours.toml"', "ladder: profile and file exclude"),
        ('profil = "coast"', "ladder.profil: unknown key. Did you mean 'profile'"),
    ],
)
def test_a_wrong_ladder_stops_the_start(tmp_path, section, named):
    """A ladder that isn't there, or given twice, is refused before anything runs, with its key."""
    config = tmp_path / "config.toml"
    config.write_text(f"{CONFIG}[ladder]\n{section}\n")
    with pytest.raises(ConfigError, match=named):
        load_config(config)


def test_a_fault_in_ones_own_ladder_stops_the_start(tmp_path):
    """The file named in the configuration is read at start, from beside it, with all its faults."""
    config = tmp_path / "config.toml"
    config.write_text(f'{CONFIG}[ladder]\nfile = "ours.toml"\n')
    (tmp_path / "ours.toml").write_text(OWN + 'clock = "soonish"\n')
    with pytest.raises(ConfigError, match=r"ours\.toml: rung\.L1\.clock"):
        load_config(config)
    (tmp_path / "ours.toml").write_text(OWN + 'clock = "same_day"\n')
    assert load_config(config).ladder.file == tmp_path / "ours.toml"
