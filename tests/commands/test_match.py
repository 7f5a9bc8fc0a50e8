"""`trust-monitor match --jsonl`: trying a watchlist on posts."""

from __future__ import annotations

import io
import json

from monitor.commands.match import EX_DATAERR, match_lines
from tests.policy.matching import matcher


def test_each_post_gets_its_line() -> None:
    """Every post is answered in order, with schools, terms, spans, strengths and reasons."""
    out = io.StringIO()
    lines = [
        '{"id": "p1", "text": "Tunnock Barrow is shut"}\n',
        "\n",
        '{"text": "nothing here"}\n',
        '{"id": "p3", "text": "the gates at St Wenna\'s", "context": {"subreddit": "WolverleyCross"}}\n',
    ]
    assert match_lines(matcher(), lines, out) == 0
    first, second, third = map(json.loads, out.getvalue().splitlines())
    assert first["schools"] == ["tunnock"]
    assert first["matches"][0] == {
        "school": "tunnock",
        "term": "Tunnock Barrow",
        "span": [0, 14],
        "field": "text",
        "said": "Tunnock Barrow",
        "strength": "distinctive",
        "reason": "'Tunnock Barrow' names it alone",
    }
    assert (second["id"], second["schools"]) == ("3", [])
    assert third["schools"] == ["wenna"]


def test_a_malformed_line_loses_no_other() -> None:
    """A bad line is named on the error stream and in the exit status; the rest is answered."""
    out, err = io.StringIO(), io.StringIO()
    lines = ["{oops\n", '{"id": "ok", "text": "Tunnock Barrow"}\n', '{"id": "no-text"}\n']
    assert match_lines(matcher(), lines, out, err) == EX_DATAERR
    assert [json.loads(line)["id"] for line in out.getvalue().splitlines()] == ["ok"]
    assert "line 1:" in err.getvalue()
    assert "line 3:" in err.getvalue()
    assert "oops" not in err.getvalue()
