"""Phrases in a draft, and what excuses them: a condition, a "not", an apology, a listed wording."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from monitor.policy.drafts.rules import DraftRules, Hit, RuleSpec, Wordings
from monitor.policy.drafts.text import Draft

_NEAR = 30  # characters before a match in which a "not" still belongs to it


def phrases(draft: Draft, rules: DraftRules, *, public: bool) -> Iterator[Hit]:
    """Every phrase of every rule that nothing excuses."""
    for name, wordings in rules.wordings.items():
        spec = rules.rule[name]
        excused = list(_spans(wordings.excuses, draft.low))
        sought = (*wordings.phrases, *wordings.public) if public else wordings.phrases
        for start, end in _spans(sought, draft.low):
            if not any(left < end and start < right for left, right in excused) and not _turned(
                draft, start, rules, spec, wordings
            ):
                yield Hit(name, start, end)


def _spans(patterns: Iterable[re.Pattern[str]], text: str) -> Iterator[tuple[int, int]]:
    for pattern in patterns:
        for found in pattern.finditer(text):
            if found.end() > found.start():
                yield found.span()


def _turned(
    draft: Draft, start: int, rules: DraftRules, spec: RuleSpec, wordings: Wordings
) -> bool:
    clause = draft.clause_before(start)
    return bool(
        (spec.conditional and rules.conditions.search(clause))
        or (spec.negatable and rules.negations.search(clause[-_NEAR:]))
        or (wordings.except_after and wordings.except_after.search(clause))
    )
