"""Manual file drop: a folder into which somebody puts CSV or JSON Lines exports of any listening tool.

For what can't be read automatically: a closed group, a platform without an interface, last week's
export of a paid tool. Files are only read: never moved, changed or deleted by us.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from connectors.errors import SourceRejected, SourceUnavailable
from connectors.http import digest
from connectors.plain import parse_date, text_of, web_link
from connectors.post import Batch, CursorState, Post
from connectors.rows import Place, Row, Unreadable, rows
from connectors.seen import Seen, content_digest

MAX_FILES = 2000  # in the folder; the cursor remembers each
MAX_TEXT = 50_000  # characters of one post
MAX_LETTERS = 5_000_000  # characters of the rows held at once

_FORMS = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_UNFINISHED = re.compile(r"^[.~]")  # hidden, an editor's lock, or a transfer's temporary name
_EPOCH = re.compile(r"(\d{10})(?:\.\d+|\d{3})?")  # seconds, or milliseconds

_Field = Literal["text", "title", "url", "author", "published", "id", "community", "language"]


class FileDropSettings(BaseModel):
    """The keys of a `[[sources]]` stanza with `kind = "file_drop"`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path
    columns: dict[_Field, str] = Field(default_factory=dict)  # field -> the file's own column name
    platform: str = Field("file_drop", pattern=r"^[a-z][a-z0-9_-]{0,31}$")
    community: str | None = Field(None, max_length=200)  # where a row names none
    lookback_days: int = Field(30, ge=0, le=30)  # at the first poll
    settle_s: float = Field(10.0, ge=0, le=3600)  # a file changed since may still be being written
    timeout_s: float = Field(20.0, gt=0, le=60)  # of one poll; the next goes on from there
    max_bytes: int = Field(100_000_000, ge=10_000, le=1_000_000_000)  # of one file
    max_items: int = Field(500, ge=1, le=5000)  # rows in one batch, which is one commit


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """A file in the folder. `sign` changes when the file does: its name, size and time."""

    path: Path
    size: int
    changed: datetime

    @property
    def sign(self) -> str:
        return digest(f"{self.path.name}\x00{self.size}\x00{self.changed.isoformat()}")


@dataclass(frozen=True, slots=True)
class _Cursor:
    """What is known of the folder. `done` and `pending` hold signs of files; `at` is the file that is
    being read and the place reached in it; `since` bounds the first run until it is through."""

    seen: Seen
    done: frozenset[str]
    pending: frozenset[str]
    at: tuple[str, Place] | None
    since: datetime | None

    @classmethod
    def of(cls, cursor: CursorState, now: datetime, lookback: timedelta) -> Self:
        since = cursor.get("since") if cursor else (now - lookback).isoformat()
        at = cursor.get("at")
        return cls(
            Seen.of(cursor),
            frozenset(cursor.get("done", ())),
            frozenset(cursor.get("pending", ())),
            (at[0], Place(at[1], at[2])) if at else None,
            datetime.fromisoformat(since) if since else None,
        )


