"""The checkpoint loader, on tiny checkpoints that these tests make."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from classifiers.errors import ClassifierError
from classifiers.heads import moved
from classifiers.transformer import TransformerClassifier
from classifiers.verdict import Label, Sentiment, Severity

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "fine",
    "threat",
    "insult",
    "good",
    "bad",
    "now",
    "plain",
]
OURS = [
    *(f"label:{label}" for label in Label),
    *(f"sentiment:{sentiment}" for sentiment in Sentiment),
    *(f"severity:{severity}" for severity in Severity),
]


def word_weights(
    names: Sequence[str], weights: dict[str, dict[str, float]]
) -> np.ndarray[Any, Any]:
    """A vocabulary x classes matrix: what each word adds to each class's logit."""
    matrix = np.zeros((len(WORDS), len(names)), dtype=np.float32)
    for word, added in weights.items():
        for name, value in added.items():
            matrix[WORDS.index(word), names.index(name)] = value
    return matrix


def write_onnx(path: Path, matrix: np.ndarray[Any, Any], bias: Sequence[float]) -> None:
    """logits = bias + sum over tokens of matrix[token], padding masked out."""
    nodes = [
        helper.make_node("Gather", ["matrix", "input_ids"], ["rows"], axis=0),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["mask3"]),
        helper.make_node("Mul", ["rows", "mask3"], ["parts"]),
        helper.make_node("ReduceSum", ["parts", "tokens"], ["summed"], keepdims=0),
        helper.make_node("Add", ["summed", "bias"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"])
            for name in ("input_ids", "attention_mask")
        ],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", matrix.shape[1]]),
            helper.make_tensor_value_info(
                "parts", TensorProto.FLOAT, ["batch", "length", matrix.shape[1]]
            ),
        ],
        [
            numpy_helper.from_array(matrix, "matrix"),
            numpy_helper.from_array(np.array(bias, dtype=np.float32), "bias"),
            numpy_helper.from_array(np.array([2]), "last"),
            numpy_helper.from_array(np.array([1]), "tokens"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def write_checkpoint(
    folder: Path,
    names: Sequence[str] = OURS,
    weights: dict[str, dict[str, float]] | None = None,
    bias: Sequence[float] | None = None,
    **config: Any,
) -> Path:
    folder.mkdir(exist_ok=True)
    tokenizer = Tokenizer(WordPiece({w: i for i, w in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "model_max_length": 512,
                "pad_token": "[PAD]",
                "unk_token": "[UNK]",
                "cls_token": "[CLS]",
                "sep_token": "[SEP]",
            }
        )
    )
    (folder / "config.json").write_text(
        json.dumps(
            {
                "model_type": "bert",
                "vocab_size": len(WORDS),
                "hidden_size": 8,
                "num_hidden_layers": 1,
                "num_attention_heads": 2,
                "intermediate_size": 8,
                "max_position_embeddings": 64,
                "id2label": {str(i): name for i, name in enumerate(names)},
                "label2id": {name: i for i, name in enumerate(names)},
            }
            | config
        )
    )
    write_onnx(
        folder / "model.onnx", word_weights(names, weights or {}), bias or [-4.0] * len(names)
    )
    return folder


OUR_WEIGHTS = {
    "threat": {"label:threat": 8.0, "severity:urgent": 6.0, "sentiment:negative": 4.0},
    "insult": {"label:abuse": 5.0, "sentiment:negative": 4.0},
    "good": {"label:praise": 8.0, "sentiment:positive": 5.0},
}


def test_our_format(tmp_path: Path) -> None:
    """Labels are sigmoids, sentiment and severity softmaxes, each from the logit that bears its name."""
    classifier = TransformerClassifier(write_checkpoint(tmp_path / "tiny", weights=OUR_WEIGHTS))
    threat, praise = classifier.classify(["threat now", "good"])
    assert threat.labels[Label.THREAT] == pytest.approx(1 / (1 + np.exp(-4)), abs=1e-5)
    assert threat.labels[Label.PRAISE] < 0.05
    assert praise.labels[Label.PRAISE] > 0.9
    assert praise.sentiment[Sentiment.POSITIVE] > 0.9
    assert threat.severity is not None
    assert threat.severity[Severity.URGENT] > 0.9
    assert sum(threat.severity.values()) == pytest.approx(1)
    assert threat.model == "tiny"
    assert len(threat.version) == 12


def test_order_is_kept(tmp_path: Path) -> None:
    """Batches are made by length, answers come in the order asked, and padding changes nothing."""
    classifier = TransformerClassifier(
        write_checkpoint(tmp_path, weights=OUR_WEIGHTS), batch_size=2
    )
    texts = ["fine " * n + ("threat" if n % 3 == 0 else "good") for n in (9, 1, 30, 2, 0, 5, 12)]
    together = classifier.classify(texts)
    assert [v.labels[Label.THREAT] > 0.5 for v in together] == ["threat" in t for t in texts]
    alone = [classifier.classify([text])[0] for text in texts]
    for one, other in zip(together, alone, strict=True):
        assert one.labels == pytest.approx(other.labels)
    assert classifier.classify([]) == []


def test_calibration(tmp_path: Path) -> None:
    """Temperature divides a head's logits, and a label's threshold is moved to 0.5."""
    section = {"temperature": {"label": 2.0}, "threshold": {"threat": 0.8808}}
    folder = write_checkpoint(tmp_path, weights=OUR_WEIGHTS, trust_monitor=section)
    (verdict,) = TransformerClassifier(folder).classify(
        ["threat"]
    )  # logit 4, halved: sigmoid 0.8808
    assert verdict.labels[Label.THREAT] == pytest.approx(0.5, abs=1e-3)
    assert moved(0.0, 0.3) == 0.0
    assert moved(1.0, 0.3) == 1.0
    assert moved(0.3, 0.3) == pytest.approx(0.5)


@pytest.mark.parametrize("where", ["start", "middle", "end"])
def test_long_text(tmp_path: Path, where: str) -> None:
    """A threat counts wherever it stands in a text of several windows."""
    classifier = TransformerClassifier(
        write_checkpoint(tmp_path, weights=OUR_WEIGHTS), max_tokens=32
    )
    words = ["fine"] * 120
    words[{"start": 0, "middle": 60, "end": 119}[where]] = "threat"
    assert classifier.classify([" ".join(words)])[0].labels[Label.THREAT] > 0.5


def test_very_long_text_is_bounded(tmp_path: Path) -> None:
    """Of 20,000 words only the first windows and the end are read: the end still counts."""
    classifier = TransformerClassifier(
        write_checkpoint(tmp_path, weights=OUR_WEIGHTS), max_tokens=32
    )
    (verdict,) = classifier.classify(["fine " * 20_000 + "threat"])
    assert verdict.labels[Label.THREAT] > 0.5


def test_any_unicode(tmp_path: Path) -> None:
    """Empty texts, lone surrogates and control characters get a verdict too."""
    verdicts = TransformerClassifier(write_checkpoint(tmp_path)).classify(
        ["", "\ud800", "\x00", "🔪"]
    )
    assert len(verdicts) == 4


PLAIN_CASES = [
    (["non-toxic", "toxic"], {}, "insult", {Label.ABUSE: 1.0}),
    (["not_hate", "hate"], {}, "insult", {Label.HATE: 1.0}),
    (["not-offensive", "offensive"], {}, "insult", {Label.ABUSE: 1.0}),
    (
        ["toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate"],
        {"problem_type": "multi_label_classification"},
        "insult",
        {Label.ABUSE: 0.99, Label.HATE: 0.99},
    ),
]


@pytest.mark.parametrize(("names", "config", "word", "expected"), PLAIN_CASES)
def test_ordinary_checkpoints(
    tmp_path: Path,
    names: list[str],
    config: dict[str, Any],
    word: str,
    expected: dict[Label, float],
) -> None:
    """Well-known class names are understood; what a checkpoint can't say is neutral."""
    hot = {word: {name: 20.0 for name in names if not name.startswith("no")}}
    folder = write_checkpoint(tmp_path, names, hot, **config)
    (verdict,) = TransformerClassifier(folder).classify([word])
    for label, least in expected.items():
        assert verdict.labels[label] == pytest.approx(least, abs=0.02)
    assert verdict.labels[Label.SECURITY] == 0.0
    assert verdict.severity is None
    assert set(verdict.sentiment.values()) == {1 / 3}


@pytest.mark.parametrize(
    "names", [["negative", "neutral", "positive"], ["LABEL_0", "LABEL_1", "LABEL_2"]]
)
def test_sentiment_checkpoints(tmp_path: Path, names: list[str]) -> None:
    """A three-way sentiment model fills the sentiment and no label."""
    folder = write_checkpoint(tmp_path, names, {"bad": {names[0]: 9.0}})
    (verdict,) = TransformerClassifier(folder).classify(["bad"])
    assert verdict.sentiment[Sentiment.NEGATIVE] > 0.99
    assert set(verdict.labels.values()) == {0.0}


@pytest.mark.parametrize(
    ("names", "config", "says"),
    [
        (["LABEL_0", "LABEL_1"], {}, "LABEL_0, LABEL_1"),
        (["joy", "anger", "hate"], {}, "joy, anger"),
        (["label:threat", "label:tedium"], {}, "label:tedium"),
        (OURS, {"trust_monitor": {"threshold": {"threat": 2}}}, "trust_monitor.threshold.threat"),
        (
            OURS,
            {"trust_monitor": {"temperature": {"lable": 1.0}}},
            "trust_monitor.temperature.lable",
        ),
    ],
)
def test_not_understood(
    tmp_path: Path, names: list[str], config: dict[str, Any], says: str
) -> None:
    """A checkpoint whose classes or calibration aren't understood is refused by name when it is loaded."""
    with pytest.raises(ClassifierError, match=says):
        TransformerClassifier(write_checkpoint(tmp_path, names, **config)).warm()


@pytest.mark.parametrize("revision", [None, "main", "v1.0", "abc123", "A" * 40])
def test_hub_id_needs_a_pinned_revision(revision: str | None) -> None:
    """A hub id without 40 hexadecimal digits is refused before anything is fetched."""
    with pytest.raises(ClassifierError, match="revision"):
        TransformerClassifier("example/tiny", revision=revision)


def test_not_fetched_offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A pinned hub model that isn't in the cache, offline, is an error that says what to do."""
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ClassifierError, match="can't be fetched"):
        TransformerClassifier("example/tiny-that-is-nowhere", revision="0" * 40).warm()


def test_faults_of_a_directory(tmp_path: Path) -> None:
    """Missing weights, a broken graph, a broken config and a mismatch each name the directory or file."""
    folder = write_checkpoint(tmp_path / "a")
    (folder / "model.onnx").write_bytes(b"not onnx")
    with pytest.raises(ClassifierError, match=r"model\.onnx"):
        TransformerClassifier(folder).warm()
    (folder / "model.onnx").unlink()
    with pytest.raises(ClassifierError, match=r"no \.onnx file"):
        TransformerClassifier(folder).warm()
    (folder / "config.json").write_text("{")
    with pytest.raises(ClassifierError, match=r"config\.json"):
        TransformerClassifier(folder).warm()
    other = write_checkpoint(tmp_path / "b")
    write_onnx(other / "model.onnx", np.zeros((len(WORDS), 3), dtype=np.float32), [0.0] * 3)
    with pytest.raises(ClassifierError, match="id2label"):
        TransformerClassifier(other).classify(["fine"])


def test_no_number(tmp_path: Path) -> None:
    """A model that answers NaN is an error, never a quiet zero."""
    folder = write_checkpoint(tmp_path, weights={"bad": {"label:threat": float("nan")}})
    with pytest.raises(ClassifierError, match="no number"):
        TransformerClassifier(folder).classify(["bad"])


def told(folder: Path, text: str) -> list[tuple[Label, str]]:
    (verdict,) = TransformerClassifier(folder, max_tokens=16).classify([text])
    return [(item.label, text[item.start : item.end]) for item in verdict.evidence]


def test_evidence_points_at_the_words_that_counted(tmp_path: Path) -> None:
    """A label that counts has its loudest words as evidence, wherever they stand; others have none."""
    folder = write_checkpoint(tmp_path, weights=OUR_WEIGHTS)
    assert told(folder, "fine, now threat fine") == [(Label.THREAT, "threat")]
    assert told(folder, "fine now fine") == []
    late = "fine " * 30 + "now threat" + " fine" * 3
    assert told(folder, late) == [(Label.THREAT, "threat")]


def test_no_evidence_where_windows_cannot_be_placed(tmp_path: Path) -> None:
    """Of a text that was cut in its middle no words are pointed at, rather than wrong ones."""
    folder = write_checkpoint(tmp_path, weights=OUR_WEIGHTS)
    assert told(folder, "threat " * 500) == []


def test_importing_is_cheap() -> None:
    """Neither importing nor building a classifier loads transformers, onnxruntime or torch."""
    script = (
        "import sys\n"
        "from classifiers.transformer import TransformerClassifier\n"
        "TransformerClassifier('a/b', revision='0' * 40)\n"
        "assert not {'transformers', 'onnxruntime', 'torch', 'huggingface_hub'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_safetensors_without_torch(tmp_path: Path) -> None:
    """Weights that need torch say so, and how to install it, where torch is absent."""
    folder = write_checkpoint(tmp_path)
    (folder / "model.onnx").unlink()
    (folder / "model.safetensors").write_bytes(b"")
    try:
        import torch  # noqa: F401, PLC0415
    except ImportError:
        with pytest.raises(ClassifierError, match=r"trust-monitor\[torch\]"):
            TransformerClassifier(folder).warm()
    else:
        with pytest.raises(ClassifierError, match="weights"):
            TransformerClassifier(folder).warm()


def test_torch(tmp_path: Path) -> None:
    """A .safetensors checkpoint runs on torch where it is installed."""
    pytest.importorskip(
        "torch", reason="LOUD: torch isn't installed, the torch path is NOT TESTED here"
    )
    from transformers import AutoConfig, AutoModelForSequenceClassification  # noqa: PLC0415

    folder = write_checkpoint(tmp_path)
    (folder / "model.onnx").unlink()
    config = AutoConfig.from_pretrained(folder)
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    verdicts = TransformerClassifier(folder).classify(["fine", "threat now"])
    assert [set(v.labels) for v in verdicts] == [set(Label)] * 2
    assert all(sum(v.sentiment.values()) == pytest.approx(1) for v in verdicts)
