"""A folder as a mailbox: each message as .eml beside its .html, for the demo and for trying out."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from monitor.delivery.message import KEY_HEADER
from monitor.domain import Outcome, Sent
from monitor.errors import MonitorError


class FolderMailer:
    """The channel "folder". Files are named like 2026-11-21_0912_alert-2026-0042-1_3fa9c1.eml: date
    and time (UTC), occasion, and a few digits of the Message-ID, so that a repeat lands on itself."""

    channel = "folder"

    def __init__(self, path: Path) -> None:
        self.path = path

    def send(self, recipient: str, message: bytes, *, attempt: int) -> Sent:
        """Write both files, each whole or not at all. `recipient` and `attempt` change nothing."""
        del recipient, attempt
        parsed = message_from_bytes(message, policy=default)
        name = _name(parsed, message)
        html = parsed.get_body(("html",))
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if html is not None:
                self._write(name + ".html", html.get_content().encode("utf-8"))
            self._write(name + ".eml", message)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            return Sent(outcome=Outcome.DEFERRED, detail=f"not written: {reason}", relay="folder")
        return Sent(outcome=Outcome.ACCEPTED, detail=f"written as {name}.eml", relay="folder")

    def check(self) -> str:
        """A sentence when files can be written here; MonitorError naming the folder otherwise."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path):
                pass
        except OSError as error:
            raise MonitorError(
                f"{self.path}: mail can't be written here ({error.strerror}). "
                "Give a folder that this user may write to."
            ) from error
        return f"{self.path}: can be written to"

    def _write(self, name: str, content: bytes) -> None:
        target = self.path / name
        handle, partial = tempfile.mkstemp(dir=self.path, prefix=".", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(partial).replace(target)
        except BaseException:
            Path(partial).unlink(missing_ok=True)
            raise
        directory = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(directory)  # the new name, too, survives a power cut
        finally:
            os.close(directory)


def _name(message: EmailMessage, content: bytes) -> str:
    identity = str(message.get("Message-ID", "")).encode() or content
    occasion = re.sub(r"[^a-z0-9]+", "-", str(message.get(KEY_HEADER, "message")).lower())[:60]
    sent = message.get("Date")
    date: datetime | None = getattr(sent, "datetime", None)
    day = f"{date:%Y-%m-%d_%H%M}_" if date else ""
    return f"{day}{occasion.strip('-')}_{hashlib.blake2b(identity, digest_size=3).hexdigest()}"
