"""The SMTP mailer against real servers: a good one, and one for everything that can go wrong."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from monitor.delivery.email import Relay, SmtpMailer
from monitor.delivery.message import freeze
from monitor.delivery.render import Rendered
from monitor.domain import Outcome, Sent
from monitor.errors import MonitorError
from tests.delivery.smtp_faults import CERTIFICATE, Fault, FaultyServer

SENDER = "monitor@trust.example"
HEAD = "head@school.example"
MESSAGE = freeze(
    Rendered(
        subject="Hello", text=".starts with a dot\nFrom here\n" * 20, html="<p>Hi</p>", urgent=True
    ),
    sender=SENDER,
    recipient=HEAD,
    now=datetime(2026, 11, 21, 9, 0, tzinfo=UTC),
    key="alert:2026-0042:1",
)
ACCEPTED, DEFERRED, REJECTED, AMBIGUOUS = Outcome

# fault -> outcome, detail, and whether the time bound (1 s before the dot, 0.7 s after) is what ends it
EXPECTED = {
    Fault.NONE: (ACCEPTED, "250 2.0.0"),
    Fault.REFUSED: (DEFERRED, "connection refused at connect"),
    Fault.BUSY_GREETING: (DEFERRED, "421 at greeting"),
    Fault.HARSH_GREETING: (DEFERRED, "554 at greeting"),
    Fault.SILENT_GREETING: (DEFERRED, "timed out at greeting"),
    Fault.NOT_SMTP: (DEFERRED, "an answer that is none at greeting"),
    Fault.EHLO: (DEFERRED, "550 at EHLO"),
    Fault.NO_STARTTLS: (DEFERRED, "STARTTLS is not offered"),
    Fault.STARTTLS: (DEFERRED, "454 at STARTTLS"),
    Fault.HANDSHAKE: (DEFERRED, "TLS failed at STARTTLS"),
    Fault.HANDSHAKE_HANGS: (DEFERRED, "timed out at STARTTLS"),
    Fault.AUTH: (DEFERRED, "535 at AUTH"),
    Fault.AUTH_NOT_OFFERED: (DEFERRED, "neither AUTH PLAIN nor AUTH LOGIN is offered"),
    Fault.SIGN_IN_FIRST: (DEFERRED, "530 5.7.0 at MAIL"),
    Fault.MAIL_4: (DEFERRED, "451 4.3.0 at MAIL"),
    Fault.MAIL_5: (REJECTED, "550 5.7.1 at MAIL"),
    Fault.RCPT_4: (DEFERRED, "450 4.2.1 at RCPT"),
    Fault.RCPT_5: (REJECTED, "550 5.1.1 at RCPT"),
    Fault.DATA_4: (DEFERRED, "451 4.3.0 at DATA"),
    Fault.DATA_5: (REJECTED, "554 5.7.1 at DATA"),
    Fault.DRIP: (DEFERRED, "timed out at RCPT"),
    Fault.ENDLESS: (DEFERRED, "connection lost at RCPT"),
    Fault.DROP_AT_RCPT: (DEFERRED, "connection lost at RCPT"),
    Fault.DROP_IN_BODY: (DEFERRED, None),  # how the loss shows depends on what lay in the buffers
    Fault.DEAF_IN_BODY: (DEFERRED, "timed out at DATA"),
    Fault.DOT_4: (DEFERRED, "451 4.3.0 after the final dot"),
    Fault.DOT_5: (REJECTED, "554 5.6.0 after the final dot"),
    Fault.DROP_AFTER_DOT: (AMBIGUOUS, "connection lost after the final dot"),
    Fault.HANG_AFTER_DOT: (AMBIGUOUS, "timed out after the final dot"),
    Fault.DRIP_AFTER_DOT: (AMBIGUOUS, "timed out after the final dot"),
    Fault.GARBAGE_AFTER_DOT: (AMBIGUOUS, "an answer that is none after the final dot"),
    Fault.LATE_250: (ACCEPTED, "250 2.0.0"),
    Fault.QUIT_NOT_221: (ACCEPTED, "250 2.0.0"),
    Fault.QUIT_HANGS: (ACCEPTED, "250 2.0.0"),
    Fault.QUIT_DROPS: (ACCEPTED, "250 2.0.0"),
}
# Larger than the buffers of both sockets, so that a body can be cut off in its midst.
LARGE = MESSAGE + b"and so on, and so on\r\n" * 700_000


def offer(server: FaultyServer, relay: Relay, message: bytes = MESSAGE) -> tuple[Sent, float]:
    mailer = SmtpMailer([relay], sender=SENDER, exchange_s=1.0, answer_s=0.7)
    started = time.monotonic()
    sent = mailer.send(HEAD, message, attempt=0)
    return sent, time.monotonic() - started


@pytest.mark.parametrize("fault", Fault)
def test_each_fault_has_its_outcome_within_the_bound(fault: Fault) -> None:
    """Whatever the relay does, the outcome says exactly whether the mail was taken, and in time."""
    outcome, detail = EXPECTED[fault]
    in_body = fault in {Fault.DROP_IN_BODY, Fault.DEAF_IN_BODY}
    with FaultyServer(fault) as server:
        sent, elapsed = offer(server, server.secure_relay(), LARGE if in_body else MESSAGE)
    assert sent.outcome is outcome
    assert detail is None or sent.detail == detail
    assert elapsed < 1.0 + 0.7 + 1.0 + 0.5  # before the dot, after it, QUIT, and a slow machine
    if outcome is ACCEPTED:
        assert server.accepted == [(HEAD, MESSAGE)]
    elif outcome is not AMBIGUOUS:
        assert server.accepted == []  # a definite failure may be repeated without a second copy


@pytest.mark.parametrize("fault", [Fault.RCPT_5, Fault.DOT_4, Fault.DOT_5, Fault.AUTH, Fault.NONE])
def test_details_never_hold_addresses_or_secrets(fault: Fault) -> None:
    """The relay's own text quotes addresses, so it is not repeated; nor is the password."""
    with FaultyServer(fault) as server:
        sent, _ = offer(server, server.secure_relay())
        shown = f"{sent} {server.secure_relay()!r}"
    assert "@" not in shown
    assert "a-secret" not in shown
    assert sent.relay == f"localhost:{server.port}"


