"""A frozen letter, read again so that it can stand in another: its subject, words and link."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.policy import default

from monitor.delivery.message import KEY_HEADER
from monitor.delivery.render import Enclosed

# As templates/*/body.txt.j2 write it.
_ACKNOWLEDGE = re.compile(r"^Acknowledge: (https?://\S+)$", re.MULTILINE)
_CASE = re.compile(r"(?<=:)\d{4}-\d{4,}(?=:)")


def thaw(message: bytes) -> Enclosed:
    """What `monitor.delivery.message.freeze` made."""
    parsed = message_from_bytes(message, policy=default)
    body = parsed.get_body(("plain",))
    text = "\n".join(str(body.get_content()).splitlines()) if body else ""
    link = _ACKNOWLEDGE.search(text)
    case = _CASE.search(str(parsed.get(KEY_HEADER, "")))
    return Enclosed(
        subject=str(parsed.get("Subject", "")),
        text=text.strip(),
        urgent=parsed.get("Importance") == "high",
        case=case[0] if case else None,
        acknowledge=link[1] if link else None,
    )
