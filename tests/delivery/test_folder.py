"""The folder channel: what `make run` shows a person."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.delivery.folder import FolderMailer
from monitor.delivery.message import freeze
from monitor.delivery.render import Rendered
from monitor.domain import Outcome
from monitor.errors import MonitorError

RENDERED = Rendered(subject="Hello – you", text="Hi\n", html="<p>Hi – you</p>", urgent=False)


def message(recipient: str = "head@school.example", key: str = "alert:2026-0042:1") -> bytes:
    return freeze(
        RENDERED,
        sender="monitor@trust.example",
        recipient=recipient,
        now=datetime(2026, 11, 21, 9, 12, tzinfo=UTC),
        key=key,
    )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_message_lies_there_as_mail_and_as_page(tmp_path: Path) -> None:
    """The .eml holds the frozen bytes, the .html what a reader would see, under one readable name."""
    folder = tmp_path / "new" / "mail"
    sent = FolderMailer(folder).send("head@school.example", message(), attempt=0)
    mail_name, page_name = names(folder)
    assert sent.outcome is Outcome.ACCEPTED
    assert mail_name.startswith("2026-11-21_0912_alert-2026-0042-1_")
    assert (folder / mail_name).read_bytes() == message()
    assert "Hi – you" in (folder / page_name).read_text(encoding="utf-8")
    assert sent.detail == f"written as {mail_name}"
    assert "@" not in sent.detail


def test_a_repeat_lands_on_itself_and_another_recipient_does_not(tmp_path: Path) -> None:
    """Sent twice is there once; two people's copies are two."""
    mailer = FolderMailer(tmp_path)
    for attempt in range(3):
        mailer.send("head@school.example", message(), attempt=attempt)
    assert len(names(tmp_path)) == 2
    mailer.send("b@school.example", message("b@school.example"), attempt=0)
    assert len(names(tmp_path)) == 4


def test_a_half_written_file_is_never_seen_as_mail(tmp_path: Path) -> None:
    """A page left behind by a crash before its .eml is completed at the next attempt."""
    mailer = FolderMailer(tmp_path)
    mailer.send("head@school.example", message(), attempt=0)
    (mail,) = tmp_path.glob("*.eml")
    mail.unlink()
    assert mailer.send("head@school.example", message(), attempt=1).outcome is Outcome.ACCEPTED
    assert mail.read_bytes() == message()
    assert not list(tmp_path.glob(".*"))


def test_a_folder_that_cannot_be_written_defers(tmp_path: Path) -> None:
    """A file in the folder's place, as a full or vanished disk, is tried again later and named by check."""
    blocked = tmp_path / "mail"
    blocked.write_text("in the way")
    sent = FolderMailer(blocked).send("head@school.example", message(), attempt=0)
    assert sent.outcome is Outcome.DEFERRED
    assert sent.detail == "not written: File exists"
    with pytest.raises(MonitorError, match="can't be written here"):
        FolderMailer(blocked).check()
    assert FolderMailer(tmp_path / "ok").check().endswith("can be written to")


def test_names_never_leave_the_folder(tmp_path: Path) -> None:
    """Bytes from elsewhere, with a key that looks like a path, still make a plain name inside."""
    odd = b"X-Trust-Monitor-Key: ../../etc/passwd\r\nDate: never\r\n\r\nhello\r\n"
    sent = FolderMailer(tmp_path / "mail").send("head@school.example", odd, attempt=0)
    assert sent.outcome is Outcome.ACCEPTED
    (name,) = names(tmp_path / "mail")
    assert name.startswith("etc-passwd_")
    assert os.sep not in name
