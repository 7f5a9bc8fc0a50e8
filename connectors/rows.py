"""The rows of a CSV or JSON Lines file, read as a stream from any row on, in little memory.

A row is a mapping of our fields ("text", "url", ...) to what the file says, found by the columns'
names. A row that cannot be read is told by its line and the reason, never by its words.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

MAX_LINE = 1_000_000  # bytes

FIELDS: Mapping[str, tuple[str, ...]] = {
    "text": ("text", "content", "body", "message", "snippet", "full text", "post", "comment"),
    "title": ("title", "headline", "subject"),
    "url": ("url", "link", "permalink", "source url", "page url"),
    "author": ("author", "author name", "user name", "username", "full name"),
    "published": ("date", "published", "published at", "created at", "created time", "timestamp"),
    "id": ("id", "post id", "mention id", "comment id", "guid", "uuid"),
    "community": ("community", "site", "source", "source name", "domain", "group", "subreddit"),
    "language": ("language", "lang"),
}
"""Our fields, and the column names under which listening tools export them. Case, _ and - of a name
don't matter; the first that a file has is taken."""


class Unreadable(Exception):
    """The whole file can't be read. `str` names the line and what to do, and quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row ends: bytes and lines read so far."""

    offset: int = 0
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row, beginning on `line` (1 is the first). `fields` is empty when `problem` says why."""

    line: int
    end: Place
    fields: Mapping[str, str]
    problem: str | None = None


def rows(
    file: BinaryIO, *, form: str, columns: Mapping[str, str], start: Place | None = None
) -> Iterator[Row]:
    """Yield the rows of `file` behind `start`, which must be the `end` of one of them.

    `form` is "csv" or "jsonl"; `columns` names the file's own column for a field, before those of
    `FIELDS`. Text is UTF-8, with or without a byte order mark, and Windows-1252 in lines that are
    not. Raises Unreadable at once, before the first row.
    """
    head = file.read(4096)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in head:
        raise Unreadable("line 1: not a text file in UTF-8; save it as CSV UTF-8")
    lines = _Lines(file, Place(3 if head.startswith(b"\xef\xbb\xbf") else 0))
    if form == "jsonl":
        return _json_rows(lines, columns, start)
    return _csv_rows(lines, columns, start)


class _BadLine(Exception):
    """A line that must be passed over."""


class _Lines:
    """The decoded lines of a file; `place` is behind the last one."""

    def __init__(self, file: BinaryIO, place: Place) -> None:
        self._file = file
        self.move(place)

    def move(self, place: Place) -> None:
        self._file.seek(place.offset)
        self.place = place

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        raw = self._file.readline(MAX_LINE)
        if not raw:
            raise StopIteration
        size, rest = len(raw), raw
        while len(rest) == MAX_LINE and not rest.endswith(b"\n"):
            rest = self._file.readline(MAX_LINE)
            size += len(rest)
        self.place = Place(self.place.offset + size, self.place.line + 1)
        if size > MAX_LINE:
            raise _BadLine(f"longer than {MAX_LINE:,} bytes")
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return raw.decode("cp1252", "replace")


def _csv_rows(lines: _Lines, columns: Mapping[str, str], start: Place | None) -> Iterator[Row]:
    begin = lines.place
    try:
        header = next(lines, "")
        lines.move(begin)
        delimiter = max(",;\t", key=header.count)
        names = next(csv.reader(lines, delimiter=delimiter), [])
    except (csv.Error, _BadLine):
        raise Unreadable("line 1: the header with the columns' names can't be read") from None
    found = _columns_found(names, columns) if names else {}
    if names and not found.keys() & {"text", "title"}:
        raise Unreadable(
            "line 1: no column for the text; name it in [sources.columns], or head it 'text'"
        )
    if start:
        lines.move(start)
    return _cells(lines, found, delimiter, width=len(names))


def _columns_found(names: Sequence[str], columns: Mapping[str, str]) -> dict[str, int]:
    """Return our fields, and where they stand. Raises Unreadable for a configured column that the
    file hasn't."""
    at = {_plain(name): index for index, name in reversed(list(enumerate(names)))}
    for field, name in columns.items():
        if _plain(name) not in at:
            raise Unreadable(f"line 1: no column '{name}' (columns.{field} of the configuration)")
    first = {
        field: next(
            (at[_plain(name)] for name in _names(field, columns) if _plain(name) in at), None
        )
        for field in FIELDS
    }
    return {field: index for field, index in first.items() if index is not None}


def _cells(lines: _Lines, found: Mapping[str, int], delimiter: str, *, width: int) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        line = lines.place.line + 1
        try:
            cells = next(reader)
            problem = "more cells than the header has" if len(cells) > width else None
        except StopIteration:
            return
        except _BadLine as bad:
            cells, problem = [""], str(bad)
        except csv.Error:
            cells, problem = [""], "a cell without its closing quote, or too long"
        if not cells:
            continue  # a blank line
        fields = {field: cells[index] for field, index in found.items() if index < len(cells)}
        yield Row(line=line, end=lines.place, fields={} if problem else fields, problem=problem)


def _json_rows(lines: _Lines, columns: Mapping[str, str], start: Place | None) -> Iterator[Row]:
    if start:
        lines.move(start)
    while True:
        line = lines.place.line + 1
        try:
            text = next(lines)
            row = json.loads(text) if text.strip() else None
            fields = _members(row, columns) if isinstance(row, dict) else {}
            problem = None if row is None or isinstance(row, dict) else "not a JSON object"
        except StopIteration:
            return
        except _BadLine as bad:
            fields, problem = {}, str(bad)
        except (ValueError, RecursionError):
            fields, problem = {}, "not a JSON object"
        if fields or problem:  # and not a blank line
            yield Row(line=line, end=lines.place, fields=fields, problem=problem)


def _members(row: dict[str, Any], columns: Mapping[str, str]) -> dict[str, str]:
    """Return the fields of a JSON object; "author.name" reaches into an object within."""
    members = {_plain(name): value for name, value in reversed(row.items())}
    fields = {}
    for field in FIELDS:
        values = (_reach(members, name) for name in _names(field, columns))
        value = next((value for value in values if isinstance(value, str | int | float)), None)
        if value is not None and not isinstance(value, bool):
            fields[field] = str(value)
    return fields


def _reach(members: Mapping[str, Any], name: str) -> Any:
    if _plain(name) in members:
        return members[_plain(name)]
    outer, dot, inner = name.partition(".")
    within = members.get(_plain(outer))
    if not dot or not isinstance(within, dict):
        return None
    return _reach({_plain(key): value for key, value in within.items()}, inner)


def _names(field: str, columns: Mapping[str, str]) -> tuple[str, ...]:
    return (columns[field],) if field in columns else FIELDS[field]


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split())
