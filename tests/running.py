"""A monitor that runs as its users run it: a process, its configuration, its log."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SCHOOL = Path(__file__).parent / "data/config/quenby.toml"


class Running:
    """Set `text`, then `start`. `events` are the log's lines so far."""

    def __init__(self, folder: Path, text: str) -> None:
        self.folder, self.text = folder, text
        self.log = folder / "log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    def write(self, text: str | None = None) -> None:
        self.config.write_text(self.text if text is None else text, encoding="utf-8")

    def start(self, **environment: str) -> None:
        self.write()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "monitor", "run", "--config", str(self.config)],
                env=os.environ | environment,
                stdout=log,
                stderr=log,
            )

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "monitor", *words, "--config", str(self.config)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def signal(self, number: signal.Signals) -> None:
        assert self.process
        self.process.send_signal(number)

    def stop(self, within_s: float = 50) -> tuple[int, float]:
        """SIGTERM; the exit status, and after how many seconds it came."""
        assert self.process
        began = time.monotonic()
        self.signal(signal.SIGTERM)
        return self.process.wait(within_s), time.monotonic() - began

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    def events(self, name: str = "") -> list[dict[str, Any]]:
        lines = self.log.read_text("utf-8").splitlines() if self.log.exists() else []
        told = [json.loads(line) for line in lines if line.startswith("{")]
        return [event for event in told if name in {"", event["event"]}]

    def said(self) -> str:
        return self.log.read_text("utf-8")

    def hears(self, name: str, times: int = 1, within_s: float = 30) -> bool:
        return until(lambda: len(self.events(name)) >= times, within_s)


def until(condition: Callable[[], object], within_s: float = 30) -> bool:
    deadline = time.monotonic() + within_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(condition())


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
