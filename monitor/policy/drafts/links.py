"""Links in a draft: https, to a host of the allow-list, and nothing that hides where it leads."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Set
from urllib.parse import SplitResult, parse_qsl, urlsplit

from monitor.policy.drafts.contacts import EMAIL
from monitor.policy.drafts.rules import DraftRules, Hit
from monitor.policy.drafts.text import Draft

LINK = "unsafe-link"

_SCHEME = (
    r"\b(?:[a-z][a-z0-9+.-]{1,15}:/{2}|hxxps?:|https?:[/\\]{0,2}|javascript:|data:\w+/|mailto:|tel:"
    r"|www\.)"
)
_TAIL = ".,;:!?'\")]}>"
_ALL_NUMBERS = re.compile(r"(?:0x[0-9a-f]+|\d+)(?:\.(?:0x[0-9a-f]+|\d+)){0,3}")


def links(draft: Draft, rules: DraftRules) -> Iterator[tuple[int, int]]:
    """Where addresses stand in the folded draft: with a scheme, or bare ("trust.example/page")."""
    endings = "|".join(map(re.escape, rules.endings))
    written = re.compile(
        rf"{_SCHEME}\S+|(?<![\w@.-])(?:[\w-]{{1,63}}\.){{1,6}}(?:{endings})\b(?!@)(?:[:/?#]\S*)?"
    )
    mailboxes = [found.span() for found in EMAIL.finditer(draft.low)]
    for found in written.finditer(draft.low):
        start = found.start()
        end = start + len(found[0].rstrip(_TAIL))
        in_mailbox = any(left <= start and end <= right for left, right in mailboxes)
        if end > start and not in_mailbox:
            yield start, end


def unsafe_links(draft: Draft, rules: DraftRules, *, hosts: Set[str]) -> Iterator[Hit]:
    """The links that must not stand in a reply; `hosts` is the allow-list, in small letters:
    hosts, and pages ("site.example/ours") on `rules.shared_sites`."""
    for start, end in links(draft, rules):
        left, right = draft.span(start, end)
        unsafe, detail = _judge(draft.low[start:end], draft.typed[left:right], rules, hosts)
        if unsafe:
            yield Hit(LINK, start, end, detail)
    endings = "|".join(map(re.escape, rules.endings))
    hidden = re.compile(
        rf"\b[\w-]{{1,63}}\s?(?:\[\.\]|\(\.\)|\[dot\]|\(dot\)| dot )\s?(?:{endings})\b"
    )
    for found in hidden.finditer(draft.low):
        yield Hit(LINK, *found.span(), "hidden")


def _judge(link: str, typed: str, rules: DraftRules, hosts: Set[str]) -> tuple[bool, str | None]:
    """Whether `link` is unsafe, and why if it is more than a stranger's site."""
    bare = not re.match(r"[a-z][a-z0-9+.-]*:", link) or bool(re.match(r"[\w.-]+:\d", link))
    try:
        parts = urlsplit(f"https://{link}" if bare else link)
        host = (parts.hostname or "").rstrip(".")
        _ = parts.port
    except ValueError:
        return True, "unreadable"
    if not typed.isascii() or "xn--" in host or not host.isascii():
        return True, "lookalike"
    if parts.scheme != "https":
        return True, "not-https"
    detail = _trick(parts, host, rules)
    if detail:
        return True, detail
    return not _is_ours(host, parts.path, rules, hosts), None


def _trick(parts: SplitResult, host: str, rules: DraftRules) -> str | None:
    if not host or "\\" in parts.geturl():
        return "unreadable"
    if "@" in parts.netloc:
        return "userinfo"
    if _is_address(host):
        return "address"
    if host.removeprefix("www.") in rules.shorteners:
        return "shortener"
    keys = {key for key, _ in parse_qsl(parts.query.replace(";", "&"), keep_blank_values=True)}
    keys |= {key for key, _ in parse_qsl(parts.fragment, keep_blank_values=True)}
    return "secret" if keys & rules.secret_keys else None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return bool(_ALL_NUMBERS.fullmatch(host))
    return True


def _is_ours(host: str, path: str, rules: DraftRules, hosts: Set[str]) -> bool:
    """A host of ours or below one; on a site that others share, our own page or below it."""
    for ours in hosts:
        site, _, page = ours.partition("/")
        if site in rules.shared_sites:
            if page and host.removeprefix("www.") == site and f"{path}/".startswith(f"/{page}/"):
                return True
        elif host == site or host.endswith(f".{site}"):
            return True
    return False
