"""Classifiers: one file a kind. `KINDS` is the whole table; a kind is imported when it is used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

KINDS = {
    "lexicon": "classifiers.lexicon:LexiconClassifier",
    "transformer": "classifiers.transformer:TransformerClassifier",
}


def load(kind: str) -> Any:
    """Return the classifier class of `kind`. Raises KeyError for an unknown kind."""
    module, _, name = KINDS[kind].partition(":")
    return getattr(import_module(module), name)
