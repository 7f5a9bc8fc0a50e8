"""The two ways to a checkpoint's tokenizer agree."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from classifiers import tokens
from classifiers.errors import ClassifierError

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "gate", "is", "open", "late", "##r"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint of the old kind: vocab.txt, no tokenizer.json."""
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS) + "\n", encoding="utf-8")
    config = {"model_type": "bert", "vocab_size": len(WORDS), "id2label": {"0": "toxic"}}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    settings = {"tokenizer_class": "BertTokenizer", "model_max_length": 64, "do_lower_case": True}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return tmp_path


def test_both_ways_agree(folder: Path) -> None:
    """tokenizer.json alone gives the windows, the padding and the room that transformers gives."""
    from transformers import AutoTokenizer  # noqa: PLC0415 - slow

    config, slow = tokens.load(folder)
    assert config.id2label[0] == "toxic"
    AutoTokenizer.from_pretrained(folder).save_pretrained(folder)
    config, quick = tokens.load(folder)
    assert list(config.id2label.values()) == ["toxic"]
    texts = ["The gate is open", "later", "", "the gate is open later " * 40]
    assert type(quick) is not type(slow)
    assert (quick.pad, quick.room) == (slow.pad, slow.room) == (0, 64)
    assert quick.windows(texts, 32) == slow.windows(texts, 32)
    assert len(quick.windows(texts, 32)[3]) > 5


@pytest.mark.parametrize(
    ("name", "content"),
    [("tokenizer.json", "{}"), ("config.json", "[]"), ("config.json", "{")],
)
def test_a_broken_file_is_told(folder: Path, name: str, content: str) -> None:
    """A damaged tokenizer or config is refused with the folder and what to do."""
    (folder / "tokenizer.json").write_text('{"model": null}', encoding="utf-8")
    (folder / name).write_text(content, encoding="utf-8")
    with pytest.raises(ClassifierError, match="Download the checkpoint again") as found:
        tokens.load(folder)
    assert str(folder) in str(found.value)
