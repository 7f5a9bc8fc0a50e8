"""Frozen bytes: one message for one recipient, the same every time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.delivery.message import addr_spec, freeze
from monitor.delivery.render import Rendered

NOW = datetime(2026, 11, 21, 9, 12, 30, 500, tzinfo=UTC)
RENDERED = Rendered(
    subject="URGENT threat – case 2026-0042 – St Cedd’s Church of England Primary School, Lower…",
    text="Why: “naïve” words 🙂\n.dot\nFrom here\n" + "long " * 300 + "\n",
    html="<p>“naïve” 🙂</p>",
    urgent=True,
)


def frozen(rendered: Rendered = RENDERED, **more: str) -> bytes:
    fields = {"sender": "monitor@trust.example", "recipient": "head@school.example"}
    return freeze(rendered, now=NOW, **({"key": "alert:2026-0042:1"} | fields | more))


def parsed(message: bytes) -> EmailMessage:
    return message_from_bytes(message, policy=default)


def test_a_message_reads_back_as_it_was_written() -> None:
    """Subject, both parts, date and addresses survive the trip through RFC 5322."""
    message = parsed(frozen())
    assert message["Subject"] == RENDERED.subject
    assert message["Date"].datetime == NOW.replace(microsecond=0)
    assert message["From"] == "Trust Monitor <monitor@trust.example>"
    assert message["To"] == "head@school.example"
    assert message.get_content_type() == "multipart/alternative"
    text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert text.get_content().replace("\r\n", "\n") == RENDERED.text
    assert html is not None
    assert html.get_content().strip() == RENDERED.html


def test_bytes_are_fit_for_any_relay() -> None:
    """7-bit, CRLF only, lines within RFC 5322's 998 octets."""
    message = frozen()
    assert message.isascii()
    assert message.count(b"\n") == message.count(b"\r\n") == message.count(b"\r")
    assert max(map(len, message.split(b"\r\n"))) <= 998


def test_equal_arguments_give_equal_bytes_and_one_message_id() -> None:
    """A repeat is the same message; another recipient's or occasion's is another."""
    assert frozen() == frozen()
    ids = {
        parsed(message)["Message-ID"]
        for message in (
            frozen(),
            frozen(recipient="b@school.example"),
            frozen(key="alert:2026-0042:2"),
        )
    }
    assert len(ids) == 3
    assert all(one.endswith("@trust.example>") for one in ids)


def test_alerts_are_marked_important_and_nothing_invites_an_automatic_answer() -> None:
    """Out-of-office programs stay quiet; only alerts ask for attention."""
    alert, digest = parsed(frozen()), parsed(frozen(replace(RENDERED, urgent=False)))
    for message in (alert, digest):
        assert message["Auto-Submitted"] == "auto-generated"
        assert message["X-Auto-Response-Suppress"] == "All"
    assert (alert["Importance"], alert["X-Priority"]) == ("high", "1")
    assert (digest["Importance"], digest["X-Priority"]) == (None, None)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "head",
        "@school.example",
        "head@",
        "a@b@c.example",
        "a, evil@x.example",
        "a@x.example,b@x.example",
        "a@x.example; b@x.example",
        "Head <head@school.example>",
        "<head@school.example>",
        '"a, evil"@x.example',
        "a(comment)@x.example",
        "a b@x.example",
        "a@x.example\r\nBcc: evil@x.example",
        "a@x.example\n",
        "a@x.example\x00",
        "a..b@x.example",
        ".a@x.example",
        "a@-x.example",
        "a@[127.0.0.1]",
        "a" * 250 + "@x.example",
    ],
)
def test_only_one_plain_address_is_taken(address: str) -> None:
    """Lists, names, quotes, comments and line breaks are refused, and the refusal doesn't repeat them."""
    with pytest.raises(ValueError, match=r"^not one plain mail address") as caught:
        frozen(recipient=address)
    assert str(caught.value) == "not one plain mail address such as office@school.example"
    with pytest.raises(ValueError, match="not one plain"):
        frozen(sender=address)


@pytest.mark.parametrize(
    "address", ["o'neill+school@sub.school.example", "rené@école.example", "a@localhost"]
)
def test_plain_addresses_of_every_kind_are_taken(address: str) -> None:
    """Apostrophes, plus signs, letters beyond ASCII and short hosts are ordinary."""
    assert addr_spec(address) == address
    assert f"\r\nTo: {address}\r\n".encode() in frozen(recipient=address)


@given(st.one_of(st.text(max_size=40), st.from_regex(r"[ -~é]{1,8}@[ -~é]{1,8}", fullmatch=True)))
def test_whatever_is_taken_is_exactly_one_recipient(text: str) -> None:
    """Anything that passes has one @, no separator and no line break, and parses back to itself."""
    try:
        addr_spec(text)
    except ValueError:
        return
    message = frozen(recipient=text)
    assert f"\r\nTo: {text}\r\n".encode() in message
    assert parsed(message)["Bcc"] is None


@pytest.mark.parametrize("key", ["", "alert 1", "alert:1\r\nBcc: x", "é", "x" * 121])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    """Keys stand in a header and in file names."""
    with pytest.raises(ValueError, match="delivery key"):
        frozen(key=key)


def test_a_time_without_its_zone_is_refused() -> None:
    """A naive Date would be an hour wrong for half of the year."""
    with pytest.raises(ValueError, match="time zone"):
        freeze(
            RENDERED,
            sender="a@x.example",
            recipient="b@x.example",
            now=NOW.replace(tzinfo=None),
            key="k",
        )
