"""The commands as people type them: JSON lines in and out, sentences for faults, the log worked on."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from classifiers.verdict import Label, Severity
from monitor import app
from monitor.cli import cli
from monitor.config_file import load_config
from monitor.store.migrate import migrate
from monitor.store.store import SqlStore
from tests.store.samples import MATCH, draft, post

ROOT = Path(__file__).resolve().parents[1]
GOOD = (ROOT / "tests/data/config/good.toml").read_text(encoding="utf-8")
RUN = CliRunner()
NOW = datetime(2026, 3, 10, 9, 15, tzinfo=UTC)


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "config.toml"
    path.write_text(GOOD, encoding="utf-8")
    return str(path)


@pytest.fixture
def log(config: str) -> SqlStore:
    """A migrated log with case 2026-0001 (a complaint) and 2026-0002 (with the DSL)."""
    engine = app.database(load_config(Path(config)))
    migrate(engine)
    store = SqlStore(engine)
    with store.begin() as rows:
        for number, (label, secret) in enumerate(
            [(Label.COMPLAINT, False), (Label.SAFEGUARDING, True)]
        ):
            rows.mentions.record(
                "feed", [(post(str(number), "the zebra in the hall"), (MATCH,))], now=NOW
            )
            (claimed,) = rows.mentions.claim(owner="t", lease_s=60, limit=9, now=NOW)
            made = draft(Severity.CONCERN, label)
            concern = rows.concerns.open(
                type(made)(
                    triage=made.triage,
                    organisations=("fellgate",),
                    suggestion=made.suggestion,
                    confidential=secret,
                ),
                why="new",
                now=NOW,
            )
            rows.mentions.assessed(claimed, made.triage, model="t", now=NOW)
            rows.mentions.belongs_to(claimed.mention.id, concern.id)
    return store


def say(*words: str, stdin: str = "", status: int = 0) -> str:
    result = RUN.invoke(cli, list(words), input=stdin, env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert result.exit_code == status, result.output + str(result.exception)
    return result.output


def rows(output: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def test_triage_lines(config: str) -> None:
    """A threat, a complaint and a stranger's post come out judged, a line each, in order."""
    posts = [
        {"id": "a", "text": "I am going to kill the head of Fellgate High School in Fellgate."},
        {
            "id": "b",
            "text": "Third week without a reply from Fellgate High School. Not good enough.",
        },
        {"id": "c", "text": "The bakery is open."},
    ]
    stdin = "\n".join(json.dumps(one) for one in posts) + "\n"
    a, b, c = rows(say("triage", "--jsonl", "--config", config, stdin=stdin))
    assert set(a) == {
        "id",
        "schools",
        "sentiment",
        "labels",
        "severity",
        "reasons",
        "rung",
        "reply",
    }
    assert (a["severity"], a["reply"], a["schools"]) == ("urgent", None, ["fellgate"])
    assert (b["severity"], c["schools"]) == ("concern", [])
    assert set(a["labels"]) == {label.value for label in Label}  # type: ignore[call-overload]


def test_triage_without_a_watchlist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--assume-mention judges without configuration or watchlist."""
    monkeypatch.chdir(tmp_path)
    (row,) = rows(
        say("triage", "--jsonl", "--assume-mention", stdin='{"text": "Lovely school!"}\n')
    )
    assert row["severity"] == "routine"


def test_triage_names_bad_lines(config: str) -> None:
    """A line that can't be read is named with what is wrong; the others are judged."""
    stdin = 'not json\n{"text": 5}\n{"text": "Hello"}\n'
    output = say("triage", "--jsonl", "--config", config, stdin=stdin, status=65)
    assert "line 1: not JSON" in output
    assert 'line 2: needs an object with a string "text"' in output
    assert len(rows(output)) == 1


