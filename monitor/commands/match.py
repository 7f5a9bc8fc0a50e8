"""`trust-monitor match --jsonl`: try a watchlist on posts, without storing anything."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any, TextIO

from connectors.post import Post
from monitor.commands.posts import read_posts
from monitor.domain import Match
from monitor.ports import Matcher

EX_DATAERR = 65  # sysexits.h: some of the input was malformed


def match_lines(
    matcher: Matcher, lines: Iterable[str], out: TextIO, err: TextIO | None = None
) -> int:
    """Write one JSON line per post: `{"id", "schools", "matches"}`, in the order of the input.

    A malformed line is named on `err` (standard error when None) and keeps none of the others from
    being matched; then the result is 65, else 0.
    """
    status = 0
    for line in read_posts(lines):
        if line.post is None:
            print(f"line {line.number}: {line.problem}", file=err or sys.stderr)
            status = EX_DATAERR
            continue
        answer = match_answer(line.id, line.post, matcher.match(line.post))
        out.write(json.dumps(answer, ensure_ascii=False) + "\n")
    return status


def match_answer(post_id: str, post: Post, matches: tuple[Match, ...]) -> dict[str, Any]:
    """What one post's line says. `span` is (start, end) in the characters of the named field."""
    return {
        "id": post_id,
        "schools": list(dict.fromkeys(match.organisation for match in matches)),
        "matches": [
            {
                "school": match.organisation,
                "term": match.term,
                "span": list(match.span),
                "field": match.field,
                "said": (getattr(post, match.field) or "")[slice(*match.span)],
                "strength": match.strength.value,
                "reason": match.reason,
            }
            for match in matches
        ],
    }
