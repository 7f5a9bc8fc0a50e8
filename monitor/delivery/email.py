"""Mail by SMTP, one recipient an exchange, with the exact outcome.

connect -> EHLO -> TLS -> AUTH -> MAIL -> RCPT -> DATA -> body | final dot -> answer -> QUIT

Left of the bar nothing can have been accepted: a failure is DEFERRED, or REJECTED where the relay said
5xx to this message. Right of it only an answer counts: without one the outcome is AMBIGUOUS. What
happens at QUIT changes nothing (RFC 5321 section 4.1.1.10: the mail is the relay's since its 250).
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from monitor.delivery.message import addr_spec
from monitor.delivery.smtp import Connection, Deadline
from monitor.domain import Outcome, Sent
from monitor.errors import MonitorError

Security = Literal["starttls", "tls", "none"]
ANSWER_AT_MOST_S = 600.0  # RFC 5321 section 4.5.3.2.6: the wait after the final dot
_QUIT_S = 1.0
_OUR_SET_UP = frozenset({530, 534, 535, 538})  # "sign in first": says nothing about the message
_ENHANCED = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}(?=\s|$)")  # RFC 3463


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """A mail server that takes our mail. `security` "starttls" and "tls" check certificate and host
    name against the system's authorities, or those of `ca_file` (PEM)."""

    host: str
    port: int = 587
    security: Security = "starttls"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        if (self.username is None) != (self.password is None):
            raise ValueError(f"{self.name}: user name and password go together")
        if self.username is not None and self.security == "none":
            raise ValueError(f"{self.name}: a password needs starttls or tls")

    @property
    def name(self) -> str:
        return f"{self.host}:{self.port}"


class SmtpMailer:
    """The channel "email".

    `relays` in order of preference; `sender` is the envelope's address, where bounces go.
    `exchange_s` bounds everything up to the final dot as a whole, `answer_s` (up to 600) the wait
    for the answer to it; both in seconds.
    """

    channel = "email"

    def __init__(
        self,
        relays: Sequence[Relay],
        *,
        sender: str,
        exchange_s: float = 60.0,
        answer_s: float = ANSWER_AT_MOST_S,
    ) -> None:
        if not relays:
            raise ValueError("mail needs at least one relay")
        if not (0 < exchange_s <= ANSWER_AT_MOST_S and 0 < answer_s <= ANSWER_AT_MOST_S):
            raise ValueError("exchange_s and answer_s lie above 0 and up to 600 seconds")
        self._relays = tuple(relays)
        self._sender = addr_spec(sender)
        self._exchange_s = exchange_s
        self._answer_s = answer_s

    def send(self, recipient: str, message: bytes, *, attempt: int) -> Sent:
        """Offer `message` once. From the third attempt on the relays take turns, the second first."""
        relay = self._relays[0 if attempt < 2 else (attempt - 1) % len(self._relays)]
        exchange = _Exchange(relay, Deadline(self._exchange_s))
        try:
            exchange.prepare()
            exchange.envelope(self._sender, recipient, message)
        except _RefusedError as refused:
            return Sent(outcome=refused.outcome, detail=str(refused), relay=relay.name)
        except (OSError, ValueError) as error:
            detail = f"{_why(error)} at {exchange.step}"
            return Sent(outcome=Outcome.DEFERRED, detail=detail, relay=relay.name)
        else:
            outcome, detail = exchange.final_dot(self._answer_s)
            return Sent(outcome=outcome, detail=detail, relay=relay.name)
        finally:
            exchange.end()

    def check(self) -> str:
        """Greet, encrypt and sign in at each relay, without mailing: a sentence for each. Raises
        MonitorError with one line for each relay that failed."""
        told, failed = [], []
        for relay in self._relays:
            exchange = _Exchange(relay, Deadline(self._exchange_s))
            try:
                told.append(f"{relay.name}: ready, {exchange.prepare()}")
                exchange.expect("NOOP", "NOOP")
            except _RefusedError as refused:
                failed.append(f"{relay.name}: {refused}")
            except (OSError, ValueError) as error:
                failed.append(f"{relay.name}: {_why(error)} at {exchange.step}")
            finally:
                exchange.end()
        if failed:
            raise MonitorError("\n".join(failed))
        return "; ".join(told)


class _RefusedError(Exception):
    """The relay answered no. Its text is the code and our words: the relay's may quote addresses."""

    def __init__(self, outcome: Outcome, text: str) -> None:
        super().__init__(text)
        self.outcome = outcome


