"""Telephone numbers, addresses and accounts in a draft that aren't official ones."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from monitor.policy.drafts.rules import DraftRules, Hit
from monitor.policy.drafts.text import lowered

PHONE, PRIVATE = "phone-number", "private-address"

EMAIL = re.compile(r"[\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_HIDDEN_EMAIL = re.compile(
    r"\b(?:\w{1,30} dot ){0,3}[\w.+-]{1,64}\s?(?:(?:\(at\)|\[at\])\s?[\w-]{1,63}\s?\.?| at [\w-]{1,63})"
    r"\s?(?:(?<=\.)|\(dot\)|\[dot\]|\bdot )\s?(?:com|co|org|net|uk|example|sch|me|info)\b"
)
_PHONE = re.compile(r"(?<!\w)\+?\(?\d(?:[\s().-]{0,3}\d){9,14}(?!\w)")
_SHORT = re.compile(
    r"\b(?:ring|call|phone|text|tel|telephone|mobile|dial|ext|extension|whatsapp)\b[^\w.!?]{0,3}"
    r"(?:(?:us|me|on|him|her|them|at|number|is|no|the|office|direct|or)\W{1,3}){0,4}"
    r"(\d(?:[\s-]?\d){2,8})(?![\w:%]|\.\d)"
)
_DIGIT = r"(?:zero|oh|nought|one|two|three|four|five|six|seven|eight|nine|double|treble|triple)"
_SPELT = re.compile(rf"\b{_DIGIT}(?:[\s,-]{{1,3}}{_DIGIT}){{6,14}}\b")
_POSTCODE = re.compile(r"\b(?:gir ?0aa|[a-z]{1,2}\d[a-z\d]?\s{0,2}\d[a-z]{2})\b")
_ROAD = (
    r"(?:road|rd|street|lane|avenue|ave|close|drive|crescent|terrace|gardens|court|way|grove|mews"
    r"|row|place|hill|walk|square)"
)
_STREET = re.compile(
    rf"\b(?:flat |no\.? ?)?\d{{1,4}}[a-zA-Z]?,? (?:[A-Z][\w']{{1,20}} ){{1,3}}(?i:{_ROAD})\b"
)
_LOW_STREET = re.compile(
    rf"\b\d{{1,4}}[a-z]?,? (?!(?:the|a|your|our|this|minutes?|by|different|per)\b)[\w']{{3,20}} {_ROAD}\b"
)
_HANDLE = re.compile(r"(?<![\w@.])(?:@[\w.-]*\w(?:@[\w.-]*\w)?|/?u/[\w-]+)")
_OPENS_WITH_HANDLES = re.compile(r"\s*(?:@[\w.@-]+\s+)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Official:
    """What a reply may give: numbers as digits, mailboxes, and everything else word for word."""

    numbers: frozenset[str]
    mailboxes: frozenset[str]
    said: str
    hosts: frozenset[str]
    handles: frozenset[str]


def official(
    contacts: Sequence[str], *, hosts: Sequence[str], names: Sequence[str], rules: DraftRules
) -> Official:
    """Read the official contacts: folded strings such as "01632 960 123 or office@trust.example"."""
    said = " \n ".join(contacts).lower()
    found = [digits(number[0]) for number in _PHONE.finditer(said)]
    short = [digits(text) for text in contacts if re.fullmatch(r"[\d\s()+-]{3,}", text.strip())]
    return Official(
        numbers=frozenset((*found, *short, *map(digits, rules.helplines))),
        mailboxes=frozenset(found[0].strip(".'") for found in EMAIL.finditer(said)),
        said=_squeezed(said),
        hosts=frozenset(host.partition("/")[0] for host in hosts),
        handles=frozenset(name.lower().lstrip("@") for name in names if name.startswith("@")),
    )


def digits(number: str) -> str:
    """The digits of a number as dialled in the United Kingdom: "+44 (0)1632" is "01632"."""
    only = re.sub(r"\D", "", number)
    if only.startswith("0044") or (only.startswith("44") and len(only) > 10):
        only = "0" + only.removeprefix("00").removeprefix("44").lstrip("0")
    return only


def private_contacts(seen: str, known: Official, rules: DraftRules) -> Iterator[Hit]:
    """Everything by which somebody could be reached, and that isn't official, in `seen`: the folded
    draft with its links blanked."""
    low = lowered(seen)
    yield from _phones(low, known)
    for found in EMAIL.finditer(low):
        if not _is_office(found[0].strip(".'"), known, rules):
            yield Hit(PRIVATE, *found.span())
    for pattern, text in (
        (_HIDDEN_EMAIL, low),
        (_POSTCODE, low),
        (_STREET, seen),
        (_LOW_STREET, low),
    ):
        for found in pattern.finditer(text):
            if _squeezed(found[0].lower()) not in known.said:
                yield Hit(PRIVATE, *found.span())
    # A reply may open with the account that it answers; the platform puts it there.
    opening = _OPENS_WITH_HANDLES.match(low)
    for found in _HANDLE.finditer(low, opening.end() if opening else 0):
        if found[0].lstrip("@") not in known.handles:
            yield Hit(PRIVATE, *found.span())


def _phones(low: str, known: Official) -> Iterator[Hit]:
    for found in _PHONE.finditer(low):
        number = digits(found[0])
        # An official number with an hour or a date after it ("... (8am to 4pm)") is still that.
        ours = any(
            number.startswith(one) and len(number) - len(one) < 6
            for one in known.numbers
            if len(one) >= 8
        )
        if not ours and (number.startswith("0") or "+" in found[0] or len(number) >= 10):
            yield Hit(PHONE, *found.span())
    for found in _SHORT.finditer(low):
        start, end = found.span(1)
        longer = any(
            start >= other.start() and end <= other.end() for other in _PHONE.finditer(low)
        )
        if not longer and digits(found[1]) not in known.numbers:
            yield Hit(PHONE, start, end)
    for found in _SPELT.finditer(low):
        yield Hit(PHONE, *found.span())


def _is_office(mailbox: str, known: Official, rules: DraftRules) -> bool:
    local, _, host = mailbox.partition("@")
    return mailbox in known.mailboxes or (
        local in rules.office_mailboxes and host.removeprefix("www.") in known.hosts
    )


def _squeezed(said: str) -> str:
    return re.sub(r"[\s,.]+", "", said)
