"""Other channels in the configuration: read with their secrets, or refused aloud without them."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.app import build
from monitor.commands import check
from monitor.config_file import load_config
from monitor.errors import ConfigError

ROOT = Path(__file__).resolve().parents[1]
GOOD = (ROOT / "tests/data/config/good.toml").read_text(encoding="utf-8")
CHANNEL = '\n[[channels]]\nid = "sms-dsl"\npeople = ["dsl-1"]\nurl_file = "sms-url"\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "sms-url").write_text("json://gateway.example/t0ken\n", encoding="utf-8")
    return tmp_path / "config.toml"


def test_a_channel_is_read_with_its_secret(path: Path) -> None:
    """The URL comes from its file, and is shown by nothing that shows the configuration."""
    path.write_text(GOOD + CHANNEL, encoding="utf-8")
    config = load_config(path)
    (sms,) = config.channels
    assert sms.channel.personal
    assert sms.channel.people == ("dsl-1",)
    assert sms.url.get_secret_value() == "json://gateway.example/t0ken"
    assert "t0ken" not in repr(config)


def test_a_credential_of_systemd_will_do(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same secret by LoadCredential=."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(path.parent))
    text = CHANNEL.replace('url_file = "sms-url"', 'url_credential = "sms-url"')
    path.write_text(GOOD + text, encoding="utf-8")
    assert "t0ken" in load_config(path).channels[0].url.get_secret_value()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('people = ["dsl-1"]', "people = []"), "channels[1].people"),
        (('people = ["dsl-1"]', 'people = ["dsl-9"]'), "nobody has the id 'dsl-9'"),
        (('"sms-url"', '"nowhere"'), "channels[1].url_file: secret file"),
        (('url_file = "sms-url"', ""), "give url_file or url_credential"),
        (('url_file = "sms-url"', 'url = "json://t0ken"'), "channels[1].url: unknown key"),
        (('id = "sms-dsl"', 'id = "SMS!"'), "channels[1].id"),
        ((CHANNEL, CHANNEL * 2), "channels[2].id: given twice"),
    ],
)
def test_a_faulty_channel_is_refused(path: Path, change: tuple[str, str], says: str) -> None:
    """Each fault names its key; no message repeats a URL."""
    path.write_text((GOOD + CHANNEL).replace(*change), encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        load_config(path)
    told = "\n".join(str(fault) for fault in raised.value.faults)
    assert says in told
    assert "t0ken" not in told


def test_check_says_where_a_channel_leads_and_who_reads_it(path: Path) -> None:
    """`trust-monitor check` has a row for each; a URL that makes no sense fails, and is not shown."""
    pytest.importorskip("apprise", reason="NOT TESTED: the extra `channels` is not installed")
    path.write_text(GOOD + CHANNEL, encoding="utf-8")
    (good,) = check._channels(build(load_config(path)))
    assert (good.ok, good.what) == (True, "channel sms-dsl")
    assert "for dsl-1" in good.detail
    (path.parent / "sms-url").write_text("carrierpigeon://t0ken", encoding="utf-8")
    (bad,) = check._channels(build(load_config(path)))
    assert not bad.ok
    assert "t0ken" not in bad.detail
