"""`trust-monitor lint "text"`: is this reply fit to be sent? What to mend, and the clause that says so."""

from __future__ import annotations

from json import dumps
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape

from monitor.app import data
from monitor.config import Config
from monitor.drafting import context_from
from monitor.policy.drafts.check import DraftContext, Finding, check_draft, load_rules

AROUND = 18  # characters shown on each side of what was found: a line of 80 holds it
UNKNOWN = (
    "Checked without a configuration: no contact, site or name is known as official, so each is "
    "reported. Name yours with --config."
)


def lint(config: Config | None, text: str, *, public: bool, json: bool, console: Console) -> int:
    """Print what is wrong with a draft. 1 when anything blocks, else 0.

    Without a configuration every contact, link and name counts as a stranger's, and it says so.
    """
    context = context_from(config) if config else DraftContext()
    rules = load_rules(data("draft_check.toml"))
    findings = check_draft(text, rules, context.for_reply(public=public))
    if json:
        answer = _answer(text, findings, public=public, configured=config is not None)
        console.print(
            dumps(answer, ensure_ascii=False), markup=False, highlight=False, soft_wrap=True
        )
    else:
        if config is None:
            console.print(UNKNOWN, style="yellow")
        for finding in findings:
            _show(text, finding, console)
        console.print(_summary(findings))
    return int(any(finding.blocking for finding in findings))


def _answer(
    text: str, findings: tuple[Finding, ...], *, public: bool, configured: bool
) -> dict[str, Any]:
    return {
        "fit": not any(finding.blocking for finding in findings),
        "public": public,
        "configured": configured,
        "characters": len(text),
        "findings": [
            {
                "rule": finding.rule,
                "blocking": finding.blocking,
                "why": finding.why,
                "source": finding.source,
                "span": list(finding.span),
                "said": text[slice(*finding.span)],
            }
            for finding in findings
        ],
    }


def _show(text: str, finding: Finding, console: Console) -> None:
    colour, word = ("red", "Mend") if finding.blocking else ("yellow", "Look at")
    console.print(f"[bold {colour}]{word}[/]: [bold]{finding.rule}[/bold]")
    start, end = finding.span
    if (start, end) != (0, len(text)):
        before = _visible(text[max(0, start - AROUND) : start])
        said = _visible(text[start:end])
        if len(said) > 2 * AROUND:
            said = f"{said[:AROUND]} … {said[-AROUND:]}"
        after = _visible(text[end : end + AROUND])
        console.print(f"    {escape(before)}[underline]{escape(said)}[/underline]{escape(after)}")
        console.print("    " + " " * cell_len(before) + "^" * max(1, cell_len(said)), style=colour)
    console.print(f"  {escape(finding.why)}")
    console.print(f"  {escape(finding.source)}", style="dim")


def _visible(text: str) -> str:
    return "".join(char if char.isprintable() else "·" for char in text)


def _summary(findings: tuple[Finding, ...]) -> str:
    blocking = sum(finding.blocking for finding in findings)
    remarks = len(findings) - blocking
    if not findings:
        return "[green]Nothing found.[/green] A second person still reads it before it is sent."
    mend = f"{blocking} to mend" if blocking else "[green]Nothing that must be mended[/green]"
    return f"{mend}, {remarks} to look at."