def test_an_untrusted_certificate_stops_before_the_password() -> None:
    """A server whose certificate nobody vouches for gets neither the password nor the mail."""
    with FaultyServer() as server:
        sent, _ = offer(
            server, Relay(host="localhost", port=server.port, username="m", password="p")
        )
    assert sent.outcome is DEFERRED
    assert sent.detail.startswith("certificate not trusted (")
    assert "AUTH" not in server.commands


def test_a_certificate_for_another_host_is_refused() -> None:
    """127.0.0.2 reaches the same server, but its certificate names localhost and 127.0.0.1."""
    with FaultyServer(host="0.0.0.0") as server:
        sent, _ = offer(
            server, server.relay(host="127.0.0.2", security="starttls", ca_file=CERTIFICATE)
        )
    assert sent.outcome is DEFERRED
    assert "certificate not trusted" in sent.detail


@pytest.mark.parametrize(("attempt", "expected"), [(0, 0), (1, 0), (2, 1), (3, 0), (4, 1), (5, 0)])
def test_the_second_relay_is_taken_after_two_failures(attempt: int, expected: int) -> None:
    """Two tries go to the first relay; from the third on they take turns, the second first."""
    with FaultyServer() as first, FaultyServer() as second:
        mailer = SmtpMailer([first.relay(), second.relay()], sender=SENDER)
        sent = mailer.send(HEAD, MESSAGE, attempt=attempt)
    assert sent.outcome is ACCEPTED
    assert [len(first.accepted), len(second.accepted)] == [1 - expected, expected]


@pytest.mark.parametrize(
    "recipient",
    [
        "a@school.example, b@evil.example",
        "a@x.example\r\nRCPT TO:<b@evil.example>",
        "a b@x.example",
        "<a@x.example>",
        "",
    ],
)
def test_anything_but_one_plain_address_is_refused_before_it_is_said(recipient: str) -> None:
    """No recipient can smuggle a second one, or a command, into the exchange."""
    with FaultyServer() as server:
        sent = SmtpMailer([server.relay()], sender=SENDER).send(recipient, MESSAGE, attempt=0)
    assert sent.outcome is REJECTED
    assert "RCPT" not in server.commands
    assert server.accepted == []


def test_an_address_beyond_ascii_needs_a_relay_that_can() -> None:
    """Without SMTPUTF8 such a recipient is refused with the reason, not garbled."""
    with FaultyServer() as server:
        mailer = SmtpMailer([server.relay()], sender=SENDER)
        sent = mailer.send("rené@école.example", MESSAGE, attempt=0)
    assert sent.outcome is REJECTED
    assert "SMTPUTF8" in sent.detail


def test_a_bare_line_end_cannot_end_the_message_early() -> None:
    """LF.LF inside a message (SMTP smuggling) arrives as text, not as a second message."""
    smuggling = b"Subject: x\r\n\r\nend\n.\nMAIL FROM:<a@evil.example>\r.\rmore\r\n"
    with FaultyServer() as server:
        SmtpMailer([server.relay()], sender=SENDER).send(HEAD, smuggling, attempt=0)
    ((_, body),) = server.accepted
    assert b"\r\n.\r\nMAIL FROM" in body


