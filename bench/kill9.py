"""kill -9 at random, under a feed that keeps producing and a real SMTP server: is anything lost?

    python bench/kill9.py [--kills 200] [--database URL]

The monitor runs as its users run it (`python -m monitor run`), is killed at a random moment again and
again, and is at last left in peace until nothing is due. Then every post that the feed ever offered is
looked for: a matched one in the database, an urgent one in the SMTP server's hands as well.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from email.utils import format_datetime
from pathlib import Path
from xml.sax.saxutils import escape

import sqlalchemy as sa
from aiosmtpd.controller import Controller
from loopback import serve

KEPT = 400  # items in the feed document
SCHOOL = Path(__file__).parents[1] / "tests/data/config/quenby.toml"
REST = """
[[sources]]
id = "feed"
kind = "rss"
every_s = 5
url = "http://127.0.0.1:{feed}/feed"
allow_private = true
[mail]
sender = "monitor@trust.example"
[[mail.relays]]
host = "127.0.0.1"
port = {smtp}
security = "none"
[database]
{database}
"""


def word() -> str:
    """Something that reads like a word, so that posts differ as people's posts do."""
    return "".join(random.choice("bcdfglmnprst") + random.choice("aeiou") for _ in range(3))


@dataclass
class Feed:
    """A feed that gains posts all the time: every fifth is urgent, every third is about somebody
    else's school."""

    items: list[tuple[str, str, str]] = field(default_factory=list)  # id, kind, text
    lock: threading.Lock = field(default_factory=threading.Lock)
    producing: bool = True

    def produce(self) -> None:
        with self.lock:
            for _ in range(random.randint(1, 3)):
                number = len(self.items)
                words = " ".join(word() for _ in range(14))  # no two posts may look alike
                if number % 5 == 0:
                    kind = "urgent"
                    text = f"I am going to kill the head of Quenby Moor Academy. {words} {number}"
                elif number % 3 == 0:
                    kind, text = "elsewhere", f"Assembly at Nowhere Hall School. {words} {number}"
                else:
                    kind, text = "ours", f"Assembly at Quenby Moor Academy today. {words} {number}"
                self.items.append((f"tag:feed.example,2026:{number}", kind, text))

    def keep_producing(self) -> None:
        while self.producing:
            self.produce()
            time.sleep(0.5)

    def document(self) -> bytes:
        with self.lock:
            kept = self.items[-KEPT:]
        now = format_datetime(datetime.now(UTC))
        entries = "".join(
            f"<item><guid isPermaLink='false'>{i}</guid><pubDate>{now}</pubDate>"
            f"<description>{escape(text)}</description></item>"
            for i, _, text in reversed(kept)
        )
        return f"<rss version='2.0'><channel><title>t</title>{entries}</channel></rss>".encode()


class Sink:
    """The SMTP server's hands: Message-ID and words of everything it accepted. A bundle's words hold
    the subjects of all its letters."""

    def __init__(self) -> None:
        self.accepted: list[tuple[str, str]] = []

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: object, _session: object, envelope: object
    ) -> str:
        message = message_from_bytes(envelope.content, policy=default)  # type: ignore[attr-defined]
        body = message.get_body(("plain",))
        words = body.get_content() if body else ""
        self.accepted.append((message["Message-ID"], f"{message['Subject']} {words}"))
        return "250 OK"


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def start(folder: Path, log: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "monitor", "run", "--config", str(folder / "config.toml")]
    return subprocess.Popen(command, stdout=log, stderr=log)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--database", default="")
    options.add_argument("--seed", type=int, default=time.time_ns())
    arguments = options.parse_args()
    random.seed(arguments.seed)
    folder = Path(tempfile.mkdtemp(prefix="kill9-"))
    feed, sink = Feed(), Sink()
    port_of_feed = serve(lambda _path: feed.document())
    threading.Thread(target=feed.keep_producing, daemon=True).start()
    port = free_port()
    smtp = Controller(sink, hostname="127.0.0.1", port=port)
    smtp.start()
    url = f'url = "{arguments.database}"' if arguments.database else ""
    text = SCHOOL.read_text() + REST.format(feed=port_of_feed, smtp=port, database=url)
    (folder / "config.toml").write_text(text)
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    began = time.monotonic()
    for number in range(arguments.kills):
        process = start(folder, log)
        time.sleep(random.uniform(0.5, 6.0))
        if process.poll() is not None:
            print(f"the monitor ended by itself ({process.returncode}): see {folder}/log")
            return 2
        process.send_signal(signal.SIGKILL)
        process.wait()
        if (number + 1) % 20 == 0:
            print(
                f"{number + 1} kills, {len(feed.items)} posts, {len(sink.accepted)} mails",
                flush=True,
            )
    feed.producing = False
    process = start(folder, log)
    found = settle(arguments.database or f"sqlite:///{folder}/state/monitor.db", feed)
    process.send_signal(signal.SIGTERM)
    stopped = process.wait(60)
    print(f"{(time.monotonic() - began) / 60:.1f} minutes, seed {arguments.seed}")
    passed = report(arguments.kills, feed, sink, found, stopped)
    print("PASSED" if passed else f"FAILED: see {folder}/log")
    return 0 if passed else 1


