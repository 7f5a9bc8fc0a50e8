"""The address guard, against every known way around one."""

from __future__ import annotations

import ipaddress
import socket
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.address import AddressGuard, is_public
from connectors.errors import SourceError, SourceRejected, SourceUnavailable

PUBLIC = ["8.8.8.8", "151.101.1.1", "2606:4700::1111", "2a00:1450:4009::200e"]
REFUSED = {
    "loopback": "127.0.0.1",
    "loopback elsewhere in its network": "127.9.9.9",
    "this host": "0.0.0.0",
    "RFC 1918 10/8": "10.0.0.1",
    "RFC 1918 172.16/12": "172.31.255.255",
    "RFC 1918 192.168/16": "192.168.1.1",
    "link-local, with the clouds' metadata service": "169.254.169.254",
    "carrier-grade NAT": "100.64.0.1",
    "end of carrier-grade NAT": "100.127.255.255",
    "multicast": "224.0.0.1",
    "multicast that is_global passes": "239.1.2.3",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "benchmarking": "198.18.0.1",
    "documentation": "192.0.2.1",
    "IETF assignments": "192.0.0.170",
    "6to4 relay": "192.88.99.1",
    "IPv6 loopback": "::1",
    "IPv6 unspecified": "::",
    "IPv4-mapped private": "::ffff:10.0.0.1",
    "IPv4-mapped public": "::ffff:8.8.8.8",
    "IPv4-compatible": "::127.0.0.1",
    "IPv4-translated": "::ffff:0:7f00:1",
    "6to4 of loopback": "2002:7f00:1::",
    "NAT64 of loopback": "64:ff9b::7f00:1",
    "local NAT64": "64:ff9b:1::7f00:1",
    "Teredo": "2001:0:7f00:1::1",
    "ORCHID": "2001:20::1",
    "IPv6 documentation": "2001:db8::1",
    "newer IPv6 documentation": "3fff::1",
    "unique local": "fd00::1",
    "link-local v6": "fe80::1",
    "link-local v6 with a zone": "fe80::1%lo",
    "public v6 with a zone": "2606:4700::1111%lo",
    "site-local": "fec0::1",
    "IPv6 multicast": "ff02::1",
    "discard only": "100::1",
    "not an address": "localhost",
}


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_pass(address: str) -> None:
    """Ordinary public addresses are let through."""
    assert is_public(address)


@pytest.mark.parametrize("address", REFUSED.values(), ids=REFUSED.keys())
def test_other_addresses_are_refused(address: str) -> None:
    """Nothing but ordinary public unicast passes."""
    assert not is_public(address)


@given(st.ip_addresses(v=4))
def test_no_ipv6_form_of_an_ipv4_address_passes(inner: ipaddress.IPv4Address) -> None:
    """An IPv4 address wrapped in IPv6 is refused, whatever it wraps."""
    number = int(inner)
    for prefix, shift in (
        ("::", 0), ("::ffff:0:0", 0), ("64:ff9b::", 0), ("64:ff9b:1::", 0), ("2002::", 80),
    ):  # fmt: skip
        wrapped = ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | number << shift)
        assert not is_public(str(wrapped))


@pytest.mark.parametrize(
    "host",
    ["2130706433", "0x7f000001", "0x7f.1", "017700000001", "127.1", "0177.0.0.1", "1.1.1.1."],
)
def test_odd_forms_of_an_address_are_refused(host: str) -> None:
    """A host that only the C library takes for an address is refused before it is resolved."""
    with pytest.raises(SourceRejected, match="usual form"):
        AddressGuard("news.example", 443).addresses(host, 443, timeout_s=5)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_private_hosts_are_refused_by_name_and_by_number(host: str) -> None:
    """A private host is refused, and the message says which key allows it."""
    with pytest.raises(SourceRejected, match="allow_private"):
        AddressGuard(host, 80).addresses(host, 80, timeout_s=5)


def test_allow_private_allows_the_configured_host_only() -> None:
    """A redirect from an allowed private host to another private host stays refused."""
    guard = AddressGuard("127.0.0.1", 8080, allow_private=True)
    assert guard.addresses("127.0.0.1", 8080, timeout_s=5) == ["127.0.0.1"]
    with pytest.raises(SourceRejected):
        guard.addresses("127.0.0.2", 80, timeout_s=5)


@pytest.mark.parametrize(
    ("host", "port", "passes"),
    [
        ("8.8.8.8", 80, True),
        ("8.8.8.8", 443, True),
        ("8.8.8.8", 22, False),
        ("8.8.4.4", 8443, True),  # the configured URL names it
        ("8.8.8.8", 8443, False),  # another host on the configured port
    ],
)
def test_ports_are_the_webs_or_the_configured_one(host: str, port: int, *, passes: bool) -> None:
    """Only 80, 443 and the very port that the configured URL names are connected to."""
    guard = AddressGuard("8.8.4.4", 8443)
    if passes:
        assert guard.addresses(host, port, timeout_s=5) == [host]
    else:
        with pytest.raises(SourceRejected, match="port"):
            guard.addresses(host, port, timeout_s=5)


def _answers(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Stand in for the machine's resolver, the one part that a test can't bring along."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: found)


def test_a_name_with_a_private_answer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A public name that points into a private network is refused."""
    _answers(monkeypatch, "10.0.0.5", "fd00::5")
    with pytest.raises(SourceRejected):
        AddressGuard("news.example", 443).addresses("news.example", 443, timeout_s=5)


def test_of_mixed_answers_only_the_public_ones_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a name answers with public and private addresses, the private are never connected to."""
    _answers(monkeypatch, "10.0.0.5", "8.8.8.8", "64:ff9b::808:808", "8.8.8.8")
    guard = AddressGuard("news.example", 443)
    assert guard.addresses("news.example", 443, timeout_s=5) == ["8.8.8.8"]


def test_an_unknown_name_is_unavailable_not_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name without an answer may have one later."""
    _answers(monkeypatch)
    with pytest.raises(SourceUnavailable, match="resolved"):
        AddressGuard("news.example", 443).addresses("news.example", 443, timeout_s=5)


def test_a_hanging_resolver_keeps_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that does not answer costs no more than the time that is left."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: time.sleep(1) or [])
    started = time.monotonic()
    with pytest.raises(SourceError):
        AddressGuard("news.example", 443).addresses("news.example", 443, timeout_s=0.2)
    assert time.monotonic() - started < 1
