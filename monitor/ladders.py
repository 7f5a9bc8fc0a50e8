"""Where ladders lie: the packaged profiles, and a trust's own file that inherits from one."""

from __future__ import annotations

from functools import partial
from importlib import resources
from pathlib import Path

from monitor.errors import ConfigError, Fault
from monitor.policy.ladder import Ladder, load_profile

_FOLDER = resources.files("monitor").joinpath("data", "ladders")


def profiles() -> tuple[str, ...]:
    """The names of the packaged profiles, "base" first."""
    names = sorted(entry.name.removesuffix(".toml") for entry in _FOLDER.iterdir())
    return ("base", *(name for name in names if name != "base"))


def load(profile: str) -> Ladder:
    """A packaged profile. Raises ConfigError when there is none of that name."""
    return load_profile(profile, packaged)


def load_file(path: Path) -> Ladder:
    """A trust's own ladder file, laid over the packaged profile that it inherits from.

    Raises ConfigError when it can't be read, or with every fault in it.
    """
    return load_profile(path.name, partial(_own, path))


def configured(profile: str, file: Path | None) -> Ladder:
    """The trust's ladder: its own file, or else a packaged profile. Raises ConfigError."""
    return load_file(file) if file else load(profile)


def packaged(profile: str) -> str:
    """The TOML text of a packaged profile. Raises ConfigError when there is none of that name."""
    if profile not in profiles():
        raise ConfigError(
            [
                Fault(
                    "ladder",
                    f"no profile '{profile}'",
                    f"Use one of: {', '.join(profiles())}; or name a file of your own",
                )
            ]
        )
    return _FOLDER.joinpath(f"{profile}.toml").read_text(encoding="utf-8")


def _own(path: Path, name: str) -> str:
    if name != path.name:
        return packaged(name)
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not text"
        raise ConfigError([Fault(str(path), reason, "Check the path")]) from error
