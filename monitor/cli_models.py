"""`trust-monitor models`: other classifiers than the built-in one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli_options import DEFAULT_CONFIG, ConfigPath, Json, told

models = typer.Typer(
    help="List, fetch, shrink and measure classifier models.", no_args_is_help=True
)
Folder = Annotated[Path, typer.Argument(help="A checkpoint directory.")]


@models.command("list")
@told
def models_list(
    config: ConfigPath = DEFAULT_CONFIG,
    folder: Annotated[
        Path | None, typer.Option("--in", help="Also the checkpoints beneath this folder.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the models that are here, and whether they load."""
    from rich.console import Console

    from monitor.commands import models as command
    from monitor.config_file import load_config

    configured = load_config(config).classifier.model if config.exists() else None
    command.show(command.listed(command.here(configured, folder)), Console(), as_json=as_json)


@models.command("fetch")
@told
def models_fetch(
    name: Annotated[str, typer.Argument(help="The model's id on the hub.")],
    revision: Annotated[str, typer.Option("--revision", help="The commit: 40 hexadecimal digits.")],
    to: Annotated[Path, typer.Option("--to", help="The new directory for it.")],
) -> None:
    """Fetch one commit of a model from the hub, and check that it loads."""
    from rich.console import Console

    from monitor.commands.models import fetch

    fetch(name, revision, to, Console())


@models.command("export")
@told
def models_export(
    source: Folder,
    to: Annotated[Path, typer.Option("--to", help="The new directory for the small copy.")],
    jsonl: Annotated[
        Path | None, typer.Option("--jsonl", help="Compare on these posts, a JSON object a line.")
    ] = None,
) -> None:
    """Write a model as int8 ONNX, a quarter of the size, and say how far the two agree."""
    from rich.console import Console

    from monitor.commands.models import export, texts_of

    export(source, to, texts_of(jsonl), Console())


@models.command("evaluate")
@told
def models_evaluate(
    folder: Folder,
    jsonl: Annotated[
        Path, typer.Option("--jsonl", help="Labelled posts, a JSON object a line (text, severity).")
    ],
    show: Annotated[
        bool, typer.Option("--show", help="Print the words of the worst misses.")
    ] = False,
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Measure a model, with the lexicon beneath it and the packaged rules, on labelled posts."""
    from rich.console import Console

    from classifiers.errors import ClassifierError
    from monitor.commands.bench import build_bench
    from monitor.commands.evaluate import evaluate
    from monitor.errors import MonitorError

    if not jsonl.is_file():
        raise MonitorError(f"{jsonl} is not a file: give the labelled posts, a line each.")
    bench = build_bench(None, config, assume_mention=True, model=folder)
    try:
        with jsonl.open(encoding="utf-8") as lines:
            evaluate(bench, lines, Console(), show=show)
    except ClassifierError as error:
        raise MonitorError(str(error)) from error
