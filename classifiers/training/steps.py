"""The two steps that need torch: train and export."""

from __future__ import annotations

import math
import os
import random
import shutil
import sys
import time
from pathlib import Path

import torch
from tokenizers import Tokenizer

from classifiers.training import calibrate, examples, learn, metrics, network, plan, posts
from classifiers.training.export import export as write_checkpoint

PUBLIC_RATE, SCHOOL_RATE = 1.2e-4, 1.1e-4  # of the heads' neighbours; layer by layer lower


def train(
    public: Path,
    work: Path,
    passes: int,
    *,
    earlier: Path | None = None,
    minutes: float = math.inf,
) -> None:
    """Both stages. Goes on after the last finished pass in `work`. `earlier`: the work folder of a
    training whose weights and tokenizer the school stage begins with, instead of a public pass.
    `minutes`: how long the school stage may take."""
    torch.set_num_threads(min(8, os.cpu_count() or 1))
    work.mkdir(parents=True, exist_ok=True)
    taught, held = posts.divided(posts.read())
    pools = plan.Pools(public)
    named = work / "tokenizer.json"
    if earlier is not None and not named.is_file():
        shutil.copyfile(earlier / "tokenizer.json", named)
        shutil.copyfile(earlier / "model.state", work / "public.state")
    if named.is_file():
        tokenizer = Tokenizer.from_file(str(named))
        model = network.empty(tokenizer)
    else:
        tokenizer, emoji = network.with_emoji([*(post.text for post in taught), *pools.texts()])
        model = network.fresh(tokenizer, emoji)
        tokenizer.save(str(named))
    start, first = work / "start.state", work / "public.state"
    if not start.is_file() and not first.is_file():
        torch.save(model.state_dict(), start)
    if not first.is_file():
        model.load_state_dict(torch.load(start, weights_only=True))
        learn.train(
            model,
            tokenizer,
            pools.public,
            epochs=1,
            rate=PUBLIC_RATE,
            seed=1,
            keep=work / "public.pt",
        )
        torch.save(model.state_dict(), first)
    model.load_state_dict(torch.load(first, weights_only=True))

    def school(number: int, rng: random.Random) -> list[examples.Example]:
        return plan.school(taught, pools, number, rng)

    def told(averaged: network.Network, number: int) -> None:
        logits = network.predict(averaged, tokenizer, [post.text for post in held])
        sys.stderr.write(f"after pass {number}: {summary(logits, held)}\n")

    learn.train(
        model,
        tokenizer,
        school,
        epochs=passes,
        rate=SCHOOL_RATE,
        seed=2,
        keep=work / "school.pt",
        after=told,
        stop_at=time.time() + minutes * 60,
    )
    torch.save(model.state_dict(), work / "model.state")


def summary(logits: object, held: list[posts.Post]) -> str:
    """One line of development figures from raw logits, before any calibration."""
    truth = calibrate.truth_of(held)
    chances = metrics.softmax(logits[:, examples.SEVERITY])  # type: ignore[index]
    urgent = truth.severity == 2
    recall, _ = metrics.recall_at(chances[:, 2], urgent, 0.80)
    return (
        f"urgent recall at precision 0.80 {recall:.3f}, average precision "
        f"{metrics.average_precision(chances[:, 2], urgent):.3f}, severity macro-F1 "
        f"{metrics.macro_f1(chances.argmax(axis=1), truth.severity, 3):.3f}"
    )


def load(work: Path) -> tuple[network.Network, Tokenizer]:
    """The trained float network and its tokenizer. Raises OSError when there is none."""
    tokenizer = Tokenizer.from_file(str(work / "tokenizer.json"))
    model = network.empty(tokenizer)
    model.load_state_dict(torch.load(work / "model.state", weights_only=True))
    return model.eval(), tokenizer


def export(work: Path, out: Path) -> None:
    """Calibrate on the development split and write the checkpoint directory."""
    model, tokenizer = load(work)
    _, held = posts.divided(posts.read())
    write_checkpoint(model, tokenizer, held, out)
    size = sum(path.stat().st_size for path in out.iterdir()) / 1e6
    sys.stdout.write(f"{out}: {size:.1f} MB\n")
