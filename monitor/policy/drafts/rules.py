"""The draft checker's rules as data (data/draft_check.toml): words, reasons and clauses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from classifiers.phrases import compile_phrase
from monitor.policy.toml import parse

IN_CODE = frozenset(
    {
        "too-long",
        "names-a-person",
        "perhaps-a-name",
        "names-a-pupil-or-class",
        "phone-number",
        "private-address",
        "unsafe-link",
        "quotes-the-post",
        "repeats-abuse",
        "tone-capitals",
        "tone-exclamation",
        "placeholder",
        "who-speaks",
        "other-writing",
    }
)
"""Rules that a room in code finds, alone or besides phrases: a rules file must explain them."""


# An empty word would be found everywhere, and excuse everything.
Word = Annotated[str, Field(min_length=1)]
Words = Annotated[tuple[Word, ...], Field(min_length=1)]


class Hit(NamedTuple):
    """`rule` was found at `start` to `end` of the folded draft; `detail` is one of its details."""

    rule: str
    start: int
    end: int
    detail: str | None = None


class RuleSpec(BaseModel):
    """One rule; the comments of draft_check.toml say what each key means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    blocking: bool
    why: str = Field(min_length=1)
    details: Mapping[str, str] = {}
    policy: str | None = None
    quote: str | None = None
    law: str | None = None
    house: str | None = None
    phrases: tuple[str, ...] = ()
    public_phrases: tuple[str, ...] = ()
    excuses: tuple[str, ...] = ()
    conditional: bool = False
    negatable: bool = False
    except_after: tuple[Word, ...] = ()

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if (self.policy is None) != (self.quote is None):
            raise ValueError("policy and quote go together")
        if sum(source is not None for source in (self.policy, self.law, self.house)) != 1:
            raise ValueError("give one source: policy and quote, or law, or house")
        return self

    @property
    def source(self) -> str:
        """The clause or law, for a person to look up."""
        if self.policy is not None:
            return f"{self.policy}: “{self.quote}”"
        return self.law or self.house or ""

    def said_why(self, detail: str | None) -> str:
        """The sentence for a comms officer, narrower where a detail is known."""
        return self.details.get(detail or "", self.why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wordings:
    """A rule's phrases, compiled."""

    phrases: tuple[re.Pattern[str], ...]
    public: tuple[re.Pattern[str], ...]
    excuses: tuple[re.Pattern[str], ...]
    except_after: re.Pattern[str] | None


class DraftRules(BaseModel):
    """All rules by id, and the lists that the rooms in code look things up in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    longest_checked: int = Field(ge=300)
    quoted_words: int = Field(ge=3)
    most_exclamations: int = Field(ge=1)
    fewest_capitals: int = Field(ge=1)
    fewest_capital_letters: int = Field(ge=1)
    condition: Words
    negation: Words
    helplines: tuple[str, ...]
    office_mailboxes: frozenset[str]
    shorteners: frozenset[str]
    shared_sites: frozenset[str]
    endings: Words
    secret_keys: frozenset[str]
    not_names: tuple[str, ...]
    bodies: frozenset[str]
    surnames_too: frozenset[str]
    children: frozenset[str]
    staff: frozenset[str]
    greetings: frozenset[str]
    not_classes: frozenset[str]
    not_class_names: frozenset[str]
    acronyms: frozenset[str]
    insults: Words
    not_slurs: frozenset[str]
    groups: Mapping[str, tuple[str, ...]]
    rule: Mapping[str, RuleSpec]

    @model_validator(mode="after")
    def _every_rule_is_found_by_something(self) -> Self:
        if missing := IN_CODE - set(self.rule):
            raise ValueError(f"no rule {', '.join(sorted(missing))}")
        for name, spec in self.rule.items():
            if name not in IN_CODE and not spec.phrases and not spec.public_phrases:
                raise ValueError(f"rule.{name} has neither phrases nor code")
        _ = self.wordings  # a phrase that can't be read is a fault of the file
        return self

    @cached_property
    def wordings(self) -> Mapping[str, Wordings]:
        """The compiled phrases of each rule that has any."""
        return {
            name: self._compiled(name, spec)
            for name, spec in self.rule.items()
            if spec.phrases or spec.public_phrases
        }

    @cached_property
    def conditions(self) -> re.Pattern[str]:
        """Words that open a condition."""
        return _any_word(self.condition)

    @cached_property
    def negations(self) -> re.Pattern[str]:
        """Words that turn a sentence round."""
        return _any_word(self.negation)

    def _compiled(self, name: str, spec: RuleSpec) -> Wordings:
        def patterns(key: str, sources: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
            try:
                return tuple(compile_phrase(source, self.groups).pattern for source in sources)
            except ValueError as error:
                raise ValueError(f"rule.{name}.{key}: {error}") from error

        return Wordings(
            phrases=patterns("phrases", spec.phrases),
            public=patterns("public_phrases", spec.public_phrases),
            excuses=patterns("excuses", spec.excuses),
            except_after=_any_word(spec.except_after) if spec.except_after else None,
        )


def load_rules(text: str) -> DraftRules:
    """Read a rules file's text. Raises ConfigError with every fault and its key path."""
    return parse(DraftRules, text, "draft_check.toml")


def _any_word(words: tuple[str, ...]) -> re.Pattern[str]:
    """Any of `words`, whole; "n't" also at the end of one."""
    either = "|".join(re.escape(word) for word in words)
    return re.compile(rf"(?:(?<!\w)|(?=n't))(?:{either})(?!\w)")
