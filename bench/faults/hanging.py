"""Half of forty sources hang, drip or answer 5xx: the others are asked on time, late by two intervals at
most."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Self

from bench.faults.offering import Feed
from bench.faults.report import Row, faults_of
from bench.faults.world import ROOT, TRUST
from tests.delivery.smtp_faults import FaultyServer

EVERY_S = 5
HEAD = """
[mail]
sender = "monitor@trust.example"
[[mail.relays]]
host = "127.0.0.1"
port = {port}
security = "none"
"""
GOOD = '[[sources]]\nid = "good-{n}"\nkind = "numbered"\nevery_s = 5\nurl = "{url}"\n'
BAD = (
    '[[sources]]\nid = "bad-{n}"\nkind = "rss"\nevery_s = 5\nurl = "{url}"\nallow_private = true\n'
)


class Misbehaving:
    """A server on which every third connection hangs, drips, or is answered with 503."""

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self._listener.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(
                    target=self._misbehave, args=(sock, self.connections % 3), daemon=True
                ).start()

    @staticmethod
    def _misbehave(sock: socket.socket, how: int) -> None:
        with contextlib.suppress(OSError), sock:
            sock.recv(4096)
            if how == 0:
                time.sleep(60)
            elif how == 1:
                sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\n\r\n<rss>")
                for _ in range(60):
                    sock.sendall(b" ")
                    time.sleep(1)
            else:
                sock.sendall(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")


class Asked(Feed):
    """Remembers when it was asked."""

    def answer(self, after: int) -> list[tuple[int, str, str]]:
        self.times.append(time.monotonic())
        return super().answer(after)

    times: list[float]


def half(sources: int, minutes: float) -> Row:
    """`sources` sources, half of them bad, for so long."""
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="faults-hanging-"))
    with contextlib.ExitStack() as stack:
        relay = stack.enter_context(FaultyServer())
        bad = stack.enter_context(Misbehaving())
        feeds = []
        for number in range(sources // 2):
            feed = Asked(lambda draw: draw.choice((0, 1)), number)
            feed.times = []
            feeds.append(stack.enter_context(feed))
        text = TRUST.read_text(encoding="utf-8") + HEAD.format(port=relay.port)
        text += "".join(GOOD.format(n=n, url=feed.url) for n, feed in enumerate(feeds))
        text += "".join(
            BAD.format(n=n, url=f"http://127.0.0.1:{bad.port}/{n}") for n in range(sources // 2)
        )
        (folder / "config.toml").write_text(text, encoding="utf-8")
        with (folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "bench.faults.plain", str(folder / "config.toml")],
                stdout=log,
                stderr=log,
                cwd=ROOT,
            )
        time.sleep(minutes * 60)
        process.send_signal(signal.SIGTERM)
        status = process.wait(90)
        now = time.monotonic()
        gaps = [
            later - sooner
            for feed in feeds
            for sooner, later in zip(feed.times, [*feed.times[1:], now], strict=False)
        ]
        asked = min(len(feed.times) for feed in feeds)
    late = (max(gaps, default=float("inf")) - EVERY_S) / EVERY_S
    return Row(
        fault="half of the sources hang, drip or fail",
        volume=f"{sources} sources, {minutes:g} min at {EVERY_S} s, {bad.connections} bad answers",
        note=f"others late by {late:.1f} intervals at most; the rarest was asked {asked} times; "
        f"exit status {status}",
        faults=faults_of(others_late=late > 2, not_asked=asked < 2),
        minutes=(time.monotonic() - began) / 60,
    )
