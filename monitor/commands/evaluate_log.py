"""`trust-monitor evaluate --from-log`: what people made of the alarms, counted from the concern log.

A concern that ended as a false alarm says that the classifier was wrong; one that ended otherwise
confirms it. What is still open, or was merged into another, says nothing yet.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from classifiers.verdict import Label, Severity
from monitor.domain import Closing, Concern, ConcernState
from monitor.policy.matching.scoring import Outcomes, outcomes
from monitor.ports import Store


def evaluate_log(store: Store, export: Path | None, console: Console) -> None:
    """Print the counts; with `export`, write the closed concerns' posts that are still stored as
    labelled lines for `evaluate --jsonl`. They hold what people wrote: keep the file as safe as the
    database."""
    with store.read() as rows:
        found = [one.concern for one in rows.concerns.outlines(states=tuple(ConcernState))]
    judged = [
        (concern.severity, concern.labels, _confirmed(concern))
        for concern in found
        if concern.state is not ConcernState.MERGED
    ]
    _print(outcomes(judged), console)
    if export is not None:
        written = _export(store, export)
        console.print(
            f"{export}: {written} posts written, with their words. Keep it as safe as the database."
        )


def _confirmed(concern: Concern) -> bool | None:
    if concern.state is not ConcernState.CLOSED:
        return None
    return concern.closing is not Closing.FALSE_ALARM


def _print(counted: Mapping[Severity | Label, Outcomes], console: Console) -> None:
    table = Table("", "raised", "confirmed", "false alarms", "not judged yet", "precision")
    for name, one in counted.items():
        precision = "-" if one.precision is None else f"{one.precision:.3f}"
        table.add_row(
            name.value,
            str(one.raised),
            str(one.confirmed),
            str(one.false),
            str(one.open),
            precision,
        )
    console.print(table)


def _export(store: Store, path: Path) -> int:
    with store.read() as rows:
        closed = rows.concerns.listed(states=[ConcernState.CLOSED])
    lines = list(_lines(closed))
    path.touch(mode=0o600)
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    return len(lines)


def _lines(closed: Iterable[Concern]) -> Iterable[dict[str, object]]:
    """A labelled post a line. A false alarm was routine; else it was what the concern is. Those with
    the safeguarding lead stay there."""
    for concern in closed:
        if concern.confidential:
            continue
        wrong = concern.closing is Closing.FALSE_ALARM
        for mention in concern.mentions:
            if not mention.post.text:
                continue  # erased
            yield {
                "id": f"{concern.reference}-{mention.id}",
                "text": mention.post.text,
                **({"title": mention.post.title} if mention.post.title else {}),
                "severity": Severity.ROUTINE if wrong else concern.severity,
                "labels": [] if wrong else sorted(concern.labels),
            }
