"""Who does the author of a post say that they are? From the post's own words and nothing else.

Nobody is looked up: no name, handle, profile or earlier post is read (domain report, section 5). The
answer only ever makes the ladder more careful (a pupil, a colleague, the press), and a reviewer may
correct it. The patterns are data (authorship.toml).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, cached_property
from importlib import resources
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from monitor.domain import AuthorRole
from monitor.policy.toml import parse

LONGEST_READ = 5_000  # characters: who somebody is stands at the beginning, and patterns cost time
_CURLY = str.maketrans({"’": "'", "‘": "'", "´": "'", "`": "'", "“": '"', "”": '"'})
_QUOTED = re.compile(r'"[^"\n]{1,300}"')


def _expression(pattern: str) -> str:
    try:
        re.compile(re.sub(r"\{(i_am|school|here)\}", "x", pattern))
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return pattern


Pattern = Annotated[str, Field(min_length=3), AfterValidator(_expression)]


class Voice(BaseModel):
    """What people of one role say of themselves; `reason` is told to the reviewer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: AuthorRole
    reason: str = Field(min_length=10)
    patterns: tuple[Pattern, ...] = Field(min_length=1)


class AuthorshipRules(BaseModel):
    """The whole file; its comments say what each key means. Voices stand in order of precedence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    i_am: Pattern
    school: Pattern
    here: Pattern
    sentence_end: Pattern
    vetoes: Pattern
    voice: tuple[Voice, ...] = Field(min_length=1)

    @cached_property
    def compiled(self) -> tuple[tuple[Voice, tuple[re.Pattern[str], ...]], ...]:
        """Each voice with its patterns, ready to search."""
        return tuple(
            (voice, tuple(re.compile(self._filled(pattern)) for pattern in voice.patterns))
            for voice in self.voice
        )

    @cached_property
    def veto(self) -> re.Pattern[str]:
        """What, shortly before a match in the same clause, makes it count for nothing."""
        return re.compile(self.vetoes)

    def sentences(self, text: str) -> Iterator[str]:
        """The text's sentences, without what stands in quotation marks."""
        for sentence in re.split(self.sentence_end, _QUOTED.sub(' "" ', text)):
            if sentence.strip():
                yield " ".join(sentence.split())

    def _filled(self, pattern: str) -> str:
        parts = {"i_am": self.i_am, "school": self.school, "here": self.here}
        return re.sub(r"\{(i_am|school|here)\}", lambda found: parts[found[1]], pattern)


def load_rules(text: str) -> AuthorshipRules:
    """Read authorship.toml's text. Raises ConfigError with every fault and its key path."""
    return parse(AuthorshipRules, text, "authorship.toml")


@cache
def packaged_rules() -> AuthorshipRules:
    """The rules as shipped."""
    return load_rules(
        resources.files("monitor").joinpath("data", "authorship.toml").read_text(encoding="utf-8")
    )


def apparent_author(text: str, rules: AuthorshipRules) -> tuple[AuthorRole, str] | None:
    """The role that the post gives its author, with the reason in words; None: it doesn't say."""
    folded = text[:LONGEST_READ].translate(_CURLY).casefold()
    sentences = tuple(rules.sentences(folded))
    for voice, patterns in rules.compiled:
        if any(_says(sentence, patterns, rules.veto) for sentence in sentences):
            return voice.role, voice.reason
    return None


def _says(sentence: str, patterns: tuple[re.Pattern[str], ...], veto: re.Pattern[str]) -> bool:
    return any(
        not veto.search(sentence, 0, found.start())
        for pattern in patterns
        for found in pattern.finditer(sentence)
    )
