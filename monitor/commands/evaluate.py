"""`trust-monitor evaluate --jsonl`: how well the configured classifier and rules judge labelled posts.

Posts are told by id, never by their words, unless they are asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from classifiers.verdict import Label, Severity, Verdict
from monitor.commands.posts import read_posts
from monitor.commands.triage import Bench, said
from monitor.errors import MonitorError
from monitor.policy.assessment import judge
from monitor.policy.matching import scoring
from monitor.policy.matching.scoring import Case
from monitor.policy.triage import ALWAYS_URGENT

BATCH = 64


@dataclass(frozen=True, slots=True)
class Labelled:
    """One post with what a person said of it."""

    id: str
    text: str
    severity: Severity
    labels: frozenset[Label]


def read_labelled(lines: Iterable[str]) -> list[Labelled]:
    """Read a labelled post a line. Raises MonitorError naming the line that can't be used."""
    kept = [line for line in lines if line.strip()]
    found = []
    for line, raw in zip(read_posts(kept), kept, strict=True):
        if line.post is None:
            raise MonitorError(f"post {line.number}: {line.problem}")
        row = json.loads(raw)
        try:
            severity = Severity(row["severity"])
            labels = frozenset(Label(label) for label in row.get("labels", ()))
        except (KeyError, ValueError, TypeError):
            raise MonitorError(
                f"post {line.number}: severity must be one of {', '.join(Severity)}, "
                f"labels a list of {', '.join(Label)}"
            ) from None
        found.append(Labelled(line.id, said(line.post), severity, labels))
    if not found:
        raise MonitorError("no posts to evaluate: give a file with a labelled post a line")
    return found


def judged(bench: Bench, posts: Sequence[Labelled]) -> list[Case]:
    """Each post as a scored case; every one is taken for a mention."""
    cases = []
    for start in range(0, len(posts), BATCH):
        some = posts[start : start + BATCH]
        verdicts = bench.classifier.classify([post.text for post in some])
        for post, verdict in zip(some, verdicts, strict=True):
            cases.append(
                Case(
                    id=post.id,
                    true=post.severity,
                    said=judge(verdict, bench.book.triage).severity,
                    urgency=urgency(verdict),
                    true_labels=post.labels,
                    scores=verdict.labels,
                )
            )
    return cases


def urgency(verdict: Verdict) -> float:
    """One number to rank by: the severity head's, or the surest label that is urgent by itself."""
    head = verdict.severity[Severity.URGENT] if verdict.severity else 0.0
    return max(head, *(verdict.labels[label] for label in ALWAYS_URGENT))


def evaluate(bench: Bench, lines: Iterable[str], console: Console, *, show: bool = False) -> None:
    """Print all figures. `show`: with the words of the worst misses."""
    posts = read_labelled(lines)
    cases = judged(bench, posts)
    _confusion(cases, console)
    urgent = [(c.said is Severity.URGENT, c.true is Severity.URGENT) for c in cases]
    precision, recall = scoring.precision_recall(urgent)
    console.print(
        f"{len(cases)} posts. Severity macro-F1 {scoring.severity_f1(cases):.3f}; "
        f"urgent as decided: precision {precision:.3f}, recall {recall:.3f}"
    )
    curve = Table("urgent at precision", "recall", "from score")
    for wanted, got, score in scoring.urgent_curve(cases):
        curve.add_row(f"{wanted:.2f}", f"{got:.3f}", f"{score:.2f}" if got else "never")
    console.print(curve)
    each = scoring.label_f1(cases)
    labels = Table("label", "F1")
    for label, value in each.items():
        labels.add_row(label, f"{value:.3f}")
    if each:
        labels.add_row("mean", f"{sum(each.values()) / len(each):.3f}")
    console.print(labels)
    scale = Table("urgent score from", "mean score", "truly urgent", "posts")
    for low, mean, share, count in scoring.calibration(cases):
        scale.add_row(f"{low:.1f}", f"{mean:.2f}", f"{share:.2f}", str(count))
    console.print(scale)
    _worst(cases, {post.id: post.text for post in posts} if show else {}, console)


def _confusion(cases: Sequence[Case], console: Console) -> None:
    counted = scoring.confusion(cases)
    table = Table("truly \\ decided", *Severity)
    for true in Severity:
        table.add_row(true, *(str(counted[true, other]) for other in Severity))
    console.print(table)


def _worst(cases: Sequence[Case], words: dict[str, str], console: Console) -> None:
    console.print("Worst misses:")
    for case in scoring.worst(cases):
        line = f"  {case.id}: {case.true}, decided {case.said}, urgent score {case.urgency:.2f}"
        console.print(escape(f"{line}  {words.get(case.id, '')}".rstrip()))
