"""The phrase language, folding and the lexicon's own files."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any

import pytest

from classifiers.cues import Cues
from classifiers.folding import Vocabulary, fold
from classifiers.lexicon_data import parse
from classifiers.phrases import Index, compile_phrase

GROUPS = {"staff": ["head", "class teacher"]}


def found(phrase: str, text: str) -> list[str]:
    index = Index([compile_phrase(phrase, GROUPS)])
    starts = index.starts(text).get(0, [])
    return [text[slice(*span)] for span in index.spans(0, text, starts)]


@pytest.mark.parametrize(
    ("phrase", "text", "expected"),
    [
        ("kill", "kill, skill, kills", ["kill"]),
        ("kill*", "skill killers", ["killers"]),
        ("don't go", "dont go and don't go", ["dont go", "don't go"]),
        ("(the|my) {staff}", "my class teacher", ["my class teacher"]),
        ("the old? {staff}", "the head, the old head", ["the head", "the old head"]),
        ("code is #", "code is 4471", ["code is 4471"]),
        ("watch ~2 back", "watch your own back", ["watch your own back"]),
        ("watch ~2 back", "watch this. Come back", []),
        ("watch ~1 back", "watch your own back", []),
        ("ready 🔪", "ready🔪", ["ready🔪"]),
        ("(a (b|c)|d) e", "a c e d e", ["a c e", "d e"]),
    ],
)
def test_language(phrase: str, text: str, expected: list[str]) -> None:
    """Each form of the language matches what its description says, on whole words."""
    assert found(phrase, text) == expected


@pytest.mark.parametrize("phrase", ["(a", "a)", "{nobody} b", "a? b", "# b", "(a|)", "~3", ""])
def test_faults_are_refused(phrase: str) -> None:
    """What isn't in the language is refused when the file is read, never ignored."""
    with pytest.raises(ValueError, match="phrase"):
        compile_phrase(phrase, GROUPS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ａ “MUPPET”", 'a "muppet"'),
        ("café", "cafe"),
        ("m*ppet", "muppet"),
        ("m u p p e t", "muppet"),
        ("muuuuppet", "muppet"),
        ("mu\u200bppet", "muppet"),
        ("m00pet", "m00pet"),
        ("m*****", "m*****"),
        ("5 * 3 - 2", "5 * 3 - 2"),
    ],
)
def test_folding(text: str, expected: str) -> None:
    """Disguises of a known word are undone; what is no disguise stays as written."""
    folded = fold(text, Vocabulary(["muppet"]))
    assert folded.text == expected


def shipped(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files("classifiers").joinpath(name).read_text(encoding="utf-8"))


def test_unknown_keys_are_refused() -> None:
    """A mistyped key of a rule is an error that names rule and key."""
    data = shipped("lexicon.toml")
    data["rule"][0]["guard"] = ["idiom"]
    with pytest.raises(ValueError, match=r"threat\.violence.*guard"):
        parse(data)


def test_cues_hold_no_groups_and_no_names() -> None:
    """No word for a group of people weighs, nor does a common given name."""
    cues = Cues.parse(shipped("lexicon_cues.toml"))
    words = {word for gram in cues.weights for word in gram.split()}
    assert not words & {
        "muslim",
        "muslims",
        "jewish",
        "gypsy",
        "travellers",
        "gay",
        "autistic",
        "women",
    }
    assert not words & {
        "callum",
        "kian",
        "maisie",
        "freya",
        "yusuf",
        "poppy",
        "mohammed",
        "sarah",
        "tyler",
    }
