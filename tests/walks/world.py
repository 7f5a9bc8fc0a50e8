"""A small world for one trust: two feeds on real sockets, the real monitor, its mail, and the time.

The monitor is built as `trust-monitor run` builds it, and does what its plan would have it do, but in
order and at times that a walk chooses: nothing sleeps, and every deadline really passes.
"""

from __future__ import annotations

import hashlib
import io
import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime
from pathlib import Path
from unittest.mock import patch
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

import time_machine
import typer.main

from classifiers.verdict import Classifier
from monitor import app as house
from monitor import lock
from monitor.cli import cli
from monitor.config_file import load_config
from monitor.daemon import App
from monitor.domain import DeliveryKind
from monitor.store.migrate import migrate
from tests.connectors import feed_server
from tests.connectors.feed_server import FeedServer
from tests.walks.trusts import Trust

LONDON = ZoneInfo("Europe/London")
BEGIN = datetime(2026, 1, 5, 8, 0, tzinfo=LONDON)
SOON, AFTER_SOON = timedelta(minutes=5), timedelta(hours=1)
"""How often the monitor looks round while nobody has answered an alert, and for how long."""
LATER = (time(7, 30), time(12, 0), time(17, 0))
"""When it does so else, while anything is open: first the hour of the digest, which comes every day."""
POLLED_AFTER = timedelta(minutes=1)
WIDE, NARROW = "4000", "100"
COMMAND = typer.main.get_command(cli)
TABLES = frozenset({"list", "register", "people"})


def _utc() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One message as it lies in the folder, to everybody who got the same one."""

    to: tuple[str, ...]
    at: datetime
    subject: str
    body: str
    digest: bool


@dataclass
class World:
    """One trust's monitor. `now` moves only by `travel`."""

    trust: Trust
    folder: Path
    app: App
    feeds: dict[str, FeedServer]
    clock: time_machine.Traveller
    entries: dict[str, list[str]] = field(default_factory=lambda: {"forum": [], "page": []})
    seen: set[str] = field(default_factory=set)
    posts: int = 0

    @property
    def now(self) -> datetime:
        return _utc().astimezone(LONDON)

    def travel(self, to: datetime) -> None:
        """Let the time pass until `to`, and the monitor do its work meanwhile."""
        if to < self.now:
            raise ValueError(f"{to:%a %d %b %H:%M} lies before {self.now:%a %d %b %H:%M}")
        with self.app.store.read() as rows:
            unanswered = bool(rows.concerns.unanswered())
            hours = LATER if rows.concerns.current(since=_utc()) else LATER[:1]
        for stop in _stops(self.now, to, hours, closely=unanswered):
            self.clock.move_to(stop.astimezone(UTC))
            if stop == to and stop.time() == self.app.config.digest.at:  # a digest to be shown
                for source in self.feeds:
                    self.app.collector.collect(source)
            self.look_round()

    def look_round(self) -> None:
        """Everything that the monitor's plan does again and again, once."""
        while self.app.assessor.assess():
            pass
        self.app.campaigns.look()
        self.app.escalator.escalate()
        self.app.desk.tick()
        self.app.day.digest()
        while self.app.deliverer.deliver(list(DeliveryKind)):
            pass

    def publish(self, source: str, at: datetime, text: str, *, answers: bool = False) -> None:
        """Somebody posts `text`; a minute later the source is polled. `answers`: it continues the
        thread of the post before it there."""
        self.travel(at)
        self.posts += 1
        url = f"https://talk.{self.trust.host}/{source}/{self.posts}"
        before = f"https://talk.{self.trust.host}/{source}/{self.posts - 1}"
        thread = (
            f'<thr:in-reply-to ref="{before}" href="{before}"/>'
            if answers
            else f'<link rel="replies" type="text/html" href="{url}"/>'
        )
        self.entries[source].append(
            f'<entry><id>{url}</id><title/><link href="{url}"/>{thread}'
            f"<author><name>reader-{self.posts}</name></author>"
            f"<published>{at.isoformat()}</published><updated>{at.isoformat()}</updated>"
            f"<content type='text'>{escape(text)}</content></entry>"
        )
        _serve(self.feeds[source], _atom(self.trust, source, self.entries[source]))
        self.clock.move_to((at + POLLED_AFTER).astimezone(UTC))
        self.app.collector.collect(source)
        self.look_round()

    def say(self, command: str) -> str:
        """What a person sees who types `command` ("trust-monitor concerns ack ..."). Wide, so that it
        can be wrapped; tables as wide as a page."""
        program, *words = shlex.split(command)
        if program != "trust-monitor":
            raise ValueError(f"{command}: walks run trust-monitor, and nothing else")
        told = io.StringIO()
        with (
            patch.dict(os.environ, self._environment(words)),
            redirect_stdout(told),
            redirect_stderr(told),
        ):
            COMMAND.main(args=words, prog_name=program, standalone_mode=False)
        return told.getvalue()

    def _environment(self, words: Sequence[str]) -> dict[str, str]:
        return {
            "COLUMNS": NARROW if TABLES & set(words[:2]) else WIDE,
            "NO_COLOR": "1",
            "TRUST_MONITOR_CONFIG": str(self.folder / "config.toml"),
        }

    def letters(self) -> tuple[Letter, ...]:
        """What has been delivered since this was last asked, the same to several people once."""
        fresh = [path for path in self.folder.glob("mail/*.eml") if path.name not in self.seen]
        self.seen.update(path.name for path in fresh)
        single = [_letter(message_from_bytes(path.read_bytes(), policy=default)) for path in fresh]
        found: dict[tuple[datetime, str], Letter] = {}
        for letter in sorted(single, key=lambda letter: (letter.at, letter.to)):
            first = found.setdefault((letter.at, letter.subject), letter)
            to = dict.fromkeys((*first.to, *letter.to))
            found[letter.at, letter.subject] = replace(first, to=tuple(to))
        return tuple(found.values())


