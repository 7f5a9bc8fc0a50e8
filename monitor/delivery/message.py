"""Words into frozen bytes: one RFC 5322 message for one recipient, the same at every attempt.

The Message-ID comes from the occasion and the recipient, so that a repeat after an unclear outcome can
be recognised as one by the mail server or by the reader's program.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8

from monitor.delivery.render import Rendered

KEY_HEADER = "X-Trust-Monitor-Key"
_ATOM = r"[^\s\"(),:;<>@\[\\\].\x00-\x1f\x7f-\x9f]+"
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_KEY = re.compile(r"[\w.:-]{1,120}", re.ASCII)


def addr_spec(text: str) -> str:
    """`text` if it is exactly one plain address; ValueError (which doesn't repeat it) otherwise.

    Names, lists, quotes, comments and line breaks are refused: `"a, b@evil"` is two recipients to a
    header parser.
    """
    if len(text) > 254 or not _ADDRESS.fullmatch(text):
        raise ValueError("not one plain mail address such as office@school.example")
    return text


def freeze(
    rendered: Rendered,
    *,
    sender: str,
    recipient: str,
    now: datetime,
    key: str,
    sender_name: str = "Trust Monitor",
) -> bytes:
    """The message as it will be sent, CRLF line ends, 7-bit body; equal arguments give equal bytes.

    `key` names the occasion ("alert:2026-0042:1"). `now` must be aware. Raises ValueError on an
    address that isn't one plain address, on a key with other than letters, digits and ".:_-", and on
    a naive `now`.
    """
    addr_spec(sender)
    addr_spec(recipient)
    if not _KEY.fullmatch(key):
        raise ValueError("a delivery key has 1 to 120 letters, digits and .:_- only")
    if now.tzinfo is None:
        raise ValueError("a message's date must carry a time zone")
    identity = hashlib.blake2b(f"{key}\x00{recipient}".encode(), digest_size=16).hexdigest()
    domain = sender.rpartition("@")[2].encode("idna").decode("ascii")
    message = EmailMessage(policy=SMTP if (sender + recipient).isascii() else SMTPUTF8)
    message["Date"] = now.astimezone(UTC).replace(microsecond=0)
    message["Message-ID"] = f"<{identity}@{domain}>"
    message["From"] = _address(sender, sender_name)
    message["To"] = _address(recipient)
    message["Subject"] = rendered.subject
    # RFC 3834, and Exchange's equivalent: no out-of-office answers to a machine.
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    if rendered.urgent:
        message["Importance"] = "high"
        message["X-Priority"] = "1"
    message[KEY_HEADER] = key
    message.set_content(rendered.text, cte="quoted-printable")
    message.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    message.set_boundary(f"=-{identity}")
    return message.as_bytes()


def _address(text: str, name: str = "") -> Address:
    username, _, domain = text.rpartition("@")
    return Address(display_name=name, username=username, domain=domain)
