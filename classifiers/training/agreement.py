"""The exported int8 model against the float one that it was made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from classifiers.training import calibrate, metrics, network, posts
from classifiers.training.examples import LABELS, SEVERITY
from classifiers.training.steps import load


def agreement(
    work: Path, folder: Path, held: Sequence[posts.Post], int8: Any
) -> list[tuple[str, str]]:
    """(name, figure): the largest difference of a probability, and decisions that differ."""
    model, tokenizer = load(work)
    floats = network.predict(model, tokenizer, [post.text for post in held])
    chosen = calibrate.read(folder)
    whole = floats + calibrate.added(chosen)
    gap = np.abs(metrics.sigmoid(whole[:, :LABELS]) - metrics.sigmoid(int8[:, :LABELS]))
    shares = np.abs(metrics.softmax(whole[:, SEVERITY]) - metrics.softmax(int8[:, SEVERITY]))
    chosen = replace(chosen, shift={})  # it stands in both by now
    one, other = calibrate.decided(whole, chosen), calibrate.decided(int8, chosen)
    return [
        ("int8 against float: largest label difference", f"{gap.max():.3f}"),
        ("  mean label difference", f"{gap.mean():.4f}"),
        ("  largest severity difference", f"{shares.max():.3f}"),
        ("  label flips", f"{(one[1] != other[1]).sum()} of {one[1].size}"),
        ("  severity flips", f"{(one[0] != other[0]).sum()} of {len(held)}"),
    ]
