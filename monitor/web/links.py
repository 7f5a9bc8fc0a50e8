"""Links by which one person can acknowledge one concern: signed, and good for a day.

Advice for links in mail is ten minutes and a single use. Ours says "I have it" and opens nothing: it
shows no post and changes nothing but who has the case, so it may outlast the night in which it was
sent. It works once, because an acknowledged concern has no more use for it.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

GOOD_FOR_S = 86_400


@dataclass(frozen=True, slots=True)
class Invitation:
    """Whom a link was made for: the case's reference and the person's id."""

    reference: str
    person: str


class Links:
    """Makes and reads links below `public_url` ("https://monitor.trust.example"). `key`: at least 32
    random bytes, kept for as long as links shall work."""

    def __init__(self, public_url: str, key: bytes) -> None:
        self._public_url = public_url.rstrip("/")
        self._signer = URLSafeTimedSerializer(key, salt="acknowledge")

    def link(self, reference: str, person: str) -> str:
        """The address that stands in that person's alert."""
        return f"{self._public_url}/a/{self._signer.dumps([reference, person])}"

    def read(self, token: str) -> Invitation | str:
        """Whom `token` was made for, or in words why it can't be used."""
        try:
            reference, person = self._signer.loads(token, max_age=GOOD_FOR_S)
        except SignatureExpired:
            return "This link is more than a day old."
        except (BadSignature, ValueError):
            return "This is not a link that we made."
        return Invitation(str(reference), str(person))


def key_in(state_dir: Path) -> bytes:
    """The key kept in `state_dir`/acknowledge.key, made on first use; only its owner may read it.

    Raises OSError when it can be neither read nor written.
    """
    path = state_dir / "acknowledge.key"
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(file, "wb") as made:
        key = secrets.token_bytes(32)
        made.write(key)
    return key
