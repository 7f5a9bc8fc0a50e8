"""A source that costs nothing to read: numbered posts as JSON, from a server that remembers them.

The faults here are about what happens after a post was fetched, and a kill should not fall into the
parsing of XML four times out of five. `register` puts it beside the ordinary kinds.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

import connectors
from connectors.errors import SourceUnavailable
from connectors.post import Batch, CursorState, Post


class NumberedSettings(BaseModel):
    """`url` answers `?after=N` with [[number, text, thread], ...]."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    timeout_s: float = 10.0


class NumberedConnector:
    """Reads from the number that the cursor holds."""

    Settings: ClassVar[Any] = NumberedSettings
    platform = "numbered"

    def __init__(self, settings: NumberedSettings, *, source: str) -> None:
        del source
        self._settings = settings

    def poll(self, cursor: CursorState, *, now: datetime) -> Iterator[Batch]:
        """One batch with everything that is new."""
        after = int(cursor.get("after", -1))
        try:
            url = f"{self._settings.url}?after={after}"
            with urllib.request.urlopen(url, timeout=self._settings.timeout_s) as answer:
                items = json.load(answer)
        except (OSError, ValueError) as error:
            raise SourceUnavailable("no answer") from error
        yield Batch(
            posts=tuple(
                Post(
                    platform=self.platform,
                    native_id=str(number),
                    text=text,
                    thread_id=thread,
                    published_at=now,
                )
                for number, text, thread in items
            ),
            cursor={"after": max((number for number, _, _ in items), default=after)},
        )


def register() -> None:
    """Make `kind = "numbered"` known in this process."""
    connectors.KINDS["numbered"] = f"{__name__}:NumberedConnector"
