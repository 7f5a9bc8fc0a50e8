"""Tells a person what the monitor does, one event at a time, in local time and whole sentences.

It quotes posts beside their assessment, which a real run never does: here every post is invented.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table
from rich.text import Text

from monitor.daemon import App
from monitor.demo.site import FEEDS, Published, Site
from monitor.domain import Concern
from monitor.store import schema

Event = Mapping[str, Any]

WIDEST = 110  # characters: longer lines are hard to follow with the eye
_INDENT = 19  # characters before what is said: the time and the kind
_DRAFT = 60  # characters of a suggested reply
_STYLES = {
    "urgent": "bold white on red",
    "concern": "bold yellow",
    "routine": "green",
    "alert": "bold cyan",
    "digest": "bold cyan",
    "problem": "bold red",
    "collected": "blue",
}
_QUIET = {"started", "stopped", "tidied", "digest_queued", "job_unstuck", "library_message"}


class Narrator:
    """Prints events of one `app` that reads `site`. Used from one thread."""

    def __init__(self, console: Console, app: App, site: Site) -> None:
        self._console = console
        self._app = app
        self._site = site
        self._mail = app.config.mail.folder or Path()
        self._schools = {o.id: o.name for o in app.config.watchlist.organisations}
        self._people = {person.email: person.name for person in app.config.people}
        self._feeds: dict[str, str] = {feed.name: feed.title for feed in FEEDS}
        self._tz = app.config.timezone
        self._mailed = ""

    def opening(self, digest_at: datetime, for_s: float | None) -> None:
        """What this is, and where to look, before anything happens."""
        trust = self._app.config.watchlist.trust.name
        ends = "with Ctrl-C" if for_s is None else f"by itself after {for_s:g} s, or with Ctrl-C"
        say = Table.grid(padding=(0, 2))
        say.add_row("Posts come from", Text.assemble((f"{self._site.url}/", "underline")))
        say.add_row("Mail goes to", f"{shown(self._mail)}/ (each message as .eml and .html)")
        say.add_row("Digest comes at", f"{digest_at:%H:%M:%S}; urgent alerts at once")
        say.add_row("Ends", ends)
        self._console.print()
        self._console.print(Text.assemble(("Trust Monitor", "bold"), f" for {trust}"))
        self._console.print(
            "Three schools, a paper, a forum and a noticeboard. All of it is invented."
        )
        self._console.print()
        self._console.print(say)
        self._console.print()

    def tell(self, event: Event) -> None:
        """Print one event of the log, or nothing when it is of no interest here."""
        name = event.get("event")
        if name == "collected":
            self._collected(event)
        elif name == "assessed":
            self._assessed(event)
        elif name == "delivered":
            self._delivered(event)
        elif name == "not_collected":
            self._say(event, "problem", f"{self._source(event)} can't be read: {event['reason']}")
        elif name not in _QUIET and event.get("level") in {"warning", "error", "critical"}:
            told = {key: value for key, value in event.items() if key not in {"level", "timestamp"}}
            self._say(event, "problem", ", ".join(f"{key} {value}" for key, value in told.items()))

    # -- events -------------------------------------------------------------------------------

    def _collected(self, event: Event) -> None:
        posts, matched = event["posts"], event["matched"]
        if not posts:
            return
        if not matched:
            about = "not about your schools: not kept"
        elif matched == posts:
            about = "about your schools"
        else:
            about = f"{matched} about your schools; the rest not kept"
        line = f"{self._source(event)}: {_count(posts, 'new post')}, {about}"
        self._say(event, "collected", line)

    def _assessed(self, event: Event) -> None:
        post = self._post(event)
        names = ", ".join(self._schools[school] for school in event["organisations"])
        labels = ", ".join(label.replace("_", " ") for label in event["labels"]) or "no label"
        head = Text.assemble((names, "bold"), f": {labels}")
        two_lines = 2 * (self._console.width - _INDENT) - 8
        quoted = Text(f"“{_clipped(post.text, two_lines)}”" if post else "", style="italic dim")
        self._say(event, event["severity"], head, quoted, self._consequence(event))

    def _consequence(self, event: Event) -> str:
        if event["concern"] is None:
            return "Nothing to do; it goes into the digest."
        with self._app.store.read() as rows:
            concern = rows.concerns.get(self._mention(event)["concern_id"])
        case = f"Case {concern.reference}"
        if event["notices"]:
            return f"{case}: alert for {_readers(concern, event['notices'])}."
        if event["mention"] != min(mention.id for mention in concern.mentions):
            return f"{case} again: {event['because']}."
        rung = concern.suggestion
        if rung.reply:
            draft = _clipped(rung.reply, _DRAFT)
            return f"{case}: {rung.rung_name.lower()}. Suggested reply: “{draft}”"
        return f"{case}: {rung.rung_name.lower()}. No reply: {rung.no_reply_because}."

    def _delivered(self, event: Event) -> None:
        file = self._mail / event["detail"].removeprefix("written as ")
        letter = message_from_bytes(file.read_bytes(), policy=default)
        reader = self._people.get(str(letter["To"]), "somebody")
        if event["key"] == self._mailed:
            self._say(
                event, event["kind"], f"case {event['key'].split(':')[1]}, the same to {reader}"
            )
            return
        self._mailed = event["key"]
        self._say(
            event,
            event["kind"],
            Text.assemble((str(letter["Subject"]), "bold"), f" to {reader}"),
            self._timing(event),
            Text(shown(file.with_suffix(".html")), style="dim"),
        )

    def _timing(self, event: Event) -> str:
        if event["kind"] == "alert":
            return f"{self._age(event):.1f} s after the post appeared"
        return "Open it in a browser. From now on new posts come slowly."

    # -- look-ups -----------------------------------------------------------------------------

    def _age(self, event: Event) -> float:
        """Seconds since the newest post of the alert's case appeared on the site, or was edited."""
        with self._app.store.read() as rows:
            concern = rows.concerns.by_reference(event["key"].split(":")[1])
        urls = {mention.post.url for mention in (concern.mentions if concern else ())}
        changed = [post.changed_at for post in self._site.published() if post.url in urls]
        newest = max(changed, default=_when(event))
        return max(0.0, (_when(event) - newest).total_seconds())

    def _post(self, event: Event) -> Published | None:
        url = self._mention(event)["url"]
        return next((post for post in self._site.published() if post.url == url), None)

    def _mention(self, event: Event) -> sa.RowMapping:
        row = sa.select(schema.mention).where(schema.mention.c.id == event["mention"])
        with self._app.database.connect() as connection:
            return connection.execute(row).mappings().one()

    def _source(self, event: Event) -> str:
        source: str = event["source"]
        return self._feeds.get(source, source)

    def _say(self, event: Event, kind: str, *lines: str | Text) -> None:
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=8)
        grid.add_column(width=9)
        grid.add_column(overflow="fold")
        clock = Text(f"{_when(event).astimezone(self._tz):%H:%M:%S}", style="dim")
        tag = Text(kind.upper() if kind == "urgent" else kind, style=_STYLES.get(kind, ""))
        for line in lines:
            if not line:
                continue
            grid.add_row(clock, tag, line)
            clock = tag = Text()
        self._console.print(grid)


def shown(path: Path) -> str:
    """`path` as one would type it: relative to the working directory where that is shorter."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _when(event: Event) -> datetime:
    return datetime.fromisoformat(event["timestamp"])


def _count(number: int, one: str) -> str:
    return f"{number} {one if number == 1 else one + 's'}"


def _readers(concern: Concern, notices: int) -> str:
    if not concern.confidential:
        return _count(notices, "senior leader")
    if notices == 1:
        return "the safeguarding lead, and nobody else"
    return f"{notices} people, its details for the safeguarding lead only"


def _clipped(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most].rsplit(" ", 1)[0] + " …"
