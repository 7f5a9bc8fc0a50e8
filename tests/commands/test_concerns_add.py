"""`trust-monitor concerns add`: what staff report takes the same way as a post that was found."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from monitor import app, lock
from monitor.cli import cli
from monitor.config_file import load_config
from monitor.store.migrate import migrate
from monitor.store.store import SqlStore

ROOT = Path(__file__).resolve().parents[2]
GOOD = (ROOT / "tests/data/config/good.toml").read_text(encoding="utf-8")
COMPLAINT = (
    "Third time this month that nobody rang us back about the coach to the pool. Not good enough."
)
THREAT = "I'm going to Fellgate High tomorrow morning and I will smash his face in with a hammer."
WHERE = ["--where", "closed group of Year 6 parents"]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configured monitor with an empty log."""
    path = tmp_path / "config.toml"
    path.write_text(f'{GOOD}\n[classifier]\nkind = "lexicon"\n', encoding="utf-8")
    migrate(app.database(load_config(path)))
    return path


def run(config: Path, *args: str, ok: bool = True) -> str:
    result = CliRunner().invoke(cli, [*args, "-c", str(config)])
    assert (result.exit_code == 0) is ok, result.output
    return " ".join(result.output.split())


def add(config: Path, *args: str, ok: bool = True) -> str:
    return run(config, "concerns", "add", "--who", "comms", *WHERE, *args, ok=ok)


def test_a_complaint_from_a_closed_group_is_a_case(config: Path) -> None:
    """It is judged, stands on the ladder with a suggested reply, and says where it was seen."""
    answer = json.loads(add(config, COMPLAINT, "--school", "fellgate", "--json"))
    assert (answer["case"], answer["schools"]) == (f"{datetime.now(UTC).year}-0001", ["fellgate"])
    shown = run(config, "concerns", "show", answer["case"], "--who", "comms")
    assert "nobody rang us back" in shown
    assert "reported by a member of staff" in shown


def test_what_staff_report_is_never_routine(config: Path) -> None:
    """Even what reads as praise is looked at by somebody: it was found worth reporting."""
    answer = json.loads(add(config, "Lovely sports day at Fellgate High!", "--json"))
    assert answer["severity"] == "concern"


def test_a_threat_alerts_like_any_other(config: Path) -> None:
    """A threat queues the senior leaders' alerts, and says that the monitor isn't running."""
    said = add(config, THREAT)
    assert "urgent" in said
    assert "not running" in said
    with app.database(load_config(config)).connect() as connection:
        queued = connection.exec_driver_sql("SELECT recipient FROM delivery").scalars().all()
    assert {"director@larkmoortrust.example", "deputy@larkmoortrust.example"} <= set(queued)


def test_a_running_monitor_is_not_said_to_be_off(config: Path) -> None:
    """While the monitor holds its lock, nothing is said of starting it."""
    with lock.only_instance(load_config(config).state_dir):
        assert "not running" not in add(config, THREAT)


def test_an_apparent_pupil_s_words_reach_the_safeguarding_lead(config: Path) -> None:
    """With --author pupil the safeguarding lead is told at once, and nothing may be answered."""
    answer = json.loads(
        add(
            config,
            "I hate it here, nobody talks to me",
            *("--school", "fellgate", "--author", "pupil", "--json"),
        )
    )
    assert answer["rung"] == "S1"
    with app.database(load_config(config)).connect() as connection:
        told = connection.exec_driver_sql("SELECT recipient FROM delivery").scalars().all()
    assert told == ["dsl@larkmoortrust.example"]
    drafted = run(
        *(config, "concerns", "ack", answer["case"], "--who", "comms"),
    )
    assert "Done" in drafted
    refused = ["concerns", "draft", answer["case"], "Hello there!", "--who", "comms"]
    assert "hard-stop" in run(config, *refused, ok=False)


def test_a_child_at_risk_is_closed_to_whoever_entered_it(config: Path) -> None:
    """What triage takes for a child at risk is with the DSL from the first moment, and says so."""
    said = add(config, "My lad at Fellgate High says he wants to kill himself because of them")
    assert "with DSL" in said
    with SqlStore(app.database(load_config(config))).read() as rows:
        (concern,) = rows.concerns.current(since=datetime.now(UTC))
    shown = run(config, "concerns", "show", concern.reference, "--who", "comms")
    assert "kill himself" not in shown


def test_words_may_come_from_a_file(config: Path, tmp_path: Path) -> None:
    """A long message is read from a text file."""
    file = tmp_path / "mail.txt"
    file.write_text(f"To Fellgate High School.\n{COMPLAINT}", encoding="utf-8")
    assert "Logged as" in add(config, "--file", str(file))


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["   "], "no words"),
        ([COMPLAINT], "--school"),
        ([COMPLAINT, "--school", "nowhere"], "no such id"),
        ([COMPLAINT, "--school", "fellgate", "--seen", "yesterday"], "--seen"),
        ([COMPLAINT, "--school", "fellgate", "--seen", "2999-01-01 10:00"], "future"),
        ([COMPLAINT, "--school", "fellgate", "--seen", "2001-01-01 10:00"], "more than a year"),
        ([COMPLAINT, "--school", "fellgate", "--author", "alien"], "choose one of"),
        (["IMG_2041.jpeg", "--school", "fellgate"], "Pictures are not taken in"),
        ([COMPLAINT, "--school", "fellgate", "--seen-by", " "], "--seen-by"),
        (["x" * 20_001, "--school", "fellgate"], "longer than"),
        ([], "Give the words"),
    ],
)
def test_what_can_not_be_taken_in_is_said(config: Path, args: list[str], said: str) -> None:
    """Each refusal names what to change, and nothing is stored."""
    assert said in add(config, *args, ok=False)
    with app.database(load_config(config)).connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM mention").scalar_one() == 0


def test_a_picture_is_refused(config: Path, tmp_path: Path) -> None:
    """A file that isn't text is not read in, and the reason says whom to ring."""
    file = tmp_path / "screenshot.png"
    file.write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe\x00")
    assert "ring the safeguarding lead" in add(config, "--file", str(file), ok=False)
