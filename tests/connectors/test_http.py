"""One guarded GET, against a server that misbehaves in every way we know."""

from __future__ import annotations

import gzip
import socket
import threading
import time
import tracemalloc
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from connectors.errors import SourceError, SourceRejected, SourceUnavailable
from connectors.http import Fetched, Validators, digest, fetch
from tests.connectors.feed_server import FeedServer, running, silent_listener

SECRET = "tokenThatNobodyMaySee"
NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def get(server: FeedServer, **settings: Any) -> Fetched:
    return fetch(
        f"{server.url}?key={SECRET}", **({"allow_private": True, "timeout_s": 5} | settings)
    )


def test_it_fetches_and_says_who_it_is(feed_server: FeedServer) -> None:
    """A plain GET returns the body, and names the product and a contact to the server."""
    feed_server.feed = b"<rss/>"
    fetched = get(feed_server, user_agent="trust-monitor (+mailto:web@trust.example)")
    assert fetched.body == b"<rss/>"
    assert fetched.incomplete is None
    assert feed_server.requests[0]["user-agent"].startswith("trust-monitor (+mailto:")
    assert feed_server.paths == [f"/feed?key={SECRET}"]


def test_private_addresses_need_permission(feed_server: FeedServer) -> None:
    """Without allow_private a loopback server is never connected to."""
    with pytest.raises(SourceRejected, match="not a public address"):
        fetch("http://127.0.0.1/", timeout_s=5)
    with pytest.raises(SourceRejected):
        get(feed_server, allow_private=False)
    assert feed_server.requests == []


