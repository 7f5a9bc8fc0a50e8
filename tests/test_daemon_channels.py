"""The daemon with another channel beside its mail: processes and sockets as its users have them."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from monitor.daemon import STOP_WITHIN_S
from monitor.delivery.apprise import ANSWER_S, BEGIN_S
from tests.connectors.feed_server import FeedServer
from tests.delivery.smtp_faults import Fault, FaultyServer
from tests.delivery.webhook import Webhook
from tests.test_daemon import FEED, REST, SCHOOL, THREAT

pytest.importorskip("apprise", reason="NOT TESTED: the extra `channels` (Apprise) is not installed")

CHANNEL = """
[[channels]]
id = "sms-slt"
people = ["slt"]
url_file = "sms-url"
"""


@pytest.fixture
def feed() -> Iterator[FeedServer]:
    server = FeedServer()
    server.feed = FEED.format(text=THREAT).encode()
    yield server
    server.stop()


@pytest.fixture
def run(
    tmp_path: Path, feed: FeedServer
) -> Iterator[Callable[[int, Webhook], subprocess.Popen[str]]]:
    """Start the monitor with this mail server and this gateway."""
    started: list[subprocess.Popen[str]] = []

    def begin(smtp: int, hook: Webhook) -> subprocess.Popen[str]:
        text = SCHOOL.read_text("utf-8") + REST.format(feed=feed.url, smtp=smtp) + CHANNEL
        (tmp_path / "config.toml").write_text(text, encoding="utf-8")
        (tmp_path / "sms-url").write_text(hook.url, encoding="utf-8")
        process = subprocess.Popen(
            [sys.executable, "-m", "monitor", "run", "--config", str(tmp_path / "config.toml")],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()


def until(condition: Callable[[], object], within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(condition())


def test_a_mailbox_that_is_no_more_is_a_text_message_at_once(run, tmp_path: Path) -> None:
    """550 for the recipient: within seconds the gateway has the case's number and none of its words,
    and the log has neither these nor the gateway's token."""
    with FaultyServer(Fault.RCPT_5) as server, Webhook() as hook:
        process = run(server.port, hook)
        assert until(lambda: hook.got or process.poll(), within_s=40)
        process.send_signal(signal.SIGTERM)
        log, _ = process.communicate(timeout=30)
        assert process.returncode == 0
    (got,) = hook.got
    assert "Urgent: case 20" in got["title"]
    assert "Quenby Moor Academy" in got["message"]
    for secret in ("zebra", "kill", "t0ken"):
        assert secret not in log
        assert secret not in str(got)
    assert "escalated" in log


def test_a_gateway_that_hangs_ends_before_the_monitor_has_to() -> None:
    """However long a gateway keeps the connection, SIGTERM has to wait for less than its bound."""
    assert ANSWER_S + BEGIN_S < STOP_WITHIN_S