def test_match_lines(config: str) -> None:
    """`match` says which school and why."""
    stdin = '{"id": "x", "text": "Snow day at Fellgate High School!", "community": "Fellgate"}\n'
    (row,) = rows(say("match", "--jsonl", "--config", config, stdin=stdin))
    assert row["schools"] == ["fellgate"]
    (match,) = row["matches"]  # type: ignore[misc]
    assert {"school", "term", "span", "strength", "reason"} <= set(match)


def test_explain(config: str) -> None:
    """`explain` tells a person what would happen, and why."""
    output = say("explain", "I am going to kill the head of Fellgate High School.", "-c", config)
    assert "urgent" in output
    assert "Told at once: slt-1" in output
    assert "Not stored" in say("explain", "The bakery is open.", "-c", config)


def test_concerns_list_hides_what_is_with_the_dsl(config: str, log: SqlStore) -> None:
    """The list shows both cases, and of the confidential one no more than that."""
    output = say("concerns", "list", "-c", config)
    assert "complaint" in output
    assert "with DSL" in output
    assert "safeguarding" not in output


def test_concerns_show(config: str, log: SqlStore) -> None:
    """A case shows its post and reply; a confidential one only to the DSL, and that is written down."""
    assert "zebra" in say("concerns", "show", "2026-0001", "-c", config)
    for who in ([], ["--who", "comms"]):
        assert "zebra" not in say("concerns", "show", "2026-0002", *who, "-c", config)
    assert "zebra" in say("concerns", "show", "2026-0002", "--who", "dsl-1", "-c", config)
    with log.read() as stored:
        found = stored.concerns.by_reference("2026-0002")
    assert found is not None
    assert [(event.who, event.action) for event in found.history][-1] == ("dsl-1", "viewed")


def test_concern_is_worked_on(config: str, log: SqlStore) -> None:
    """Acknowledge, note and close leave who, when and why in the history."""
    say("concerns", "ack", "2026-0001", "--who", "comms", "-c", config)
    say("concerns", "note", "2026-0001", "rang the office", "--who", "comms", "-c", config)
    say("concerns", "close", "2026-0001", "--who", "comms", "--why", "settled", "-c", config)
    with log.read() as stored:
        found = stored.concerns.by_reference("2026-0001")
    assert found is not None
    assert [event.action for event in found.history] == [
        "opened",
        "acknowledge",
        "note",
        "close",
    ]
    assert "2026-0001" not in say("concerns", "list", "-c", config)
    assert "2026-0001" in say("concerns", "list", "--all", "-c", config)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["ack", "2026-0001", "--who", "nobody"], "nobody has this id. Known: comms"),
        (["ack", "2026-9999", "--who", "comms"], "no case 2026-9999"),
        (["ack", "2026-0002", "--who", "comms"], "only a DSL or deputy"),
    ],
)
def test_refusals_say_why(config: str, log: SqlStore, words: list[str], complaint: str) -> None:
    """A refused command says what is wrong and what would be right, and changes nothing."""
    assert complaint in say("concerns", *words, "-c", config, status=1)


def test_closed_stays_closed(config: str, log: SqlStore) -> None:
    """A closed concern can't be acknowledged; the refusal names what is allowed instead."""
    say("concerns", "close", "2026-0001", "--who", "comms", "--why", "x", "-c", config)
    output = say("concerns", "ack", "2026-0001", "--who", "comms", "-c", config, status=1)
    assert "is closed" in output
    assert "reopen" in output


def test_log_needs_a_migrated_database(config: str) -> None:
    """Without tables the commands say how to get them, and `db upgrade` makes them."""
    assert "db upgrade" in say("concerns", "list", "-c", config, status=1)
    assert "at revision" in say("db", "upgrade", "-c", config)
    assert "0 concerns" in say("concerns", "list", "-c", config)


def test_missing_configuration(tmp_path: Path) -> None:
    """A configuration that isn't there is named."""
    output = say("run", "-c", str(tmp_path / "nosuch.toml"), status=78)
    assert "nosuch.toml" in output
