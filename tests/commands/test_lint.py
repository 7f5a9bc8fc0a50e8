"""`trust-monitor lint`: a person tries a reply before it is sent."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from monitor.cli import cli
from monitor.commands.lint import lint
from monitor.config import Config
from monitor.config_file import load_config
from monitor.drafting import context_from

ROOT = Path(__file__).resolve().parents[2]
GOOD = (ROOT / "tests/data/config/good.toml").read_text(encoding="utf-8")
REPLIES = """contact = "office@larkmoortrust.example"
complaints_url = "https://www.larkmoortrust.example/complaints"
info_url = "https://sites.google.com/larkmoor/faq"
"""
FINE = "We're glad to help: office@larkmoortrust.example. – Fellgate team"
RUN = CliRunner()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A configuration with a head to mask and sites to link to."""
    text = GOOD.replace('contact = "office@larkmoortrust.example"\n', REPLIES).replace(
        'name = "Fellgate High School"\n',
        'name = "Fellgate High School"\nheadteacher = "Petra Quillfeather"\n'
        'website = "https://www.fellgate.example/home"\ncontact = "01632 960 321"\n',
    )
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def config(path: Path) -> Config:
    return load_config(path)


def told(config: Config | None, text: str, **changes: bool) -> tuple[int, str]:
    """The exit status and what was printed."""
    out = StringIO()
    console = Console(file=out, width=110, no_color=True)
    status = lint(config, text, **{"public": True, "json": False, **changes}, console=console)
    return status, out.getvalue()


def test_a_good_draft(config: Config) -> None:
    """A draft without fault leaves with 0, and is still to be read by a second person."""
    status, said = told(config, FINE)
    assert status == 0
    assert said == "Nothing found. A second person still reads it before it is sent.\n"


def test_a_bad_draft_is_underlined(config: Config) -> None:
    """What must be mended is shown in its place, with the reason and the clause."""
    status, said = told(config, "We asked: your complaint of 3 May is being investigated.")
    assert status == 1
    lines = said.splitlines()
    place = lines.index("Mend: confirms-case")
    shown, marks = lines[place + 1], lines[place + 2]
    assert shown[marks.index("^") : marks.rindex("^") + 1] == "your complaint of"
    assert "We can't talk about individual matters here" in said
    assert "bradgate: “confidential nature of issues" in said
    assert lines[-1] == "2 to mend, 0 to look at."


def test_a_remark_alone_does_not_block(config: Config) -> None:
    """What is only to be looked at leaves with 0."""
    status, said = told(config, "The office opens at 8.")
    assert status == 0
    assert "Look at: who-speaks" in said


def test_json(config: Config) -> None:
    """With --json one object says the same, for a program to read."""
    text = "Petra Quillfeather will ring. We care."
    status, said = told(config, text, json=True)
    answer = json.loads(said)
    assert status == 1
    assert (answer["fit"], answer["public"], answer["configured"]) == (False, True, True)
    (finding,) = answer["findings"]
    assert (finding["rule"], finding["said"]) == ("names-a-person", "Petra Quillfeather")
    assert text[slice(*finding["span"])] == finding["said"]
    assert set(finding) == {"rule", "blocking", "why", "source", "span", "said"}


def test_private_drafts_have_their_own_rules(config: Config) -> None:
    """A private draft may be longer and may speak of a meeting; nothing else is easier."""
    long = f"Thank you for your email. {'We would like to meet you. ' * 12}"
    assert told(config, long)[0] == 1
    assert told(config, long, public=False)[0] == 0
    assert told(config, "Mr Oakley will ring you.", public=False)[0] == 1


def test_without_a_configuration_it_says_so() -> None:
    """Nothing is official then, and the person is told why."""
    status, said = told(None, "We're glad to help: office@larkmoortrust.example.")
    assert status == 1
    assert said.startswith("Checked without a configuration")
    assert "private-address" in said


def test_what_is_typed_is_shown_as_text(config: Config) -> None:
    """Markup and terminal codes in a draft are shown, not obeyed."""
    _, said = told(config, "We [bold]say\x1b[31m Mr Oakley")
    assert "\x1b" not in said
    assert "[bold]" in said


def test_the_context_comes_from_the_configuration(config: Config) -> None:
    """Contacts, sites and names are the configured ones; heads are never to be named."""
    context = context_from(config)
    assert context.contacts == ("office@larkmoortrust.example", "01632 960 321")
    assert context.hosts == {
        "larkmoortrust.example/complaints",
        "sites.google.com/larkmoor/faq",
        "fellgate.example/home",
    }
    assert "Fellgate High School" in context.organisations
    assert context.known_names == ("Petra Quillfeather",)
    assert context.public


@pytest.mark.parametrize(
    ("link", "status"),
    [
        ("https://larkmoortrust.example/complaints", 0),
        ("https://www.larkmoortrust.example/complaints", 0),
        ("https://fellgate.example/news", 0),
        ("https://sites.google.com/larkmoor/faq", 0),
        ("https://sites.google.com/other", 1),
    ],
)
def test_configured_sites_may_be_linked(config: Config, link: str, status: int) -> None:
    """Links lead to the configured sites and pages only."""
    assert told(config, f"We've put it on {link}")[0] == status


def test_the_command(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command works with a configuration, without one, and refuses one that isn't there."""
    monkeypatch.chdir(tmp_path / "..")
    monkeypatch.delenv("TRUST_MONITOR_CONFIG", raising=False)
    assert RUN.invoke(cli, ["lint", FINE, "--config", str(path)]).exit_code == 0
    bare = RUN.invoke(cli, ["lint", FINE, "--json"])
    assert (bare.exit_code, json.loads(bare.output)["configured"]) == (1, False)
    assert RUN.invoke(cli, ["lint", "We met you.", "--private", "-c", str(path)]).exit_code == 0
    assert RUN.invoke(cli, ["lint", FINE, "--config", str(tmp_path / "none.toml")]).exit_code == 78
