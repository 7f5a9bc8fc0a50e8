"""Health in the configuration: its port, its canary and its heartbeat, or what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config_file import load_config
from monitor.errors import ConfigError
from monitor.health.service import folders_of, rules_of

ROOT = Path(__file__).resolve().parents[1]
GOOD = (ROOT / "tests/data/config/quenby.toml").read_text(encoding="utf-8")
REST = """
[[sources]]
id = "feed"
kind = "rss"
url = "https://feed.example/rss"
[mail]
sender = "monitor@trust.example"
channel = "folder"
folder = "mail"
"""
HEALTH = """
[health]
port = 8799
disk_free_mb = 2000
[canary]
recipient = "canary@trust.example"
[heartbeat]
url_file = "heart"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "heart").write_text("https://hc.example/t0ken\n", encoding="utf-8")
    return tmp_path / "config.toml"


def test_all_of_it_is_read(path: Path) -> None:
    """Port, canary and the heartbeat's secret address, which is shown by nothing that shows the
    configuration; what the trust says of its disk goes before our own bound."""
    path.write_text(GOOD + REST + HEALTH, encoding="utf-8")
    config = load_config(path)
    assert config.health is not None
    assert config.health.port == 8799
    assert config.canary is not None
    assert config.heartbeat_url is not None
    assert config.heartbeat_url.get_secret_value() == "https://hc.example/t0ken"
    assert "t0ken" not in repr(config)
    assert rules_of(config).disk_free_mb == 2000
    assert path.parent.resolve() / "mail" in folders_of(config)


def test_none_of_it_is_needed(path: Path) -> None:
    """Without the tables no port is opened and nothing flies."""
    path.write_text(GOOD + REST, encoding="utf-8")
    config = load_config(path)
    assert (config.health, config.canary, config.heartbeat_url) == (None, None, None)
    assert rules_of(config).disk_free_mb == 500


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[health]\nport = 8799\ndisk_free_mb = 2000\n", "", "config.toml: canary: needs [health]"),
        ('[canary]\nrecipient = "canary@trust.example"\n', "", "heartbeat: needs [canary]"),
        ("canary@trust.example", "SLT@trust.example", "canary.recipient: is the address of one of"),
        ("canary@trust.example", "everybody", "canary.recipient: "),
        ('url_file = "heart"', "", "give url_file or url_credential"),
        ('url_file = "heart"', 'url_file = "nowhere"', "heartbeat.url_file: secret file"),
        ('url_file = "heart"', 'url_file = "config.toml"', "heartbeat: holds no web address"),
        ("port = 8799", "port = 99999", "health.port"),
        ("port = 8799", 'host = "0.0.0.0"', "health.host"),
    ],
)
def test_what_is_refused(path: Path, old: str, new: str, says: str) -> None:
    """Each fault names its key; the canary can't be sent to a person, and nothing can open the port to
    other machines."""
    assert old in HEALTH
    path.write_text(GOOD + REST + HEALTH.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert says in str(caught.value)
    assert "t0ken" not in str(caught.value)


@pytest.mark.parametrize("name", [":canary", "Canary:1"])
def test_no_source_can_be_called_as_the_canary(path: Path, name: str) -> None:
    """The mark that keeps the canary from being alerted can't be configured for a real source."""
    path.write_text(GOOD + REST.replace('id = "feed"', f'id = "{name}"'), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"sources\[1\]\.id"):
        load_config(path)
