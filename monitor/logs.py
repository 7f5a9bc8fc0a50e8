"""Logging: JSON under systemd, coloured lines on a terminal, and never what people wrote.

An allow-list decides which keys an event may carry; anything else is withheld, so that a careless
line of code can't put a post, a name or a handle into the journal. Exceptions keep their type and
their frames and lose their message, because messages quote values.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import structlog

ALLOWED = frozenset(
    {
        "event", "level", "logger", "timestamp", "exception", "log",
        "source", "kind", "posts", "matched", "new", "skipped", "gap", "failures", "reason",
        "mention", "mentions", "organisations", "severity", "labels", "concern", "notices", "because",
        "key", "delivery", "attempt", "outcome", "state", "detail", "seconds", "day", "recipients",
        "erased", "messages_emptied", "job", "handler", "attempts", "model", "path", "version",
        "letters", "revision", "stuck", "signal", "sources", "people", "schools", "finished",
    }
)  # fmt: skip
_LOUD = (
    "httpx2",
    "httpcore2",
    "apscheduler",
    "alembic",
    "transformers",
    "urllib3",
    "httpx",
    "praw",
)


def configure(
    format_: Literal["auto", "json", "console"] = "auto",
    level: str = "info",
    *,
    renderer: structlog.types.Processor | None = None,
) -> None:
    """Set up structlog and send the standard library's logging the same way, to standard error.

    `renderer` replaces the last step (the demo tells its story with it).
    """
    console = format_ == "console" or (format_ == "auto" and sys.stderr.isatty())
    shown = renderer or (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if console
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*processors(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_foreign, *processors()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, shown],
            use_get_message=False,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _LOUD:
        # Their info lines quote URLs, whose query strings may hold tokens.
        logging.getLogger(name).setLevel(logging.WARNING)


def processors() -> list[structlog.types.Processor]:
    """Everything before rendering, in order; tests capture through these, not around them."""
    return [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        safe_exception,
        withhold,
    ]


def withhold(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replace the value of every key that is not on the allow-list."""
    for key in event:
        if key not in ALLOWED and not key.startswith("_"):
            event[key] = "[withheld]"
    return event


def safe_exception(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Turn exc_info into "Type: file:line in function <- ...", without messages or values."""
    info = event.pop("exc_info", None)
    if info:
        error = info if isinstance(info, BaseException) else sys.exc_info()[1]
        if error is not None:
            event["exception"] = describe(error)
    return event


def describe(error: BaseException) -> str:
    """An exception and its causes as types and places, innermost frame first."""
    told: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(told) < 5:
        told.append(f"{type(cause).__name__}: {_frames(cause.__traceback__)}")
        cause = cause.__cause__ or cause.__context__
    return " | caused by ".join(told)


def _frames(traceback: TracebackType | None) -> str:
    frames: list[str] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append(f"{Path(code.co_filename).name}:{traceback.tb_lineno} in {code.co_name}")
        traceback = traceback.tb_next
    return " <- ".join(reversed(frames[-6:]))


def _foreign(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A library's message may quote anything: keep its template, and withhold what was filled in."""
    # A template has places to fill in; a message without any may have been filled in already.
    event["log"] = event["event"] if "%" in event["event"] else "[withheld]"
    event["event"] = "library_message"
    return event
