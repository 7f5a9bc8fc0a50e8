"""What people wrote never reaches the log: not through keys, exceptions or libraries."""

from __future__ import annotations

import io
import json
import logging
import sys

import pytest
import structlog

from monitor import logs

SECRET = "the zebra bit Mrs Quagga"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    before = structlog.get_config()
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    logs.configure("json")
    yield stream
    structlog.configure(**before)
    root.handlers[:], root.level = handlers, level


def read(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_unknown_keys_are_withheld(lines: io.StringIO) -> None:
    """A careless key with a post in it is logged without its value."""
    structlog.get_logger("x").info("collected", text=SECRET, author="@quagga", posts=3)
    assert SECRET not in lines.getvalue()
    assert "@quagga" not in lines.getvalue()
    assert read(lines)[0]["posts"] == 3


def test_exceptions_lose_their_words(lines: io.StringIO) -> None:
    """An exception that quotes a post is logged by type and place, its causes too."""
    try:
        try:
            raise ValueError(SECRET)
        except ValueError as error:
            raise RuntimeError(SECRET) from error
    except RuntimeError:
        structlog.get_logger("x").exception("handler_failed", handler="assess")
    (line,) = read(lines)
    assert SECRET not in lines.getvalue()
    assert str(line["exception"]).startswith("RuntimeError: test_logs.py:")
    assert "caused by ValueError" in str(line["exception"])


def test_libraries_are_withheld(lines: io.StringIO) -> None:
    """A library's line keeps its template and loses what was filled in."""
    logging.getLogger("somelib").warning("could not read %s", SECRET)
    logging.getLogger("somelib").warning(f"could not read {SECRET}")
    try:
        raise KeyError(SECRET)
    except KeyError:
        logging.getLogger("somelib").exception("broke on %s", SECRET)
    assert SECRET not in lines.getvalue()
    assert [line["log"] for line in read(lines)] == [
        "could not read %s",
        "[withheld]",
        "broke on %s",
    ]


def test_http_libraries_stay_quiet(lines: io.StringIO) -> None:
    """The HTTP client's info lines, which quote URLs and so tokens, are not logged."""
    logging.getLogger("httpx2").info("HTTP Request: GET https://x.example/?token=abc")
    assert lines.getvalue() == ""
