"""People, pupils and classes in a draft. Names are found as in mail (redaction.py), which prefers too
much; here each is weighed: a title, a relation, a greeting or a known first name makes it sure, the
watchlist's own names and what looks like a place or a body are left, and the rest is a remark."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from monitor.policy.drafts.rules import DraftRules, Hit
from monitor.policy.redaction import name_words
from monitor.policy.redaction_lists import common_words, fold, word_lists

PERSON, PUPIL, PERHAPS = "names-a-person", "names-a-pupil-or-class", "perhaps-a-name"

_BEFORE = re.compile(r"([^\W\d_]+)['.]?(?:s')?[\s,:-]{0,3}$")
_AFTER = re.compile(r"(?:[ -][A-Z][\w']*){0,2}[ ]([^\W\d_]+)")
_CAPITAL_BEFORE = re.compile(r"\b[A-Z][\w']* $")
_LETTERS = re.compile(r"[^\W\d_]+")
_ENDED = re.compile(r"[.!?\n]")

_CLASS_CODE = re.compile(
    r"\b(?:class|form|tutor group|year group)\s+"
    r"((?:1[0-3]|[1-9])\s?[a-z]{0,2}|[a-z]{1,2}\s?(?:1[0-3]|[1-9]))\b"
    r"|\b(?:1[0-3]|[1-9])[a-z]{1,2}\s(?:class|form|pupils?|parents|children)\b",
    re.IGNORECASE,
)
_BARE_CODE = re.compile(r"(?<![\w£$€.,:/#-])(?:1[0-3]|[1-9])([A-Z]{1,2})(?![\w])")
_UNITS = frozenset({"AM", "PM", "D", "G", "K", "M", "X", "L", "GB", "MB", "KM", "CM", "MM", "KG"})
_YEAR_NAME = re.compile(r"\b(?:[Yy]ear |YEAR |[Yy])(?:1[0-3]|[1-9]|R)[ ,-]{1,2}([A-Z][\w']+)")
_NUMBER_NAME = re.compile(
    r"(?<![\w£$€.,:/#-])(?<!(?i:age|key|top) )(?<!(?i:stage|level|covid|grade|phase|route) )"
    r"(?<!(?i:gate|room|unit|tier|part|hall|year) )"
    r"(?:1[0-3]|[1-9]) ([A-Z][a-z]+)\b(?! (?i:road|street|lane|close|avenue|drive))"
)
_NAMED_CLASS = re.compile(r"\b([A-Z][a-z]+)(?:'s|s')? (?:[Cc]lass|[Ff]orm)\b(?! of\b)")
_SMALL = frozenset({"team", "school", "schools"})  # also written small after a name of ours
_EITHER_CODE = (_CLASS_CODE, _BARE_CODE)


def names(
    line: str, rules: DraftRules, *, known_names: Sequence[str], organisations: Sequence[str]
) -> Iterator[Hit]:
    """Names of people in `line`, the folded draft without its addresses and links."""
    line = line.replace("\n", "/")  # a new line opens a sentence
    keep = (*organisations, *rules.not_names)
    words = name_words(line, known_names=known_names, keep=keep)
    known = frozenset(
        part
        for name in known_names
        for part in _LETTERS.findall(fold(name))
        if len(part) > 2 and part not in word_lists().titles
    )
    for start, end in _runs(line, words):
        rule = _weigh(line, start, end, rules, known)
        if rule:
            yield Hit(rule, start, end)


def classes(line: str, rules: DraftRules, *, organisations: Sequence[str]) -> Iterator[Hit]:
    """Classes in `line` by code ("4B", "class 4B") or by name ("Year 5 Kestrels", "Otter class")."""
    for pattern in _EITHER_CODE:
        for found in pattern.finditer(line):
            if pattern is _CLASS_CODE or found[1] not in _UNITS:
                yield Hit(PUPIL, *found.span())
    ours = frozenset(word for name in organisations for word in _LETTERS.findall(fold(name)))
    for pattern in (_YEAR_NAME, _NUMBER_NAME):
        for found in pattern.finditer(line):
            word = fold(found[1])
            if word not in rules.not_class_names | word_lists().plain | ours:
                yield Hit(PUPIL, *found.span())
    for found in _NAMED_CLASS.finditer(line):
        word, opens = fold(found[1]), _opens(line, found.start())
        if word in rules.not_classes | word_lists().plain:
            continue
        if not (opens and word in word_lists().ordinary):
            yield Hit(PUPIL, *found.span())


def _opens(line: str, at: int) -> bool:
    before = line[:at].rstrip()
    return not before or before[-1] in ".!?:-/\n"


def _runs(line: str, words: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Words side by side belong to one name."""
    runs: list[tuple[int, int]] = []
    for start, end in words:
        if runs and start - runs[-1][1] <= 2 and not _ENDED.search(line[runs[-1][1] : start]):
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    return runs


def _weigh(line: str, start: int, end: int, rules: DraftRules, known: frozenset[str]) -> str | None:
    lists = word_lists()
    said = [fold(word) for word in _LETTERS.findall(line[start:end])]
    found = _BEFORE.search(line[max(0, start - 40) : start])
    before = fold(found[1]) if found else ""
    ordinary = all(word in lists.ordinary for word in said)
    first = any(word in lists.first_names | lists.either for word in said)
    if known.intersection(said) or before in lists.titles | lists.naming:
        return PERSON
    if before in rules.children and (first or not ordinary):
        return PUPIL
    if {before, said[0]} & {"st", "saint"}:
        return None
    if _is_place(line, start, end, rules):
        # "Grace Park" may be either.
        return PERHAPS if first and said[-1] in rules.surnames_too and len(said) > 1 else None
    if first or (not ordinary and before in rules.greetings | rules.staff - {"our"}):
        return PERSON
    opens = _opens(line, start) and all(word in common_words() for word in said)
    return None if ordinary or opens or not any(map(str.isascii, said)) else PERHAPS


def _is_place(line: str, start: int, end: int, rules: DraftRules) -> bool:
    """ "Charlotte Road", "Rowan High School": what ends like a place or a body is no person."""
    said = [fold(word) for word in _LETTERS.findall(line[start:end])]
    if rules.bodies.intersection(said[1:]):
        return True
    if said[0] in rules.bodies and _CAPITAL_BEFORE.search(line[:start]):
        return True
    if line[end : end + 2] == "'s":
        return False
    found = _AFTER.match(line, end)
    after = _LETTERS.findall(found[0]) if found else []
    return any(
        fold(word) in rules.bodies and (word[0].isupper() or fold(word) in _SMALL) for word in after
    )
