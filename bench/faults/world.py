"""A trust's configuration, and the warm parent as the harness speaks to it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[2]
TRUST = ROOT / "tests/data/config/quenby.toml"
REST = """
[[sources]]
id = "numbered"
kind = "numbered"
every_s = 5
url = "{url}"
[mail]
sender = "monitor@trust.example"
[[mail.relays]]
host = "127.0.0.1"
port = {port}
security = "none"
"""


def write_config(folder: Path, *, url: str, port: int, database: str = "", more: str = "") -> Path:
    """config.toml in `folder`: one school, one numbered source, one relay; an empty `database` is
    SQLite in its state folder."""
    text = TRUST.read_text(encoding="utf-8") + REST.format(url=url, port=port) + more
    if database:
        text += f'[database]\nurl = "{database}"\n'
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


class Warm:
    """The warm parent as a process; its children's log is `folder`/log."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self.log = config.parent / "log"

    def __enter__(self) -> Self:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bench.faults.warm", str(self._config)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=ROOT,
                text=True,
                bufsize=1,
            )
        self._heard()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(60)

    def say(self, order: str) -> str:
        """Give an order and wait for its answer."""
        assert self._process.stdin
        self._process.stdin.write(order + "\n")
        return self._heard()

    def _heard(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline().strip()
        if not line:
            raise RuntimeError(f"the warm parent ended: see {self.log}")
        return line
