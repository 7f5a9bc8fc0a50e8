"""The process lives through signals and faults: reloaded without losing a poll, ended in time in every
state, waiting for a database that is busy, and plain about one that won't do."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from monitor import life
from monitor.app import build
from monitor.config_file import load_config
from monitor.life import Life, Wish
from tests.connectors.feed_server import FeedServer
from tests.running import SCHOOL, Running, free_port, until

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
NEW_SCHOOL = """
[[schools]]
id = "harrow-bank"
name = "Tansy Bank Academy"
town = "Quenby"
"""


class Inbox:
    def __init__(self) -> None:
        self.mails: list[bytes] = []

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: object, _session: object, envelope: object
    ) -> str:
        self.mails.append(envelope.content)  # type: ignore[attr-defined]
        return "250 OK"


class Feed(FeedServer):
    """A feed that says what it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.items: list[str] = []
        self.says("Assembly at Quenby Moor Academy.")

    def says(self, text: str) -> None:
        self.items.append(text)
        body = "".join(
            f"<item><guid isPermaLink='false'>{n}</guid><description>{item}</description></item>"
            for n, item in enumerate(self.items)
        )
        self.feed = f"<rss version='2.0'><channel><title>G</title>{body}</channel></rss>".encode()


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, int]]:
    box, port = Inbox(), free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


@pytest.fixture
def feed() -> Iterator[Feed]:
    server = Feed()
    yield server
    server.stop()


@pytest.fixture
def monitor(tmp_path: Path, feed: Feed, inbox: tuple[Inbox, int]) -> Iterator[Running]:
    text = SCHOOL.read_text("utf-8") + REST.format(feed=feed.url, smtp=inbox[1])
    running = Running(tmp_path, text)
    yield running
    running.kill()


def threat(school: str) -> str:
    return f"I am going to kill the head of {school} tomorrow, zebra."


