"""Turns a pydantic complaint into faults that name file, key path, problem and remedy."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ValidationError
from rapidfuzz import process

from monitor.errors import Fault


def key_path(parts: Sequence[int | str]) -> str:
    """("people", 0, "email") -> "people[1].email": tables are counted from one, as a person does."""
    path = ""
    for part in parts:
        path += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path or "(top level)"


def faults_of(
    error: ValidationError,
    *,
    file: str,
    prefix: Sequence[int | str] = (),
    model: type[BaseModel] | None = None,
) -> list[Fault]:
    """One fault per complaint. Values are not repeated: one of them may be a secret."""
    known = list(model.model_fields) if model else []
    items = error.errors(include_url=False, include_input=False)
    return [
        Fault(
            where=f"{file}: {key_path((*prefix, *item['loc']))}",
            problem=_problem(item["type"], item["msg"]),
            remedy=_remedy(item["type"], str(item["loc"][-1]) if item["loc"] else "", known),
        )
        for item in items
        # A list is called too short when only its faulty entries are missing from the count.
        if item["type"] != "too_short"
        or not any(other["loc"][:1] == item["loc"] for other in items if other is not item)
    ]


def _problem(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return "unknown key"
    if kind == "missing":
        return "missing"
    if kind == "string_pattern_mismatch":
        return "is not a valid id"
    return message.removeprefix("Value error, ").rstrip(".")


def _remedy(kind: str, key: str, known: Sequence[str]) -> str:
    if kind == "extra_forbidden":
        near = process.extractOne(key, known, score_cutoff=60) if known else None
        return f"Did you mean '{near[0]}'?" if near else "Remove it, or see config.example.toml."
    if kind == "missing":
        return "Add it; config.example.toml shows how."
    if kind == "string_pattern_mismatch":
        return 'Use lower-case letters, digits, "-" and "_", such as "oak-street".'
    return "config.example.toml shows what may stand here."
