"""A checkpoint's config and tokenizer, read without the transformers library where that can be.

Importing transformers takes two seconds and 100 MB. A directory with tokenizer.json and config.json
needs neither: the `tokenizers` library reads the first as it is. Everything else goes through
AutoTokenizer. No code from a checkpoint is run either way.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

from classifiers.errors import ClassifierError


class Tokens(Protocol):
    """Cuts texts into windows of token ids. `room`: the longest window that the model was made for."""

    @property
    def pad(self) -> int:
        """The id that fills short rows."""
        ...

    @property
    def room(self) -> int: ...

    def windows(self, texts: Sequence[str], length: int) -> list[list[list[int]]]:
        """Per text, the ids of its windows: `length` at most, special tokens included, overlapping by a
        quarter."""
        ...

    def spans(self, text: str, length: int) -> list[list[tuple[int, int]]]:
        """Per window of one text, each token's span of it; (0, 0) for a special token. Empty where the
        tokenizer can't say."""
        ...


def load(folder: Path) -> tuple[Any, Tokens]:
    """The config (attributes as in config.json) and the tokenizer. Raises ClassifierError."""
    try:
        if (folder / "tokenizer.json").is_file() and (folder / "config.json").is_file():
            return _config(folder), _Plain(folder)
        from transformers import AutoConfig, AutoTokenizer  # noqa: PLC0415 - two seconds of start-up

        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        return config, _Auto(
            AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        )
    except Exception as error:  # the tokenizers library raises plain Exception
        raise ClassifierError(
            f"{folder}: config.json or the tokenizer can't be loaded ({type(error).__name__}). "
            "Download the checkpoint again, whole."
        ) from error


def _config(folder: Path) -> SimpleNamespace:
    """config.json's own keys. One without id2label has the two classes that transformers gives it."""
    values = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if not isinstance(values, dict):
        raise TypeError("config.json must hold an object")
    return SimpleNamespace(**({"id2label": {0: "LABEL_0", 1: "LABEL_1"}} | values))


class _Plain:
    """tokenizer.json, by the tokenizers library."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer  # noqa: PLC0415 - only for who has a model

        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        beside = folder / "tokenizer_config.json"
        extra = json.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else {}
        pad = extra.get("pad_token") or "[PAD]"
        name = pad.get("content") if isinstance(pad, dict) else str(pad)
        self.pad = self._tokenizer.token_to_id(str(name)) or 0
        self.room = int(extra.get("model_max_length") or 512)

    def windows(self, texts: Sequence[str], length: int) -> list[list[list[int]]]:
        self._tokenizer.enable_truncation(length, stride=length // 4)
        return [
            [found.ids, *(window.ids for window in found.overflowing)]
            for found in self._tokenizer.encode_batch(list(texts))
        ]

    def spans(self, text: str, length: int) -> list[list[tuple[int, int]]]:
        self._tokenizer.enable_truncation(length, stride=length // 4)
        found = self._tokenizer.encode(text)
        return [found.offsets, *(window.offsets for window in found.overflowing)]


class _Auto:
    """Any tokenizer that transformers knows."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self.pad = int(tokenizer.pad_token_id or 0)
        self.room = int(tokenizer.model_max_length)

    def windows(self, texts: Sequence[str], length: int) -> list[list[list[int]]]:
        encoded = self._tokenizer(
            list(texts),
            truncation=True,
            max_length=length,
            stride=length // 4,
            return_overflowing_tokens=True,
        )
        found: list[list[list[int]]] = [[] for _ in texts]
        mapping = encoded["overflow_to_sample_mapping"]
        for owner, ids in zip(mapping, encoded["input_ids"], strict=True):
            found[owner].append(ids)
        return found

    def spans(self, text: str, length: int) -> list[list[tuple[int, int]]]:
        del text, length
        return []