def test_reload_takes_in_a_new_school(
    monitor: Running, feed: Feed, inbox: tuple[Inbox, int], tmp_path: Path
) -> None:
    """SIGHUP reads the watchlist anew: a school added to it is watched from the next poll on, what was
    alerted is not alerted again, and the service manager is told when it begins and when it is done."""
    feed.says(threat("Quenby Moor Academy"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(30)
        monitor.start(NOTIFY_SOCKET=str(tmp_path / "notify"))
        assert until(lambda: inbox[0].mails)
        monitor.write(monitor.text.replace("[[people]]", f"{NEW_SCHOOL}[[people]]", 1))
        monitor.signal(signal.SIGHUP)
        assert monitor.hears("reloaded")
        heard = [sock.recv(200).decode() for _ in range(3)]
    assert heard[0] == "READY=1"
    assert heard[1].startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert heard[2] == "READY=1"
    feed.says(threat("Tansy Bank Academy"))
    assert until(lambda: len(inbox[0].mails) == 2)
    assert monitor.events("reloaded")[0]["schools"] == 2
    status, seconds = monitor.stop()
    assert (status, seconds < 20) == (0, True), monitor.said()
    assert len(inbox[0].mails) == 2
    assert "zebra" not in monitor.said()


def test_a_bad_configuration_keeps_the_old_one(
    monitor: Running, feed: Feed, inbox: tuple[Inbox, int]
) -> None:
    """A reload of a faulty file changes nothing and says which key is wrong; so does one of what only a
    restart can change. Mended, the next reload is taken."""
    monitor.start()
    assert monitor.hears("started")
    for text, key in (
        (monitor.text.replace("every_s = 5", "evry_s = 5"), "evry_s"),
        (monitor.text.replace('"state"', '"elsewhere"'), "state_dir"),
        ("not toml [", "config.toml"),
    ):
        seen = len(monitor.events("reload_refused"))
        monitor.write(text)
        monitor.signal(signal.SIGHUP)
        assert monitor.hears("reload_refused", seen + 1)
        assert key in monitor.events("reload_refused")[-1]["reason"]
    feed.says(threat("Quenby Moor Academy"))
    assert until(lambda: inbox[0].mails), "the old configuration does not run on"
    monitor.write()
    monitor.signal(signal.SIGHUP)
    assert monitor.hears("reloaded")


def test_a_storm_of_reloads_loses_and_repeats_nothing(
    monitor: Running, feed: Feed, inbox: tuple[Inbox, int]
) -> None:
    """Under reloads at any moment every post that the feed gains is alerted once."""
    monitor.start()
    assert monitor.hears("started")
    for number in range(15):
        if number % 3 == 0:
            feed.says(f"{threat('Quenby Moor Academy')} No. {number} {chr(97 + number) * 30}")
        monitor.signal(signal.SIGHUP)
        time.sleep(0.1 * (number % 4))
    assert until(lambda: len(monitor.events("assessed")) >= 6, 40)
    last = len(monitor.events("reloaded"))
    monitor.signal(signal.SIGHUP)
    assert monitor.hears("reloaded", last + 1), monitor.said()
    status, _ = monitor.stop()
    assert status == 0, monitor.said()
    assert [event["mention"] for event in monitor.events("assessed")] == [1, 2, 3, 4, 5, 6]
    keys = [event["delivery"] for event in monitor.events("delivered")]
    assert len(keys) == len(set(keys)) == len(inbox[0].mails)
    assert not monitor.events("handler_failed")


def test_term_during_a_hung_poll(monitor: Running, feed: Feed) -> None:
    """A source that never answers does not hold up the end, nor makes a failure of it."""
    feed.hang = True
    monitor.start()
    assert monitor.hears("started")
    assert until(lambda: feed.requests)
    status, seconds = monitor.stop()
    assert status == 0
    assert seconds < 15
    assert monitor.events("stopped")[0]["finished"] is True


def test_term_while_the_model_loads(monitor: Running, tmp_path: Path) -> None:
    """A model that takes for ever to load can be ended at once."""
    (tmp_path / "model").mkdir()
    os.mkfifo(tmp_path / "model" / "config.json")  # to read it is to wait
    monitor.text = monitor.text.replace(
        'kind = "lexicon"', f'kind = "transformer"\nmodel = "{tmp_path / "model"}"'
    )
    monitor.start()
    assert monitor.hears("collected")
    assert not monitor.events("started")
    status, seconds = monitor.stop()
    assert status == 0
    assert seconds < 15


def test_term_during_a_hung_exchange(
    tmp_path: Path, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relay that never answers the final dot is waited for as long as a stop may take; then the end
    comes, says that something was cut off, and the letter is still due."""
    monkeypatch.setattr(life, "STOP_WITHIN_S", 2.0)
    with socket.create_server(("127.0.0.1", 0)) as relay:
        threading.Thread(target=_swallow, args=(relay,), daemon=True).start()
        feed.says(threat("Quenby Moor Academy"))
        running = Running(tmp_path, SCHOOL.read_text("utf-8"))
        running.write(running.text + REST.format(feed=feed.url, smtp=relay.getsockname()[1]))
        living = Life(lambda before: build(load_config(running.config), before=before))
        ended: list[bool] = []
        thread = threading.Thread(target=lambda: ended.append(living.run()))
        thread.start()
        assert until(lambda: _state(tmp_path, "attempts") == 1)
        time.sleep(0.5)
        began = time.monotonic()
        living.wish(Wish.STOP)
        thread.join(20)
    assert ended == [False]
    assert 1.5 < time.monotonic() - began < 6
    assert _state(tmp_path, "state") in {"pending", "ambiguous"}


def _swallow(relay: socket.socket) -> None:
    connection, _ = relay.accept()
    connection.sendall(b"220 x\r\n")
    while data := connection.recv(65_536):
        if data.startswith(b"DATA"):
            connection.sendall(b"354 go on\r\n")
            break
        connection.sendall(b"250 ok\r\n")
    while connection.recv(65_536):
        pass


def _state(folder: Path, column: str) -> object:
    if not (folder / "state/monitor.db").exists():
        return None
    with sqlite3.connect(folder / "state/monitor.db") as connection:
        try:
            found = connection.execute(f"SELECT {column} FROM delivery").fetchone()
        except sqlite3.OperationalError:
            return None
    return found[0] if found else None


def _made(monitor: Running) -> Path:
    """A database as a run leaves it."""
    monitor.write()
    assert monitor.command("db", "upgrade").returncode == 0
    return monitor.folder / "state/monitor.db"


def test_a_locked_database_is_waited_for(monitor: Running, inbox: tuple[Inbox, int]) -> None:
    """Started while another program holds the database, the monitor says so once, in words, and begins
    by itself as soon as it is let go."""
    path = _made(monitor)
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        monitor.start()
        assert monitor.hears("storage_failed", within_s=25)
        other.execute("ROLLBACK")
    assert monitor.hears("started", within_s=25)
    (said,) = monitor.events("storage_failed")
    assert said["kind"] == "locked"
    assert str(path) in said["reason"]
    assert "database browser" in said["reason"]


def _zeroed(path: Path) -> str:
    path.write_bytes(bytes(10_000))
    return "corrupt"


def _holed(path: Path) -> str:
    told = bytearray(path.read_bytes())
    told[-9_000:-4_000] = bytes(range(250)) * 20
    path.write_bytes(told)
    return "corrupt"


def _folder(path: Path) -> str:
    path.unlink()
    path.mkdir()
    return "unreachable"


@pytest.mark.parametrize("spoil", [_zeroed, _holed, _folder])
def test_a_database_that_will_not_do_ends_the_start(monitor: Running, spoil: object) -> None:
    """A damaged database, or none that can be opened, is named with what to do, and the start ends
    with 1."""
    path = _made(monitor)
    for tail in ("-wal", "-shm"):
        Path(f"{path}{tail}").unlink(missing_ok=True)
    trouble = spoil(path)  # type: ignore[operator]
    monitor.start()
    assert monitor.process
    assert monitor.process.wait(30) == 1
    last = monitor.said().splitlines()[-1]
    assert str(path) in last
    assert f"({trouble})" in last
    assert "Traceback" not in monitor.said()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a megabyte, where this machine lets us mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("NOT TESTED ON A REALLY FULL DISK: this account may not mount a small one")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


def test_a_disk_that_fills_up_loses_nothing(
    monitor: Running, feed: Feed, inbox: tuple[Inbox, int], small_disk: Path
) -> None:
    """A disk full at run time is one line in the log; posts of that time are read again once there is
    room, and the urgent one among them is alerted, without a restart."""
    monitor.text = monitor.text.replace('"state"', f'"{small_disk / "state"}"')
    monitor.start()
    assert monitor.hears("started")
    assert monitor.hears("collected")
    ballast = small_disk / "ballast"
    _fill(ballast)
    feed.says(threat("Quenby Moor Academy") + " " + "lorem " * 3_000)
    assert monitor.hears("storage_failed")
    time.sleep(6)
    assert not inbox[0].mails
    assert [event["kind"] for event in monitor.events("storage_failed")] == ["full"]
    assert monitor.process
    assert monitor.process.poll() is None
    ballast.unlink()
    assert until(lambda: inbox[0].mails), monitor.said()
    assert not monitor.events("handler_failed")
    assert not monitor.events("not_collected"), "the source is not to blame"


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        for size in (65_536, 4_096):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


def test_backup_and_restore_step_by_step(
    monitor: Running, feed: Feed, inbox: tuple[Inbox, int]
) -> None:
    """A backup is taken under the running monitor; a restore is refused then, and works after the stop;
    started again, the monitor reads on, and alerts what is new once."""
    feed.says(threat("Quenby Moor Academy"))
    monitor.start()
    assert until(lambda: inbox[0].mails)
    assert monitor.hears("delivered")
    copy = monitor.folder / "copy.db"
    made = monitor.command("db", "backup", "--out", str(copy))
    assert made.returncode == 0, made.stderr
    assert "2 mention" in made.stdout
    assert monitor.command("db", "verify", str(copy)).returncode == 0
    refused = monitor.command("db", "restore", str(copy), "--yes")
    assert refused.returncode == 1
    assert "another trust-monitor is running" in refused.stderr
    monitor.stop()
    (monitor.folder / "state/monitor.db").write_bytes(b"a dead disk")
    restored = monitor.command("db", "restore", str(copy), "--yes")
    assert restored.returncode == 0, restored.stderr
    assert "before-restore-" in restored.stdout
    feed.says(threat("Quenby Moor Academy") + " Another, of other words: " + "marmalade " * 9)
    monitor.start()
    assert until(lambda: len(monitor.events("assessed")) >= 3)
    time.sleep(1)
    assert b"a dead disk" in next((monitor.folder / "state/backups").iterdir()).read_bytes()
    references = {event["concern"] for event in monitor.events("assessed") if event["notices"]}
    assert len(inbox[0].mails) == len(references)


def test_taken_back_for_an_older_program(monitor: Running) -> None:
    """`db downgrade` makes a backup first, names what to do next, and refuses what it doesn't know."""
    _made(monitor)
    back = monitor.command("db", "downgrade", "0003")
    assert back.returncode == 0, back.stderr
    assert "revision 0003" in back.stdout
    assert len(list((monitor.folder / "state/backups").iterdir())) == 1
    unknown = monitor.command("db", "downgrade", "nosuch", "--out", str(monitor.folder / "b.db"))
    assert unknown.returncode == 1
    assert "nosuch" in unknown.stderr
    assert "Traceback" not in unknown.stderr
