"""How a ladder is read: one profile's file laid over those that it inherits from.

A profile names whom it `inherits` from and writes down only what differs: rungs by their id, field
by field; choices by their conditions (the same conditions: replaced); `off` takes rungs away;
`[approval]` and `[deadlines]` key by key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from monitor.errors import ConfigError, Fault
from monitor.policy import toml
from monitor.policy.deadlines import Calendar
from monitor.policy.ladder.file import Ladder

MOST_PARENTS = 5  # profiles that may inherit from each other in a row


def load_ladder(text: str, file: str = "ladder") -> Ladder:
    """Read one ladder file that inherits from none. Raises ConfigError with every fault."""
    return load_profile(file, lambda _: text)


def load_profile(name: str, read: Callable[[str], str]) -> Ladder:
    """Read a profile and all that it inherits from; `read("base")` gives the TOML text of that
    profile, or raises ConfigError. Raises ConfigError with every fault and its key path."""
    return toml.check(Ladder, _resolved(name, read), name)


def _resolved(name: str, read: Callable[[str], str]) -> dict[str, Any]:
    """The profile's tables, laid over those of whom it inherits from, and made ready to check."""
    chain: list[tuple[str, dict[str, Any]]] = []
    following: object = name
    while isinstance(following, str):
        if len(chain) > MOST_PARENTS or following in (known for known, _ in chain):
            ways = " > ".join((*(known for known, _ in chain), following))
            raise ConfigError([Fault(f"{name}: inherits", f"goes in a circle: {ways}", "Mend it")])
        chain.append((following, toml.read(read(following), following)))
        following = chain[-1][1].get("inherits")
    tables: dict[str, Any] = {}
    for file, layer in reversed(chain):
        tables = _laid_over(tables, _by_id(layer, file))
    off = set(_strings(tables.get("off")))
    tables["rung"] = {key: spec for key, spec in tables["rung"].items() if key not in off}
    for key in ("anytime", "path"):
        tables[key] = [rung for rung in _strings(tables.get(key)) if rung not in off]
    return tables


def _by_id(layer: dict[str, Any], file: str) -> dict[str, Any]:
    """One file's tables, with its list of rungs as a table by id and its own date filled in."""
    rungs: dict[str, Any] = {}
    listed = layer.get("rung", [])
    if not isinstance(listed, list) or not all(isinstance(spec, dict) for spec in listed):
        raise ConfigError([Fault(f"{file}: rung", "must be a list of tables", "Write [[rung]]")])
    for spec in listed:
        rung_id = str(spec.get("id", ""))
        if rung_id in rungs:
            raise ConfigError(
                [Fault(f"{file}: rung.{rung_id}", "two rungs have the same id", "Remove one")]
            )
        dated = {"reviewed_on": layer["reviewed_on"]} if "reviewed_on" in layer else {}
        rungs[rung_id] = dated | spec
    return {key: value for key, value in layer.items() if key != "reviewed_on"} | {"rung": rungs}


def _laid_over(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = under | over
    rungs = dict(under.get("rung", {}))
    for rung_id, spec in over["rung"].items():
        rungs[rung_id] = rungs.get(rung_id, {}) | spec
    merged["rung"] = rungs
    merged["off"] = [*_strings(under.get("off")), *_strings(over.get("off"))]
    for table in ("approval", "deadlines"):
        both = (under.get(table, {}), over.get(table, {}))
        if all(isinstance(each, dict) for each in both):
            merged[table] = both[0] | both[1]
    merged["choice"] = _choices(under.get("choice", []), over.get("choice", []))
    return merged


def _choices(under: Any, over: Any) -> Any:
    """The profile's own choices before those inherited whose conditions it doesn't repeat."""
    if not all(isinstance(each, list) for each in (under, over)):
        return over
    own = [_conditions(choice) for choice in over]
    return [*over, *(choice for choice in under if _conditions(choice) not in own)]


def _conditions(choice: Any) -> Any:
    if not isinstance(choice, dict):
        return choice
    return {
        key: sorted(value) if isinstance(value, list) else value
        for key, value in choice.items()
        if key not in {"rung", "drafts"}
    }


def _strings(found: Any) -> list[str]:
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def with_rule_of(ladder: Ladder, calendar: Calendar) -> Calendar:
    """The calendar, with the ladder's own weekend rule where its policy has one."""
    rule = ladder.deadlines.weekend_rule
    return replace(calendar, weekend_rule=rule) if rule else calendar