@contextmanager
def world(trust: Trust, folder: Path, classifier: Classifier) -> Iterator[World]:
    """A trust on a Monday morning, before anything was said of it."""
    with (
        feed_server.running() as forum,
        feed_server.running() as page,
        time_machine.travel(BEGIN.astimezone(UTC), tick=False) as clock,
        ExitStack() as stack,
    ):
        config = folder / "config.toml"
        config.write_text(trust.config(forum_url=forum.url, page_url=page.url), encoding="utf-8")
        built = house.build(load_config(config), clock=_utc)
        built = replace(built, assessor=replace(built.assessor, classifier=classifier))
        stack.enter_context(lock.only_instance(built.config.state_dir))  # it runs
        migrate(built.database)
        built.register()  # what `run` does first
        feeds = {"forum": forum, "page": page}
        for source, server in feeds.items():
            server.headers["Content-Type"] = "application/atom+xml; charset=utf-8"
            _serve(server, _atom(trust, source, []))
            built.collector.collect(source)
        yield World(trust, folder, built, feeds, clock)
        built.database.dispose()


def _stops(
    now: datetime, to: datetime, hours: Sequence[time], *, closely: bool
) -> Iterator[datetime]:
    """Moments between `now` and `to` at which the monitor looks round; `to` is the last."""
    soon = {now + step * SOON for step in range(1, AFTER_SOON // SOON + 1) if closely}
    days = range((to.date() - now.date()).days + 1)
    later = {
        datetime.combine(now.date() + timedelta(days=day), hour, LONDON)
        for day in days
        for hour in hours
    }
    yield from sorted(moment for moment in soon | later if now < moment < to)
    yield to


def _atom(trust: Trust, source: str, entries: Sequence[str]) -> bytes:
    title = trust.forum if source == "forum" else f"Comments on {trust.name}"
    return (
        '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom" '
        'xmlns:thr="http://purl.org/syndication/thread/1.0">'
        f"<title>{escape(title)}</title>{''.join(reversed(entries))}</feed>"
    ).encode()


def _serve(server: FeedServer, feed: bytes) -> None:
    """Unchanged, it is not sent twice."""
    server.feed = feed
    server.headers["ETag"] = f'"{hashlib.blake2b(feed, digest_size=8).hexdigest()}"'


def _letter(message: EmailMessage) -> Letter:
    body = message.get_body(("plain",))
    return Letter(
        to=(str(message["To"]).partition("@")[0],),
        at=parsedate_to_datetime(str(message["Date"])).astimezone(LONDON),
        subject=str(message["Subject"]),
        body=body.get_content() if body else "",
        digest=str(message["X-Trust-Monitor-Key"]).startswith("digest:"),
    )
