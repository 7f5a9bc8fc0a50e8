"""Connectors: one file a platform. `KINDS` is the whole table; a kind is imported when it is used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

KINDS = {
    "rss": "connectors.rss:RssConnector",
}


def load(kind: str) -> Any:
    """Return the connector class of `kind`; its `Settings` attribute is the pydantic model of the
    keys that a `[[sources]]` stanza of that kind takes. Raises KeyError for an unknown kind."""
    module, _, name = KINDS[kind].partition(":")
    return getattr(import_module(module), name)
