"""Phrase rules and weighted words: evidence spans for a person, and a net under the model.

Both are data; this file only scores them. Rules (`lexicon.toml`, which explains its own keys) say what
must not be missed and can be pointed at: a rule's `p` is how often a post in which it fires carries the
label, so rules add up as chances do (1 - product of 1 - p). Cues (`lexicon_cues.toml`) weigh the words
of a post in which no rule fires. A label's score is the greater of the two; 0.5 is where it counts.
Only the first 16,000 and the last 4,000 characters of a text are looked at.
"""

from __future__ import annotations

import math
import re
import tomllib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, TypeVar

from classifiers.cues import Cues, Weighed
from classifiers.errors import ClassifierError
from classifiers.folding import Folded, fold
from classifiers.lexicon_data import CueRule, Lexicon, Rule, WordSet, parse
from classifiers.phrases import Starts
from classifiers.verdict import Evidence, Label, Sentiment, Severity, Verdict

MOST_EVIDENCE = 40  # spans per verdict: enough to explain, never a flood
CEILING = 0.99  # no phrase is proof
SILENCED = 0.4  # where a guarded score is held: below what counts, above nothing

_SENTENCE_END = re.compile(r"(?<![\W_]mr)(?<![\W_]mrs)(?<![\W_]ms)(?<![\W_]dr)[.!?]+(?=\s|$)|\n+")

GRAVE = (
    Label.THREAT,
    Label.HATE,
    Label.ABUSE,
    Label.SAFEGUARDING,
    Label.ALLEGATION,
    Label.IDENTIFIES_CHILD,
    Label.SECURITY,
)

Spans = list[tuple[int, int]]
T = TypeVar("T")


@cache
def _load() -> tuple[Lexicon, Cues]:
    return _parsed("lexicon.toml", parse), _parsed("lexicon_cues.toml", Cues.parse)


