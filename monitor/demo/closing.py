"""The demo's last page: what came of each post, what was promised and kept, and what to try next."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from classifiers.verdict import Severity
from monitor.config import Config
from monitor.demo.narrator import shown
from monitor.demo.outcome import ALERT_WITHIN_S, Outcome, Row


def tell_outcome(console: Console, outcome: Outcome, config: Config, *, ran_s: float) -> bool:
    """Print the summary; True when every promise was kept."""
    console.print()
    console.print(_table(outcome))
    console.print(_numbers(outcome, ran_s))
    for failure in outcome.failures:
        console.print(Text.assemble(("not kept  ", "bold red"), failure))
    if not outcome.failures:
        console.print(
            Text.assemble(
                ("all kept  ", "bold green"),
                f"urgent posts alerted within {ALERT_WITHIN_S:.0f} s, the child at risk known to the "
                "safeguarding lead only, nothing foreign stored, criticism left in peace, the digest "
                "delivered",
            )
        )
    _next_steps(console, outcome, config)
    return not outcome.failures


def _table(outcome: Outcome) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="bold")
    for head in ("post", "expected", "became", "case"):
        table.add_column(head, overflow="fold")
    table.add_column("alert", justify="right")
    table.add_column("")
    for row in outcome.rows:
        script = row.post.script
        table.add_row(
            script.note,
            script.expect,
            Text(row.became, style="" if row.became != "not yet" else "dim"),
            row.case or "",
            _alerted(row),
            _mark(row),
        )
    return table


def _alerted(row: Row) -> str:
    if row.alerted_s is None:
        return ""
    return f"{row.alerted_s:.1f} s" if row.alerted_s else "before"


def _mark(row: Row) -> Text:
    if row.wrong:
        return Text("WRONG", style="bold red")
    if row.became == "not yet":
        return Text("not yet", style="dim")
    return Text("ok", style="green") if row.as_expected else Text("differs", style="yellow")


def _numbers(outcome: Outcome, ran_s: float) -> Table:
    became = Counter(row.became for row in outcome.rows)
    stored = sum(became[severity.value] for severity in Severity)
    severities = Counter(concern.severity for concern in outcome.concerns)
    cases = [
        f"{severities[grade]} {grade.value}" for grade in reversed(Severity) if severities[grade]
    ]
    slowest = max(
        (row.alerted_s for row in outcome.rows if row.alerted_s is not None), default=None
    )
    kinds = Counter(letter.key.partition(":")[0] for letter in outcome.letters)
    mail = f"{kinds['alert']} alerts, {kinds['digest']} digest"
    if slowest is not None:
        mail += f"; the slowest alert {slowest:.1f} s after its post appeared"
    table = Table.grid(padding=(0, 2))
    table.add_row()
    table.add_row(
        "Posts",
        f"{len(outcome.rows)} in {ran_s:.0f} s: {stored} about the trust, "
        f"{became['unmatched']} let go and never stored",
    )
    table.add_row("Cases", ", ".join(cases) or "none")
    table.add_row("Mail", mail)
    return table


def _next_steps(console: Console, outcome: Outcome, config: Config) -> None:
    digest = next((each.path for each in outcome.letters if each.key.startswith("digest:")), None)
    gravest = max(outcome.concerns, key=lambda case: case.severity.rank, default=None)
    with_config = f"--config {shown(config.path)}"
    console.print()
    console.print(f"The mail lies in {shown(config.mail.folder or Path())}/", soft_wrap=True)
    if digest:
        console.print(f"  the digest  {shown(digest.with_suffix('.html'))}", soft_wrap=True)
    console.print("Its links led to the demo's own site, which ended with it.")
    console.print("Try next:")
    console.print(f"  {program()} concerns list {with_config}", soft_wrap=True)
    if gravest:
        console.print(
            f"  {program()} concerns show {gravest.reference} {with_config}", soft_wrap=True
        )
    question = "Larkbridge Academy: is the hall warm yet?"
    console.print(f'  {program()} explain "{question}" {with_config}', soft_wrap=True)


def program() -> str:
    """How the reader can call us: by name when it is on their PATH, else by the path that ran."""
    return "trust-monitor" if shutil.which("trust-monitor") else sys.argv[0]
