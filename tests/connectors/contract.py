"""Our own kinds' harnesses, for the contract suite (`connectors.testing`).

A new connector adds a line to `HARNESSES`, and its harness in a file beside this one;
`test_contract.py` then runs everything over it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module

from connectors.testing import (
    NOW,
    SECRET,
    TIMEOUT_S,
    Draft,
    Faults,
    Harness,
    Reader,
    drafts,
    edited,
)

__all__ = [
    "HARNESSES",
    "NOW",
    "OWN_FAULTS",
    "SECRET",
    "TIMEOUT_S",
    "Draft",
    "Faults",
    "Harness",
    "Reader",
    "drafts",
    "edited",
    "harness_for",
    "own_faults",
]

HARNESSES = {
    "bluesky": "tests.connectors.harness_bluesky:stream",
    "bluesky search": "tests.connectors.harness_bluesky:search",
    "rss": "tests.connectors.harness_rss:rss",
    "reddit": "tests.connectors.harness_reddit:reddit",
    "mastodon": "tests.connectors.harness_mastodon:mastodon",
    "file_drop": "tests.connectors.harness_file_drop:file_drop",
    "google": "tests.connectors.harness_google:google",
    "youtube": "tests.connectors.harness_youtube:youtube",
}
"""Each kind's harness, as "module:function"; the function is a context manager of a `Harness`. A kind that
reads in two ways has a second one, under its name and a word."""

OWN_FAULTS = {
    "file_drop": "tests.connectors.harness_file_drop:FAULTS",
}
"""Kinds without a network can't be answered 401: "module:table" of their own faults (`Faults`). Every
other kind must stand all of `connectors.testing.FAULTS`, and pass a Retry-After on."""


def harness_for(kind: str) -> AbstractContextManager[Harness]:
    """A running platform of that kind. Raises KeyError for a kind without one."""
    module, _, name = HARNESSES[kind].partition(":")
    started: Callable[[], AbstractContextManager[Harness]] = getattr(import_module(module), name)
    return started()


def own_faults(kind: str) -> Faults | None:
    """The faults that stand in for HTTP's, for a kind without a network; None for all others."""
    if kind not in OWN_FAULTS:
        return None
    module, _, name = OWN_FAULTS[kind].partition(":")
    table: Faults = getattr(import_module(module), name)
    return table