def _parsed(name: str, parse_tables: Callable[[dict[str, Any]], T]) -> T:
    source = resources.files("classifiers").joinpath(name)
    try:
        return parse_tables(tomllib.loads(source.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, ValueError, KeyError, TypeError) as error:
        raise ClassifierError(
            f"classifiers/{name} can't be read: {error}. Reinstall, or undo the last edit of it."
        ) from error


@dataclass(slots=True)
class _Reading:
    """One text while it is being read: what stands where, found out at most once."""

    lexicon: Lexicon
    folded: Folded
    starts: Starts
    ends: list[int]
    sets: dict[str, Spans]

    @classmethod
    def of(cls, text: str, lexicon: Lexicon) -> _Reading:
        folded = fold(text, lexicon.vocabulary)
        ends = [match.end() for match in _SENTENCE_END.finditer(folded.text)]
        return cls(lexicon, folded, lexicon.index.starts(folded.text), ends, {})

    def spans(self, phrases: Sequence[int]) -> Spans:
        """Where any of `phrases` stands, in folded offsets."""
        return [
            span
            for number in phrases
            if number in self.starts
            for span in self.lexicon.index.spans(number, self.folded.text, self.starts[number])
        ]

    def set_spans(self, words: WordSet) -> Spans:
        """Where the set stands; a set's spans are needed by many rules, so they are kept."""
        if words.name not in self.sets:
            self.sets[words.name] = self.spans(words.phrases)
        return self.sets[words.name]

    def sentence(self, start: int, end: int) -> tuple[int, int]:
        """Bounds of the sentence or sentences that hold start..end."""
        before = bisect_right(self.ends, start)
        after = bisect_left(self.ends, end)
        return (
            self.ends[before - 1] if before else 0,
            self.ends[after] if after < len(self.ends) else len(self.folded.text),
        )

    def near(self, words: WordSet, start: int, end: int) -> bool:
        """Does the set stand where its scope asks, seen from a match at start..end?"""
        spans = self.set_spans(words)
        if not spans or words.scope == "post":
            return bool(spans)
        low, high = self.sentence(start, end)
        if words.scope == "before":
            low, high = max(low, start - words.reach), start
        elif words.scope == "over":
            return any(first < end and start < last for first, last in spans)
        return any(low <= first and last <= high for first, last in spans)

    def allows(self, rule: CueRule) -> bool:
        """May the cues of the whole post speak by themselves?"""
        whole = 0, len(self.folded.text)
        return all(self.near(words, *whole) for words in rule.needs) and not any(
            self.near(words, *whole) for words in rule.unless
        )

    def hits(self, rule: Rule) -> Spans:
        """Where `rule` fires: its phrases stand, with all that it needs and none of its guards."""
        return [
            (start, end)
            for start, end in self.spans(rule.phrases)
            if all(self.near(words, start, end) for words in rule.needs)
            and not any(self.near(words, start, end) for words in rule.unless)
        ]


class LexiconClassifier:
    """The rules and cues as a `Classifier`. Holds no state between texts."""

    model = "lexicon"

    def __init__(self) -> None:
        self.version = "unloaded"

    def warm(self) -> None:
        """Compile the rules (about 1 s, once a process). Raises ClassifierError for a broken file."""
        lexicon, cues = _load()
        self.version = f"{lexicon.version}.{cues.version}"

    def classify(self, texts: Sequence[str]) -> list[Verdict]:
        """One verdict per text, in order."""
        self.warm()
        lexicon, cues = _load()
        return [self._verdict(text, lexicon, cues) for text in texts]

    def _verdict(self, text: str, lexicon: Lexicon, cues: Cues) -> Verdict:
        reading = _Reading.of(text, lexicon)
        weighed = cues.weigh(reading.folded.text)
        fired = [
            (rule, spans)
            for rule in lexicon.rules
            if not reading.starts.keys().isdisjoint(rule.phrases) and (spans := reading.hits(rule))
        ]
        rules = [rule for rule, _ in fired]
        labels = _labels(rules, _cue_chances(reading, weighed, lexicon), lexicon)
        return Verdict(
            labels=labels,
            sentiment=_sentiment(reading, weighed, labels, lexicon),
            severity=_severity(rules, weighed, labels),
            evidence=tuple(_evidence(fired, weighed, labels, reading.folded))[:MOST_EVIDENCE],
            model=self.model,
            version=self.version,
        )


def _either(chances: Sequence[float]) -> float:
    """The chance that at least one of independent things is so, below CEILING."""
    return min(CEILING, 1 - math.prod(1 - chance for chance in chances))


def _cue_chances(reading: _Reading, weighed: Weighed, lexicon: Lexicon) -> dict[Label, float]:
    chances = {}
    for label in Label:
        rule = lexicon.cue_rules.get(label, CueRule())
        chance = min(CEILING, weighed.chance(label, rule.margin))
        chances[label] = chance if chance < 0.5 or reading.allows(rule) else SILENCED
    return chances


def _labels(
    fired: Sequence[Rule], cues: Mapping[Label, float], lexicon: Lexicon
) -> dict[Label, float]:
    scores = {
        label: max(_either([rule.p for rule in fired if rule.label is label]), cues[label])
        for label in Label
    }
    for label, silencers in lexicon.silenced_by.items():
        if any(scores[other] >= least for other, least in silencers.items()):
            scores[label] = min(scores[label], SILENCED)
    return scores


def _severity(
    fired: Sequence[Rule], weighed: Weighed, labels: Mapping[Label, float]
) -> dict[Severity, float]:
    """Urgent by a rule that says so or by the cues; concern by any label that asks for somebody.

    The cues' own "urgent" is held below 0.5 where no urgent-worthy label is near counting: a verdict
    must be able to say what is urgent about a post.
    """
    urgent = max(
        (
            min(labels[rule.label], _either([r.p for r in fired if r.label is rule.label]))
            for rule in fired
            if rule.severity is Severity.URGENT
        ),
        default=0.0,
    )
    grave = max(labels[label] for label in GRAVE)
    by_cues = min(CEILING, weighed.chance(Severity.URGENT))
    urgent = max(urgent, by_cues if grave >= 0.5 else min(by_cues, grave))
    concern = (1 - urgent) * max(labels[label] for label in Label if label is not Label.PRAISE)
    return {
        Severity.ROUTINE: 1 - urgent - concern,
        Severity.CONCERN: concern,
        Severity.URGENT: urgent,
    }


def _evidence(
    fired: Sequence[tuple[Rule, Spans]],
    weighed: Weighed,
    labels: Mapping[Label, float],
    folded: Folded,
) -> Iterator[Evidence]:
    """Where rules fired, strongest first, and the loudest words of what counts without a rule."""
    for rule, spans in sorted(fired, key=lambda hit: -hit[0].p):
        for span in spans:
            yield Evidence(rule.label, *folded.span(*span), rule.id)
    ruled = {rule.label for rule, _ in fired}
    for label, score in labels.items():
        if score >= 0.5 and label not in ruled:
            for span in weighed.strongest(label):
                yield Evidence(label, *folded.span(*span), f"{label}.cue")


def _sentiment(
    reading: _Reading, weighed: Weighed, labels: Mapping[Label, float], lexicon: Lexicon
) -> dict[Sentiment, float]:
    """Softmax over counted words of praise and blame, the labels' own tone, cues and a neutral bias."""
    tone = lexicon.tone
    good = tone.cues * max(0.0, weighed.sums.get(Sentiment.POSITIVE, 0.0))
    bad = tone.cues * max(0.0, weighed.sums.get(Sentiment.NEGATIVE, 0.0))
    for start, end in reading.set_spans(tone.positive):
        negated = reading.near(tone.negation, start, end)
        good, bad = good + tone.word * (not negated), bad + tone.word * negated
    for start, end in reading.set_spans(tone.negative):
        bad += tone.word * (not reading.near(tone.negation, start, end))
    for label, weight in tone.labels.items():
        good += max(0.0, weight) * labels[label]
        bad += max(0.0, -weight) * labels[label]
    exps = [math.exp(min(tone.slope * x, 30)) for x in (bad, tone.neutral, good)]
    return {
        sentiment: value / sum(exps)
        for sentiment, value in zip(
            (Sentiment.NEGATIVE, Sentiment.NEUTRAL, Sentiment.POSITIVE), exps, strict=True
        )
    }
