"""Any Hugging Face sequence-classification checkpoint: ONNX Runtime first, torch if installed.

A checkpoint is a directory (never touches the network), or a hub id with a pinned revision of 40
hexadecimal digits, fetched once into the hub's own cache (HF_HUB_OFFLINE=1 forbids even that). It holds
config.json, a tokenizer, and a .onnx file (at its root or in onnx/) or .safetensors weights. No code
from a checkpoint is ever run, and no pickled weights are read. `classifiers/heads.py` says which classes
are understood.

The built-in model will lie in `classifiers/builtin/` (package data): where `classifiers/builtin/config.json`
exists, the composition root builds `TransformerClassifier(that directory)` under the lexicon's safety net
(`classifiers/layered.py`), and the lexicon alone where it doesn't.

Long texts: a text of more than `max_tokens` is read in windows that overlap by a quarter, at most
`MOST_WINDOWS`: the first ones and the last two, so that what stands at the end of a long post counts. A
label's score is its highest in any window, severity comes from the most urgent window, sentiment is the
mean.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers import tokens
from classifiers.errors import ClassifierError
from classifiers.heads import Heads, Reading, heads_of
from classifiers.verdict import Label, Sentiment, Severity, Verdict

MOST_WINDOWS = 8
_PINNED = re.compile(r"[0-9a-f]{40}")
_FILES = ["*.json", "*.txt", "*.model", "*.onnx", "onnx/*.onnx", "*.safetensors"]

Logits = NDArray[np.float32]
Inputs = dict[str, NDArray[np.int64]]
Run = Callable[[Inputs], Logits]


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
        weights, self._run = _runtime(folder, self._threads)
        if self._folder is not None:
            self.version = _digest([folder / "config.json", weights])

    def classify(self, texts: Sequence[str]) -> list[Verdict]:
        """One verdict per text, in order. Raises ClassifierError when the model can't be loaded or run."""
        if not texts:
            return []
        self.warm()
        windows, owners = self._windows(texts)
        readings: list[list[Reading]] = [[] for _ in texts]
        shortest_first = sorted(range(len(windows)), key=lambda at: len(windows[at]))
        for start in range(0, len(windows), self._batch_size):
            batch = shortest_first[start : start + self._batch_size]
            for at, row in zip(batch, self._logits([windows[i] for i in batch]), strict=True):
                readings[owners[at]].append(self._read(row))
        return [self._verdict(found) for found in readings]

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

    def _logits(self, batch: list[list[int]]) -> Logits:
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
                f"{self._source}: the model can't be run ({_brief(error)})"
            ) from error

    def _read(self, row: Logits) -> Reading:
        if self._heads is None or len(row) != len(self._heads.places):
            raise ClassifierError(
                f"{self._source}: the model answers with {len(row)} numbers, but config.json's id2label "
                f"names {len(self._heads.places) if self._heads else 0}; export both together"
            )
        return self._heads.read([float(logit) for logit in row])

    def _verdict(self, windows: Sequence[Reading]) -> Verdict:
        spreads = [window.sentiment for window in windows if window.sentiment is not None]
        severities = [window.severity for window in windows if window.severity is not None]
        return Verdict(
            labels={label: max(window.labels[label] for window in windows) for label in Label},
            sentiment={
                s: sum(spread[s] for spread in spreads) / len(spreads) if spreads else 1 / 3
                for s in Sentiment
            },
            severity=max(severities, key=_urgency) if severities else None,
            model=self.model,
            version=self.version,
        )


def _urgency(severity: Any) -> tuple[float, float]:
    return severity[Severity.URGENT], severity[Severity.CONCERN]


def _brief(error: BaseException) -> str:
    """Kind only: a library's message may quote the text that it choked on."""
    return type(error).__name__


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
            f"hub model {source!r} can't be fetched ({_brief(error)}). Check its name and revision and the "
            "network, or give a local directory instead."
        ) from error


def _runtime(folder: Path, threads: int) -> tuple[Path, Run]:
    """The weights file and how to run it."""
    found = sorted([*folder.glob("*.onnx"), *folder.glob("onnx/*.onnx")])
    if found:
        chosen = next((path for path in found if path.name == "model.onnx"), found[0])
        if len(found) > 1 and chosen.name != "model.onnx":
            raise ClassifierError(f"{folder}: several .onnx files; name the one to use model.onnx")
        return chosen, _onnx(chosen, threads)
    weights = sorted(folder.glob("*.safetensors"))
    if weights:
        return weights[0], _torch(folder, threads)
    raise ClassifierError(
        f"{folder}: no .onnx file and no .safetensors weights. Export the model to ONNX."
    )


def _onnx(path: Path, threads: int) -> Run:
    import onnxruntime  # noqa: PLC0415 - half a second of start-up

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(
            str(path), sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's own exceptions share no base
        raise ClassifierError(
            f"{path}: no valid ONNX model ({_brief(error)}). Export it again."
        ) from error
    wanted = {wants.name for wants in session.get_inputs()}
    outputs = [output.name for output in session.get_outputs()]
    answer = "logits" if "logits" in outputs else outputs[0]

    def run(inputs: Inputs) -> Logits:
        fed = {name: value for name, value in inputs.items() if name in wanted}
        return np.asarray(session.run([answer], fed)[0], dtype=np.float32)

    return run


def _torch(folder: Path, threads: int) -> Run:
    try:
        import torch  # noqa: PLC0415 - an optional extra
        from transformers import AutoModelForSequenceClassification  # noqa: PLC0415
    except ImportError as error:
        raise ClassifierError(
            f"{folder} holds .safetensors weights only, and torch isn't installed. Install it "
            "(pip install 'trust-monitor[torch]'), or export the model to ONNX into that directory."
        ) from error
    try:
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, use_safetensors=True
        ).eval()
    except (OSError, ValueError, RuntimeError) as error:
        raise ClassifierError(
            f"{folder}: the weights can't be loaded ({_brief(error)})."
        ) from error
    torch.set_num_threads(threads)
    known = set(model.forward.__code__.co_varnames)

    def run(inputs: Inputs) -> Logits:
        fed = {name: torch.from_numpy(value) for name, value in inputs.items() if name in known}
        with torch.inference_mode():
            return np.asarray(model(**fed).logits.float().numpy(), dtype=np.float32)

    return run


def _digest(paths: Sequence[Path]) -> str:
    """12 hexadecimal digits over the files: the version of a local checkpoint."""
    digest = hashlib.blake2b(digest_size=6)
    for path in paths:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
