"""How a draft stands there: length, capitals, exclamation marks, placeholders, who speaks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from monitor.policy.drafts.rules import DraftRules, Hit
from monitor.policy.drafts.text import Draft
from monitor.policy.redaction_lists import fold

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_MARKS = re.compile(r"[!?]{2,}")
_PLACEHOLDER = re.compile(
    r"\{[^{}\n]{0,60}\}?|\[[^\[\]\n]{0,60}\]|<[a-z][^<>\n]{0,60}>|\b(?:x{3,}|tbc|tba|todo)\b|_{3,}"
    r"|\binsert (?:\w+ ){0,2}(?:name|number|link|contact|email|date|here)\b"
)
_WE = re.compile(r"(?<!\w)(?:we|us|our|ours|team|we'(?:re|ve|ll|d))(?!\w)")


def capitals(draft: Draft, rules: DraftRules, *, organisations: Sequence[str]) -> Iterator[Hit]:
    """Words in capitals in a row that are no acronyms."""
    known = rules.acronyms | {word for name in organisations for word in _WORD.findall(fold(name))}
    run: list[tuple[int, int]] = []
    for found in _WORD.finditer(draft.seen):
        said = found[0]
        if said.isupper() and (len(said) > 1 or run):
            if not (said.lower() in known and not run):
                run.append(found.span())
            continue
        yield from _shouted(run, rules)
        run = []
    yield from _shouted(run, rules)


def _shouted(run: Sequence[tuple[int, int]], rules: DraftRules) -> Iterator[Hit]:
    letters = sum(end - start for start, end in run)
    if len(run) >= rules.fewest_capitals and letters >= rules.fewest_capital_letters:
        yield Hit("tone-capitals", run[0][0], run[-1][1])


def exclamations(draft: Draft, rules: DraftRules) -> Iterator[Hit]:
    """Marks in series ("!!", "?!"), or too many in one draft."""
    series = [found for found in _MARKS.finditer(draft.seen) if "!" in found[0]]
    for found in series:
        yield Hit("tone-exclamation", *found.span())
    places = [at for at, char in enumerate(draft.seen) if char == "!"]
    if not series and len(places) > rules.most_exclamations:
        last = places[rules.most_exclamations]
        yield Hit("tone-exclamation", last, last + 1)


def placeholders(draft: Draft) -> Iterator[Hit]:
    """What somebody still has to fill in."""
    for found in _PLACEHOLDER.finditer(draft.low):
        yield Hit("placeholder", *found.span())


def says_who_speaks(draft: Draft, *, organisations: Sequence[str]) -> bool:
    """Whether "we", a team or one of our names stands in the draft."""
    said = fold(draft.seen)
    return bool(_WE.search(draft.low)) or any(
        fold(name).lstrip("@") in said for name in organisations if len(name) > 3
    )


def unreadable_letters(draft: Draft) -> Iterator[Hit]:
    """Words in letters that no rule here reads."""
    for found in _WORD.finditer(draft.seen):
        if not found[0].isascii():
            yield Hit("other-writing", *found.span())
