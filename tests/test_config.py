"""The configuration is read whole or refused aloud: every fault, with file, key and remedy."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import connectors
from monitor import config as models
from monitor.cli import cli
from monitor.config_file import load_config
from monitor.errors import ConfigError
from monitor.policy.matching.organisations import Organisation

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
        models.AbsenceConfig,
        models.AccountConfig,
        models.FormerOwner,
        models.SourceConfig,
        models.ClassifierConfig,
        models.RelayConfig,
        models.MailConfig,
        models.DigestConfig,
        models.RepliesConfig,
        models.CalendarConfig,
        models.DatabaseConfig,
        models.ChannelConfig,
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


DEPUTY = 'id = "slt-2"\n'
AWAY = "since = 2026-12-21, until = 2027-01-04"
ACCOUNT = """[[accounts]]
id = "page"
platform = "website"
url = "https://fellgate.example/"
school = "fellgate"
owner = "comms"
approved_by = ["slt-1", "comms"]
moderators = ["comms", "slt-2"]
former = [{ owner = "web", until = 2026-07-17, revoked_on = 2026-07-17, revoked_by = "slt-1" }]
"""


def absences(*tables: str, more: str = "") -> tuple[str, str]:
    """slt-2 with these absences, each the inside of an inline table."""
    inside = ", ".join(f"{{ {table} }}" for table in tables)
    return DEPUTY, f"{DEPUTY}absences = [{inside}]\n{more}"


DSL = 'id = "dsl-1"\n'
PEOPLE_FAULTS = [
    ("dates", [absences("since = 2026-12-21, until = 2026-12-20")], "until lies before since"),
    ("twice", [absences(AWAY, "since = 2027-01-04, until = 2027-01-09")], "overlaps another"),
    ("cover-nobody", [absences(f'{AWAY}, cover = "x"')], "people[3].absences[1].cover: nobody has"),
    ("cover-oneself", [absences(f'{AWAY}, cover = "slt-2"')], "nobody stands in for themselves"),
    ("cover-comms", [absences(f'{AWAY}, cover = "comms"')], "may not see what is for slt"),
    (
        "circle",
        [
            absences(f'{AWAY}, cover = "slt-1"'),
            (
                'id = "slt-1"\n',
                'id = "slt-1"\nabsences = [{ since = 2027-01-04, until = 2027-01-04, cover = "slt-2" }]\n',
            ),
        ],
        "cover goes in a circle",
    ),
    (
        "dsl-covered-by-slt",
        [(DSL, f'{DSL}absences = [{{ {AWAY}, cover = "slt-1" }}]\n')],
        "may not see what is for dsl: Name somebody who is deputy_dsl or dsl",
    ),
    (
        "authorised-by-comms",
        [(DEPUTY, f'{DEPUTY}authorised_by = "comms"\nauthorised_on = 2026-09-01\n')],
        "people[3].authorised_by: is no senior leader",
    ),
    (
        "authorised-by-oneself",
        [(DEPUTY, f'{DEPUTY}authorised_by = "slt-2"\nauthorised_on = 2026-09-01\n')],
        "nobody authorises themselves",
    ),
    ("authorised-never", [(DEPUTY, f'{DEPUTY}authorised_by = "slt-1"\n')], "belong together"),
    (
        "one-approver",
        [('roles = ["slt"]\n\n[[people]]\nid = "dsl', 'roles = ["hr"]\n\n[[people]]\nid = "dsl')],
        "approve a reply (slt) for Larkmoor Learning Trust, Fellgate High School",
    ),
    (
        "one-approver-for-the-trust",
        [
            (
                'roles = ["slt"]\n\n[[people]]\nid = "dsl',
                'roles = ["slt"]\nschools = ["fellgate"]\n\n[[people]]\nid = "dsl',
            )
        ],
        "approve a reply (slt) for Larkmoor Learning Trust. ",
    ),
    (
        "approvers-of-fierte",
        [("[replies]", '[ladder]\nprofile = "fierte"\n[replies]')],
        "approve a reply (dsl and slt) for",
    ),
    (
        "drafters-of-yes",
        [("[replies]", '[ladder]\nprofile = "yes"\n[replies]')],
        "nobody is authorised to draft",
    ),
    (
        "account-school",
        [("[mail]", ACCOUNT.replace('school = "fellgate"', 'school = "elsewhere"') + "[mail]")],
        "accounts[1].school: no such school or trust",
    ),
    (
        "account-owner",
        [("[mail]", ACCOUNT.replace('owner = "comms"', 'owner = "x"') + "[mail]")],
        "accounts[1].owner: nobody has this id",
    ),
    (
        "account-approved-once",
        [("[mail]", ACCOUNT.replace('["slt-1", "comms"]', '["slt-1", "slt-1"]') + "[mail]")],
        "two different people approve an account",
    ),
    (
        "account-approved-by-no-leader",
        [("[mail]", ACCOUNT.replace('["slt-1", "comms"]', '["dsl-1", "comms"]') + "[mail]")],
        "no head or senior leader approved it",
    ),
    (
        "account-not-handed-over",
        [("[mail]", ACCOUNT.replace('owner = "web"', 'owner = "comms"') + "[mail]")],
        "accounts[1].former[1].owner: still owns or moderates",
    ),
    (
        "account-revoked-by-nobody",
        [("[mail]", ACCOUNT.replace('revoked_by = "slt-1"', 'revoked_by = "web"') + "[mail]")],
        "is not somebody else in [[people]]",
    ),
    ("account-twice", [("[mail]", ACCOUNT + ACCOUNT + "[mail]")], "accounts[2].id: given twice"),
    (
        "source-of-no-account",
        [('kind = "rss"\n', 'kind = "rss"\naccount = "nosuch"\n')],
        "'gazette' reads an account that is not there",
    ),
]


@pytest.mark.parametrize(
    ("changes", "expected"), [f[1:] for f in PEOPLE_FAULTS], ids=[f[0] for f in PEOPLE_FAULTS]
)
def test_fault_of_people_is_named(
    refused: Callable[..., list[str]], changes: list[tuple[str, str]], expected: str
) -> None:
    """Each fault of people, cover and accounts names its key and the remedy, and brings no other."""
    faults = refused(*changes)
    problem, _, remedy = expected.partition(": Name")
    assert all(problem in fault and remedy in fault for fault in faults), faults
    assert all(". " in fault for fault in faults), "a remedy follows the problem"


def test_people_and_accounts_are_read(tmp_path: Path) -> None:
    """Absences, authorisation, the register and the sources on our own accounts become values."""
    path = tmp_path / "config.toml"
    text = GOOD.replace(
        *absences(f'{AWAY}, cover = "slt-1"', "since = 2027-02-01, until = 2027-02-01")
    )
    text = text.replace("[mail]", f"{ACCOUNT}[mail]")
    path.write_text(text.replace('kind = "rss"\n', 'kind = "rss"\naccount = "page"\n'), "utf-8")
    config = load_config(path)
    (deputy,) = (person for person in config.people if person.id == "slt-2")
    assert [absence.cover for absence in deputy.absences] == ["slt-1", None]
    assert deputy.away(date(2027, 1, 4)) == deputy.absences[0]
    assert config.accounts[0].former[0].owner == "web"
    assert models.own_sources(config) == {"gazette"}


def test_schools_with_their_own_approvers(tmp_path: Path) -> None:
    """One trust-wide leader and one of the school's own are two for the school; the trust needs two."""
    path = tmp_path / "config.toml"
    third = (
        '[[people]]\nid = "slt-3"\nname = "T"\nemail = "t@x.example"\nroles = ["slt"]\n'
        'schools = ["fellgate"]\n'
    )
    path.write_text(GOOD + third, encoding="utf-8")
    assert load_config(path).people[-1].schools == {"fellgate"}


