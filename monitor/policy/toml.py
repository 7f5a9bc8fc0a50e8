"""Decisions as data: one way to read a policy file, and one way to refuse it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from monitor.errors import ConfigError, Fault

Model = TypeVar("Model", bound=BaseModel)


def parse(model: type[Model], text: str, file: str) -> Model:
    """`text` as `model`. Raises ConfigError with every fault; each names `file` and the key path."""
    return check(model, read(text, file), file)


def read(text: str, file: str) -> dict[str, Any]:
    """`text` as plain tables. Raises ConfigError naming `file` and the line."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([Fault(file, f"not TOML: {error}", "Correct the line named")]) from error


def check(model: type[Model], tables: Mapping[str, Any], file: str) -> Model:
    """Plain tables as `model`. Raises ConfigError with every fault, as `parse` does."""
    try:
        return model.model_validate(tables)
    except ValidationError as error:
        faults = [
            Fault(
                f"{file}: {'.'.join(str(part) for part in found['loc']) or 'the whole file'}",
                found["msg"],
                "Compare it with the file of that name that comes with Trust Monitor",
            )
            for found in error.errors(include_input=False, include_url=False)
        ]
        raise ConfigError(faults) from error
