"""Which machines a connector may talk to: public ones only, unless a source says otherwise.

A feed URL comes from a configuration and a redirect comes from a stranger; neither may make the
monitor read its own network (server-side request forgery, OWASP ASVS 5.0 section 1.3.6). So we
resolve the name ourselves and connect to the very address that was checked: a name that answers
differently the second time (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import queue
import re
import socket
import threading
from dataclasses import dataclass

from connectors.errors import SourceRejected, SourceUnavailable

WEB_PORTS = frozenset({80, 443})

# Everything global lies in 2000::/3; inside it these carry or stand for an IPv4 address, or a relay
# chosen by somebody else. `ipaddress.is_global` of Python 3.11 passes some of them.
# https://www.iana.org/assignments/iana-ipv6-special-registry/
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_REFUSED_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # IETF protocol assignments: Teredo, ORCHID, benchmarking
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
)
_REFUSED_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "100.64.0.0/10",  # carrier-grade NAT
        "192.0.0.0/24",  # IETF protocol assignments; Python differs by version
        "192.88.99.0/24",  # 6to4 relay anycast
        "224.0.0.0/4",  # multicast, which is_global passes
        "240.0.0.0/4",
    )
)
# 2130706433, 0x7f.1, 017700000001 and 127.1 are all loopback to the C library.
# https://url.spec.whatwg.org/#ends-in-a-number-checker
_ENDS_IN_NUMBER = re.compile(r"(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$", re.IGNORECASE)


def is_public(address: str) -> bool:
    """True when `address`, in its canonical form, is an ordinary public unicast address."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not any(ip in network for network in _REFUSED_V4)
    if ip.scope_id is not None or ip not in _GLOBAL_V6:
        return False  # also IPv4-mapped, IPv4-compatible, NAT64, ULA, link-local, multicast
    return ip.is_global and not any(ip in network for network in _REFUSED_V6)


@dataclass(frozen=True, slots=True)
class AddressGuard:
    """The guard of one source, whose configured URL names `host` and `port`.

    With `allow_private` that host, and only that host, may have a private address: a redirect from
    it to another private host stays refused.
    """

    host: str
    port: int
    allow_private: bool = False

    def addresses(self, host: str, port: int, *, timeout_s: float) -> list[str]:
        """Return the addresses of `host` that may be connected to, best first; never empty.

        Takes at most `timeout_s` seconds. Raises SourceRejected for a port, a form of host or an
        address that is not allowed, SourceUnavailable when the name has no answer now.
        """
        host = host.lower()
        self._check_port(host, port)
        if self._is_configured_private(host):
            return _resolve(host, port, timeout_s)
        if _ENDS_IN_NUMBER.search(host) and not _is_canonical(host):
            raise SourceRejected(f"{host}: write the address in its usual form, or use a name")
        # Filtered, not all-or-nothing: behind NAT64 a public host also has a synthetic address.
        allowed = [address for address in _resolve(host, port, timeout_s) if is_public(address)]
        if not allowed:
            raise SourceRejected(
                f"{host}: not a public address; set allow_private = true if this source is yours"
            )
        return allowed

    def _check_port(self, host: str, port: int) -> None:
        if port not in WEB_PORTS and (host, port) != (self.host.lower(), self.port):
            raise SourceRejected(f"{host}: port {port} is not allowed, only 80 and 443")

    def _is_configured_private(self, host: str) -> bool:
        return self.allow_private and host == self.host.lower()


def _is_canonical(host: str) -> bool:
    try:
        return str(ipaddress.IPv4Address(host)) == host
    except ValueError:
        return False


def _resolve(host: str, port: int, timeout_s: float) -> list[str]:
    """Look `host` up in a thread of its own, because getaddrinfo knows no deadline. The thread is
    left behind when it hangs; the resolver's own timeout ends it."""
    answer: queue.SimpleQueue[list[str]] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            found = []
        answer.put([str(entry[4][0]) for entry in found])

    threading.Thread(target=look_up, name="resolve", daemon=True).start()
    try:
        addresses = answer.get(timeout=timeout_s)
    except queue.Empty:
        addresses = []
    if not addresses:
        raise SourceUnavailable(f"{host}: the name could not be resolved")
    return list(dict.fromkeys(addresses))
