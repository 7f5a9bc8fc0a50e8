"""The configuration is read whole or refused aloud: every fault, with file, key and remedy."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import connectors
from monitor import config as models
from monitor.cli import cli
from monitor.config_file import load_config
from monitor.errors import ConfigError
from monitor.policy.organisations import Organisation

ROOT = Path(__file__).resolve().parents[1]
GOOD = (ROOT / "tests/data/config/good.toml").read_text(encoding="utf-8")


@pytest.fixture
def refused(tmp_path: Path) -> Callable[..., list[str]]:
    """Change the good configuration's text, load it, and return the faults as lines."""

    def change(*changes: tuple[str, str], text: str = GOOD) -> list[str]:
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError) as raised:
            load_config(path)
        return [str(fault) for fault in raised.value.faults]

    return change


def test_example_loads() -> None:
    """The reference file is a working configuration."""
    config = load_config(ROOT / "config.example.toml")
    assert config.sources[0].kind == "rss"
    assert [school.id for school in config.watchlist.schools] == ["stmarys", "fellgate"]


def test_example_names_every_key() -> None:
    """Each key that a table may hold stands in the reference, set or commented out."""
    text = (ROOT / "config.example.toml").read_text(encoding="utf-8")
    shapes: list[Any] = [
        Organisation,
        models.PersonConfig,
        models.SourceConfig,
        models.ClassifierConfig,
        models.RelayConfig,
        models.MailConfig,
        models.DigestConfig,
        models.RepliesConfig,
        models.CalendarConfig,
        models.DatabaseConfig,
        models.LoggingConfig,
        *(connectors.load(kind).Settings for kind in connectors.KINDS),
    ]
    missing = [
        f"{shape.__name__}.{name}"
        for shape in shapes
        for name in shape.model_fields
        if f"{name} = " not in text and f".{name}]]" not in text
    ]
    assert missing == []


def test_example_states_true_defaults() -> None:
    """Where the reference says "Default:", leaving the key out really gives that value."""
    text = (ROOT / "config.example.toml").read_text(encoding="utf-8")
    for section, model_name in {
        "classifier": "ClassifierConfig",
        "digest": "DigestConfig",
        "calendar": "CalendarConfig",
        "logging": "LoggingConfig",
    }.items():
        model = getattr(models, model_name)
        shown = model.model_validate(tomllib.loads(text)[section])
        fields = [name for name in model.model_fields if name != "closures"]
        for name in fields:
            assert getattr(shown, name) == getattr(model(), name), f"{section}.{name}"


def test_good_configuration_loads(tmp_path: Path) -> None:
    """The smallest configuration gets defaults and paths beside itself."""
    path = tmp_path / "config.toml"
    path.write_text(GOOD, encoding="utf-8")
    config = load_config(path)
    assert config.state_dir == tmp_path / "state"
    assert config.mail.folder == tmp_path / "mail"
    assert config.database_url == f"sqlite:///{tmp_path / 'state' / 'monitor.db'}"


FAULTS = [
    ("unknown-key", ('folder = "mail"', 'folder = "mail"\ncolour = 1'), "mail.colour: unknown key"),
    ("near-miss", ("sender =", "sendr ="), "Did you mean 'sender'?"),
    ("unknown-top-key", ("timezone =", "time_zone ="), "time_zone: unknown key"),
    ("bad-timezone", ("Europe/London", "Europe/Lundon"), "timezone: is not a known time zone"),
    ("nobody-for-children", ('["dsl"]', '["hr"]'), "nobody is trust-wide dsl"),
    ("unknown-role", ('["slt"]', '["boss"]'), "people[2].roles"),
    ("unknown-school", ('["slt"]', '["slt"]\nschools = ["nosuch"]'), "no school 'nosuch'"),
    ("unknown-kind", ('kind = "rss"', 'kind = "fax"'), "sources[1].kind: unknown kind 'fax'"),
    ("source-key", ('kind = "rss"', 'kind = "rss"\nurll = "x"'), "sources[1].urll: unknown key"),
    ("no-sources", ('[[sources]]\nid = "gazette"\nkind = "rss"\n', "[x]\n"), "sources: missing"),
    (
        "two-addresses",
        ("comms@larkmoortrust.example", "a@b.example, c@d.example"),
        "one plain e-mail",
    ),
    ("no-relay", ('channel = "folder"', 'channel = "smtp"'), "[[mail.relays]]"),
    (
        "password-in-url",
        ("[mail]", '[database]\nurl = "postgresql://m:pw@h/d"\n[mail]'),
        "a password",
    ),
    ("odd-database", ("[mail]", '[database]\nurl = "mysql://h/d"\n[mail]'), "neither SQLite nor"),
    (
        "secret-file-missing",
        ("[mail]", '[database]\nurl = "postgresql://m@h/d"\npassword_file = "nosuch"\n[mail]'),
        "database.password_file: secret file",
    ),
    (
        "no-credentials",
        ("[mail]", '[database]\nurl = "postgresql://m@h/d"\npassword_credential = "x"\n[mail]'),
        "systemd gave this process no credentials",
    ),
    ("complaints-url", ("[replies]", '[replies]\ncomplaints_url = "x"'), "replies.complaints_url"),
]


