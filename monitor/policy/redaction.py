"""Masking for mail: names of people, contact details and slurs. It prefers masking too much.

A word with a capital that is neither ordinary (ordinary-words.txt) nor plain (redaction.toml) nor
one of the watchlist's own is taken for a name; so is what follows a title, a relation ("my son ...")
or a first name. What it can't see: an unusual name written small, without any of these before it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

from monitor.policy.redaction_lists import Lists, fold, word_lists

NAME, SLUR = "[name]", "[slur]"
LONGEST_INPUT = 4000  # characters looked at: an excerpt shows fewer, and cost stays bounded
MOST_ROUNDS = 10  # a cut or a mask may show another name; two rounds are usual
LONGEST_RUN = 3  # words masked after a name because they look like more of it

_MASK = re.compile(r"\[(?:name|slur|link|email|handle|phone|postcode|tag|number)\]")
_CONTACTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE), "[link]"),
    (re.compile(r"(?<!\w)/?u/[\w-]+|(?<!\w)@[\w.-]*\w(?:@[\w.-]*\w)?"), "[handle]"),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "[email]"),
    (
        re.compile(r"\b[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|uk|info|me|ly|co|example)\b(?:/\S*)?"),
        "[link]",
    ),
    (re.compile(r"(?<!\w)#\w+"), "[tag]"),
    (re.compile(r"(?<!\w)\+?\(?\d(?:[\s().-]{0,2}\d){9,13}(?!\w)"), "[phone]"),
    (re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2}\b", re.IGNORECASE), "[postcode]"),
    # Gate codes and the like; not years, prices, times or dates.
    (re.compile(r"(?<![\w£$€.,:/-])(?!(?:19|20)\d\d(?!\d))\d{4,8}(?![\w%:/]|[.,]\d)"), "[number]"),
)
_WORD = re.compile(r"\[\w+\]|[^\W\d_]+(?:['’][^\W\d_]+)*")
_SAID = re.compile(r"(?<!\w)(?:\w[.\-_*]){3,}\w(?!\w)|[\w@$!*]+")
_LEET = str.maketrans("013457@$!", "oieastasi")
_OPENS_SENTENCE = re.compile(r"(?:^|[.!?…:;/•*–—\"“(>-])\s*['‘]?$")
_REPEATED_NAME = re.compile(r"\[name\](?:[\s,&.-]{0,2}\[name\])+")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """`whole`: known names as folded words, by their first; `parts`: their words of three letters
    or more, which are names when written with a capital."""

    whole: Mapping[str, Sequence[tuple[str, ...]]]
    parts: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Word:
    """One word of the text: `folded` is without case, accents and a possessive ending; `hyphened`
    means that a hyphen ties it to the word before."""

    start: int
    end: int
    said: str
    folded: str
    opens: bool
    hyphened: bool
    kept: bool

    @property
    def is_mask(self) -> bool:
        return self.said.startswith("[")

    @property
    def capital(self) -> bool:
        return self.said[0].isupper()

    @property
    def caseless(self) -> bool:
        return self.said.lower() == self.said.upper()


def redact(text: str, *, known_names: Sequence[str], keep: Sequence[str], limit: int = 280) -> str:
    """`text` on one line, masked, in at most `limit` characters (at least 1; cut between words).

    `known_names` never survive, in any case or accent; `keep` (the watchlist's terms, handles and
    towns) are not taken for people. Redacting again changes nothing.
    """
    known = _known(tuple(known_names))
    kept = _keep_pattern(tuple(keep))
    kept_words = frozenset(fold(term) for term in keep)
    said = text[:LONGEST_INPUT]
    for _ in range(MOST_ROUNDS):
        shown = _cut(_pass(said, known, kept, kept_words), limit)
        if shown == said:
            break
        said = shown
    return said


def name_words(
    line: str, *, known_names: Sequence[str], keep: Sequence[str]
) -> tuple[tuple[int, int], ...]:
    """Where the words of `line` stand that `redact` would take for names: (start, end), in order."""
    words = _words(line, _keep_pattern(tuple(keep)))
    masked = _masked(words, _known(tuple(known_names)))
    return tuple((words[index].start, words[index].end) for index in sorted(masked))


def slurs(line: str) -> tuple[tuple[int, int], ...]:
    """Where slurs and swear words stand in `line`: (start, end), in order."""
    return tuple(found.span() for found in _SAID.finditer(line) if _is_slur(found[0]))


def _pass(
    text: str,
    known: _Known,
    kept: re.Pattern[str] | None,
    kept_words: frozenset[str],
) -> str:
    line = _one_line(text)
    for pattern, mask in _CONTACTS:
        line = pattern.sub(partial(_unless_kept, mask=mask, kept_words=kept_words), line)
    line = _SAID.sub(lambda found: SLUR if _is_slur(found[0]) else found[0], line)
    words = _words(line, kept)
    masked = _masked(words, known)
    for index in sorted(masked, reverse=True):
        word = words[index]
        line = line[: word.start] + NAME + line[word.end :]
    return _REPEATED_NAME.sub(NAME, line)


def _one_line(text: str) -> str:
    lines = " / ".join(" ".join(line.split()) for line in text.splitlines() if line.strip())
    # Zero-width and control characters hide a name from the lists, and nothing is lost with them.
    visible = "".join(char for char in lines if not unicodedata.category(char).startswith("C"))
    return " ".join(unicodedata.normalize("NFC", visible).split())


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    if not text[limit - 1].isspace():
        head = head[: head.rfind(" ") + 1]  # never half a word, nor half a mask
    return head.rstrip(" …") + "…"


def _unless_kept(found: re.Match[str], *, mask: str, kept_words: frozenset[str]) -> str:
    return found[0] if fold(found[0]) in kept_words else mask


def _words(line: str, kept: re.Pattern[str] | None) -> list[_Word]:
    spans = [found.span() for found in kept.finditer(line)] if kept else []
    words = []
    for found in _WORD.finditer(line):
        start, end = found.span()
        said = found[0]
        if said[-2:].casefold() in {"'s", "’s"}:
            said, end = said[:-2], end - 2
        words.append(
            _Word(
                start,
                end,
                said,
                fold(said),
                opens=bool(_OPENS_SENTENCE.search(line[max(0, start - 4) : start])) or start == 0,
                hyphened=line[start - 1 : start] == "-",
                kept=any(left <= start and end <= right for left, right in spans),
            )
        )
    return words


def _masked(words: Sequence[_Word], known: _Known) -> set[int]:
    folded = tuple(word.folded for word in words)
    masked: set[int] = set()
    for index, first in enumerate(folded):
        for name in known.whole.get(first, ()):
            if folded[index : index + len(name)] == name:
                masked.update(range(index, index + len(name)))
    shouting, ordinary = _is_shouting(words), word_lists().ordinary
    for index, word in enumerate(words):
        if word.is_mask or index in masked:
            continue
        previous = words[index - 1] if index else None
        following = words[index + 1] if index + 1 < len(words) else None
        part = word.folded in known.parts and (word.capital or word.folded not in ordinary)
        if _follows_title(word, previous) or (
            not word.kept and (part or _is_name(word, previous, following, shouting=shouting))
        ):
            masked.add(index)
    return masked | _rest_of_names(words, masked)


def _follows_title(word: _Word, previous: _Word | None) -> bool:
    lists = word_lists()
    if previous is None or previous.folded not in lists.titles or word.folded in lists.titles:
        return False
    if word.start - previous.end > 2:
        return False
    if previous.folded in lists.sure_titles:
        return word.capital or word.folded not in {"and", "or", "the", "who", "is", "was", "in"}
    return word.capital or word.folded not in lists.ordinary


def _is_name(
    word: _Word, previous: _Word | None, following: _Word | None, *, shouting: bool
) -> bool:
    lists = word_lists()
    before = previous.folded if previous else ""
    if word.caseless or word.folded in lists.first_names:
        return True
    if before in lists.naming and word.folded not in lists.ordinary:
        return True
    if not word.capital or word.folded in lists.plain:
        return False
    if word.folded in lists.either:
        return not (word.opens and word.folded in lists.openers) or _has_surname(word, following)
    if before in lists.relations | lists.naming and not shouting:
        return word.folded not in lists.relations
    capitals = word.said.removesuffix("s")  # SATs
    acronym = capitals.isupper() and len(capitals) <= (3 if shouting else 5)
    return word.folded not in lists.ordinary and not acronym


def _has_surname(word: _Word, following: _Word | None) -> bool:
    return (
        following is not None
        and following.start - word.end == 1
        and following.capital
        and following.folded not in word_lists().plain
    )


def _rest_of_names(words: Sequence[_Word], masked: set[int]) -> set[int]:
    """More of a name: a surname, a particle or an initial beside what is masked already."""
    lists = word_lists()
    rest: set[int] = set()
    for index in sorted(masked):
        for ahead in range(index + 1, min(index + 1 + LONGEST_RUN, len(words))):
            if not _continues(words[ahead - 1], words[ahead], lists):
                break
            rest.add(ahead)
        before = index - 1
        if before >= 0 and before not in masked:
            word = words[before]
            initial = len(word.said) == 1 and word.capital and word.said not in "IA"
            ambiguous = word.capital and word.folded in lists.either and not word.kept
            if (initial or ambiguous) and words[index].start - word.end <= 2:
                rest.add(before)
    return rest


def _continues(name: _Word, word: _Word, lists: Lists) -> bool:
    near = 2 if len(name.said) == 1 else 1  # "J. Smith"
    if word.is_mask or word.kept or word.start - name.end > near or word.folded in lists.plain:
        return False
    if word.hyphened:
        return True
    if word.capital:
        return not word.opens and not (word.said.isupper() and word.folded in lists.ordinary)
    small = not name.capital and name.folded in lists.first_names
    return word.folded in lists.particles or (small and word.folded not in lists.ordinary)


def _is_shouting(words: Sequence[_Word]) -> bool:
    said = [word for word in words if not word.is_mask and len(word.said) > 1]
    return len(said) >= 3 and sum(word.said.isupper() for word in said) > 0.6 * len(said)


def _is_slur(said: str) -> bool:
    slurs = word_lists().slurs
    if "*" in said.strip("*"):
        return _is_starred_slur(fold(said))
    plain = re.sub(r"[^a-z]", "", fold(said).translate(_LEET))
    once = re.sub(r"(.)\1{2,}", r"\1", plain)
    twice = re.sub(r"(.)\1{2,}", r"\1\1", plain)
    return plain in slurs or once in slurs or twice in slurs


def _is_starred_slur(said: str) -> bool:
    """Half hidden by its author: each star stands for one letter, and two letters must be left."""
    if sum(char.isalpha() for char in said) < 2:
        return False
    pattern = re.compile("".join("[a-z]" if char == "*" else re.escape(char) for char in said))
    return any(pattern.fullmatch(slur) for slur in word_lists().slurs)


@lru_cache(maxsize=8)
def _known(names: tuple[str, ...]) -> _Known:
    titles = word_lists().titles
    whole: dict[str, list[tuple[str, ...]]] = {}
    parts: set[str] = set()
    for name in names:
        said_whole = tuple(map(fold, _WORD.findall(name)))
        words = tuple(word for word in said_whole if word not in titles) or said_whole
        parts.update(word for word in words if len(word) >= 3)
        for said in {words, ("".join(words),)}:
            if said and said[0]:
                whole.setdefault(said[0], []).append(said)
    return _Known(whole=whole, parts=frozenset(parts))


@lru_cache(maxsize=8)
def _keep_pattern(keep: tuple[str, ...]) -> re.Pattern[str] | None:
    terms = sorted({term.strip() for term in keep if term.strip()}, key=len, reverse=True)
    if not terms:
        return None
    either = "|".join(re.escape(term).replace("'", "['’]") for term in terms)
    return re.compile(rf"(?<!\w)(?:{either})(?!\w)", re.IGNORECASE)
