"""Reading a watchlist: TOML (or JSON with the same keys) into `Watchlist`, all faults at once."""

from __future__ import annotations

import json
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from monitor.errors import ConfigError, Fault
from monitor.faults import faults_of
from monitor.policy.matching.organisations import Organisation, Watchlist
from monitor.policy.matching.senses import Senses
from monitor.policy.matching.terms import Level, classify, names_of, places_of
from monitor.policy.matching.text import plain

_PERSON_KEYS = frozenset({"chief_executive"})  # registers carry it; people are never searched for


@cache
def load_senses() -> Senses:
    """The shipped knowledge of words and places, read once."""
    data = resources.files("monitor") / "data"
    words = (data / "common_words.txt").read_text("utf-8").split()
    return Senses.from_data(tomllib.loads((data / "matching.toml").read_text("utf-8")), words)


def load_watchlist(path: Path) -> Watchlist:
    """The watchlist of a .toml or .json file. Raises ConfigError with every fault found."""
    where = str(path)
    try:
        raw = path.read_text("utf-8-sig")
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise ConfigError([Fault(where, problem, "Name a readable file.")]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([Fault(where, "is not UTF-8", "Save it as UTF-8.")]) from error
    try:
        data = json.loads(raw) if path.suffix == ".json" else tomllib.loads(raw)
    except ValueError as error:
        kind = "JSON" if path.suffix == ".json" else "TOML"
        fault = Fault(where, f"is not valid {kind} ({error})", "Correct it there.")
        raise ConfigError([fault]) from error
    if not isinstance(data, dict):
        raise ConfigError([Fault(where, "is not a table", "Write [trust] and [[schools]].")])
    return parse_watchlist(data, where)


def parse_watchlist(data: Mapping[str, Any], where: str) -> Watchlist:
    """The watchlist of already parsed `trust` and `schools` tables. Raises ConfigError."""
    faults: list[Fault] = []
    given = {key: _without_people(value) for key, value in data.items()}
    try:
        watchlist = Watchlist.model_validate(given)
    except ValidationError as error:
        raise ConfigError(faults_of(error, file=where, model=Organisation)) from None
    faults = check_watchlist(watchlist, where)
    if faults:
        raise ConfigError(faults)
    return watchlist


def _without_people(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: each for key, each in value.items() if key not in _PERSON_KEYS}
    if isinstance(value, list):
        return [_without_people(each) for each in value]
    return value


def check_watchlist(watchlist: Watchlist, where: str) -> list[Fault]:
    """What is wrong with a well-formed watchlist: repeated ids, empty terms, one term for two schools
    of one place, and common names without a place to tell them by."""
    faults = list(_repeated_ids(watchlist, where))
    terms: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path, organisation in _with_paths(watchlist):
        at = f"{where}: {path}"
        faults.extend(_empty_terms(organisation, at))
        is_trust = organisation is watchlist.trust
        if not is_trust and not places_of(organisation) and _is_ambiguous(organisation):
            remedy = 'Add its town = "...", county or postcode, so that it can be told from others.'
            faults.append(Fault(f"{at}.town", f"the name {organisation.name!r} is common", remedy))
        for key in {plain(name) for name in names_of(organisation)} - {""}:
            terms[key, plain(organisation.town or "")].append(at)
    for (key, town), places in terms.items():
        if len(places) > 1:
            problem = f"the term {key!r} also stands in {places[0].rpartition(': ')[2]}"
            place = f" in {town}" if town else ""
            remedy = f"Remove it from one of them: nothing tells the two{place} apart."
            faults.extend(Fault(at, problem, remedy) for at in places[1:])
    return faults


def _with_paths(watchlist: Watchlist) -> Iterator[tuple[str, Organisation]]:
    yield "trust", watchlist.trust
    for number, school in enumerate(watchlist.schools, 1):
        yield f"schools[{number}]", school


def _repeated_ids(watchlist: Watchlist, where: str) -> Iterator[Fault]:
    first: dict[str, str] = {}
    for path, organisation in _with_paths(watchlist):
        if organisation.id in first:
            problem = f"the id {organisation.id!r} is also that of {first[organisation.id]}"
            yield Fault(f"{where}: {path}.id", problem, "Give each its own id.")
        first.setdefault(organisation.id, path)


def _empty_terms(organisation: Organisation, at: str) -> Iterator[Fault]:
    lists = {
        "aliases": organisation.aliases,
        "former_names": organisation.former_names,
        "nicknames": organisation.nicknames,
        "initialisms": organisation.initialisms,
        "handles": organisation.handles,
        "hashtags": organisation.hashtags,
        "domains": organisation.domains,
        "exclusions": organisation.exclusions,
    }
    for key, terms in {"name": (organisation.name,), **lists}.items():
        for number, term in enumerate(terms, 1):
            if not any(char.isalnum() for char in plain(term)):
                path = f"{at}.{key}" if key == "name" else f"{at}.{key}[{number}]"
                yield Fault(path, f"{term!r} has no letter or digit", "Remove it or complete it.")


def _is_ambiguous(organisation: Organisation) -> bool:
    level = classify(organisation.name, organisation, load_senses(), shared=False)
    return level > Level.DISTINCTIVE