class FileDropConnector:
    """One folder."""

    Settings = FileDropSettings

    def __init__(self, settings: FileDropSettings, *, source: str) -> None:
        self.platform = settings.platform
        self.source = source
        self._settings = settings

    def poll(self, cursor: CursorState, *, now: datetime) -> Iterator[Batch]:
        """Yield the rows not seen before, file by file, the oldest file first, at most `max_items`
        rows a batch. After `timeout_s` seconds it ends, and the next poll goes on behind the last row
        that was committed.

        A file that can't be read at all is named by SourceRejected after the others were read, and
        tried again at every poll until it is mended or taken away.
        """
        deadline = time.monotonic() + self._settings.timeout_s
        known = _Cursor.of(cursor, now, timedelta(days=self._settings.lookback_days))
        files = self._files()
        # Unchanged since the last poll settles a file too, whatever the clock of its server says.
        settle = now - timedelta(seconds=self._settings.settle_s)
        settled = [file for file in files if file.changed <= settle or file.sign in known.pending]
        state: dict[str, Any] = {
            "seen": known.seen.entries({}, ()),
            "done": sorted(known.done & {file.sign for file in files}),
            "pending": sorted({file.sign for file in files} - {file.sign for file in settled}),
        }
        if known.since:
            state["since"] = known.since.isoformat()
        faults: list[str] = []
        for file in settled:
            if file.sign in known.done:
                continue
            try:
                for batch in self._read(file, known, state, deadline):
                    state = dict(batch.cursor)
                    yield batch
            except (Unreadable, OSError) as error:
                faults.append(f"{file.path.name}, {_why(error)}")
            if time.monotonic() > deadline:
                yield Batch(posts=(), cursor=state, note="more rows wait for the next poll")
                return
        state.pop("since", None)
        yield Batch(posts=(), cursor=state)
        if faults:
            more = f" (and {len(faults) - 1} more files)" if faults[1:] else ""
            raise SourceRejected(f"{faults[0]}{more}")

    def _files(self) -> list[Dropped]:
        """The files to read, the oldest first."""
        folder = self._settings.folder
        files = []
        try:
            for name in os.listdir(folder):  # noqa: PTH208  (names, to pass most over unseen)
                if _UNFINISHED.match(name) or Path(name).suffix.lower() not in _FORMS:
                    continue
                found = (folder / name).lstat()
                if stat.S_ISREG(found.st_mode):  # a pipe would block us, a link lead elsewhere
                    changed = datetime.fromtimestamp(found.st_mtime, UTC)
                    files.append(Dropped(path=folder / name, size=found.st_size, changed=changed))
        except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
            raise SourceRejected(f"{folder}: {error.strerror}; make this folder readable") from None
        except OSError as error:
            raise SourceUnavailable(f"{folder}: {error.strerror}") from None
        if len(files) > MAX_FILES:
            raise SourceRejected(f"{folder}: over {MAX_FILES} files; move the old ones elsewhere")
        return sorted(files, key=lambda file: (file.changed, file.path.name))

    def _read(
        self, file: Dropped, known: _Cursor, state: Mapping[str, Any], deadline: float
    ) -> Iterator[Batch]:
        """Yield the rows of `file` from where a poll before stopped."""
        if file.size > self._settings.max_bytes:
            raise Unreadable(f"longer than {self._settings.max_bytes:,} bytes; split it")
        start = known.at[1] if known.at and known.at[0] == file.sign else None
        seen, good = Seen(state["seen"]), start is not None
        form = _FORMS[file.path.suffix.lower()]
        with file.path.open("rb") as opened:
            found = rows(opened, form=form, columns=self._columns(), start=start)
            while portion := _Portion.of(found, self._settings.max_items):
                good = good or bool(portion.good)
                if not good:
                    raise Unreadable(f"{portion.first_problem}; none of the first rows can be read")
                posts = self._fresh(portion, seen, known.since)
                seen = Seen(
                    seen.entries({digest(p.native_id): content_digest(p) for p in posts}, ())
                )
                yield Batch(
                    posts=posts,
                    cursor={
                        **state,
                        "seen": seen.entries({}, ()),
                        "at": [file.sign, portion.end.offset, portion.end.line],
                    },
                    skipped=len(portion.problems),
                    gap=portion.gap(file.path.name),
                )
                if time.monotonic() > deadline:
                    return
        done = {key: value for key, value in state.items() if key != "at"}
        done |= {"seen": seen.entries({}, ()), "done": sorted({*state["done"], file.sign})}
        yield Batch(posts=(), cursor=done)

    def _columns(self) -> dict[str, str]:
        return {str(field): name for field, name in self._settings.columns.items()}

    def _fresh(self, portion: _Portion, seen: Seen, since: datetime | None) -> tuple[Post, ...]:
        """The posts of `portion` that are news; of several rows with one id, the last."""
        posts = {}
        for row in portion.good:
            post = to_post(row.fields, self._settings)
            posts[post.native_id] = post
        return tuple(
            post
            for post in posts.values()
            if seen.is_news(post)
            and not (since and post.published_at and post.published_at < since)
        )


@dataclass(frozen=True, slots=True)
class _Portion:
    """Some rows of a file, at least one."""

    good: tuple[Row, ...]
    problems: tuple[tuple[int, str], ...]  # line and reason
    end: Place

    @classmethod
    def of(cls, found: Iterator[Row], size: int) -> Self | None:
        """Take up to `size` rows of `found`; None when there are no more."""
        good, problems, end, letters = [], [], None, 0
        for row in found:
            end = row.end
            problem = row.problem or _lacks(row.fields)
            if problem:
                problems.append((row.line, problem))
            else:
                good.append(row)
            letters += sum(map(len, row.fields.values()))
            if len(good) + len(problems) == size or letters > MAX_LETTERS:
                break
        return cls(tuple(good), tuple(problems), end) if end else None

    @property
    def first_problem(self) -> str:
        line, problem = self.problems[0]
        return f"line {line}: {problem}"

    def gap(self, name: str) -> str | None:
        """Return which rows of the file called `name` could not be read."""
        if not self.problems:
            return None
        more = f" and {len(self.problems) - 1} more rows" if self.problems[1:] else ""
        return f"not read: {name}, {self.first_problem}{more}"


def to_post(fields: Mapping[str, str], settings: FileDropSettings) -> Post:
    """Return a row as a post. Pure.

    The row's own id, with its link, makes the post's id, so that an edited row is an edit. Without
    an id it is the row's content: the same row in two exports is one post.
    """
    title = text_of(fields.get("title", ""))[:1000] or None
    text = text_of(fields.get("text", ""))[:MAX_TEXT]
    link = web_link(fields.get("url"), "")
    own = fields.get("id", "").strip()
    # Some tools just number the rows: the link keeps row 1 of two files apart.
    name = (own, link or "") if own else (link or "", title or "", text, _published(fields))
    return Post(
        platform=settings.platform,
        native_id=f"row:{digest(chr(0).join(map(str, name)))}",
        text=text or title or "",
        title=title if text else None,
        url=link,
        author=text_of(fields.get("author", ""))[:200] or None,
        published_at=_published(fields),
        community=text_of(fields.get("community", ""))[:200] or settings.community,
        language=text_of(fields.get("language", ""))[:35] or None,
    )


def _published(fields: Mapping[str, str]) -> datetime | None:
    text = fields.get("published", "").strip()
    if epoch := _EPOCH.fullmatch(text):
        return datetime.fromtimestamp(int(epoch[1]), UTC)
    return parse_date(text)


def _lacks(fields: Mapping[str, str]) -> str | None:
    said = text_of(fields.get("text", "")) or text_of(fields.get("title", ""))
    return None if said else "no text"


def _why(error: Unreadable | OSError) -> str:
    return str(error) if isinstance(error, Unreadable) else (error.strerror or "can't be read")
