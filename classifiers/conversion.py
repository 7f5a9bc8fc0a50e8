"""Any checkpoint directory as int8 ONNX, and how far the two agree.

A directory with a float .onnx file needs the package `onnx` alone; one with .safetensors weights needs torch
too (pip install 'trust-monitor[torch]'). Weights are quantised to eight bits where they are multiplied
(seven bits used: processors older than VNNI overflow with eight), activations when the model runs.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from classifiers.errors import ClassifierError
from classifiers.transformer import TransformerClassifier
from classifiers.verdict import Verdict

_KEPT = ("*.json", "*.txt", "*.model", "README.md")
_MOST_DRIFT = 0.9  # a class that moves further on an ordinary text means a broken conversion


@dataclass(frozen=True, slots=True)
class Agreement:
    """The copy against the original, on `texts` texts: the largest and the mean difference of a label's
    probability, how many labels changed sides of 0.5, and both sizes in bytes."""

    texts: int
    largest: float
    mean: float
    flips: int
    before: int
    after: int


def to_int8(source: Path, target: Path, texts: Sequence[str]) -> Agreement:
    """Write `source` as int8 ONNX into the empty or new directory `target`, and compare the two on
    `texts` (one or more). Raises ClassifierError naming what is missing, or when they don't agree."""
    if target.exists() and any(target.iterdir()):
        raise ClassifierError(f"{target} isn't empty: name a new directory")
    original = TransformerClassifier(source).classify(texts)  # it must be whole before we begin
    target.mkdir(parents=True, exist_ok=True)
    for pattern in _KEPT:
        for path in source.glob(pattern):
            shutil.copyfile(path, target / path.name)
    with tempfile.TemporaryDirectory() as scratch:
        _quantised(_float_onnx(source, Path(scratch)), target / "model.onnx")
    found = agreement(original, TransformerClassifier(target).classify(texts))
    if found.largest > _MOST_DRIFT:
        raise ClassifierError(
            f"{target}: a probability moved by {found.largest:.2f}; this model can't be quantised so. "
            "Use the original."
        )
    return Agreement(
        found.texts, found.largest, found.mean, found.flips, _weights(source), _weights(target)
    )


def agreement(one: Sequence[Verdict], other: Sequence[Verdict]) -> Agreement:
    """How two classifiers' verdicts on the same texts differ (sizes 0)."""
    pairs = [
        (score, second.labels[label])
        for first, second in zip(one, other, strict=True)
        for label, score in first.labels.items()
    ]
    gaps = [abs(a - b) for a, b in pairs]
    flips = sum((a >= 0.5) != (b >= 0.5) for a, b in pairs)
    return Agreement(len(one), max(gaps), sum(gaps) / len(gaps), flips, 0, 0)


def _weights(folder: Path) -> int:
    kinds = ("*.onnx", "onnx/*.onnx", "*.safetensors")
    return sum(path.stat().st_size for kind in kinds for path in folder.glob(kind))


def _float_onnx(source: Path, scratch: Path) -> Path:
    found = sorted([*source.glob("*.onnx"), *source.glob("onnx/*.onnx")])
    return found[0] if found else _from_torch(source, scratch / "float.onnx")


def _from_torch(source: Path, path: Path) -> Path:
    import torch  # noqa: PLC0415 - an optional extra, and the original has just run on it
    from transformers import AutoModelForSequenceClassification  # noqa: PLC0415

    model = AutoModelForSequenceClassification.from_pretrained(
        source,
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
        attn_implementation="eager",
    ).eval()
    ids = torch.tensor([[1, 2, 3, 4], [2, 3, 4, 5]])
    free = {0: "batch", 1: "length"}
    torch.onnx.export(
        model,
        (ids, torch.ones_like(ids)),
        str(path),
        input_names=["input_ids", "attention_mask"],
        output_names=["logits"],
        dynamic_axes={"input_ids": free, "attention_mask": free, "logits": {0: "batch"}},
        opset_version=17,
        dynamo=False,
    )
    return path


def _quantised(source: Path, target: Path) -> None:
    try:
        from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415
    except ImportError as error:
        raise ClassifierError(
            "quantising needs the package onnx: pip install 'trust-monitor[torch]'"
        ) from error
    quantize_dynamic(
        source,
        target,
        weight_type=QuantType.QInt8,
        per_channel=True,
        reduce_range=True,
        extra_options={"WeightSymmetric": True},
    )
