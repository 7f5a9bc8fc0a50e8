"""The made-up trust of the draft checker's tests, and how well the checker does on labelled drafts."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from monitor.policy.drafts.check import DraftContext, Finding, check_draft, load_rules

DATA = Path(__file__).resolve().parents[1] / "data" / "draft_check"
TOML = (files("monitor") / "data" / "draft_check.toml").read_text(encoding="utf-8")
RULES = load_rules(TOML)
CONTEXT = DraftContext(
    contacts=("01632 960 123 or office@larkmoor.example", "LK1 2AB"),
    hosts=frozenset({"larkmoortrust.example", "stmaryslarkmoor.example", "fellgate.example"}),
    organisations=(
        "Larkmoor Learning Trust",
        "St Mary's Primary School",
        "St Mary's",
        "Fellgate High School",
        "Fellgate",
        "Larkmoor",
        "@larkmoortrust",
    ),
    known_names=("Mrs Petra Hollis", "Gethin Ravenscroft"),
)


@dataclass(frozen=True, slots=True)
class Case:
    """A draft that a person has labelled: the ids of every rule that it breaks."""

    text: str
    rules: frozenset[str]
    public: bool
    quoted: tuple[str, ...]


def cases(name: str) -> list[Case]:
    """The labelled drafts of one file."""
    rows = [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]
    return [
        Case(
            row["text"],
            frozenset(row["rules"]),
            row.get("public", True),
            tuple(row.get("quoted", ())),
        )
        for row in rows
    ]


def check(text: str, *, public: bool = True, quoted: tuple[str, ...] = ()) -> tuple[Finding, ...]:
    """The findings on a draft of the made-up trust."""
    return check_draft(text, RULES, CONTEXT.for_reply(public=public, quoted=quoted))


def found(text: str, *, public: bool = True, quoted: tuple[str, ...] = ()) -> set[str]:
    """The rules that a draft breaks."""
    return {finding.rule for finding in check(text, public=public, quoted=quoted)}


@dataclass(frozen=True, slots=True)
class Score:
    """Counts over labelled drafts, by rule; `misses` are (draft, rules missing, rules too many)."""

    right: Counter[str]
    missed: Counter[str]
    wrong: Counter[str]
    misses: list[tuple[str, set[str], set[str]]]

    def precision(self) -> float:
        """Of all findings, the share that a person had labelled."""
        return self.right.total() / (self.right.total() + self.wrong.total())

    def recall(self) -> float:
        """Of all labels, the share that was found."""
        return self.right.total() / (self.right.total() + self.missed.total())

    def table(self) -> str:
        """A line a rule: right, missed, wrong."""
        rules = sorted(set(self.right) | set(self.missed) | set(self.wrong))
        return "\n".join(
            f"{rule:<26}{self.right[rule]:>4}{self.missed[rule]:>4}{self.wrong[rule]:>4}"
            for rule in rules
        )


def score(labelled: list[Case]) -> Score:
    """How the checker does on labelled drafts."""
    result = Score(Counter(), Counter(), Counter(), [])
    for case in labelled:
        got = found(case.text, public=case.public, quoted=case.quoted)
        result.right.update(got & case.rules)
        result.missed.update(case.rules - got)
        result.wrong.update(got - case.rules)
        if got != case.rules:
            result.misses.append((case.text, set(case.rules - got), got - case.rules))
    return result