def test_proxy_variables_are_ignored(
    feed_server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy in the environment, which would sidestep the guard, is not used."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    feed_server.feed = b"x"
    assert get(feed_server).body == b"x"


def test_it_connects_to_the_address_that_was_checked(
    feed_server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding gains nothing: the name is looked up once, and that answer is connected to."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def resolve(host: str, *rest: Any, **named: Any) -> Any:
        if host == "news.example":
            asked.append(host)
            return real("127.0.0.1" if len(asked) == 1 else "127.0.0.9", *rest, **named)
        return real(host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    feed_server.feed = b"x"
    url = f"http://news.example:{feed_server.port}/feed"
    assert fetch(url, allow_private=True, timeout_s=5).body == b"x"
    assert asked == ["news.example"]


def test_a_dead_address_leaves_time_for_the_next(
    feed_server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host with a refusing address and a good one is read from the good one."""
    real = socket.getaddrinfo

    def resolve(host: str, *rest: Any, **named: Any) -> Any:
        if host == "news.example":
            return [*real("127.0.0.7", *rest, **named), *real("127.0.0.1", *rest, **named)]
        return real(host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    feed_server.feed = b"x"
    url = f"http://news.example:{feed_server.port}/feed"
    assert fetch(url, allow_private=True, timeout_s=5).body == b"x"


# --- conditional -----------------------------------------------------------------------------------


def test_an_unchanged_document_is_not_sent_again(feed_server: FeedServer) -> None:
    """The validators of one answer make the next request conditional."""
    feed_server.feed = b"x"
    feed_server.headers |= {"ETag": '"v1"', "Last-Modified": "Sat, 20 Jun 2026 10:00:00 GMT"}
    first = get(feed_server)
    second = get(feed_server, validators=first.validators)
    assert (second.not_modified, second.body) == (True, b"")
    assert feed_server.requests[1]["if-none-match"] == '"v1"'
    assert feed_server.requests[1]["if-modified-since"] == "Sat, 20 Jun 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("age_s", "kept"), [(0, False), (1, False), (4, False), (5, True), (-9, False)]
)
def test_a_document_that_just_changed_is_asked_for_whole_again(
    feed_server: FeedServer, age_s: int, kept: bool
) -> None:
    """Two changes within a second look alike to a validator, so none is kept of a fresh document."""
    feed_server.headers |= {
        "ETag": '"made from the second"',
        "Last-Modified": format_datetime(NOW - timedelta(seconds=age_s), usegmt=True),
        "Date": format_datetime(NOW, usegmt=True),
    }
    get(feed_server, validators=get(feed_server).validators)
    assert ("if-none-match" in feed_server.requests[1]) is kept


def test_validators_are_for_one_url_only(feed_server: FeedServer) -> None:
    """Validators of another URL are not sent."""
    get(feed_server, validators=Validators(of=digest("https://other.example/"), etag='"v1"'))
    assert "if-none-match" not in feed_server.requests[0]


def test_a_hostile_validator_is_not_sent_back(feed_server: FeedServer) -> None:
    """A stored ETag that could not be a header value is left out."""
    ours = digest(f"{feed_server.url}?key={SECRET}")
    get(feed_server, validators=Validators(of=ours, etag='"a"\r\nX-Evil: 1'))
    assert not {"if-none-match", "x-evil"} & feed_server.requests[0].keys()


def test_not_modified_without_having_asked_is_a_fault(feed_server: FeedServer) -> None:
    """A 304 to an unconditional request is no success: nothing was ever read."""
    feed_server.status = 304
    with pytest.raises(SourceUnavailable):
        get(feed_server)


# --- redirects -------------------------------------------------------------------------------------


def test_redirects_are_followed_and_the_last_url_reported(feed_server: FeedServer) -> None:
    """A relative redirect leads to the feed."""
    feed_server.redirect = "/moved?x=1"
    feed_server.feed = b"x"
    assert get(feed_server).url == feed_server.url.replace("/feed", "/moved?x=1")


def test_validators_survive_a_redirect_on_the_same_url(feed_server: FeedServer) -> None:
    """A feed behind a redirect is still answered with 304: validators belong to where it lies."""
    feed_server.redirect = "/moved"
    feed_server.feed = b"x"
    feed_server.headers["ETag"] = '"v1"'
    again = get(feed_server, validators=get(feed_server).validators)
    assert again.not_modified
    asked = [request.get("if-none-match") for request in feed_server.requests]
    assert asked == [None, None, None, '"v1"']


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.2/",
        "http://localhost/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "http://2130706433/",
        "http://[::ffff:127.0.0.1]/",
        "http://8.8.8.8:22/",
        "file:///etc/passwd",
        "ftp://8.8.8.8/",
        "javascript:alert(1)",
        "http://",
        "http://exa mple.org:99999/",
    ],
)
def test_redirects_into_forbidden_places_are_refused(feed_server: FeedServer, target: str) -> None:
    """A redirect is checked like a first address, and allow_private covers only its own host."""
    feed_server.redirect = target
    started = time.monotonic()
    with pytest.raises(SourceRejected):
        get(feed_server)
    assert time.monotonic() - started < 2


def test_endless_redirects_end(feed_server: FeedServer) -> None:
    """After five redirects it gives up."""
    feed_server.redirect = "/feed"
    with pytest.raises(SourceRejected, match="redirects more than 5"):
        get(feed_server)
    assert len(feed_server.requests) == 6


def test_credentials_are_never_sent(feed_server: FeedServer) -> None:
    """User names in a redirect's URL do not become an Authorization header."""
    feed_server.redirect = f"http://user:{SECRET}@127.0.0.1:{feed_server.port}/moved"
    fetched = get(feed_server)
    assert "authorization" not in feed_server.requests[1]
    assert SECRET not in fetched.url


# --- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 418, 451])
def test_refusals_need_a_person(feed_server: FeedServer, status: int) -> None:
    """A refusal is SourceRejected and names its status."""
    feed_server.status = status
    with pytest.raises(SourceRejected, match=f"127.0.0.1: HTTP status {status}"):
        get(feed_server)


@pytest.mark.parametrize("status", [202, 204, 206, 300, 408, 425, 429, 500, 502, 503, 504, 521])
def test_failures_pass(feed_server: FeedServer, status: int) -> None:
    """A failure that may pass is SourceUnavailable."""
    feed_server.status = status
    with pytest.raises(SourceUnavailable, match=str(status)) as caught:
        get(feed_server)
    assert caught.value.retry_after is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("999999999", 86_400.0),
        ("9" * 400, None),
        ("-5", None),
        ("soon", None),
        ("", None),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(hours=1), usegmt=True), 0.0),
        (format_datetime(NOW + timedelta(days=400), usegmt=True), 86_400.0),
        ("Sat, 99 Foo 2026 10:00:00 GMT", None),
    ],
)
def test_retry_after_is_obeyed_within_bounds(
    feed_server: FeedServer, value: str, seconds: float | None
) -> None:
    """Both forms of Retry-After are read, a date against the server's own clock, up to a day."""
    feed_server.status = 429
    feed_server.headers = {"Retry-After": value, "Date": format_datetime(NOW, usegmt=True)}
    with pytest.raises(SourceUnavailable) as caught:
        get(feed_server)
    assert caught.value.retry_after == seconds


