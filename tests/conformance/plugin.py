"""Watches a whole run of the tests: every clause of the policies must have kept its evidence, and
docs/policies.md must say what is true. `--write-policies` writes the page."""

from __future__ import annotations

from collections import defaultdict

import pytest

from tests.conformance import clauses

LEAVES_OUT = ("keyword", "markexpr", "deselect", "ignore", "ignore_glob", "collectonly")
"""Options that make a run less than a whole one."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--write-policies`: write docs/policies.md instead of comparing it."""
    parser.addoption("--write-policies", action="store_true", help="write docs/policies.md")


def pytest_configure(config: pytest.Config) -> None:
    """Only a whole run can tell what is missing; with pytest-xdist, only its controller hears of
    every test."""
    if hasattr(config, "workerinput"):
        return
    everything = config.args == config.getini("testpaths")
    if everything and not any(getattr(config.option, name, None) for name in LEAVES_OUT):
        config.pluginmanager.register(Watch(write=config.option.write_policies), "conformance")
    elif config.option.write_policies:
        raise pytest.UsageError("--write-policies: only a run of all tests can write the page")


class Watch:
    """Hears how each test went, and judges the clauses at the end."""

    def __init__(self, *, write: bool) -> None:
        self._write = write
        self._outcomes: dict[str, set[str]] = defaultdict(set)
        self._faults: list[str] = []
        self._unseen: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            self._outcomes[report.nodeid.partition("[")[0]].add(report.outcome)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        stopped = session.shouldstop or session.shouldfail
        judged = {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}
        if stopped or session.exitstatus not in judged:
            return  # some tests did not run, and the run is red already
        self._faults = self._judge()
        if self._faults and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _judge(self) -> list[str]:
        try:
            found, evidence = clauses.read()
        except ValueError as error:
            return [str(error)]
        faults = clauses.lost(evidence, self._outcomes)
        self._unseen = clauses.unseen(evidence, self._outcomes)
        wanted = clauses.page(found, evidence)
        if self._write and not faults:
            clauses.PAGE.write_text(wanted, encoding="utf-8")
        elif not clauses.PAGE.exists() or clauses.PAGE.read_text(encoding="utf-8") != wanted:
            faults.append("docs/policies.md is not what the tests show: make policies")
        return faults

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._unseen:
            terminalreporter.section("clauses that are NOT SHOWN on this machine", yellow=True)
            for told in self._unseen:
                terminalreporter.write_line(told, yellow=True)
        if self._faults:
            terminalreporter.section(
                "clauses that lost their evidence (tests/conformance)", red=True
            )
            for fault in self._faults:
                terminalreporter.write_line(fault, red=True)
