"""The daemon as its users run it: a process, a feed over HTTP, mail over SMTP, signals."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from tests.connectors.feed_server import FeedServer

SCHOOL = Path(__file__).parent / "data/config/quenby.toml"
REST = """
[[sources]]
id = "feed"
kind = "rss"
every_s = 5
url = "{feed}"
allow_private = true
[mail]
sender = "monitor@trust.example"
[[mail.relays]]
host = "127.0.0.1"
port = {smtp}
security = "none"
"""
THREAT = "I am going to kill the head of Quenby Moor Academy tomorrow, zebra."
FEED = """<rss version="2.0"><channel><title>Gazette</title>
<item><guid isPermaLink="false">1</guid><title>Letters</title><description>{text}</description></item>
</channel></rss>"""


class Inbox:
    def __init__(self) -> None:
        self.mails: list[tuple[list[str], bytes]] = []

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: object, _session: object, envelope: object
    ) -> str:
        self.mails.append((envelope.rcpt_tos, envelope.content))  # type: ignore[attr-defined]
        return "250 OK"


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, int]]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    box = Inbox()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


@pytest.fixture
def feed() -> Iterator[FeedServer]:
    server = FeedServer()
    server.feed = FEED.format(text=THREAT).encode()
    yield server
    server.stop()


Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path, feed: FeedServer, inbox: tuple[Inbox, int]) -> Iterator[Start]:
    text = SCHOOL.read_text("utf-8") + REST.format(feed=feed.url, smtp=inbox[1])
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        words = arguments or ("run",)
        process = subprocess.Popen(
            [sys.executable, "-m", "monitor", *words, "--config", str(tmp_path / "config.toml")],
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()


def until(condition: Callable[[], object], within_s: float = 30) -> bool:
    deadline = time.monotonic() + within_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(condition())


def test_urgent_post_is_in_the_inbox_within_a_minute(
    start: Start, inbox: tuple[Inbox, int]
) -> None:
    """A threat in a feed is an alert in a senior leader's inbox; SIGTERM then ends with 0, and the
    log holds nothing of what was said."""
    box, _ = inbox
    process = start()
    assert until(lambda: box.mails), "no alert arrived"
    recipients, message = box.mails[0]
    assert recipients == ["slt@trust.example"]
    assert b"URGENT" in message
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=50)
    assert process.returncode == 0, output
    assert "zebra" not in output
    assert "slt@trust.example" not in output
    assert len(box.mails) == 1


def test_killed_and_started_again_alerts_once(start: Start, inbox: tuple[Inbox, int]) -> None:
    """After kill -9 the next start knows what was done: one alert, not two."""
    box, _ = inbox
    process = start()
    assert until(lambda: box.mails)
    time.sleep(0.5)
    process.kill()
    process.wait()
    second = start()
    time.sleep(4)
    second.send_signal(signal.SIGTERM)
    output, _ = second.communicate(timeout=50)
    assert second.returncode == 0, output
    assert len(box.mails) == 1


def test_second_instance_is_refused(start: Start, inbox: tuple[Inbox, int]) -> None:
    """Two monitors on one state directory would send everything twice: the second says so and ends."""
    box, _ = inbox
    start()
    assert until(lambda: box.mails)
    output, _ = (second := start()).communicate(timeout=20)
    assert second.returncode == 1
    assert "another trust-monitor is running" in output


def test_service_manager_hears_from_us(
    start: Start, tmp_path: Path, inbox: tuple[Inbox, int]
) -> None:
    """systemd is told when we are ready, that every loop makes progress, and when we stop."""
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(path)
        sock.settimeout(30)
        process = start("run", NOTIFY_SOCKET=path, WATCHDOG_USEC="1000000")
        heard = [sock.recv(64).decode() for _ in range(2)]
        process.send_signal(signal.SIGTERM)
        process.wait(50)
        while not heard[-1].startswith("STOPPING"):
            heard.append(sock.recv(64).decode())
    assert heard[:2] == ["READY=1", "WATCHDOG=1"]


def test_check_tries_everything(start: Start, feed: FeedServer) -> None:
    """`check` shows a row for the database, the classifier, the mail server and the source."""
    output, _ = (process := start("check")).communicate(timeout=30)
    assert process.returncode == 0, output
    assert "1 posts, 1 about your schools" in output
    feed.status = 404
    output, _ = (process := start("check")).communicate(timeout=30)
    assert process.returncode == 1
    assert "FAILED" in output


def test_a_model_that_cannot_be_loaded_ends_the_start(start: Start, tmp_path: Path) -> None:
    """A broken model is said at start, not found out by the first urgent post."""
    (tmp_path / "model").mkdir()
    path = tmp_path / "config.toml"
    broken = 'kind = "transformer"\nmodel = "model"'
    path.write_text(path.read_text("utf-8").replace('kind = "lexicon"', broken), "utf-8")
    output, _ = (process := start()).communicate(timeout=60)
    assert process.returncode == 1
    assert str(tmp_path / "model") in output.splitlines()[-1]
