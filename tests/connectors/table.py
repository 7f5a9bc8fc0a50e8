"""`pytest tests/connectors/test_contract.py --contract-table docs/contract.md`: what passed, as a table.

Made from a real run, case by kind; works under pytest-xdist too.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

from connectors.testing import FAULTS, ContractSuite
from tests.connectors.contract import HARNESSES

NODE = re.compile(r"test_contract\.py::TestContract::test_(\w+)(?:\[(.+)\])?$")
MARKS = {"passed": "pass", "failed": "**FAIL**", "skipped": "skipped"}
HEAD = """# The contract suite, connector by case

Written by `pytest tests/connectors/test_contract.py --contract-table docs/contract.md` from a real run.
Each case is a test of `connectors.testing`, which docs/connectors.md explains; "–" means that the case does
not apply: a kind without a network has faults of its own and no Retry-After.

"""

BETWEEN = """
After each of these faults a poll raised the right error within its deadline, without a secret in it, and
afterwards exactly what came meanwhile was delivered:

"""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--contract-table", metavar="FILE", help="write what the contract suite showed into FILE"
    )


def pytest_configure(config: pytest.Config) -> None:
    path = config.getoption("--contract-table")
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Table(Path(path)), "contract-table")


class Table:
    """Gathers outcomes, and writes the table at the end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._outcomes: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._faults: defaultdict[str, dict[str, str]] = defaultdict(dict)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        found = NODE.search(report.nodeid)
        if not found or (report.passed and report.when != "call"):
            return
        kind, case = split(found[2] or "")
        words = found[1].replace("_", " ")
        if words == "a failure is told and nothing is lost or repeated":
            self._faults[case][kind] = report.outcome
            return
        self._outcomes[f"{words} ({case} commits)" if case else words][kind] = report.outcome

    def pytest_sessionfinish(self) -> None:
        suite = list(vars(ContractSuite))
        for table, order in ((self._outcomes, suite), (self._faults, list(FAULTS))):
            ranked = sorted(table, key=lambda case: (_rank(case, order), case))
            for case in ranked:
                table[case] = table.pop(case)
        parts = [
            HEAD,
            *_lines("promise", self._outcomes),
            BETWEEN,
            *_lines("fault", self._faults),
        ]
        self._path.write_text("".join(parts), encoding="utf-8")


def split(parameters: str) -> tuple[str, str]:
    """ "bluesky search-429" -> ("bluesky search", "429"). The longest kind that fits."""
    for kind in sorted(HARNESSES, key=len, reverse=True):
        if parameters == kind or parameters.startswith(f"{kind}-"):
            return kind, parameters.removeprefix(kind).removeprefix("-")
    return parameters, ""


def _rank(case: str, order: list[str]) -> int:
    """Where a case stands in the suite, whatever order several workers ran it in."""
    name = f"test_{case.partition(' (')[0]}".replace(" ", "_")
    return next((at for at, each in enumerate(order) if each in {name, case}), len(order))


def _lines(title: str, table: dict[str, dict[str, str]]) -> list[str]:
    kinds = sorted(HARNESSES)
    rows = [
        f"| {case} | {' | '.join(MARKS.get(found.get(kind, ''), '–') for kind in kinds)} |\n"
        for case, found in table.items()
    ]
    passed = sum(outcome == "passed" for found in table.values() for outcome in found.values())
    total = sum(map(len, table.values()))
    return [
        f"| {title} | {' | '.join(kinds)} |\n|{' --- |' * (len(kinds) + 1)}\n",
        *rows,
        f"\n{passed} of {total} passed.\n",
    ]