@dataclass
class Found:
    """What the database holds at the end."""

    mentions: dict[str, str | None]  # native id's tail -> case
    due: int
    integrity: str


def settle(url: str, feed: Feed) -> Found:
    """Wait until the database holds every post and owes nothing. What is more than ten letters an hour
    waits for a bundle, up to a quarter of an hour."""
    engine = sa.create_engine(url)
    deadline = time.monotonic() + 1200
    while True:
        time.sleep(1)
        with engine.connect() as connection:
            rows = connection.execute(
                sa.text(
                    "SELECT mention.text, concern.reference FROM mention "
                    "LEFT JOIN concern ON concern.id = mention.concern_id WHERE mention.state='assessed'"
                )
            ).all()
            due = connection.execute(
                sa.text("SELECT count(*) FROM delivery WHERE state NOT IN ('sent', 'bundled')")
            ).scalar_one()
            integrity = "ok"
            if engine.dialect.name == "sqlite":
                integrity = connection.execute(sa.text("PRAGMA integrity_check")).scalar_one()
        wanted = sum(kind != "elsewhere" for _, kind, _ in feed.items)
        if (len(rows) == wanted and due == 0) or time.monotonic() > deadline:
            return Found({row.text: row.reference for row in rows}, due, integrity)


def report(kills: int, feed: Feed, sink: Sink, found: Found, stopped: int) -> bool:
    urgent = [text for _, kind, text in feed.items if kind == "urgent"]
    ours = [text for _, kind, text in feed.items if kind != "elsewhere"]
    told = " ".join(words for _, words in sink.accepted)
    missing = [text for text in ours if text not in found.mentions]
    lost = [text for text in urgent if (found.mentions.get(text) or "none") not in told]
    stored_elsewhere = sum("Nowhere Hall" in text for text in found.mentions)
    copies = Counter(message_id for message_id, _ in sink.accepted)
    extra = sum(count - 1 for count in copies.values())
    rows = [
        ("kills", kills, ""),
        ("posts offered", len(feed.items), ""),
        ("  about our school", len(ours), ""),
        ("  urgent", len(urgent), ""),
        ("mentions missing", len(missing), "must be 0"),
        ("urgent alerts lost", len(lost), "must be 0"),
        ("unmatched posts stored", stored_elsewhere, "must be 0"),
        ("mails accepted", len(sink.accepted), ""),
        ("extra copies", extra, f"at most {kills}"),
        ("copies of one mail, at most", max(copies.values(), default=0), "at most 3"),
        ("deliveries still due", found.due, "must be 0"),
        ("database integrity", found.integrity, "must be ok"),
        ("exit status after SIGTERM", stopped, "must be 0"),
    ]
    for name, value, wanted in rows:
        print(f"{name:<30}{value!s:>10}  {wanted}")
    passed = not missing and not lost and not stored_elsewhere and extra <= kills
    return passed and not found.due and found.integrity == "ok" and stopped == 0


if __name__ == "__main__":
    raise SystemExit(main())
