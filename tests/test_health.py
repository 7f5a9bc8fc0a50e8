"""Health as those who look at it see it: the real daemon, its port, its command, the outside."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from monitor.config_file import load_config
from monitor.health.machine import ClockWatch
from tests.connectors.feed_server import FeedServer, running
from tests.fakes import FakeClock
from tests.test_canary import free_port
from tests.test_daemon import Inbox, Start, feed, inbox, start, until  # noqa: F401 - fixtures

BOX = "canary@trust.example"
HEART = "ping-4711-secret"


@dataclass
class Ward:
    """A configured monitor, to be started and looked at. `outside` receives the heartbeat."""

    folder: Path
    start: Start
    feed: FeedServer
    box: Inbox
    outside: FeedServer
    port: int

    def configure(self, text: str) -> None:
        path = self.folder / "config.toml"
        path.write_text(path.read_text("utf-8") + text, "utf-8")

    def change(self, old: str, new: str) -> None:
        path = self.folder / "config.toml"
        assert old in path.read_text("utf-8")
        path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")

    def get(self, path: str, host: str | None = None) -> httpx2.Response | None:
        headers = {"Host": host} if host else {}
        try:
            with httpx2.Client(trust_env=False) as client:
                return client.get(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        except httpx2.HTTPError:
            return None

    def healthz(self) -> tuple[int, list[str]]:
        answer = self.get("/healthz")
        if answer is None:
            return 0, []
        return answer.status_code, [each["reason"] for each in answer.json()["problems"]]

    def is_ready(self) -> bool:
        answer = self.get("/healthz")
        return answer is not None and bool(answer.json()["program"]["ready"])

    def status(self, *more: str) -> tuple[int, str]:
        process = self.start("status", *more)
        output, _ = process.communicate(timeout=30)
        return process.returncode, output

    def to(self, address: str) -> int:
        return sum(address in recipients for recipients, _ in self.box.mails)


@pytest.fixture
def ward(
    start: Start,  # noqa: F811
    feed: FeedServer,  # noqa: F811
    inbox: tuple[Inbox, int],  # noqa: F811
    tmp_path: Path,
) -> Iterator[Ward]:
    with running() as outside:
        found = Ward(tmp_path, start, feed, inbox[0], outside, free_port())
        found.configure(f"[health]\nport = {found.port}\n")
        yield found


def with_canary(ward: Ward) -> None:
    (ward.folder / "heartbeat").write_text(f"http://127.0.0.1:{ward.outside.port}/{HEART}\n")
    ward.configure(f'[canary]\nrecipient = "{BOX}"\n[heartbeat]\nurl_file = "heartbeat"\n')


def test_a_canary_flies_and_the_outside_hears(ward: Ward) -> None:
    """The daemon lets a canary fly: its mail arrives in its box, the heartbeat is told after that, the
    figures know it; people get their alert, and nothing of the canary."""
    with_canary(ward)
    process = ward.start()
    assert until(lambda: ward.to(BOX), 30), "no canary arrived"
    assert until(lambda: ward.outside.paths, 30), "the outside heard nothing"
    assert until(lambda: ward.to("slt@trust.example"), 10)
    assert ward.outside.paths == [f"/{HEART}"]
    assert until(lambda: ward.healthz() == (200, []), 15), ward.healthz()
    answer = ward.get("/metrics")
    assert answer is not None
    assert "trust_monitor_canary_seconds" in answer.text
    code, shown = ward.status()
    assert code == 0, shown
    assert "WELL: nothing needs anybody now." in shown
    assert "canary" in shown
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=50)
    assert process.returncode == 0, output
    assert HEART not in output + shown + answer.text
    assert BOX not in output + shown + answer.text
    assert {to for (to,) in (recipients for recipients, _ in ward.box.mails)} == {
        BOX,
        "slt@trust.example",
    }


def test_trouble_is_told_everywhere_in_the_same_words(ward: Ward) -> None:
    """With too little disk: /healthz is 503, the outside hears /fail within seconds and no good news
    though a canary arrived, and `status` ends with 1 and says what to do."""
    with_canary(ward)
    ward.change(f"port = {ward.port}\n", f"port = {ward.port}\ndisk_free_mb = 1000000000\n")
    process = ward.start()
    assert until(lambda: f"/{HEART}/fail" in ward.outside.paths, 40)
    assert until(lambda: ward.to(BOX), 30)
    code, reasons = ward.healthz()
    assert (code, "disk_low" in reasons) == (503, True)
    assert f"/{HEART}" not in ward.outside.paths
    code, shown = ward.status()
    assert code == 1
    assert "NOT WELL: one thing needs somebody now." in shown
    assert "Free some space there" in " ".join(shown.split())
    code, text = ward.status("--json")
    document = json.loads(text)
    assert (code, document["status"]) == (1, "failing")
    answer = ward.get("/healthz")
    assert answer is not None
    says = [problem["do"] for problem in answer.json()["problems"]]
    assert says == [problem["do"] for problem in document["problems"]]
    process.send_signal(signal.SIGTERM)
    process.wait(50)


def test_figures_for_prometheus(ward: Ward) -> None:
    """/metrics parses, has the promised families with base units, and no label but known words: no
    address, no case, nothing of the post."""
    ward.start()
    assert until(lambda: ward.to("slt@trust.example"), 60)

    def delivered() -> bool:
        answer = ward.get("/metrics")
        return answer is not None and 'trust_monitor_queue_waiting{queue="urgent"} 0' in answer.text

    assert until(delivered, 20)
    answer = ward.get("/metrics")
    assert answer is not None
    families = {each.name: each for each in text_string_to_metric_families(answer.text)}
    wanted = (
        "trust_monitor_stage_seconds",
        "trust_monitor_model_seconds",
        "trust_monitor_model_posts",
        "trust_monitor_delivery_attempts",
        "trust_monitor_polls",
        "trust_monitor_queue_oldest_seconds",
        "trust_monitor_source_silent_seconds",
        "trust_monitor_leases",
        "trust_monitor_suppressed",
        "trust_monitor_loop_progress_seconds",
        "trust_monitor_disk_free_bytes",
        "trust_monitor_healthy",
        "process_open_fds",
        "process_resident_memory_bytes",
    )
    assert [name for name in wanted if name not in families] == []
    counts = {
        sample.labels["stage"]: sample.value
        for sample in families["trust_monitor_stage_seconds"].samples
        if sample.name.endswith("_count")
    }
    assert counts == {"stored": 1, "assessed": 1, "accepted": 1}
    labels = {
        value
        for family in families.values()
        for sample in family.samples
        for key, value in sample.labels.items()
        if key not in {"le", "path", "version"}
    }
    assert all(word.replace("_", "").replace("-", "").isalpha() for word in labels), labels
    for secret in ("zebra", "trust.example", "Quenby", "2026-"):
        assert secret not in answer.text.replace(str(ward.folder), "")


def test_only_this_machine_may_look(ward: Ward) -> None:
    """The port is bound to loopback, and a page in a browser that calls it by another name gets
    nothing."""
    ward.start()
    assert until(lambda: ward.get("/healthz"))
    answer = ward.get("/healthz", host="evil.example")
    assert answer is not None
    assert answer.status_code == 400
    own = socket.gethostbyname(socket.gethostname())
    if not own.startswith("127."):
        with pytest.raises(OSError, match=r"."), socket.create_connection((own, ward.port), 1):
            pass
    missing = ward.get("/canary.xml")
    assert missing is not None
    assert missing.status_code == 404  # none is configured


def test_a_monitor_that_does_not_run(ward: Ward) -> None:
    """`status` says so first, knows what waits from the database, and how to start it; before the
    very first start it makes no database of its own."""
    code, shown = ward.status()
    assert code == 1
    assert "The monitor is not running" in shown
    assert not (ward.folder / "state" / "monitor.db").exists()
    process = ward.start()
    assert until(lambda: ward.to("slt@trust.example"), 60)
    time.sleep(1)  # until it is marked
    process.kill()
    process.wait()
    code, shown = ward.status()
    words = " ".join(shown.split())
    assert code == 1
    assert "systemctl start trust-monitor" in words
    assert "no urgent alerts" in words
    assert "zebra" not in shown
    assert "slt@trust.example" not in shown


def test_a_port_of_another_is_not_believed(ward: Ward) -> None:
    """When the configured port is taken by something else, `status` does not take its word: it looks
    itself, and says that it could not ask."""
    ward.outside.feed = json.dumps(
        {"status": "ok", "state_dir": "/elsewhere", "problems": []}
    ).encode()
    ward.change(f"port = {ward.port}", f"port = {ward.outside.port}")
    ward.start()
    assert until(lambda: ward.to("slt@trust.example"), 60)
    code, text = ward.status("--json")
    document: dict[str, Any] = json.loads(text)
    assert code == 0
    assert [each["reason"] for each in document["problems"]] == ["no_health_port"]
    assert document["queues"]["sent_24h"] == {"alert": 1}


def test_mail_that_waits_is_known(ward: Ward) -> None:
    """An urgent alert that no mail server takes is the first thing that `status` tells, with the last
    answer, once it is five minutes old."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        nobody = sock.getsockname()[1]
    text = (ward.folder / "config.toml").read_text("utf-8")
    before = text.split("[[mail.relays]]")[1].split("port = ")[1].split()[0]
    ward.change(f'host = "127.0.0.1"\nport = {before}', f'host = "127.0.0.1"\nport = {nobody}')
    process = ward.start()
    answer = None

    def tried() -> bool:
        nonlocal answer
        answer = ward.get("/healthz")
        queues = answer.json()["queues"] if answer is not None else None
        return queues is not None and queues["urgent"]["waiting"] == 1  # none: not migrated yet

    assert until(tried, 30)
    process.kill()
    process.wait()
    config = load_config(ward.folder / "config.toml")
    path = config.database_url.removeprefix("sqlite:///")
    subprocess.run([sys.executable, "-c", _AGE, path], check=True)
    code, shown = ward.status()
    words = " ".join(shown.split())
    assert code == 1
    assert "1 urgent alert not accepted yet, the oldest for 12 minutes" in words
    assert "connection refused" in words


