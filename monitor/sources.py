"""The configured sources, put together: connectors with their terms, hosts and ways to ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from types import MappingProxyType
from typing import Any

import connectors
from connectors.pages import Pages
from connectors.post import Connector
from monitor.config import Config, Source
from monitor.pipeline.collect import Polled
from monitor.pipeline.hosts import hosts_of
from monitor.policy.sources import rules as source_rules
from monitor.policy.sources.queries import search_terms
from monitor.policy.sources.rules import SourceRules
from monitor.watchlist_file import load_senses


def load_rules() -> SourceRules:
    """The packaged `sources.toml`."""
    path = resources.files("monitor").joinpath("data", "sources.toml")
    return source_rules.load_rules(path.read_text(encoding="utf-8"))


def build_sources(
    config: Config, before: Mapping[str, Polled] = MappingProxyType({})
) -> dict[str, Polled]:
    """Every configured source by its id. Who searches is handed the watchlist's organisations.
    `before` are those that another configuration still polls: no source is polled twice at once."""
    terms = search_terms(config.watchlist, load_senses())
    built = {source.id: _polled(source, terms) for source in config.sources}
    return {
        name: replace(polled, busy=before[name].busy) if name in before else polled
        for name, polled in built.items()
    }


def apply_for(kind: str) -> str | None:
    """What a kind needs from its platform before it can be used; None: nothing, or it doesn't say."""
    told: str | None = getattr(connectors.load(kind), "apply_for", None)
    return told


def _polled(source: Source, terms: tuple[str, ...]) -> Polled:
    kind: Any = connectors.load(source.kind)
    more = {"terms": terms} if getattr(kind, "searches", False) else {}
    connector: Connector = kind(source.settings, source=source.id, **more)
    return Polled(
        id=source.id,
        every_s=source.every_s,
        connector=connector,
        fingerprint=source.fingerprint,
        # A host inside the trust's own network is the trust's own business.
        hosts=() if _is_private(source) else hosts_of(connector, source.settings),
        pages=_pages(source, kind),
    )


def _pages(source: Source, kind: Any) -> Pages | None:
    if source.kind not in connectors.BY_PAGE and not getattr(kind, "by_page", False):
        return None
    return Pages(
        allow_private=_is_private(source),
        contact=getattr(source.settings, "contact", None),
    )


def _is_private(source: Source) -> bool:
    return bool(getattr(source.settings, "allow_private", False))
