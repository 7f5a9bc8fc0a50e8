"""The exported checkpoint's raw logits, read with what the product has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from classifiers import tokens

BATCH = 16


class Exported:
    """The .onnx file of a checkpoint directory. Only the first window of a text is read."""

    def __init__(self, folder: Path, threads: int = 2) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options)
        _, self._tokens = tokens.load(folder)

    def logits(self, texts: Sequence[str]) -> Any:
        """texts x NAMES, in the order given."""
        rows = [found[0] for found in self._tokens.windows(texts, 256)]
        order = sorted(range(len(rows)), key=lambda at: len(rows[at]))
        out: list[Any] = [None] * len(rows)
        for start in range(0, len(order), BATCH):
            some = order[start : start + BATCH]
            ids = np.zeros((len(some), max(len(rows[at]) for at in some)), dtype=np.int64)
            mask = np.zeros_like(ids)
            for row, at in enumerate(some):
                ids[row, : len(rows[at])] = rows[at]
                mask[row, : len(rows[at])] = 1
            fed = {"input_ids": ids, "attention_mask": mask}
            for at, found in zip(some, self._session.run(["logits"], fed)[0], strict=True):
                out[at] = found
        return np.array(out)
