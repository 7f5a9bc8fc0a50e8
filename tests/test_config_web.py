"""The [web] table: off unless asked for, and never open to others without TLS."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config_file import load_config
from monitor.errors import ConfigError

GOOD = (Path(__file__).parent / "data/config/good.toml").read_text(encoding="utf-8")


def load(folder: Path, table: str):
    path = folder / "config.toml"
    path.write_text(f"{GOOD}\n{table}\n", encoding="utf-8")
    return load_config(path).web


def test_there_is_no_page_unless_asked_for(tmp_path: Path) -> None:
    """Without the table nothing listens."""
    assert load(tmp_path, "") is None


def test_it_listens_on_this_machine(tmp_path: Path) -> None:
    """By default only this machine, where a reverse proxy is."""
    web = load(tmp_path, '[web]\npublic_url = "https://monitor.trust.example"')
    assert web is not None
    assert (web.host, web.port) == ("127.0.0.1", 8765)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('[web]\nhost = "0.0.0.0"', "no certificate"),
        ('[web]\ncertificate = "web.pem"', "belong together"),
        ('[web]\ncertificate = "web.pem"\nkey = "key.pem"', "no such file: web.pem"),
        ('[web]\npublic_url = "monitor.trust.example"', "https://"),
        ("[web]\nport = 0", "web.port"),
    ],
)
def test_what_is_unsafe_or_wrong_is_refused(tmp_path: Path, table: str, said: str) -> None:
    """The fault names what is wrong, before anything listens."""
    with pytest.raises(ConfigError, match=said):
        load(tmp_path, table)
