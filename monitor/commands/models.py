"""`trust-monitor models`: which classifiers there are here, and how to bring another one in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from classifiers.conversion import to_int8
from classifiers.errors import ClassifierError
from classifiers.transformer import TransformerClassifier, download
from monitor.app import BUILTIN_MODEL
from monitor.errors import MonitorError

# Ordinary words for a first comparison; a trust's own posts (--jsonl) say more.
SAMPLE = (
    "Lovely concert last night, thank you to all the staff",
    "The coach was forty minutes late again and nobody rang us",
    "Does anyone know when the uniform shop opens?",
    "I'll be waiting for him outside, he wants his legs breaking",
    "The head is an absolute clown and everybody knows it",
)


@dataclass(frozen=True, slots=True)
class Model:
    """One checkpoint directory. `problem`: why it can't be loaded, or None."""

    name: str
    folder: Path
    megabytes: float
    version: str
    problem: str | None


def listed(folders: Iterable[tuple[str, Path]]) -> list[Model]:
    """Load each named directory and say how it stands."""
    found = []
    for name, folder in folders:
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
        classifier, problem = TransformerClassifier(folder), None
        try:
            classifier.warm()
        except ClassifierError as error:
            problem = str(error)
        found.append(Model(name, folder, size, classifier.version, problem))
    return found


def here(configured: str | None, folder: Path | None) -> list[tuple[str, Path]]:
    """The built-in model, the configured directory, and the checkpoints right beneath `folder`."""
    found = [("built-in", BUILTIN_MODEL)] if (BUILTIN_MODEL / "config.json").is_file() else []
    if configured and Path(configured).is_dir():
        found.append(("configured", Path(configured)))
    if folder:
        found += [(path.parent.name, path.parent) for path in sorted(folder.glob("*/config.json"))]
    return found


def show(models: Sequence[Model], console: Console, *, as_json: bool) -> None:
    if as_json:
        rows = [
            {
                "name": model.name,
                "folder": str(model.folder),
                "megabytes": round(model.megabytes, 1),
                "version": model.version,
                "problem": model.problem,
            }
            for model in models
        ]
        console.print_json(json.dumps({"models": rows}))
        return
    table = Table("model", "directory", "MB", "version")
    for model in models:
        table.add_row(
            escape(model.name),
            escape(str(model.folder)),
            f"{model.megabytes:.1f}",
            "can't be loaded" if model.problem else model.version,
        )
    console.print(table)
    for model in models:
        if model.problem:
            console.print(escape(f"{model.name}: {model.problem}"))


def fetch(name: str, revision: str, folder: Path, console: Console) -> None:
    """Bring one commit of a hub's checkpoint into `folder`, and load it once."""
    try:
        download(name, revision, folder)
        model = TransformerClassifier(folder)
        model.classify(SAMPLE[:1])
    except ClassifierError as error:
        raise MonitorError(str(error)) from error
    console.print(
        escape(f"{folder}: {name} at {revision[:12]}, version {model.version}, loads and answers.")
    )
    console.print(
        escape(
            f'To use it: [classifier] kind = "transformer", model = "{folder}". Measure it first.'
        )
    )


def export(source: Path, target: Path, texts: Sequence[str], console: Console) -> None:
    """Write `source` as int8 ONNX into `target`, and tell how far the two agree."""
    if not source.is_dir():
        raise MonitorError(f"{source} is no directory: fetch the model first")
    try:
        found = to_int8(source, target, texts or SAMPLE)
    except ClassifierError as error:
        raise MonitorError(str(error)) from error
    console.print(
        escape(
            f"{target}: {found.after / 1e6:.1f} MB instead of {found.before / 1e6:.1f} MB. On {found.texts} "
            f"posts a label's probability differs by {found.largest:.3f} at most, {found.mean:.4f} on "
            f"average; {found.flips} labels changed sides."
        )
    )


def texts_of(path: Path | None) -> list[str]:
    """The words of a file of posts, a JSON object a line. Raises MonitorError."""
    if path is None:
        return []
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
        return [str(row["text"]) for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MonitorError(
            f"{path} can't be used ({type(error).__name__}): it must hold a JSON object with a text a line"
        ) from None