_AGE = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as db:
    db.execute("UPDATE delivery SET created_at = datetime('now', '-12 minutes', '-10 seconds')")
"""


def test_the_clock_is_watched() -> None:
    """A wall clock that is set is noticed by the next look, whichever way; time that passes, and a
    second's slewing, are not."""
    wall, monotonic = FakeClock(), [100.0]
    watch = ClockWatch(60, wall, lambda: monotonic[0])
    for _ in range(100):
        wall.forward(seconds=10.5)
        monotonic[0] += 10
        assert watch.look() is None
    wall.forward(hours=-1)
    jump = watch.look()
    assert jump is not None
    assert jump.seconds == -3_600
    wall.forward(minutes=2)
    jump = watch.look()
    assert jump is not None
    assert (jump.seconds, watch.jumps) == (120, 2)


def test_an_answer_does_not_wait_for_the_database(ward: Ward) -> None:
    """A database that another program holds is named within a look or two; /healthz answers at once
    meanwhile."""
    ward.start()
    assert until(ward.is_ready)
    path = load_config(ward.folder / "config.toml").database_url.removeprefix("sqlite:///")
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    assert ward.get("/healthz") is not None
    assert time.monotonic() - started < 2
    assert until(lambda: "database" in ward.healthz()[1], 40)
    holder.execute("ROLLBACK")
    holder.close()