def test_many_at_once_do_not_disturb_each_other() -> None:
    """A mailer is shared by threads: each exchange has its own connection and outcome."""
    with FaultyServer(lambda number: Fault.RCPT_5 if number % 2 else Fault.NONE) as server:
        mailer = SmtpMailer([server.relay()], sender=SENDER)
        sent: list[Sent] = []
        threads = [
            threading.Thread(target=lambda: sent.append(mailer.send(HEAD, MESSAGE, attempt=0)))
            for _ in range(10)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(one.outcome for one in sent) == [ACCEPTED] * 5 + [REJECTED] * 5
    assert len(server.accepted) == 5


class Inbox:
    """aiosmtpd's handler: keeps what arrives."""

    def __init__(self) -> None:
        self.received: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.received.append(envelope)
        return "250 2.0.0 kept"


@contextmanager
def good_server(*, tls: bool = False) -> Iterator[tuple[Inbox, Relay]]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    inbox = Inbox()

    def sign_in(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(
            success=(data.login, data.password) == (b"monitor", b"a-secret"), handled=False
        )

    with socket.create_server(("127.0.0.1", 0)) as probe:  # aiosmtpd can't say which port it got
        port = probe.getsockname()[1]
    controller = Controller(
        inbox,
        hostname="127.0.0.1",
        port=port,
        ssl_context=context if tls else None,
        tls_context=None if tls else context,
        require_starttls=not tls,
        auth_required=True,
        auth_require_tls=not tls,  # aiosmtpd counts only STARTTLS as encryption
        authenticator=sign_in,
        enable_SMTPUTF8=True,
    )
    controller.start()
    try:
        yield (
            inbox,
            Relay(
                host="localhost",
                port=port,
                security="tls" if tls else "starttls",
                username="monitor",
                password="a-secret",
                ca_file=CERTIFICATE,
            ),
        )
    finally:
        controller.stop()


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("tls", [False, True], ids=["starttls", "tls"])
def test_a_real_server_gets_the_frozen_bytes(tls: bool) -> None:
    """Over STARTTLS or TLS, signed in, the message arrives byte for byte for one recipient."""
    with good_server(tls=tls) as (inbox, relay):
        sent = SmtpMailer([relay], sender=SENDER).send(HEAD, MESSAGE, attempt=0)
    assert sent.outcome is ACCEPTED
    (envelope,) = inbox.received
    assert (envelope.mail_from, envelope.rcpt_tos) == (SENDER, [HEAD])
    assert envelope.content == MESSAGE
    assert message_from_bytes(envelope.content)["Message-ID"].endswith("@trust.example>")


def test_an_address_beyond_ascii_reaches_a_relay_that_can() -> None:
    """With SMTPUTF8 on offer the address goes out as it is."""
    with good_server() as (inbox, relay):
        sent = SmtpMailer([relay], sender=SENDER).send("rené@école.example", MESSAGE, attempt=0)
    assert sent.outcome is ACCEPTED
    assert inbox.received[0].rcpt_tos == ["rené@école.example"]


def test_a_wrong_password_is_our_set_up_and_not_the_recipients_fault() -> None:
    """535 defers, so that nothing is given up because a password expired."""
    with good_server() as (inbox, relay):
        wrong = Relay(
            host=relay.host,
            port=relay.port,
            username="monitor",
            password="old",
            ca_file=CERTIFICATE,
        )
        sent = SmtpMailer([wrong], sender=SENDER).send(HEAD, MESSAGE, attempt=0)
    assert (sent.outcome, inbox.received) == (DEFERRED, [])
    assert sent.detail == "535 at AUTH"


def test_check_says_how_each_relay_stands_without_mailing() -> None:
    """`check` signs in and leaves; with a relay that fails it names that relay and the step."""
    with good_server() as (inbox, relay), FaultyServer(Fault.AUTH) as faulty:
        assert (
            SmtpMailer([relay], sender=SENDER).check()
            == f"{relay.name}: ready, encrypted, signed in"
        )
        with pytest.raises(MonitorError, match=rf"^localhost:{faulty.port}: 535 at AUTH$"):
            SmtpMailer([relay, faulty.secure_relay()], sender=SENDER).check()
    assert inbox.received == []


def test_settings_that_cannot_work_are_refused() -> None:
    """A password without encryption, half a sign-in, no relay and an endless wait don't construct."""
    with pytest.raises(ValueError, match="needs starttls or tls"):
        Relay(host="mail.example", security="none", username="m", password="p")
    with pytest.raises(ValueError, match="go together"):
        Relay(host="mail.example", username="m")
    with pytest.raises(ValueError, match="at least one relay"):
        SmtpMailer([], sender=SENDER)
    with pytest.raises(ValueError, match="600 seconds"):
        SmtpMailer([Relay(host="mail.example")], sender=SENDER, answer_s=601)


def test_a_missing_authorities_file_defers_and_says_so(tmp_path: Path) -> None:
    """A certificate bundle that vanished under a running daemon is a reason, not a crash."""
    with FaultyServer() as server:
        sent, _ = offer(server, server.relay(security="starttls", ca_file=tmp_path / "gone.pem"))
    assert sent.outcome is DEFERRED
    assert sent.detail == "the file of certificate authorities is missing at connect"


def test_a_host_that_does_not_resolve_defers() -> None:
    """DNS trouble is temporary until proven otherwise."""
    mailer = SmtpMailer([Relay(host="mail.invalid", security="none")], sender=SENDER)
    sent = mailer.send(HEAD, MESSAGE, attempt=0)
    assert (sent.outcome, sent.detail) == (DEFERRED, "host name not found at connect")
