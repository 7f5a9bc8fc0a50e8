"""The float network as an int8 ONNX checkpoint directory that the product's loader reads."""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer

from classifiers.heads import MEMBERS
from classifiers.training.calibrate import Calibration, added, calibrate, truth_of
from classifiers.training.examples import NAMES
from classifiers.training.network import Explained, Network, base, padded
from classifiers.training.posts import Post
from classifiers.training.runner import Exported

# The outputs of the first three feed-forward layers have outliers that eight bits flatten: kept in float for
# 5 MB they cost, they take a third off the difference from the float model.
FLOAT = [f"/bert/encoder/layer.{layer}/output/dense/MatMul" for layer in range(3)]
HEADS = ["/MatMul", "/MatMul_1"]  # small, and the words that are pointed at come from them


def export(
    network: Network, tokenizer: Tokenizer, held: Sequence[Post], folder: Path
) -> Calibration:
    """Quantise, calibrate what came out on `held`, and write it with that calibration."""
    plain = Calibration(dict.fromkeys(MEMBERS, 1.0), {}, {})
    with tempfile.TemporaryDirectory() as scratch:
        write(network, tokenizer, plain, Path(scratch))
        logits = Exported(Path(scratch)).logits([post.text for post in held])
    chosen = calibrate(logits, truth_of(held))
    write(network, tokenizer, chosen, folder)
    return chosen


def shifted(network: Network, calibration: Calibration) -> Network:
    """A copy whose bias holds the calibration's severity shift: argmax is the operating point."""
    found: Network = copy.deepcopy(network).eval()
    with torch.no_grad():
        found.heads.bias += torch.from_numpy(added(calibration))
    return found


def write(network: Network, tokenizer: Tokenizer, calibration: Calibration, folder: Path) -> None:
    """Fill `folder`: model.onnx (int8), config.json, tokenizer.json, tokenizer_config.json."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        whole = Path(scratch) / "float.onnx"
        to_onnx(shifted(network, calibration), whole)
        quantize_dynamic(
            whole,
            folder / "model.onnx",
            weight_type=QuantType.QInt8,
            nodes_to_exclude=FLOAT + HEADS,
            per_channel=True,
            reduce_range=True,  # 7-bit weights: without them processors older than VNNI overflow
            extra_options={"WeightSymmetric": True},
        )
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    config: dict[str, Any] = json.loads((base() / "config.json").read_text(encoding="utf-8"))
    for key in ("_name_or_path", "transformers_version", "gradient_checkpointing", "use_cache"):
        config.pop(key, None)
    config |= {
        "architectures": ["BertModel"],
        "problem_type": "multi_label_classification",
        "vocab_size": tokenizer.get_vocab_size(),
        "id2label": {str(at): name for at, name in enumerate(NAMES)},
        "label2id": {name: at for at, name in enumerate(NAMES)},
        "trust_monitor": {
            "temperature": {k: round(v, 4) for k, v in calibration.temperature.items()},
            "threshold": {k: round(v, 4) for k, v in calibration.threshold.items()},
            "shift": {k: round(v, 4) for k, v in calibration.shift.items()},  # in the bias already
        },
    }
    _json(folder / "config.json", config)
    signs = {"unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]"}
    _json(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 512, **signs},
    )


def to_onnx(network: Network, path: Path) -> None:
    """The float network with free batch and length."""
    ids, mask = padded([[101, 2023, 2003, 102], [101, 7592, 102]])
    free = {0: "batch", 1: "length"}
    torch.onnx.export(
        Explained(network).eval(),
        (ids, mask),
        str(path),
        input_names=["input_ids", "attention_mask"],
        output_names=["logits", "parts"],
        dynamic_axes={
            "input_ids": free,
            "attention_mask": free,
            "logits": {0: "batch"},
            "parts": free,
        },
        opset_version=17,
        dynamo=False,
    )


def _json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
