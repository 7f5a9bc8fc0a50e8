"""What the monitor is offered, and what came out: counted by somebody else than the monitor."""

from __future__ import annotations

import json
import random
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

import sqlalchemy as sa

_CASE = re.compile(r"\b20\d\d-\d{4,}\b")


def word(chance: random.Random) -> str:
    """Something that reads like a word, so that posts differ as people's posts do."""
    return "".join(chance.choice("bcdfglmnprst") + chance.choice("aeiou") for _ in range(3))


@dataclass
class Feed:
    """Numbered posts, more at each request: every fifth is urgent and every third is about somebody
    else's school. `more` draws how many a request adds."""

    more: Callable[[random.Random], int]
    seed: int = 0
    items: list[tuple[int, str, str]] = field(default_factory=list)  # number, kind, text
    producing: bool = True

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        feed = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                after = int(parse_qs(urlsplit(self.path).query)["after"][0])
                body = json.dumps(feed.answer(after)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, after: int) -> list[tuple[int, str, str]]:
        """What stands behind `after`, and perhaps something new; never more than 500."""
        with self._lock:
            if self.producing:
                for _ in range(self.more(self._chance)):
                    self.add()
            return [(n, text, str(n)) for n, _, text in self.items[after + 1 : after + 501]]

    def add(self, kind: str = "", *, words: int = 14) -> None:
        """One more item, of so many words of its own; without `kind` by its number."""
        number = len(self.items)
        own = " ".join(word(self._chance) for _ in range(words))
        if not kind:
            kind = "urgent" if number % 5 == 0 else "elsewhere" if number % 3 == 0 else "ours"
        text = {
            "urgent": f"I am going to kill the head of Quenby Moor Academy. {own} {number}",
            "elsewhere": f"Assembly at Nowhere Hall School. {own} {number}",
            "ours": f"Assembly at Quenby Moor Academy today. {own} {number}",
        }[kind]
        self.items.append((number, kind, text))


@dataclass(frozen=True)
class Count:
    """What became of everything that was offered."""

    ours: int
    urgent: int
    missing: int  # about our school, and not in the database
    lost: int  # urgent, and its case is in no accepted mail
    strangers: int  # about another school, and stored
    mails: int
    extras: int  # accepted more than once
    most_copies: int
    due: int  # still in the outbox
    integrity: str


def count(feed: Feed, accepted: Sequence[tuple[str, bytes]], engine: sa.Engine) -> Count:
    """Compare the feed's memory with the mail server's and with the database."""
    with engine.connect() as connection:
        rows = connection.execute(
            sa.text(
                "SELECT mention.native_id AS id, concern.reference AS reference FROM mention "
                "LEFT JOIN concern ON concern.id = mention.concern_id WHERE mention.state = 'assessed'"
            )
        ).all()
        due = owed(connection)
        integrity = "ok"
        if engine.dialect.name == "sqlite":
            integrity = str(connection.execute(sa.text("PRAGMA integrity_check")).scalar_one())
    found = {row.id: row.reference for row in rows}
    told: set[str] = set()
    copies: Counter[tuple[str, str]] = Counter()
    for recipient, data in accepted:
        message = message_from_bytes(data, policy=default)
        copies[recipient, str(message["Message-ID"])] += 1
        told.update(_CASE.findall(str(message["Subject"])))
        body = message.get_body(("plain",))
        told.update(_CASE.findall(body.get_content() if body else ""))
    by_kind = {
        kind: [str(number) for number, own, _ in feed.items if own == kind]
        for kind in ("urgent", "ours", "elsewhere")
    }
    wanted = by_kind["urgent"] + by_kind["ours"]
    return Count(
        ours=len(wanted),
        urgent=len(by_kind["urgent"]),
        missing=sum(number not in found for number in wanted),
        lost=sum((found.get(number) or "none") not in told for number in by_kind["urgent"]),
        strangers=sum(number in found for number in by_kind["elsewhere"]),
        mails=len(accepted),
        extras=sum(number - 1 for number in copies.values()),
        most_copies=max(copies.values(), default=0),
        due=due,
        integrity=integrity,
    )


def total(counts: Iterable[Count]) -> Count:
    """Several counts as one."""
    each = list(counts)
    return Count(
        **{
            field.name: sum(getattr(one, field.name) for one in each)
            for field in fields(Count)
            if field.name not in {"most_copies", "integrity"}
        },
        most_copies=max(one.most_copies for one in each),
        integrity=next((one.integrity for one in each if one.integrity != "ok"), "ok"),
    )


def owed(connection: sa.Connection) -> int:
    """How many messages are not sent, bundled or given up."""
    query = "SELECT count(*) FROM delivery WHERE state NOT IN ('sent', 'bundled', 'dead')"
    return int(connection.execute(sa.text(query)).scalar_one())


def assessed(connection: sa.Connection) -> int:
    """How many posts the database holds that were judged."""
    query = "SELECT count(*) FROM mention WHERE state = 'assessed'"
    return int(connection.execute(sa.text(query)).scalar_one())
