"""Posts as JSON lines: how people hand posts to `match`, `triage` and `explain`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.post import Post

_CONTEXT = ("title", "url", "community", "feed_title", "author_location", "platform", "language")
_ALSO_CALLED = {"subreddit": "community"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of input: a post, or what is wrong with it. `number` counts from 1."""

    number: int
    id: str
    post: Post | None
    problem: str = ""


def read_posts(lines: Iterable[str]) -> Iterator[Line]:
    """Yield one `Line` per line that is not blank. `text` is required; `id` defaults to the line's
    number; `context` may hold the optional fields; keys that we don't know are passed over."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _read(number, line)


def _read(number: int, line: str) -> Line:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        return _bad(number, f"not JSON at column {error.colno}: write one object a line")
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        return _bad(number, 'needs an object with a string "text"')
    fields = _fields(row)
    wrong = next((key for key, value in fields.items() if not isinstance(value, str)), None)
    if wrong:
        return _bad(number, f'"{wrong}" must be a string')
    fields.setdefault("platform", "jsonl")
    post_id = str(row.get("id", number))
    post = Post(native_id=post_id or str(number), text=row["text"], **fields)
    return Line(number=number, id=post_id, post=post)


def _fields(row: Mapping[str, Any]) -> dict[str, Any]:
    context = row.get("context")
    merged = {**(context if isinstance(context, dict) else {}), **row}
    named = {_ALSO_CALLED.get(key, key): value for key, value in merged.items()}
    return {key: named[key] for key in _CONTEXT if named.get(key) not in (None, "")}


def _bad(number: int, problem: str) -> Line:
    return Line(number=number, id=str(number), post=None, problem=problem)
