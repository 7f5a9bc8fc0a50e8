"""A connector of another package: docs/connectors.md, followed to the letter."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import connectors
from monitor.config_file import load_config
from monitor.errors import ConfigError
from monitor.sources import build_sources

ROOT = Path(__file__).resolve().parents[1]
SCHOOL = ROOT / "tests/data/config/quenby.toml"
FILE = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", re.DOTALL)
REST = """
[[sources]]
id = "board"
kind = "{kind}"
url = "http://board.parish.example/notices.json"
[mail]
channel = "folder"
folder = "mail"
sender = "monitor@trust.example"
"""


def installed(folder: Path, kind: str, value: str, *, name: str = "parish-board") -> None:
    """What `pip install -e` leaves behind: metadata with an entry point, on the path."""
    info = folder / f"{name.replace('-', '_')}-0.1.0.dist-info"
    info.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n"
    (info / "METADATA").write_text(metadata, encoding="utf-8")
    text = f"[{connectors.GROUP}]\n{kind} = {value}\n"
    (info / "entry_points.txt").write_text(text, encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The documented package, as files on the path."""
    package = tmp_path / "parish"
    package.mkdir()
    text = (ROOT / "docs/connectors.md").read_text(encoding="utf-8")
    for name, content in FILE.findall(text):
        (package / name).write_text(content, encoding="utf-8")
    monkeypatch.syspath_prepend(str(package))
    yield package
    for name in ("parish_board", "notice_server", "broken_board"):
        sys.modules.pop(name, None)


def config(folder: Path, kind: str) -> Path:
    path = folder / "config.toml"
    path.write_text(SCHOOL.read_text(encoding="utf-8") + REST.format(kind=kind), encoding="utf-8")
    return path


def test_the_documented_package_declares_what_the_page_says(folder: Path) -> None:
    """Its pyproject.toml names our group and the class that is there."""
    text = (folder / "pyproject.toml").read_text(encoding="utf-8")
    assert f'entry-points."{connectors.GROUP}"' in text
    assert 'parish = "parish_board:ParishConnector"' in text


def test_a_plugin_is_found_configured_and_built(folder: Path) -> None:
    """An installed package's kind can be configured like our own, and its keys are checked."""
    installed(folder, "parish", "parish_board:ParishConnector")
    assert connectors.kinds()[-1] == "parish"
    built = build_sources(load_config(config(folder, "parish")))
    assert built["board"].connector.platform == "parish"
    assert built["board"].hosts == ("board.parish.example",)
    assert built["board"].pages is not None
    path = config(folder, "parish")
    path.write_text(path.read_text("utf-8").replace("url =", "author = 'x'\nurl ="), "utf-8")
    with pytest.raises(ConfigError, match="author: unknown key"):
        load_config(path)


def test_our_own_kinds_win(folder: Path) -> None:
    """A package can't put itself in the place of a kind of ours."""
    installed(folder, "rss", "parish_board:ParishConnector")
    assert connectors.load("rss").__module__ == "connectors.rss"
    assert connectors.kinds() == tuple(connectors.KINDS)


def test_an_unknown_kind_is_told_with_all_that_there_are(folder: Path) -> None:
    """The refusal lists our kinds and those of installed packages."""
    installed(folder, "parish", "parish_board:ParishConnector")
    with pytest.raises(ConfigError, match=r"unknown kind 'parrish'.*rss.*parish"):
        load_config(config(folder, "parrish"))


@pytest.mark.parametrize(
    ("value", "text", "problem"),
    [
        ("broken_board:Board", "import nothing_of_that_name", "can't be imported"),
        ("broken_board:Board", "raise RuntimeError('secret')", "can't be imported"),
        ("broken_board:Missing", "", "can't be imported"),
        ("broken_board:Board", "class Board: pass", "no Settings and no poll"),
    ],
)
def test_a_broken_plugin_is_refused_by_name(
    folder: Path, value: str, text: str, problem: str
) -> None:
    """The refusal names package, entry point and what to do, and quotes nothing of the error."""
    (folder / "broken_board.py").write_text(text, encoding="utf-8")
    installed(folder, "broken", value)
    with pytest.raises(ConfigError) as caught:
        load_config(config(folder, "broken"))
    told = str(caught.value)
    assert "sources[1].kind: package 'parish-board', entry point 'broken'" in told
    assert problem in told
    assert "secret" not in told


def test_two_packages_for_one_kind_are_refused(folder: Path) -> None:
    """Which of two would be used must not depend on chance."""
    installed(folder, "parish", "parish_board:ParishConnector")
    installed(folder, "parish", "other_board:Board", name="other-board")
    with pytest.raises(connectors.PluginError, match=r"'other-board'.*'parish-board'.*Uninstall"):
        connectors.load("parish")


def test_the_documented_connector_keeps_the_contract(folder: Path) -> None:
    """The page's own test file passes, run as its reader would, outside of our checkout."""
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert run.returncode == 0, run.stdout[-3000:]
    assert re.search(r"\b[3-9]\d passed", run.stdout), run.stdout[-500:]
