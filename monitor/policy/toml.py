"""Decisions as data: one way to read a policy file, and one way to refuse it."""

from __future__ import annotations

import tomllib
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from monitor.errors import ConfigError, Fault

Model = TypeVar("Model", bound=BaseModel)


def parse(model: type[Model], text: str, file: str) -> Model:
    """`text` as `model`. Raises ConfigError with every fault; each names `file` and the key path."""
    try:
        return model.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([Fault(file, f"not TOML: {error}", "Correct the line named")]) from error
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
