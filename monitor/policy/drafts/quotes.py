"""The post's own words in a draft, and slurs whoever said them first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from monitor.policy.drafts.rules import DraftRules, Hit
from monitor.policy.drafts.text import Draft, read
from monitor.policy.redaction import slurs
from monitor.policy.redaction_lists import fold

QUOTES, ABUSE = "quotes-the-post", "repeats-abuse"
_WORD = re.compile(r"[\w']+")
_LEAST_TELLING = 2  # words of a quotation that say something: four letters or more, no name of ours


def repeated(
    draft: Draft, rules: DraftRules, *, posts: Sequence[str], organisations: Sequence[str]
) -> Iterator[Hit]:
    """`rules.quoted_words` words in a row that stand in one of `posts` too, and its insults."""
    words = [(found[0].strip("'"), *found.span()) for found in _WORD.finditer(draft.low)]
    ours = {word for name in organisations for word in _WORD.findall(fold(name))}
    wanted = rules.quoted_words
    insults = tuple(insult.removesuffix("*") for insult in rules.insults if insult.endswith("*"))
    for post in posts:
        said = [word.strip("'") for word in _WORD.findall(read(post).low)]
        runs = {tuple(said[at : at + wanted]) for at in range(len(said) - wanted + 1)}
        for at in range(len(words) - wanted + 1):
            run = tuple(word for word, _, _ in words[at : at + wanted])
            telling = sum(len(word) >= 4 and word not in ours for word in run)
            if telling >= _LEAST_TELLING and run in runs:
                yield Hit(QUOTES, words[at][1], words[at + wanted - 1][2])
        in_post = set(said)
        for word, start, end in words:
            insult = word in rules.insults or word.startswith(insults)
            if insult and word in in_post:
                yield Hit(QUOTES, start, end)


def abuse(draft: Draft, rules: DraftRules) -> Iterator[Hit]:
    """Slurs and swear words, also drawn out, spelt with digits or half hidden."""
    for start, end in slurs(draft.seen):
        if draft.low[start:end] not in rules.not_slurs:
            yield Hit(ABUSE, start, end)
