"""Any Hugging Face sequence-classification checkpoint: ONNX Runtime first, torch if installed.

A checkpoint is a directory (never touches the network), or a hub id with a pinned revision of 40
hexadecimal digits, fetched once into the hub's own cache (HF_HUB_OFFLINE=1 forbids even that). It holds
config.json, a tokenizer, and a .onnx file (at its root or in onnx/) or .safetensors weights. No code
from a checkpoint is ever run, and no pickled weights are read. `classifiers/heads.py` says which classes
are understood.

The built-in model will lie in `classifiers/builtin/` (package data): where `classifiers/builtin/config.json`
exists, the composition root builds `TransformerClassifier(that directory)` under the lexicon's safety net
(`classifiers/layered.py`), and the lexicon alone where it doesn't.

Where a checkpoint tells what each token added ("parts", classifiers/spans.py), a label that counts has the
loudest words as evidence.

Long texts: a text of more than `max_tokens` is read in windows that overlap by a quarter, at most
`MOST_WINDOWS`: the first ones and the last two, so that what stands at the end of a long post counts. A
label's score is its highest in any window, severity comes from the most urgent window, sentiment is the
mean.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from classifiers import tokens
from classifiers.errors import ClassifierError
from classifiers.heads import Heads, Reading, heads_of
from classifiers.runtimes import Logits, Run, brief, runtime
from classifiers.spans import evidence
from classifiers.verdict import Evidence, Label, Sentiment, Severity, Verdict

MOST_WINDOWS = 8
COUNTS = 0.5  # where a label counts: classifiers/verdict.py
_PINNED = re.compile(r"[0-9a-f]{40}")
_FILES = ["*.json", "*.txt", "*.model", "*.onnx", "onnx/*.onnx", "*.safetensors"]


class TransformerClassifier:
    """A checkpoint as a `Classifier`.

    `model`: a directory, or a hub id with `revision` (40 hexadecimal digits). `batch_size`: windows per
    run. `threads`: CPU threads of the runtime. `max_tokens`: window length, special tokens included,
    cut to what the model can take. Raises ClassifierError for a hub id without a pinned revision.
    """

    def __init__(
        self,
        model: str | Path,
        *,
        revision: str | None = None,
        batch_size: int = 16,
        threads: int = 2,
        max_tokens: int = 256,
    ) -> None:
        if min(batch_size, threads) < 1 or max_tokens < 16:
            raise ClassifierError(
                "batch_size and threads must be at least 1, max_tokens at least 16"
            )
        self._folder = Path(model) if Path(model).is_dir() else None
        if self._folder is None and not _PINNED.fullmatch(revision or ""):
            raise ClassifierError(
                f"classifier model {str(model)!r} is no directory here; for a hub id give revision, the "
                "40 hexadecimal digits of one commit, so that the model can't change under you"
            )
        self.model = self._folder.name if self._folder else str(model)
        self.version = (revision or "unloaded")[:12]
        self._source = str(model)
        self._revision = revision
        self._batch_size, self._threads, self._max_tokens = batch_size, threads, max_tokens
        self._heads: Heads | None = None
        self._tokens: tokens.Tokens | None = None
        self._run: Run | None = None

    def warm(self) -> None:
        """Load tokenizer, config and weights, once. Raises ClassifierError naming what to do."""
        if self._run is not None:
            return
        folder = self._folder or _fetched(self._source, self._revision)
        config, self._tokens = tokens.load(folder)
        self._heads = heads_of(config, self._source)
        room = [self._max_tokens, self._tokens.room]
        room.append(int(getattr(config, "max_position_embeddings", 0) or self._max_tokens))
        self._max_tokens = min(room)
        weights, self._run = runtime(folder, self._threads)
        if self._folder is not None:
            self.version = _digest([folder / "config.json", weights])

    def classify(self, texts: Sequence[str]) -> list[Verdict]:
        """One verdict per text, in order. Raises ClassifierError when the model can't be loaded or run."""
        if not texts:
            return []
        self.warm()
        windows, owners = self._windows(texts)
        readings: list[Reading | None] = [None] * len(windows)
        parts: list[Logits | None] = [None] * len(windows)
        shortest_first = sorted(range(len(windows)), key=lambda at: len(windows[at]))
        for start in range(0, len(windows), self._batch_size):
            batch = shortest_first[start : start + self._batch_size]
            rows, added = self._logits([windows[i] for i in batch])
            for row, at in enumerate(batch):
                readings[at] = self._read(rows[row])
                parts[at] = None if added is None else added[row, : len(windows[at])]
        found: list[list[tuple[Reading, Logits | None]]] = [[] for _ in texts]
        for owner, reading, part in zip(owners, readings, parts, strict=True):
            if reading is not None:
                found[owner].append((reading, part))
        return [self._verdict(text, some) for text, some in zip(texts, found, strict=True)]

    def _windows(self, texts: Sequence[str]) -> tuple[list[list[int]], list[int]]:
        """Token ids of every window, and the text that each belongs to."""
        # A lone surrogate is no Unicode text: the tokenizer would refuse the whole batch.
        plain = [text.encode("utf-8", "replace").decode() for text in texts]
        windows: list[list[int]] = []
        owners: list[int] = []
        for owner, found in enumerate(self._loaded().windows(plain, self._max_tokens)):
            some = found if len(found) <= MOST_WINDOWS else found[: MOST_WINDOWS - 2] + found[-2:]
            windows += some
            owners += [owner] * len(some)
        return windows, owners

    def _loaded(self) -> tokens.Tokens:
        if self._tokens is None:
            raise ClassifierError("the model isn't loaded; call warm() first")
        return self._tokens

    def _logits(self, batch: list[list[int]]) -> tuple[Logits, Logits | None]:
        if self._run is None:
            raise ClassifierError("the model isn't loaded; call warm() first")
        longest = max([1, *(len(ids) for ids in batch)])
        ids = np.full((len(batch), longest), self._loaded().pad, dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, found in enumerate(batch):
            ids[row, : len(found)] = found
            mask[row, : len(found)] = 1
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        try:
            return self._run(inputs)
        except Exception as error:  # a runtime's own exceptions share no base
            raise ClassifierError(
                f"{self._source}: the model can't be run ({brief(error)})"
            ) from error

    def _read(self, row: Logits) -> Reading:
        if self._heads is None or len(row) != len(self._heads.places):
            raise ClassifierError(
                f"{self._source}: the model answers with {len(row)} numbers, but config.json's id2label "
                f"names {len(self._heads.places) if self._heads else 0}; export both together"
            )
        return self._heads.read([float(logit) for logit in row])

    def _verdict(self, text: str, found: Sequence[tuple[Reading, Logits | None]]) -> Verdict:
        windows = [reading for reading, _ in found]
        spreads = [window.sentiment for window in windows if window.sentiment is not None]
        severities = [window.severity for window in windows if window.severity is not None]
        return Verdict(
            labels={label: max(window.labels[label] for window in windows) for label in Label},
            sentiment={
                s: sum(spread[s] for spread in spreads) / len(spreads) if spreads else 1 / 3
                for s in Sentiment
            },
            severity=max(severities, key=_urgency) if severities else None,
            evidence=tuple(dict.fromkeys(self._evidence(text, found))),  # windows overlap
            model=self.model,
            version=self.version,
        )

    def _evidence(
        self, text: str, found: Sequence[tuple[Reading, Logits | None]]
    ) -> list[Evidence]:
        """The loudest words of each label that counts, from the window where it scores highest. A text
        that was cut in its middle has windows that can't be placed: it gets none."""
        if self._heads is None or not any(
            part is not None and max(reading.labels.values()) >= COUNTS for reading, part in found
        ):
            return []
        plain = text.encode("utf-8", "replace").decode()
        spans = self._loaded().spans(plain, self._max_tokens)
        if len(spans) != len(found):
            return []
        told = []
        for at, (reading, part) in enumerate(found):
            places = {
                label: self._heads.places.index(("label", str(label)))
                for label, score in reading.labels.items()
                if score >= COUNTS and score == max(other.labels[label] for other, _ in found)
            }
            if part is not None and places:
                told += evidence(plain, part, places, spans[at])
        return told


def _urgency(severity: Any) -> tuple[float, float]:
    return severity[Severity.URGENT], severity[Severity.CONCERN]


def download(source: str, revision: str, folder: Path) -> None:
    """Write one commit of a hub's checkpoint into the empty or new `folder`. Raises ClassifierError."""
    if not _PINNED.fullmatch(revision):
        raise ClassifierError(
            f"revision {revision!r} must be the 40 hexadecimal digits of one commit, so that the model "
            "can't change under you"
        )
    if folder.exists() and any(folder.iterdir()):
        raise ClassifierError(f"{folder} isn't empty: name a new directory")
    _fetched(source, revision, folder)


def _fetched(source: str, revision: str | None, folder: Path | None = None) -> Path:
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - only hub ids need it

    try:
        return Path(
            snapshot_download(source, revision=revision, allow_patterns=_FILES, local_dir=folder)
        )
    except (OSError, ValueError) as error:
        raise ClassifierError(
            f"hub model {source!r} can't be fetched ({brief(error)}). Check its name and revision and the "
            "network, or give a local directory instead."
        ) from error


def _digest(paths: Sequence[Path]) -> str:
    """12 hexadecimal digits over the files: the version of a local checkpoint."""
    digest = hashlib.blake2b(digest_size=6)
    for path in paths:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
