"""A folder of exports, for the contract suite. It can't be answered 401: `FAULTS` is what goes wrong
with folders and files instead."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from connectors.errors import SourceRejected
from connectors.file_drop import FileDropConnector, FileDropSettings
from connectors.post import Connector
from tests.connectors.contract import NOW, Draft, Faults, Harness


class FileDropHarness:
    """Whenever the posts change, the listening tool exports all of them to a further file."""

    capacity = 2000
    turns_over = False  # a new export with new rows only is how it should be

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.posts: list[Draft] = []
        self._exported: list[Draft] | None = None
        self._written = 0
        self._damaged = False

    def connect(self) -> Connector:
        if self.posts != self._exported and not self._damaged:
            self._export()
        settings = FileDropSettings(folder=self.folder, max_items=100)
        return FileDropConnector(settings, source="contract")

    def write(self, name: str, body: bytes) -> None:
        """Put a file into the folder, a second younger than the last."""
        self._written += 1
        path = self.folder / name
        path.write_bytes(body)
        changed = (NOW - timedelta(hours=2) + timedelta(seconds=self._written)).timestamp()
        os.utime(path, (changed, changed))

    def damage(self, name: str, body: bytes) -> None:
        """Let the next export come out as `body`."""
        self._damaged = True
        self.write(name, body)

    def move_away(self) -> None:
        self._damaged = True
        self.folder.rename(self.folder.with_name("moved"))

    def replace_by_file(self) -> None:
        self.move_away()
        self.folder.write_text("no folder")

    def recover(self) -> None:
        self._damaged = False
        if self.folder.is_file():
            self.folder.unlink()
        if not self.folder.exists():
            self.folder.with_name("moved").rename(self.folder)
        for path in self.folder.glob("broken.*"):
            path.unlink()

    def fail(self, status: int, *, retry_after: str | None = None) -> None:
        raise NotImplementedError("a folder answers no status: see FAULTS")

    def hang(self) -> None:
        raise NotImplementedError("a folder does not hang: see FAULTS")

    def drip(self) -> None:
        raise NotImplementedError("a folder does not drip: see FAULTS")

    def send(self, body: bytes) -> None:
        self.damage("broken.csv", body)

    def _export(self) -> None:
        path = self.folder / "export.csv.writing"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["ID", "Date", "Full Text"])
            writer.writerows(
                (post.id, post.published_at.isoformat() if post.published_at else "", post.text)
                for post in self.posts
            )
        body = path.read_bytes()
        path.unlink()
        self.write(f"export-{self._written + 1:04}.csv", body)
        self._exported = list(self.posts)


FAULTS: Faults = {
    "no folder": (lambda harness: harness.move_away(), SourceRejected),
    "no folder but a file": (lambda harness: harness.replace_by_file(), SourceRejected),
    "no text": (lambda harness: harness.send(bytes(range(256)) * 9), SourceRejected),
    "utf-16": (lambda harness: harness.send("text\r\nx\r\n".encode("utf-16")), SourceRejected),
    "html": (lambda harness: harness.send(b"<!doctype html><title>Sorry</title>"), SourceRejected),
    "no column": (lambda harness: harness.send(b"when,who\n1,2\n"), SourceRejected),
    "no row with text": (lambda harness: harness.send(b"id,text\n1,\n2,\n"), SourceRejected),
    "broken json": (lambda harness: harness.damage("broken.jsonl", b'{"a'), SourceRejected),
    "json of another kind": (
        lambda harness: harness.damage("broken.jsonl", b"[1]"),
        SourceRejected,
    ),
    "deep json": (
        lambda harness: harness.damage("broken.jsonl", b'{"a":' * 100_000),
        SourceRejected,
    ),
}


@contextmanager
def file_drop() -> Iterator[Harness]:
    with TemporaryDirectory() as folder:
        drop = Path(folder) / "drop"
        drop.mkdir()
        yield FileDropHarness(drop)
