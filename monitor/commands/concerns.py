"""`trust-monitor concerns ...`: the log, read and worked on by people. Every view and move is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from rich.console import Console

from monitor import app
from monitor.config import Config
from monitor.config_file import load_config
from monitor.domain import Concern, Person
from monitor.errors import MonitorError
from monitor.logs import configure
from monitor.pipeline import Desk
from monitor.policy import life
from monitor.policy.assessment import Rulebook
from monitor.store.migrate import require_current
from monitor.store.store import SqlStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """What the commands work with. Nothing here outlives one command."""

    config: Config
    store: SqlStore
    book: Rulebook
    console: Console
    clock: Callable[[], datetime]

    @property
    def now(self) -> datetime:
        return self.clock()

    @property
    def today(self) -> date:
        return self.now.astimezone(self.config.timezone).date()

    def person(self, who: str) -> Person:
        """Whoever has this id. Raises MonitorError naming the ids there are."""
        found = next((person for person in self.book.people if person.id == who), None)
        if found is None:
            known = ", ".join(sorted(person.id for person in self.book.people))
            raise MonitorError(f"--who {who}: nobody has this id. Known: {known}.")
        return found

    def hidden(self, concern: Concern, viewer: Person | None) -> str | None:
        """Why `viewer` may not see the concern, as far as they may know; None: they may. Nobody in
        particular (None) sees neither what is with the DSL nor what goes round a head."""
        if viewer is not None:
            refused = life.may_see(concern, viewer, self.book.people)
            if refused is None:
                return None
        elif not (concern.confidential or life.matter(concern).barred(self.book.people)):
            return None
        return "with DSL" if concern.confidential else "with the chair"

    def desk(self) -> Desk:
        """Where moves are made."""
        return app.build_desk(self.config, self.store, self.clock)

    def time(self, at: datetime) -> str:
        """Local time, for a person."""
        return at.astimezone(self.config.timezone).strftime("%a %d %b %Y %H:%M")


def open_office(path: Path) -> Office:
    """Read the configuration and open its database, which must be up to date."""
    config = load_config(path)
    configure(config.logging.format, "warning")  # what a command did, it says itself
    engine = app.database(config)
    require_current(engine)
    return Office(
        config=config,
        store=SqlStore(engine),
        book=app.build_rulebook(config),
        console=Console(),
        clock=lambda: datetime.now(UTC),
    )