@pytest.mark.parametrize(
    ("change", "expected"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS]
)
def test_fault_is_named(
    refused: Callable[..., list[str]], change: tuple[str, str], expected: str
) -> None:
    """Each fault names its key and says what to do."""
    faults = refused(change)
    assert any(expected in fault for fault in faults), faults
    assert all(". " in fault for fault in faults), "a remedy follows the problem"


def test_ambiguous_school_without_a_place(refused: Callable[..., list[str]]) -> None:
    """A St Mary's without town, county or postcode is refused: it would match the whole country."""
    faults = refused(
        ('name = "Fellgate High School"\ntown = "Fellgate"', 'name = "St Mary\'s Primary School"')
    )
    assert any("town" in fault for fault in faults), faults


def test_one_person_under_three_names(refused: Callable[..., list[str]]) -> None:
    """Two people means two addresses: one person can't approve their own reply."""
    faults = refused(("director@", "comms@"), ("dsl@", "comms@"))
    assert any("fewer than two people" in fault for fault in faults)


def test_all_faults_at_once(refused: Callable[..., list[str]]) -> None:
    """Three faults in three tables are three lines of one refusal."""
    faults = refused(
        ("Europe/London", "Nowhere"), ('["slt"]', '["boss"]'), ("[replies]", "[replies]\nx = 1")
    )
    assert len(faults) == 3


def test_secrets_are_not_repeated(tmp_path: Path) -> None:
    """A refused value is not quoted: it might be a password in the wrong place."""
    path = tmp_path / "config.toml"
    path.write_text(GOOD + '\n[database]\npassword = "hunter2"\n', encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        load_config(path)
    assert "hunter2" not in str(raised.value)


def test_broken_toml_names_the_line(tmp_path: Path) -> None:
    """A syntax error names file and line."""
    path = tmp_path / "config.toml"
    path.write_text("a = 1\nb = = 2\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"config\.toml.*line 2"):
        load_config(path)


def test_refusal_exits_with_78(tmp_path: Path) -> None:
    """The program refuses a bad configuration with sysexits' EX_CONFIG, before doing anything."""
    path = tmp_path / "config.toml"
    path.write_text(GOOD.replace("Europe/London", "Nowhere"), encoding="utf-8")
    result = CliRunner().invoke(cli, ["run", "--config", str(path)])
    assert result.exit_code == 78
    assert "timezone" in result.output
    assert not (tmp_path / "state").exists()


def test_secret_from_file(tmp_path: Path) -> None:
    """A password file's first line, without its line end, becomes the relay's password."""
    (tmp_path / "pw").write_text("s3cret\n", encoding="utf-8")
    relay = '[[mail.relays]]\nhost = "m.example"\nusername = "u"\npassword_file = "pw"\n'
    path = tmp_path / "config.toml"
    path.write_text(GOOD.replace("[replies]", f"{relay}[replies]"), encoding="utf-8")
    config = load_config(path)
    assert config.relays[0].password == "s3cret"
    assert "s3cret" not in repr(config)
