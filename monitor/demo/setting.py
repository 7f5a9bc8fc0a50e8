"""The demo's stage: a state directory of its own, and a configuration of three invented schools."""

from __future__ import annotations

from datetime import time
from importlib import resources
from pathlib import Path
from string import Template

from monitor import lock
from monitor.demo.site import FEEDS
from monitor.errors import MonitorError

MARKER = "made-by-trust-monitor-demo"
POLL_EVERY_S = 5
_OURS = ("config.toml", "monitor.db", "monitor.db-wal", "monitor.db-shm")
_MAIL = ("*.eml", "*.html")


def prepare(state: Path, *, site_url: str, digest_at: time) -> Path:
    """Empty `state` of an earlier demo's files, and write the configuration; returns its path.

    Raises MonitorError when `state` holds anything and is not a demo's, when another demo runs on
    it, or when it can't be written.
    """
    try:
        _claim(state)
        with lock.only_instance(state):
            _clear(state)
            config = state / "config.toml"
            config.write_text(_config(site_url, digest_at), encoding="utf-8")
            (state / "mail").mkdir(exist_ok=True)
    except OSError as error:
        raise MonitorError(
            f"{state}: {error.strerror}. Give --state a directory that this user may write to."
        ) from error
    return config


def _claim(state: Path) -> None:
    marker = state / MARKER
    if state.exists() and not marker.is_file() and (not state.is_dir() or any(state.iterdir())):
        raise MonitorError(
            f"{state}: exists, and no demo made it, so nothing in it is touched. "
            "Give --state the name of a new or empty directory."
        )
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    marker.write_text(
        "The next `trust-monitor demo` here deletes config.toml, monitor.db and the mail.\n",
        encoding="utf-8",
    )


def _clear(state: Path) -> None:
    """Only what a demo makes, by name: whatever else somebody put here stays."""
    for name in _OURS:
        (state / name).unlink(missing_ok=True)
    for pattern in _MAIL:
        for letter in (state / "mail").glob(pattern):
            letter.unlink()


def _config(site_url: str, digest_at: time) -> str:
    template = resources.files("monitor.demo").joinpath("demo.toml").read_text(encoding="utf-8")
    sources = "\n".join(
        f"[[sources]]\n"
        f'id = "{feed.name}"\n'
        f'kind = "rss"\n'
        f'url = "{site_url}{feed.path}"\n'
        f"every_s = {POLL_EVERY_S}\n"
        f"allow_private = true\n"
        for feed in FEEDS
    )
    return Template(template).substitute(digest_at=digest_at.isoformat("seconds"), sources=sources)
