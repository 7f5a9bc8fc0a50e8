"""`trust-monitor sources` and `check`, as a person or a script reads them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from monitor import app
from monitor.cli import cli
from monitor.config_file import load_config
from monitor.ports import SourceSpec
from monitor.store.migrate import migrate
from monitor.store.store import SqlStore

SCHOOL = Path(__file__).parents[1] / "data/config/quenby.toml"
REST = """
[[sources]]
id = "gazette"
kind = "rss"
url = "http://127.0.0.1:9/feed"
allow_private = true
[[sources]]
id = "toots"
kind = "mastodon"
instance = "https://social.example"
hashtags = ["#Quenby"]
[mail]
channel = "folder"
folder = "mail"
sender = "monitor@trust.example"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(SCHOOL.read_text(encoding="utf-8") + REST, encoding="utf-8")
    return path


@pytest.fixture
def store(config: Path) -> SqlStore:
    """A database with a week behind it: the feed was down for three hours, Mastodon refuses us."""
    engine = app.database(load_config(config))
    migrate(engine)
    store, now = SqlStore(engine), datetime.now(UTC)
    specs = [
        SourceSpec(id="gazette", kind="rss", interval_s=300, fingerprint=""),
        SourceSpec(id="toots", kind="mastodon", interval_s=300, fingerprint=""),
    ]

    def ago(hours: float) -> datetime:
        return now - timedelta(hours=hours)

    with store.begin() as rows:
        rows.sources.register(specs, now=ago(100))
        rows.sources.succeeded("gazette", now=ago(50), next_poll_at=now)
        rows.sources.failed("gazette", now=ago(49), error="HTTP status 429", next_poll_at=now)
        rows.sources.succeeded("gazette", now=ago(47), next_poll_at=now)
        rows.sources.succeeded("gazette", now=ago(0), next_poll_at=now, note="3 feeds of 4")
        for _ in range(4):
            later = now + timedelta(hours=6)
            rows.sources.failed(
                "toots", now=ago(1), error="HTTP status 401", next_poll_at=later, rejected=True
            )
    return store


def run(*arguments: str) -> str:
    result = CliRunner().invoke(cli, list(arguments), env={"COLUMNS": "400"})
    assert result.exit_code == 0, result.output
    return result.output


def test_the_table_says_how_each_source_stands(config: Path, store: SqlStore) -> None:
    """Covered since when, or not seen and why; what a person must change; the week's gaps."""
    told = " ".join(run("sources", "--config", str(config)).replace("│", " ").split())
    assert "covered since" in told
    assert "100 % covered" in told
    assert "HTTP status 429 (closed by back-fill: nothing missed)" in told
    assert "3 feeds of 4" in told
    assert "why: HTTP status 401" in told
    assert "circuit open, 4 failures in a row" in told
    assert "A PERSON MUST CHANGE SOMETHING" in told
    assert "make an account for the trust there" in told
    assert "0.0 % covered" in told


def test_json_has_every_stretch(config: Path, store: SqlStore) -> None:
    """A script gets the same, with all stretches of the last seven days."""
    gazette, toots = json.loads(run("sources", "--config", str(config), "--json"))
    assert [each["cover"] for each in gazette["intervals"]] == ["seen", "read_later", "seen"]
    assert gazette["covered"] is True
    assert gazette["share_7_days"] == 1.0
    assert gazette["intervals"][0]["since"] == gazette["since"]
    assert (toots["covered"], toots["circuit"], toots["needs_somebody"]) == (False, "open", True)
    assert toots["why"] == "HTTP status 401"
    assert toots["share_7_days"] == 0.0


def test_a_mended_source_is_polled_again_soon(config: Path, store: SqlStore) -> None:
    """Whoever has mended a source need not wait six hours; an unknown one is refused by name."""
    run("sources", "--config", str(config), "--again", "toots")
    with store.read() as rows:
        assert {each.source: each.next_poll_at for each in rows.sources.health()}["toots"] is None
    result = CliRunner().invoke(cli, ["sources", "--config", str(config), "--again", "nosuch"])
    assert result.exit_code == 1
    assert "There is: gazette, toots." in result.output


def test_a_database_that_was_never_used_is_said(config: Path) -> None:
    """Before the first start there is nothing to show, and the remedy is named."""
    result = CliRunner().invoke(cli, ["sources", "--config", str(config)])
    assert result.exit_code == 1
    assert "db upgrade" in result.output


def test_check_says_what_to_apply_for(config: Path) -> None:
    """A source that lacks its credentials is shown with what its platform asks for, and the terms
    that are searched for are counted."""
    text = config.read_text(encoding="utf-8")
    stanza = (
        '[[sources]]\nid = "reddit"\nkind = "reddit"\nclient_id = "trustmonitor"\n'
        'client_secret_file = "missing"\ncontact = "office@trust.example"\n'
        'subreddits = ["quenby"]\n'
    )
    start, end = text.index("[[sources]]"), text.index("[mail]")
    config.write_text(text[:start] + stanza + text[end:], encoding="utf-8")
    result = CliRunner().invoke(cli, ["check", "--config", str(config)], env={"COLUMNS": "2000"})
    assert result.exit_code == 1
    told = " ".join(result.output.split())
    assert "A person must change something. Reddit gives API credentials on request only" in told
    assert "names and hashtags of organisations, never a person's" in told
