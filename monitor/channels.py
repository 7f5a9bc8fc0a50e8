"""The other channels, built from the configuration: what sends by them, and what sees when to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from monitor.config import Config
from monitor.delivery.apprise import AppriseMailer
from monitor.delivery.other import Acknowledge, CallWriter
from monitor.pipeline import Fallback
from monitor.policy.routes import fallback
from monitor.ports import Store


def build_gateways(config: Config) -> AppriseMailer:
    """What hands a message to a channel."""
    return AppriseMailer({each.channel.id: each.url for each in config.channels})


def build_fallback(
    config: Config,
    *,
    store: Store,
    acknowledge: Acknowledge | None,
    clock: Callable[[], datetime],
    wake: Callable[[str], None],
) -> Fallback:
    """What sees that mail doesn't get through. `acknowledge` makes links, where there is a page."""
    return Fallback(
        store=store,
        channels=[each.channel for each in config.channels],
        people=config.people,
        rules=fallback.packaged_rules(),
        calls=CallWriter(
            trust_name=config.watchlist.trust.name,
            organisations={o.id: o.name for o in config.watchlist.organisations},
            acknowledge=acknowledge,
        ),
        clock=clock,
        wake=wake,
    )
