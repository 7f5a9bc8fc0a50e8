"""A PostgreSQL of our own, on a socket in a temporary folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa


def program(name: str) -> str | None:
    """PostgreSQL's server programs: on the PATH, or where Debian keeps them."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return str(versions[0]) if versions else shutil.which(name)


def is_installed() -> bool:
    """Whether a `Server` can be made here."""
    return all(map(program, ("initdb", "postgres")))


class Server:
    """Made and started; `url` is that of its database "postgres". Call `remove` at the end."""

    def __init__(self) -> None:
        # The server refuses to run as root, so under root it runs as the account Debian made for it.
        self._user = "postgres" if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
        if self._user:
            shutil.chown(self._folder, self._user)
        initdb = program("initdb")
        assert initdb, "PostgreSQL's server programs are not installed"
        subprocess.run(
            [initdb, "-D", self._data, "-U", "monitor", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True,
            stdout=subprocess.DEVNULL,
            user=self._user,
            cwd=self._folder,
        )
        self.url = f"postgresql+psycopg://monitor@/postgres?host={self._folder}"
        self.start()

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def start(self) -> None:
        """Start, and wait until it answers; 20 s at most."""
        postgres = program("postgres")
        assert postgres
        options = ["-c", "listen_addresses=", "-c", "fsync=off"]
        self._process = subprocess.Popen(
            [postgres, "-D", self._data, "-k", self._folder, *options],
            user=self._user,
            cwd=self._folder,
            stderr=subprocess.DEVNULL,
        )
        engine = sa.create_engine(self.url)
        deadline = time.monotonic() + 20
        while True:
            try:
                with engine.connect():
                    break
            except sa.exc.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            finally:
                engine.dispose()

    def database(self, name: str) -> str:
        """Make one more, empty database; its URL."""
        admin = sa.create_engine(self.url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
        admin.dispose()
        return sa.make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def stop(self, *, at_once: bool = False) -> None:
        """Stop it; `at_once` without a word to its clients, as if the machine had failed."""
        if at_once:
            self._process.send_signal(signal.SIGQUIT)
        else:
            self._process.send_signal(signal.SIGINT)  # waits for no client
        self._process.wait(20)

    def remove(self) -> None:
        """Stop it, and delete everything."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
