"""The policies' clauses, what shows that each is kept, and the page that says so."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "policies.md"
POLICIES = {
    "trust-online-safety": "A trust's online safety policy",
    "coast": "Coast",
    "yes": "YES",
    "fierte": "Fierte",
    "bradgate": "Bradgate",
}
HEAD = """\
# Five policies, clause by clause

Five trusts' published policies, as far as they ask for anything that a program could do, or must not do.
Each clause stands here in its own words, with what keeps it. The last part says what that is in a
sentence, which command shows it to a person, and which tests prove it.

Nobody has to believe this page: it is written by a run of the tests (`make policies`), and every run of
all tests fails when a clause has lost its proof, or when this page no longer says what they show.

A clause that a program should not keep is *left to people*, and one that it should keep and does not is
*missing*: both with the reason. Where two of the policies would treat lawful criticism as misuse, they are
deliberately not followed to the letter: nothing is ever done against criticism or a complaint.
"""
KEPT, LEFT, MISSING = "kept", "left to people", "missing"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What keeps a clause: `title` in a few words, `says` in a sentence. `tests` are node ids,
    without parameters; `command` shows it to a person."""

    title: str
    says: str
    tests: tuple[str, ...]
    command: str | None = None


@dataclass(frozen=True, kw_only=True)
class Clause:
    """One clause: kept by all of `evidence` (names); or on purpose `not_built`, or `not_yet` built:
    why. Exactly one of the three. `note` says how a kept clause is read, where that isn't plain."""

    policy: str
    quote: str
    evidence: tuple[str, ...] = ()
    note: str | None = None
    not_built: str | None = None
    not_yet: str | None = None

    @property
    def standing(self) -> str:
        """`KEPT`, `LEFT` or `MISSING`."""
        return KEPT if self.evidence else LEFT if self.not_built else MISSING


Read = tuple[tuple[Clause, ...], Mapping[str, Evidence]]


def read(text: str | None = None) -> Read:
    """The clauses and the evidence from `text`; by default clauses.toml. Raises ValueError with
    everything that doesn't fit."""
    data = tomllib.loads(
        (HERE / "clauses.toml").read_text(encoding="utf-8") if text is None else text
    )
    try:
        evidence = {name: Evidence(**_lists(entry)) for name, entry in data["evidence"].items()}
        clauses = tuple(Clause(**_lists(entry)) for entry in data["clause"])
    except (KeyError, TypeError) as error:  # the message names the key
        raise ValueError(f"clauses.toml: {error}") from error
    if faults := [*_faults(clauses), *_evidence_faults(clauses, evidence)]:
        raise ValueError("clauses.toml: " + "; ".join(faults))
    return clauses, evidence


def _lists(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}


def _faults(clauses: Iterable[Clause]) -> Iterable[str]:
    seen = set()
    for clause in clauses:
        where = f"{clause.policy}, “{clause.quote}”"
        if clause.policy not in POLICIES:
            yield f"{where}: no such policy"
        if (clause.policy, clause.quote) in seen:
            yield f"{where}: given twice"
        seen.add((clause.policy, clause.quote))
        if sum(map(bool, (clause.evidence, clause.not_built, clause.not_yet))) != 1:
            yield f"{where}: give one of evidence, not_built and not_yet"


def _evidence_faults(clauses: Sequence[Clause], evidence: Mapping[str, Evidence]) -> Iterable[str]:
    named = {name for clause in clauses for name in clause.evidence}
    yield from (f"no evidence called {name}" for name in sorted(named - set(evidence)))
    yield from (f"no clause names evidence.{name}" for name in sorted(set(evidence) - named))
    for name, entry in evidence.items():
        if not entry.tests:
            yield f"evidence.{name} has no test"
        yield from (
            f"evidence.{name}: {test}: leave the parameters out"
            for test in entry.tests
            if "[" in test
        )


def lost(evidence: Mapping[str, Evidence], outcomes: Mapping[str, set[str]]) -> list[str]:
    """What no longer shows anything. `outcomes` maps a node id without parameters to the outcomes
    of its runs: one must have passed, and none failed. What was skipped altogether is not lost: this
    machine lacks something that the test needs (`unseen`)."""
    faults = []
    for name, entry in evidence.items():
        for test in entry.tests:
            seen = outcomes.get(test, set())
            if seen != {"skipped"} and ("passed" not in seen or "failed" in seen):
                said = ", ".join(sorted(seen)) or "was not run: renamed or removed?"
                faults.append(f"evidence.{name}: {test}: {said}")
    return faults


def unseen(evidence: Mapping[str, Evidence], outcomes: Mapping[str, set[str]]) -> list[str]:
    """The tests that were skipped here altogether, with the evidence that they are."""
    return [
        f"evidence.{name}: {test}: skipped on this machine"
        for name, entry in evidence.items()
        for test in entry.tests
        if outcomes.get(test) == {"skipped"}
    ]


def page(clauses: Sequence[Clause], evidence: Mapping[str, Evidence]) -> str:
    """docs/policies.md."""
    lines = [HEAD, *_overview(clauses)]
    for policy, title in POLICIES.items():
        here = [clause for clause in clauses if clause.policy == policy]
        lines += ["", f"## {title}", "", *_kept(here, evidence)]
        lines += _list("Left to people, on purpose", LEFT, here)
        lines += _list("Missing", MISSING, here)
    lines += ["", "## What keeps them, and what proves it"]
    for name, entry in sorted(evidence.items(), key=lambda each: each[1].title.casefold()):
        lines += ["", f'<a id="{name}"></a>', f"### {entry.title}", "", entry.says, ""]
        lines += [f"- To see it: `{entry.command}`"] if entry.command else []
        lines += [f"- Proved by `{test}`" for test in entry.tests]
    return "\n".join(lines) + "\n"


def _overview(clauses: Sequence[Clause]) -> list[str]:
    lines = [f"| policy | {KEPT} | {LEFT} | {MISSING} |", "| --- | ---: | ---: | ---: |"]
    counted = Counter((clause.policy, clause.standing) for clause in clauses)
    for policy, title in POLICIES.items():
        cells = " | ".join(str(counted[policy, standing]) for standing in (KEPT, LEFT, MISSING))
        anchor = title.casefold().replace("'", "").replace(" ", "-")
        lines.append(f"| [{title}](#{anchor}) (`{policy}`) | {cells} |")
    total = Counter(clause.standing for clause in clauses)
    cells = " | ".join(f"**{total[standing]}**" for standing in (KEPT, LEFT, MISSING))
    return [*lines, f"| **all {len(clauses)} clauses** | {cells} |"]


def _kept(clauses: Iterable[Clause], evidence: Mapping[str, Evidence]) -> list[str]:
    return [
        "| the policy says | kept by |",
        "| --- | --- |",
        *(
            f"| {_said(clause)} | "
            + "; ".join(f"[{_cell(evidence[name].title)}](#{name})" for name in clause.evidence)
            + " |"
            for clause in clauses
            if clause.standing == KEPT
        ),
    ]


def _list(title: str, standing: str, clauses: Iterable[Clause]) -> list[str]:
    lines = [
        f"- “{clause.quote}”: {clause.not_built or clause.not_yet}"
        for clause in clauses
        if clause.standing == standing
    ]
    return ["", f"**{title}**", "", *lines] if lines else []


def _said(clause: Clause) -> str:
    note = f"<br>*{clause.note}*" if clause.note else ""
    return _cell(f"“{clause.quote}”{note}")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