def test_a_retry_date_without_the_servers_clock_uses_ours(feed_server: FeedServer) -> None:
    """Without a Date header, the moment of the answer is where a Retry-After date counts from."""
    feed_server.status = 503
    later = datetime.now(UTC) + timedelta(seconds=60)
    feed_server.headers = {"Retry-After": format_datetime(later, usegmt=True)}
    with pytest.raises(SourceUnavailable) as caught:
        get(feed_server)
    assert caught.value.retry_after == pytest.approx(60, abs=5)


# --- size ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", [None, "gzip", "deflate", "raw-deflate"])
@pytest.mark.parametrize("size", [0, 1, 999, 1000])
def test_every_encoding_is_decoded(
    feed_server: FeedServer, encoding: str | None, size: int
) -> None:
    """Identity, gzip and both kinds of deflate give the same bytes, up to exactly the cap."""
    feed_server.feed = b"x" * size
    feed_server.encoding = encoding
    fetched = get(feed_server, max_bytes=1000)
    assert (fetched.body, fetched.incomplete) == (b"x" * size, None)


@pytest.mark.parametrize("encoding", [None, "gzip", "deflate", "raw-deflate"])
def test_a_body_over_the_cap_is_cut_there(feed_server: FeedServer, encoding: str | None) -> None:
    """One byte too many is said, and not returned."""
    feed_server.feed = b"x" * 1001
    feed_server.encoding = encoding
    fetched = get(feed_server, max_bytes=1000)
    assert (len(fetched.body), fetched.incomplete) == (1000, "longer than 1,000 bytes")


def test_gzip_members_may_follow_one_another(feed_server: FeedServer) -> None:
    """A body of several gzip members, with padding behind them, is decoded whole."""
    feed_server.encoding = "gzip"
    feed_server.encoded = gzip.compress(b"one ") + gzip.compress(b"two") + b"\0\0\0"
    assert get(feed_server).body == b"one two"


def test_a_gzip_bomb_costs_no_more_than_the_cap(feed_server: FeedServer) -> None:
    """100 MB in 100 KB of gzip: memory stays near the cap, and it takes no time."""
    feed_server.encoding = "gzip"
    feed_server.encoded = gzip.compress(b"\0" * 100_000_000)
    tracemalloc.start()
    started = time.monotonic()
    fetched = get(feed_server)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(fetched.body) == 5_000_000
    assert peak < 20_000_000
    assert time.monotonic() - started < 2


def test_a_cut_off_gzip_body_is_incomplete(feed_server: FeedServer) -> None:
    """What could be decoded is returned, and said to lack its end."""
    feed_server.encoding = "gzip"
    feed_server.encoded = gzip.compress(bytes(range(256)) * 10)[:-30]
    fetched = get(feed_server)
    assert fetched.incomplete
    assert fetched.body


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "compress"])
def test_other_encodings_are_refused(feed_server: FeedServer, encoding: str) -> None:
    """A content encoding that was not asked for is refused by name of the problem."""
    feed_server.encoding = encoding
    with pytest.raises(SourceRejected, match="content encoding"):
        get(feed_server)


def test_damaged_gzip_is_unavailable(feed_server: FeedServer) -> None:
    """A body that is not the gzip it says it is may be right next time."""
    feed_server.encoding = "gzip"
    feed_server.encoded = b"\x1f\x8b\x08\x00damaged beyond repair, really"
    with pytest.raises(SourceUnavailable, match="damaged"):
        get(feed_server)


