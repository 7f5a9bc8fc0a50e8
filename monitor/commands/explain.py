"""`trust-monitor explain "text"`: one decision, told to a person."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from classifiers.verdict import Label
from connectors.post import Post
from monitor.commands.triage import NOT_OURS, Bench, said

_COLOURS = {"urgent": "bold red", "concern": "yellow", "routine": "green"}


def explain(bench: Bench, text: str, console: Console) -> None:
    """Print what would happen to a post with these words, and why."""
    post = Post(platform="explain", native_id="1", text=text)
    (judged,) = bench.judge([post])
    if judged.triage is None:
        console.print(f"Not stored: it {NOT_OURS}.")
        return
    for match in judged.matches:
        console.print(f"[bold]{match.organisation}[/bold]: {escape(match.reason)}")
    decided = judged.triage
    colour = _COLOURS[decided.severity]
    console.print(f"[{colour}]{decided.severity}[/{colour}], {decided.sentiment}")
    for reason in decided.reasons:
        console.print(f"  - {escape(reason)}")
    for label in sorted(Label, key=lambda label: -decided.scores[label]):
        if decided.scores[label] >= 0.05:
            counts = "" if decided.scores[label] >= 0.5 else "  (does not count)"
            console.print(f"  {label:<17}{decided.scores[label]:.2f}{counts}")
    for item in decided.evidence:
        words = said(post)[item.start : item.end]
        console.print(f'  "{escape(words)}" speaks for {item.label} ({item.rule})', style="dim")
    step = judged.suggestion
    if step is not None:
        console.print(f"Rung {step.rung}: {step.rung_name} ({step.who})")
        console.print(f"Suggested reply: {escape(step.reply or f'none: {step.no_reply_because}')}")
    if judged.told:
        console.print(f"Told at once: {', '.join(judged.told)}")
