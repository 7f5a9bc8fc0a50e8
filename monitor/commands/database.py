"""`trust-monitor db`: the database upgraded, taken back, copied, examined and put back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from monitor import app, lock
from monitor.config import Config
from monitor.errors import MonitorError
from monitor.store import copies, migrate
from monitor.store.copies import Examined
from monitor.store.database import reading, revisions
from monitor.store.schema import delivery

Say = Callable[[str], None]
_OPEN = ("pending", "ambiguous", "held")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """Looks after the configured database. `say` prints a line; `now` is aware."""

    config: Config
    engine: sa.Engine
    say: Say
    now: datetime

    @classmethod
    def of(cls, config: Config, say: Say, *, now: datetime) -> Keeper:
        return cls(config=config, engine=app.database(config), say=say, now=now)

    def upgrade(self) -> None:
        """Bring the tables up to date."""
        migrate.migrate(self.engine)
        self.say(f"{self.engine.dialect.name}: at revision {revisions(self.engine)[0]}")

    def downgrade(self, revision: str, *, backup: Path | None) -> None:
        """Take the tables back for an older program, after a backup. Not under a running monitor."""
        with lock.only_instance(self.config.state_dir):
            self.backup(backup)
            migrate.take_back(self.engine, revision)
        self.say(
            f"{self.engine.dialect.name}: at revision {revisions(self.engine)[0]}. Install the older "
            "program before the monitor is started: this one would upgrade again."
        )

    def backup(self, path: Path | None) -> None:
        """Copy the database, online, into a new file: `path`, or a dated one in it, or beside the
        database."""
        path = path or self._beside("backups")
        if path.is_dir():
            path /= f"monitor-{self._stamp()}{self._ending()}"
        found = copies.back_up(self.engine, path)
        self._tell("backed up", found)
        self.say("It holds what people wrote: keep it safe, and no longer than you need it.")

    def verify(self, path: Path | None) -> None:
        """Read a backup, or the database itself, from end to end."""
        found = copies.examine_file(self.engine, path) if path else copies.examine(self.engine)
        self._tell("whole", found)

    def restore(self, path: Path) -> None:
        """Put a backup in the database's place; what was there is kept. Not under a running monitor."""
        aside = self._beside("backups") / f"before-restore-{self._stamp()}{self._ending()}"
        with lock.only_instance(self.config.state_dir):
            found = copies.put_back(self.engine, path, aside)
            migrate.migrate(self.engine)
        self._tell("restored", found)
        if aside.exists():
            self.say(f"What was there before is kept: {aside}. Delete it once all is well.")
        waiting = self._waiting()
        if waiting:
            self.say(
                f"{waiting} letters were on their way when the backup was made: they go out when the "
                "monitor starts, some of them perhaps a second time."
            )
        self.say(
            "Start the monitor: sources are read on from where the backup left off, and posts that "
            "were deleted since are forgotten again within a day."
        )

    def _waiting(self) -> int:
        with reading(self.engine) as connection:
            return connection.execute(
                sa.select(sa.func.count()).select_from(delivery).where(delivery.c.state.in_(_OPEN))
            ).scalar_one()

    def _tell(self, how: str, found: Examined) -> None:
        rows = ", ".join(
            f"{count} {name}" for name, count in found.rows.items() if name in _TOLD and count
        )
        self.say(f"{found.where}: {how}, revision {found.revision or 'none'}; {rows or 'no rows'}")

    def _beside(self, folder: str) -> Path:
        path = self.config.state_dir / folder
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise MonitorError(
                f"{path}: can't be made ({error.strerror}). Name a folder."
            ) from error
        return path

    def _stamp(self) -> str:
        return f"{self.now:%Y%m%dT%H%M%SZ}"

    def _ending(self) -> str:
        return copies.ENDINGS[self.engine.dialect.name]


_TOLD = ("concern", "mention", "delivery", "source")
