"""`lexicon.toml` as values: what its keys mean is said at the top of that file."""

from __future__ import annotations

import codecs
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from classifiers.folding import Vocabulary
from classifiers.phrases import Index, Phrase, compile_phrase
from classifiers.verdict import Label, Severity

Scope = Literal["sentence", "before", "over", "post"]


@dataclass(frozen=True, slots=True)
class WordSet:
    """Phrases (by number) that support or guard. `scope`: where they must stand, seen from a match:
    in its sentence, `before` it (at most `reach` characters), `over` it (overlapping), or anywhere
    in the post."""

    name: str
    phrases: tuple[int, ...]
    scope: Scope = "sentence"
    reach: int = 25


@dataclass(frozen=True, slots=True)
class Rule:
    """Phrases that speak for a label with probability `p` (0..1), when every set of `needs` is near
    and none of `unless`. `severity` is what the rule would decide alone."""

    id: str
    label: Label
    p: float
    severity: Severity
    phrases: tuple[int, ...]
    needs: tuple[WordSet, ...]
    unless: tuple[WordSet, ...]


@dataclass(frozen=True, slots=True)
class CueRule:
    """When the cues may speak for a label by themselves; `margin` is taken off their log-odds."""

    needs: tuple[WordSet, ...] = ()
    unless: tuple[WordSet, ...] = ()
    margin: float = 0.0


@dataclass(frozen=True, slots=True)
class Tone:
    """How sentiment is counted: what a word, a label and a unit of the cues' log-odds are worth,
    `neutral` the bias, `slope` the steepness."""

    positive: WordSet
    negative: WordSet
    negation: WordSet
    labels: Mapping[Label, float]
    word: float
    cues: float
    neutral: float
    slope: float


@dataclass(frozen=True, slots=True)
class Lexicon:
    version: str
    vocabulary: Vocabulary
    index: Index
    rules: tuple[Rule, ...]
    cue_rules: Mapping[Label, CueRule]
    silenced_by: Mapping[Label, Mapping[Label, float]]
    tone: Tone


class _Phrases:
    """Numbers the phrases as they are compiled, the same source once."""

    def __init__(self, groups: Mapping[str, Sequence[str]]) -> None:
        self.groups = groups
        self.compiled: list[Phrase] = []
        self._numbers: dict[str, int] = {}

    def numbers(self, lines: str) -> tuple[int, ...]:
        """The numbers of phrases written one a line."""
        sources = [" ".join(line.split()) for line in lines.splitlines() if line.strip()]
        for source in sources:
            if source not in self._numbers:
                self._numbers[source] = len(self.compiled)
                self.compiled.append(compile_phrase(source, self.groups))
        return tuple(dict.fromkeys(self._numbers[source] for source in sources))


def parse(data: Mapping[str, Any]) -> Lexicon:
    """Compile the file's tables. Raises ValueError, KeyError or TypeError naming what is wrong."""
    groups = {name: words.split("|") for name, words in data["groups"].items()}
    masked = {
        name: [codecs.decode(word, "rot13") for word in words.split("|")]
        for name, words in data["rot13_groups"].items()
    }
    groups |= masked
    phrases = _Phrases(groups)
    sets = {name: _word_set(name, table, phrases) for name, table in data["sets"].items()}
    rules = tuple(_rule(table, sets, phrases, data["severity"]) for table in data["rule"])
    repeated = {rule.id for rule in rules if sum(other.id == rule.id for other in rules) > 1}
    if repeated:
        raise ValueError(f"rule ids used twice: {', '.join(sorted(repeated))}")
    tone = data["tone"]
    maskable = [w for name in data["maskable"] for w in groups[name] if w.isalpha()]
    return Lexicon(
        version=hashlib.blake2b(
            json.dumps(data, sort_keys=True).encode(), digest_size=6
        ).hexdigest(),
        vocabulary=Vocabulary(maskable),
        index=Index(phrases.compiled),
        rules=rules,
        cue_rules={
            Label(label): CueRule(
                tuple(sets[name] for name in table.get("needs", ())),
                tuple(sets[name] for name in table.get("unless", ())),
                float(table.get("margin", 0)),
            )
            for label, table in data["cue_rules"].items()
        },
        silenced_by={
            Label(label): {Label(other): float(least) for other, least in others.items()}
            for label, others in data["silenced_by"].items()
        },
        tone=Tone(
            positive=sets["positive"],
            negative=sets["negative"],
            negation=sets["negation"],
            labels={Label(label): float(weight) for label, weight in tone["labels"].items()},
            word=float(tone["word"]),
            cues=float(tone["cues"]),
            neutral=float(tone["neutral"]),
            slope=float(tone["slope"]),
        ),
    )


def _word_set(name: str, table: Mapping[str, Any], phrases: _Phrases) -> WordSet:
    scope = table.get("scope", "sentence")
    if scope not in get_args(Scope):
        raise ValueError(f"sets.{name}.scope {scope!r} is none of {', '.join(get_args(Scope))}")
    numbers = phrases.numbers(table["phrases"])
    return WordSet(name, numbers, cast("Scope", scope), int(table.get("reach", 25)))


def _rule(
    table: Mapping[str, Any],
    sets: Mapping[str, WordSet],
    phrases: _Phrases,
    severities: Mapping[str, str],
) -> Rule:
    unknown = set(table) - {"id", "label", "p", "severity", "phrases", "needs", "unless"}
    if unknown:
        raise ValueError(f"rule {table.get('id')!r} has unknown keys: {', '.join(sorted(unknown))}")
    missing = [
        name for key in ("needs", "unless") for name in table.get(key, ()) if name not in sets
    ]
    if missing:
        raise ValueError(f"rule {table['id']!r} names unknown sets: {', '.join(missing)}")
    if not 0 < table["p"] < 1:
        raise ValueError(f"rule {table['id']!r} needs p between 0 and 1")
    label = Label(table["label"])
    return Rule(
        id=table["id"],
        label=label,
        p=float(table["p"]),
        severity=Severity(table.get("severity", severities[label])),
        phrases=phrases.numbers(table["phrases"]),
        needs=tuple(sets[name] for name in table.get("needs", ())),
        unless=tuple(sets[name] for name in table.get("unless", ())),
    )
