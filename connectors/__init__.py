"""Connectors: one file a platform. `KINDS` is the table of our own; a kind is imported when it is used.

A package of somebody else's adds a kind by an entry point of the group `trust_monitor.connectors`, whose
name is the kind and whose value is "module:Class" (docs/connectors.md). Our own kinds win.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

GROUP = "trust_monitor.connectors"
KINDS = {
    "bluesky": "connectors.bluesky:BlueskyConnector",
    "file_drop": "connectors.file_drop:FileDropConnector",
    "google": "connectors.google:GoogleConnector",
    "youtube": "connectors.youtube:YouTubeConnector",
    "rss": "connectors.rss:RssConnector",
    "reddit": "connectors.reddit:RedditConnector",
    "mastodon": "connectors.mastodon:MastodonConnector",
}

BY_PAGE = frozenset({"rss", "google"})
"""Kinds of which only a post's own page shows that it was deleted (`connectors.pages`). A plugin's class
says so itself, with `by_page = True`."""


class PluginError(Exception):
    """A connector of another package can't be used. The text names package, entry point and remedy."""


def kinds() -> tuple[str, ...]:
    """Every kind that a `[[sources]]` stanza may name: ours, then those of installed packages."""
    plugins = {point.name for point in entry_points(group=GROUP)}
    return (*KINDS, *sorted(plugins - KINDS.keys()))


def load(kind: str) -> Any:
    """Return the connector class of `kind`; its `Settings` attribute is the pydantic model of the
    keys that a `[[sources]]` stanza of that kind takes.

    Raises KeyError for an unknown kind, PluginError for another package's that can't be used.
    """
    if kind in KINDS:
        module, _, name = KINDS[kind].partition(":")
        return getattr(import_module(module), name)
    points = tuple(entry_points(group=GROUP, name=kind))
    if not points:
        raise KeyError(kind)
    return _plugin(points)


def _plugin(points: Sequence[EntryPoint]) -> Any:
    """The class behind an entry point, if it looks like a connector."""
    told = " and ".join(sorted({_named(point) for point in points}))
    if len({point.value for point in points}) > 1:
        raise PluginError(f"{told} claim the same kind. Uninstall one of them.")
    try:
        found = points[0].load()
    except Exception as error:  # whatever the other package's code raises
        raise PluginError(
            f"{told} can't be imported ({type(error).__name__}). Reinstall that package, or take its "
            "source out of the configuration."
        ) from error
    lacking = [name for name in ("Settings", "poll") if not hasattr(found, name)]
    if lacking:
        raise PluginError(
            f"{told} is no connector: it has no {' and no '.join(lacking)}. Ask its maker for a version "
            "that passes the contract suite."
        )
    return found


def _named(point: EntryPoint) -> str:
    package = point.dist.name if point.dist else "an unknown package"
    return f"package {package!r}, entry point {point.name!r} ({point.value})"
