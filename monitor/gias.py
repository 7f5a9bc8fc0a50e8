"""A first watchlist from the Department for Education's register of schools.

The register ("Get Information About Schools", https://get-information-schools.service.gov.uk/Downloads)
is a CSV of some 52,000 rows and 140 columns in Windows-1252 with CRLF, closed schools included. Columns
are found by name; a file saved again as UTF-8 is read as well.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rapidfuzz import fuzz, process

from monitor.errors import ConfigError, Fault
from monitor.policy.matching.organisations import Organisation
from monitor.policy.matching.terms import Level, bare_domain, classify
from monitor.policy.matching.text import plain
from monitor.watchlist_file import load_senses

_NEEDED = ("URN", "EstablishmentName", "EstablishmentStatus (name)", "Trusts (name)")
_OPEN = frozenset({"open", "open, but proposed to close"})
_NEAREST = 5

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _School:
    urn: str
    name: str
    town: str
    county: str
    postcode: str
    website: str
    head: str


def watchlist_from_gias(path: Path, trust_name: str) -> str:
    """TOML text of a first watchlist: the open schools of one trust, ready to be edited.

    `trust_name` is compared without regard to case. Raises ConfigError when the file is not the
    register, or has no such trust (with the nearest names).
    """
    wanted = plain(trust_name)
    schools: list[_School] = []
    trusts: Counter[str] = Counter()
    official = trust_name.strip()
    for row in _rows(path):
        names = _trusts_of(row)
        trusts.update(names)
        for name in names:
            if plain(name) == wanted:
                official = name
                if row["EstablishmentStatus (name)"].strip().casefold() in _OPEN:
                    schools.append(_school(row))
    if not schools:
        raise ConfigError([_unknown(path, trust_name, trusts, known=official in trusts)])
    return _toml(official, sorted(schools, key=lambda school: (school.name, school.urn)))


def _rows(path: Path) -> Iterator[Row]:
    try:
        with path.open("rb") as raw:
            encoding = "utf-8-sig" if raw.read(3) == b"\xef\xbb\xbf" else "cp1252"
        with path.open(encoding=encoding, errors="replace", newline="") as file:
            reader = csv.DictReader(file, restval="")
            missing = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
            if missing:
                problem = f"lacks the column {missing[0]!r}"
                remedy = "Download it from get-information-schools.service.gov.uk/Downloads."
                raise ConfigError([Fault(str(path), problem, remedy)])
            yield from reader
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise ConfigError([Fault(str(path), problem, "Name a readable file.")]) from error
    except csv.Error as error:
        raise ConfigError(
            [Fault(str(path), f"is not CSV ({error})", "Download it again.")]
        ) from error


def _trusts_of(row: Row) -> list[str]:
    """ "One Trust~Another Trust": two trusts in one cell are parted by a tilde."""
    return [name.strip() for name in row["Trusts (name)"].split("~") if name.strip()]


def _school(row: Row) -> _School:
    head = " ".join(
        part for column in ("HeadFirstName", "HeadLastName") if (part := _given(row, column))
    )
    return _School(
        urn=row["URN"].strip(),
        name=" ".join(row["EstablishmentName"].split()),
        town=_given(row, "Town"),
        county=_given(row, "County (name)"),
        postcode=_given(row, "Postcode"),
        website=bare_domain(_given(row, "SchoolWebsite")),
        head=head,
    )


def _given(row: Row, column: str) -> str:
    """A cell without its fillers; "" where the register says nothing."""
    value = " ".join((row.get(column) or "").split())
    return "" if value.casefold() in {"not recorded", "not applicable", "n/a", "none"} else value


def _unknown(path: Path, trust_name: str, trusts: Counter[str], *, known: bool) -> Fault:
    if known:
        problem = f"no school of {trust_name!r} is open"
        return Fault(f"{path}: Trusts (name)", problem, "Name the trust that runs them now.")
    nearest = process.extract(
        trust_name, list(trusts), scorer=fuzz.WRatio, processor=str.casefold, limit=_NEAREST
    )
    names = "; ".join(name for name, score, _ in nearest if score >= 60)
    remedy = f"The nearest names are: {names}." if names else "Look its name up in the register."
    return Fault(f"{path}: Trusts (name)", f"no trust is called {trust_name!r}", remedy)


def _toml(trust_name: str, schools: list[_School]) -> str:
    trust = Organisation(id=_slug(trust_name), name=trust_name)
    lines = [
        "# A first watchlist, written from the schools register. Edit it: add what people really say.",
        "# Optional keys of every entry: aliases, former_names, nicknames, initialisms, handles,",
        "# hashtags, domains, exclusions (phrases that are not you), distinctive and ambiguous (terms",
        "# for which you know better whether they name you alone).",
        "",
        "[trust]",
        f"id = {_string(trust.id)}",
        f"name = {_string(trust_name)}",
        f"aliases = {_strings(_trust_aliases(trust))}",
        f"# initialisms = {_strings([_initialism(trust_name)])}  # when people really use it",
        '# handles = ["@..."]',
        '# town = "where its office is"',
        '# website = "..."',
    ]
    taken = {trust.id}
    for school in schools:
        lines.extend(["", *_entry(school, taken)])
    return "\n".join(lines) + "\n"


def _entry(school: _School, taken: set[str]) -> Iterator[str]:
    identity = _slug(school.name)
    if identity in taken:
        identity = _slug(f"{school.name} {school.town or school.urn}")
    if identity in taken:
        identity = f"{_slug(school.name)}-{school.urn}"
    taken.add(identity)
    yield "[[schools]]"
    yield f"id = {_string(identity)}"
    yield f"name = {_string(school.name)}"
    yield f"aliases = {_strings(_aliases(school))}"
    yield f"# initialisms = {_strings([_initialism(school.name)])}"
    for key in ("town", "county", "postcode", "website"):
        value = getattr(school, key)
        yield f"{key} = {_string(value)}" if value else f'# {key} = "" # not in the register'
    if school.head:
        yield f"headteacher = {_string(school.head)}  # masked in mail, never searched for"
    yield f"urn = {_string(school.urn)}"


_DENOMINATION = re.compile(
    r"\b(C\.? ?of ?E\.?|CE|CofE|Church of England|RC|Roman Catholic|Catholic|"
    r"Voluntary (Aided|Controlled)|VA|VC)\b\.?",
    re.IGNORECASE,
)


def _aliases(school: _School) -> list[str]:
    """Few and good: the name without its suffixes, and without its denomination."""
    name = re.sub(r",.*$|\(.*?\)", "", school.name)
    short = re.sub(r"\s+(School|Academy)$", "", name) if len(name.split()) > 3 else name
    lay = " ".join(_DENOMINATION.sub(" ", short).split())
    found = [" ".join(name.split()), " ".join(short.split()), lay, f"{_core(lay)} {school.town}"]
    if not school.town or not _core(lay):
        found.pop()
    known = {plain(school.name)}
    return [alias for alias in found if _is_new(alias, known)]


def _is_new(alias: str, known: set[str]) -> bool:
    key = plain(alias)
    new = len(key) > 3 and key not in known and any(char.isalpha() for char in key)
    known.add(key)
    return new


def _core(name: str) -> str:
    """ "Elder Grove Primary" -> "Elder Grove": without the words that only say "school"."""
    senses = load_senses()
    words = name.split()
    while words and plain(words[-1]) in senses.types | {"and"}:
        words.pop()
    return " ".join(words)


def _trust_aliases(trust: Organisation) -> list[str]:
    """The trust's name without "Multi-Academy Trust" and the like, when that still tells it."""
    short = re.sub(
        r"\s+((Multi[- ])?Academy|Learning|Education(al)?|Schools?)?\s*Trust( Limited| Ltd)?$",
        "",
        trust.name,
        flags=re.IGNORECASE,
    )
    known = {plain(trust.name)}
    level = classify(short, trust, load_senses(), shared=False) if len(short) > 1 else Level.PLAIN
    return [short] if level is Level.DISTINCTIVE and _is_new(short, known) else []


def _initialism(name: str) -> str:
    words = [word for word in plain(name).split() if word not in {"of", "the", "and", "&"}]
    return "".join(word[0] for word in words).upper()


def _slug(name: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", plain(name)).strip("-")
    return slug or "school"


def _strings(values: list[str]) -> str:
    return f"[{', '.join(map(_string, values))}]"


def _string(value: str) -> str:
    """A TOML basic string."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(char if char.isprintable() else " " for char in escaped) + '"'