def test_a_connection_lost_in_the_middle_keeps_what_came(feed_server: FeedServer) -> None:
    """Half a body is returned as incomplete; none at all is an error."""
    feed_server.feed = b"x" * 1000
    feed_server.drop_at = 500
    fetched = get(feed_server)
    assert (len(fetched.body), fetched.incomplete) == (
        500,
        "the connection was lost before its end",
    )
    feed_server.drop_at = 0
    with pytest.raises(SourceUnavailable):
        get(feed_server)


# --- time ------------------------------------------------------------------------------------------


def _times_out(url: str) -> float:
    started = time.monotonic()
    with pytest.raises(SourceUnavailable, match="deadline"):
        fetch(url, allow_private=True, timeout_s=0.5)
    return time.monotonic() - started


@pytest.mark.parametrize("fault", ["hang", "drip", "drip_headers"])
def test_the_deadline_is_for_everything_together(feed_server: FeedServer, fault: str) -> None:
    """A hung server, a dripped header and a dripped body all end at the deadline."""
    feed_server.feed = b"x" * 10_000
    setattr(feed_server, fault, True if fault == "hang" else 0.02)
    assert 0.4 < _times_out(feed_server.url) < 0.8


def test_a_hanging_tls_handshake_keeps_the_deadline() -> None:
    """A server that accepts and then says nothing in TLS ends at the deadline."""
    with silent_listener() as listener:
        assert _times_out(f"https://127.0.0.1:{listener.getsockname()[1]}/") < 0.8


def test_a_dripped_tls_handshake_keeps_the_deadline() -> None:
    """A byte of TLS now and then does not renew the time."""
    with silent_listener() as listener:

        def drip() -> None:
            connection, _ = listener.accept()
            with connection:
                for _ in range(100):
                    try:
                        connection.sendall(b"\x16\x03\x03\x40\x00" if _ == 0 else b"\x00")
                    except OSError:
                        return
                    time.sleep(0.05)

        threading.Thread(target=drip, daemon=True).start()
        assert _times_out(f"https://127.0.0.1:{listener.getsockname()[1]}/") < 0.8


def test_redirects_do_not_renew_the_deadline(feed_server: FeedServer) -> None:
    """Time spent before a redirect is gone after it."""
    with running() as slow:
        slow.hang = True
        feed_server.redirect = slow.url  # another port: refused before it could hang
        with pytest.raises(SourceRejected, match="port"):
            get(feed_server)
    feed_server.redirect = "/moved"
    feed_server.feed = b"x" * 10_000
    feed_server.drip = 0.02
    assert _times_out(feed_server.url) < 0.8


def test_a_closed_port_is_unavailable() -> None:
    """Nobody listening is a failure that may pass."""
    with silent_listener() as listener:
        port = listener.getsockname()[1]
    with pytest.raises(SourceUnavailable, match="refused"):
        fetch(f"http://127.0.0.1:{port}/", allow_private=True, timeout_s=2)


def test_what_is_not_http_is_unavailable() -> None:
    """A server that speaks something else is reported in our words, not in its bytes."""
    with silent_listener() as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(f"220 mail.example ESMTP {SECRET}\r\n".encode())

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(SourceUnavailable, match="not proper HTTP") as caught:
            fetch(f"http://127.0.0.1:{listener.getsockname()[1]}/", allow_private=True, timeout_s=2)
    assert SECRET not in str(caught.value)


def test_no_error_tells_the_query(feed_server: FeedServer) -> None:
    """Whatever fails, neither the message nor what it was raised from shows a token in the URL."""
    faults: list[dict[str, Any]] = [
        {"status": 403},
        {"status": 429},
        {"status": 500},
        {"redirect": f"ftp://x.example/{SECRET}"},
        {"redirect": f"http://x.example:99999/{SECRET}"},
        {"encoding": "br"},
        {"drop_at": 0, "feed": b"x"},
        {"hang": True},
    ]
    for fault in faults:
        with running() as server:
            vars(server).update(fault)
            with pytest.raises(SourceError) as caught:
                get(server, timeout_s=0.3)
            error: BaseException | None = caught.value
            assert SECRET not in str(error)
            assert error is not None
            assert error.__cause__ is None
            assert error.__suppress_context__ or error.__context__ is None
