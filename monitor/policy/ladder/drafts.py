"""Filling drafts in: what the configuration knows, and what only a person can add."""

from __future__ import annotations

from collections.abc import Iterable

from monitor.domain import Placeholders
from monitor.policy.ladder.file import ASKED_FOR, FALLS_BACK, PLACEHOLDER

LONGEST_DRAFT = 300  # characters, placeholders filled in: it fits every platform that we read


def no_draft(candidates: tuple[str, ...], *, talks: bool) -> str:
    """Why none of these drafts is suggested, in words. `talks`: the school talks with the author."""
    if not candidates:
        return "it is talked about in private now" if talks else "nothing to answer"
    return (
        f"no draft fits into {LONGEST_DRAFT} characters with the details configured: "
        "shorten the contact, or give the missing address"
    )


def first_that_fits(drafts: Iterable[str], values: Placeholders) -> str | None:
    """The first draft that is configured and short enough, filled in; None: none is."""
    for draft in drafts:
        filled = fill(draft, values)
        if filled is not None and len(filled) <= LONGEST_DRAFT:
            return filled
    return None


def fill(draft: str, values: Placeholders) -> str | None:
    """The draft with its placeholders replaced, or None when a value is not configured. What only a
    person knows stays as a note in square brackets. One pass: braces inside a value stay."""
    known = (
        dict(ASKED_FOR)
        | dict(FALLS_BACK)
        | {name: value for name, value in values.items() if value}
    )
    if any(not known.get(name) for name in PLACEHOLDER.findall(draft)):
        return None
    return PLACEHOLDER.sub(lambda found: known[found[1]], draft)
