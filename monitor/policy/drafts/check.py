"""Is this reply fit to be sent? Every rule's findings, in the order of the draft, each with what to
do and the clause that says so.

    read -> contacts, links -> names, classes -> phrases -> quotes -> manner -> merge

A draft is checked by reading, never changed. No rule here knows who wrote the post.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from monitor.policy.drafts import manner
from monitor.policy.drafts.contacts import EMAIL, official, private_contacts
from monitor.policy.drafts.links import links, unsafe_links
from monitor.policy.drafts.names import classes, names
from monitor.policy.drafts.phrases import phrases
from monitor.policy.drafts.quotes import abuse, repeated
from monitor.policy.drafts.rules import DraftRules, Hit, load_rules
from monitor.policy.drafts.text import Draft, read
from monitor.policy.ladder import LONGEST_DRAFT

__all__ = ["DraftContext", "DraftRules", "Finding", "check_draft", "load_rules"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to mend. `span` is (start, end) in the draft as typed; it is the whole draft when
    something is missing. `source` is the clause or the law."""

    rule: str
    blocking: bool
    why: str
    source: str
    span: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftContext:
    """What a draft may say here. `contacts`: official ones, as configured ("01632 960 123 or
    office@trust.example"). `hosts`: where links may lead: hosts (what lies below them too), or
    pages on shared sites. `organisations`: our
    own names, places and handles. `known_names`: people who must never stand in a reply. `quoted`: the
    posts that are answered. `longest`: characters of a public draft."""

    contacts: tuple[str, ...] = ()
    hosts: frozenset[str] = frozenset()
    organisations: tuple[str, ...] = ()
    known_names: tuple[str, ...] = ()
    quoted: tuple[str, ...] = ()
    longest: int = LONGEST_DRAFT
    public: bool = True

    def for_reply(self, *, public: bool, quoted: Iterable[str] = ()) -> DraftContext:
        """The same for one reply: its mode, and the posts that it answers."""
        return replace(self, public=public, quoted=tuple(quoted))


def check_draft(text: str, rules: DraftRules, context: DraftContext) -> tuple[Finding, ...]:
    """What is wrong with `text`, by place and then by rule. Never raises; () means fit to be shown to
    an approver, not that nobody needs to read it."""
    draft = read(text[: rules.longest_checked])
    found = {
        (hit.rule, *draft.span(hit.start, hit.end), hit.detail)
        for hit in _hits(draft, rules, context)
    }
    merged = _merged(found)
    merged += _whole(text, draft, rules, context)
    return tuple(
        Finding(
            rule=rule,
            blocking=rules.rule[rule].blocking,
            why=rules.rule[rule].said_why(detail),
            source=rules.rule[rule].source,
            span=(start, end),
        )
        for rule, start, end, detail in sorted(merged, key=lambda one: (one[1], one[2], one[0]))
    )


_Found = tuple[str, int, int, str | None]


def _hits(draft: Draft, rules: DraftRules, context: DraftContext) -> Iterator[Hit]:
    ours = tuple(read(name).seen for name in context.organisations)
    known = official(
        [read(contact).seen for contact in context.contacts],
        hosts=tuple(context.hosts),
        names=ours,
        rules=rules,
    )
    unlinked = _blank(draft.seen, links(draft, rules))
    contacts = list(private_contacts(unlinked, known, rules))
    slurs = list(abuse(draft, rules))
    # What stands in an address, a class or a slur is no name of its own.
    mailboxes = (found.span() for found in EMAIL.finditer(unlinked))
    line = _blank(unlinked, (*mailboxes, *_places(contacts), *_places(slurs)))
    named_classes = list(classes(line, rules, organisations=ours))
    line = _blank(line, _places(named_classes))
    yield from (*contacts, *slurs, *named_classes)
    yield from names(line, rules, known_names=context.known_names, organisations=ours)
    yield from unsafe_links(draft, rules, hosts=context.hosts)
    yield from phrases(draft, rules, public=context.public)
    yield from repeated(draft, rules, posts=context.quoted, organisations=ours)
    yield from manner.capitals(draft, rules, organisations=ours)
    yield from manner.exclamations(draft, rules)
    yield from manner.placeholders(draft)
    yield from manner.unreadable_letters(draft)


def _places(hits: Iterable[Hit]) -> Iterator[tuple[int, int]]:
    return ((hit.start, hit.end) for hit in hits)


def _blank(line: str, spans: Iterable[tuple[int, int]]) -> str:
    for start, end in spans:
        line = line[:start] + "_" * (end - start) + line[end:]
    return line


def _whole(text: str, draft: Draft, rules: DraftRules, context: DraftContext) -> list[_Found]:
    found: list[_Found] = []
    if len(text) > rules.longest_checked:
        found.append(("too-long", rules.longest_checked, len(text), "unchecked"))
    elif context.public and len(text) > context.longest:
        found.append(("too-long", max(0, context.longest), len(text), None))
    if context.public and not manner.says_who_speaks(draft, organisations=context.organisations):
        found.append(("who-speaks", 0, len(text), None))
    return found


def _merged(found: Iterable[_Found]) -> list[_Found]:
    """Findings of one rule that touch are one finding, as long as they give the same advice."""
    merged: list[_Found] = []
    for rule, start, end, detail in sorted(found, key=lambda one: (one[0], one[3] or "", one[1:3])):
        last = merged[-1] if merged else None
        if last and last[0] == rule and last[3] == detail and start <= last[2] + 1:
            merged[-1] = (rule, last[1], max(last[2], end), detail)
        else:
            merged.append((rule, start, end, detail))
    return merged