def test_ambiguous_school_without_a_place(refused: Callable[..., list[str]]) -> None:
    """A St Mary's without town, county or postcode is refused: it would match the whole country."""
    faults = refused(
        ('name = "Fellgate High School"\ntown = "Fellgate"', 'name = "St Mary\'s Primary School"')
    )
    assert any("town" in fault for fault in faults), faults


def test_one_person_under_three_names(refused: Callable[..., list[str]]) -> None:
    """Two people means two addresses: one person can't approve their own reply."""
    faults = refused(("director@", "comms@"), ("deputy@", "comms@"), ("dsl@", "comms@"))
    assert any("fewer than two people" in fault for fault in faults)


def test_all_faults_at_once(refused: Callable[..., list[str]]) -> None:
    """Three faults in three tables are three lines of one refusal."""
    faults = refused(
        ("Europe/London", "Nowhere"), ('["dsl"]', '["boss"]'), ("[replies]", "[replies]\nx = 1")
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


def test_paths_of_sources_are_relative_to_the_file(tmp_path: Path) -> None:
    """A source's files and folders are looked for beside the configuration, like every other path;
    where the configuration lies makes no other source of it."""
    text = GOOD + '\n[[sources]]\nid = "drop"\nkind = "file_drop"\nfolder = "inbox"\n'
    found = []
    for name in ("here", "there"):
        folder = tmp_path / name
        (folder / "inbox").mkdir(parents=True)
        (folder / "config.toml").write_text(text, encoding="utf-8")
        found.append(load_config(folder / "config.toml").sources[-1])
        assert found[-1].settings.folder == folder / "inbox"
    assert found[0].fingerprint == found[1].fingerprint