class _Exchange:
    """One walk through the protocol; `step` names the part that it is in."""

    def __init__(self, relay: Relay, deadline: Deadline) -> None:
        self._relay = relay
        self._deadline = deadline
        self._connection = Connection(deadline)
        self.step = "connect"

    def prepare(self) -> str:
        """Up to where mail may begin; says how it is protected."""
        relay, connection = self._relay, self._connection
        tls = None if relay.security == "none" else ssl.create_default_context(cafile=relay.ca_file)
        at_once = tls if relay.security == "tls" else None
        connection.open(relay.host, relay.port, at_once)
        self.step = "greeting"
        code, _ = connection.getreply()
        self._need(code == 220, code, "greeting")
        self._ehlo()
        if tls is not None and at_once is None:
            self.step = "STARTTLS"
            self._need(connection.has_extn("starttls"), None, "STARTTLS is not offered")
            code, _ = connection.docmd("STARTTLS")
            self._need(code == 220, code, "STARTTLS")
            connection.encrypt(relay.host, tls)
            self._ehlo()
        protected = "without encryption" if tls is None else "encrypted"
        if relay.username is None or relay.password is None:
            return protected
        self._sign_in(relay.username, relay.password)
        return f"{protected}, signed in"

    def envelope(self, sender: str, recipient: str, message: bytes) -> None:
        """MAIL, RCPT, DATA and the whole message but its final dot."""
        connection = self._connection
        self.step = "address"
        try:
            addr_spec(recipient)
        except ValueError:
            raise _RefusedError(
                Outcome.REJECTED, "the recipient is not one plain address"
            ) from None
        options = ""
        if not (sender + recipient).isascii():
            if not connection.has_extn("smtputf8"):
                raise _RefusedError(
                    Outcome.REJECTED,
                    "the address has letters beyond ASCII, which this relay can't carry (no SMTPUTF8)",
                )
            connection.command_encoding = "utf-8"
            options = " SMTPUTF8"
        self.expect("MAIL", f"MAIL FROM:<{sender}>{options}")
        self.expect("RCPT", f"RCPT TO:<{recipient}>")
        self.expect("DATA", "DATA", wanted=(354,))
        # One kind of line end, so that no bare one can pass for the final dot; dots doubled.
        body = re.sub(rb"\r\n|\r|\n", b"\r\n", message)
        body = re.sub(rb"(?m)^\.", b"..", body)
        connection.send(body if body.endswith(b"\r\n") else body + b"\r\n")

    def final_dot(self, answer_s: float) -> tuple[Outcome, str]:
        """Hand the message over. From here on only the relay's answer counts."""
        self._deadline.restart(answer_s)
        try:
            self._connection.send(b".\r\n")
            code, text = self._connection.getreply()
        except (OSError, ValueError) as error:
            return Outcome.AMBIGUOUS, f"{_why(error)} after the final dot"
        answered = f"{_numbers(code, text)} after the final dot"
        match code // 100:
            case 2:
                self._quit()
                return Outcome.ACCEPTED, _numbers(code, text)
            case 4:
                return Outcome.DEFERRED, answered
            case 5:
                return Outcome.REJECTED, answered
            case _:
                return Outcome.AMBIGUOUS, "an answer that is none after the final dot"

    def expect(self, step: str, command: str, *, wanted: tuple[int, ...] = (250, 251, 252)) -> None:
        """Say `command`; _RefusedError when the answer isn't `wanted`."""
        self.step = step
        code, text = self._connection.docmd(command)
        if code in wanted:
            return
        final = 500 <= code < 600 and code not in _OUR_SET_UP
        outcome = Outcome.REJECTED if final else Outcome.DEFERRED
        raise _RefusedError(outcome, f"{_numbers(code, text)} at {step}")

    def end(self) -> None:
        self._connection.hang_up()

    def _ehlo(self) -> None:
        self.step = "EHLO"
        code, _ = self._connection.ehlo()
        self._need(code == 250, code, "EHLO")

    def _sign_in(self, username: str, password: str) -> None:
        self.step = "AUTH"
        self._need((username + password).isascii(), None, "user name or password beyond ASCII")
        connection = self._connection
        connection.user, connection.password = username, password
        offered = connection.esmtp_features.get("auth", "").upper().split()
        # One method, one try: smtplib's login() repeats a wrong password with the next method, and
        # twice as many failures lock an account twice as soon.
        for name, method in (("PLAIN", connection.auth_plain), ("LOGIN", connection.auth_login)):
            if name in offered:
                connection.auth(name, method)
                return
        self._need(False, None, "neither AUTH PLAIN nor AUTH LOGIN is offered")

    def _need(self, met: bool, code: int | None, what: str) -> None:  # noqa: FBT001 - reads as a sentence
        """Before MAIL a refusal is about our set-up or the relay's state, never about the message."""
        if not met:
            answer = what if code is None else f"{_numbers(code, b'')} at {what}"
            raise _RefusedError(Outcome.DEFERRED, answer)

    def _quit(self) -> None:
        self._deadline.restart(_QUIT_S)
        with contextlib.suppress(OSError, ValueError):
            self._connection.docmd("QUIT")


def _numbers(code: int, text: bytes) -> str:
    """ "550 5.1.1": the parts of an answer that can't hold an address."""
    if code < 0:
        return "an answer that is none"
    enhanced = _ENHANCED.match(text)
    return f"{code} {enhanced[0].decode()}" if enhanced else str(code)


def _why(error: BaseException) -> str:
    """Our words for what went wrong below the protocol."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate not trusted ({error.verify_message})"
    below = error.__context__  # smtplib reports a read that failed as a lost connection
    known: tuple[tuple[type[BaseException], str], ...] = (
        (TimeoutError, "timed out"),
        (ConnectionRefusedError, "connection refused"),
        (socket.gaierror, "host name not found"),
        (ssl.SSLError, "TLS failed"),
        (FileNotFoundError, "the file of certificate authorities is missing"),
        (ValueError, "an answer that is none"),
    )
    for kind, words in known:
        if isinstance(error, kind) or isinstance(below, kind):
            return words
    code = getattr(error, "smtp_code", None)
    return str(code) if code else "connection lost"
