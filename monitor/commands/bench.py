"""What `triage` and `explain` judge with: the configured trust, a bare watchlist, or nobody's."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from monitor import app
from monitor.commands.triage import Bench
from monitor.config import ClassifierConfig, Config
from monitor.config_file import load_config
from monitor.policy import ladder, triage
from monitor.policy.assessment import Rulebook
from monitor.policy.deadlines import Calendar
from monitor.policy.matching.organisations import Organisation, Watchlist
from monitor.watchlist_file import load_watchlist

NOBODY = Watchlist(
    trust=Organisation(id="trust", name="the trust"),
    schools=(Organisation(id="school", name="the school"),),
)
CONTACT = "the school office"


def build_bench(
    watchlist: Path | None, config: Path, *, assume_mention: bool, model: Path | None = None
) -> Bench:
    """The configuration's own rules when there is one; otherwise the packaged ones. `model`: a checkpoint
    directory to judge with instead of the configured one.

    Raises ConfigError when neither a configuration nor a watchlist is there and matching is wanted.
    """
    configured = load_config(config) if _wanted(watchlist, config, assume_mention) else None
    organisations = load_watchlist(watchlist) if watchlist else _own(configured)
    chosen = configured.classifier if configured else ClassifierConfig()
    if model is not None:
        chosen = chosen.model_copy(
            update={"kind": "transformer", "model": str(model), "revision": None}
        )
    return Bench(
        classifier=app.build_classifier(chosen),
        book=app.build_rulebook(configured) if configured else _packaged(organisations),
        matcher=None if assume_mention else app.build_matcher(organisations),
        now=datetime.now(UTC),
    )


def _wanted(watchlist: Path | None, config: Path, assume_mention: bool) -> bool:  # noqa: FBT001
    return watchlist is None and (config.exists() or not assume_mention)


def _own(configured: Config | None) -> Watchlist:
    return configured.watchlist if configured else NOBODY


def _packaged(organisations: Watchlist) -> Rulebook:
    return Rulebook(
        triage=triage.load_rules(app.data("triage.toml")),
        ladder=ladder.load_ladder(app.data("ladders/base.toml")),
        calendar=Calendar(),
        people=(),
        watchlist=organisations,
        contact=CONTACT,
        complaints_url=None,
        info_url=None,
    )
