"""The training loop: length-bucketed batches, masked losses, layer-wise rates, averaged weights.

A stage can be stopped and run again: it goes on after its last finished epoch.
"""

from __future__ import annotations

import math
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch.nn import functional

from classifiers.training.augment import twisted
from classifiers.training.examples import LABELS, OFFENSIVE, SENTIMENT, SEVERITY, Example
from classifiers.training.network import Network, cut, padded

BATCH = 32
SMOOTH = 0.04  # label smoothing
DECAY = 0.85  # of the learning rate, per layer downwards
AVERAGE = 0.997  # of the weights, per step
# sentiment and severity: how much their loss counts beside the labels' (mean over labels, times this)
SHARES = {"labels": 6.0, "offensive": 1.0, "sentiment": 0.7, "severity": 1.5}
SEVERITY_WEIGHT = torch.tensor([1.0, 1.15, 1.25])

Epoch = Callable[[int, random.Random], list[Example]]


def groups(network: Network, rate: float) -> list[dict[str, Any]]:
    """Parameters with layer-wise rates; norms and biases aren't decayed."""
    depth = len(network.bert.encoder.layer)
    found = []
    for name, weight in network.named_parameters():
        if not weight.requires_grad:
            continue
        level = depth + 1
        if ".embeddings." in name:
            level = 0
        elif ".layer." in name:
            level = 1 + int(name.split(".layer.")[1].split(".")[0])
        pace = rate * (5 if name.startswith("heads") else DECAY ** (depth + 1 - level))
        found.append(
            {"params": [weight], "lr": pace, "top": pace, "weight_decay": 0.01 * (weight.dim() > 1)}
        )
    return found


def batches(lengths: Sequence[int], rng: random.Random) -> list[list[int]]:
    """Indices in batches of like length, in random order."""
    order = sorted(range(len(lengths)), key=lambda at: lengths[at] + rng.random() * 8)
    cuts = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
    rng.shuffle(cuts)
    return cuts


def balance(examples: Sequence[Example]) -> Any:
    """What a positive weighs beside a negative, per sigmoid: the square root of their odds, at most 4."""
    weights = torch.ones(OFFENSIVE + 1)
    for place in (*range(LABELS), OFFENSIVE):
        known = [e.flags[place] for e in examples if place in e.flags]
        if known and sum(known):
            weights[place] = min(4.0, math.sqrt((len(known) - sum(known)) / sum(known)))
    return weights


def loss_of(logits: Any, some: Sequence[Example], weights: Any) -> Any:
    """Mean loss of one batch over the heads that its rows know."""
    truth = torch.zeros_like(logits)
    mask = torch.zeros_like(logits)
    for at, example in enumerate(some):
        for place, flag in example.flags.items():
            truth[at, place] = flag
            share = SHARES["offensive"] if place == OFFENSIVE else SHARES["labels"] / LABELS
            # A row that knows one label only (hate) must not count for less than one that knows all.
            mask[at, place] = share * example.weight * (2 if len(example.flags) == 1 else 1)
    soft = truth * (1 - SMOOTH) + SMOOTH / 2
    entropy = functional.binary_cross_entropy_with_logits(
        logits, soft, pos_weight=weights, reduction="none"
    )
    total = (entropy * mask).sum()
    for head, places, extra in (
        ("sentiment", SENTIMENT, None),
        ("severity", SEVERITY, SEVERITY_WEIGHT),
    ):
        known = [at for at, e in enumerate(some) if getattr(e, head) is not None]
        if known:
            ranks = torch.tensor([getattr(some[at], head) for at in known])
            each = functional.cross_entropy(
                logits[known][:, places],
                ranks,
                weight=extra,
                label_smoothing=SMOOTH,
                reduction="none",
            )
            scale = torch.tensor([some[at].weight for at in known])
            total = total + SHARES[head] * (each * scale).sum()
    return total / len(some)


def train(
    network: Network,
    tokenizer: Tokenizer,
    epoch: Epoch,
    *,
    epochs: int,
    rate: float,
    seed: int,
    keep: Path,
    after: Callable[[Network, int], None] = lambda _network, _epoch: None,
    stop_at: float = math.inf,
) -> Network:
    """Train `network`; returns it with averaged weights. `epoch` gives each pass's examples, `keep` is
    the checkpoint file, `after` sees the averaged network after each epoch. `stop_at`: epoch seconds
    after which no new pass begins."""
    rng = random.Random(seed)
    torch.manual_seed(seed)
    optimiser = torch.optim.AdamW(groups(network, rate), fused=True)
    averaged = Network(network.bert.config)
    averaged.load_state_dict(network.state_dict())
    done = 0
    if keep.is_file():
        state = torch.load(keep, weights_only=True)
        network.load_state_dict(state["network"])
        averaged.load_state_dict(state["averaged"])
        optimiser.load_state_dict(state["optimiser"])
        done = state["done"]
    step = steps = 0
    for number in range(epochs):
        rng.seed(seed * 1000 + number)
        examples = epoch(number, rng)
        texts = [twisted(e.text, rng, 1.0 if e.school else 0.6) for e in examples]
        rows = [cut(found.ids) for found in tokenizer.encode_batch(texts)]
        order = batches([len(row) for row in rows], rng)
        steps = steps or len(order) * epochs
        if number < done:
            step += len(order)
            continue
        if time.time() > stop_at:
            break
        weights = balance(examples)
        network.train()
        started, seen, losses = time.time(), 0, 0.0
        for at, batch in enumerate(order):
            pace = min(1.0, (step + 1) / (0.06 * steps)) * max(0.02, 1 - step / steps)
            for group in optimiser.param_groups:
                group["lr"] = group["top"] * pace
            loss = loss_of(
                network(*padded([rows[i] for i in batch])), [examples[i] for i in batch], weights
            )
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            optimiser.zero_grad()
            step, seen, losses = step + 1, seen + len(batch), losses + loss.item()
            _average(averaged, network, min(AVERAGE, (1 + step) / (10 + step)))
            if at % 50 == 0:
                sys.stderr.write(
                    f"\r{keep.stem} pass {number + 1}/{epochs} {at}/{len(order)} "
                    f"loss {losses / (at + 1):.3f} {seen / (time.time() - started):.0f}/s "
                )
                sys.stderr.flush()
        sys.stderr.write("\n")
        torch.save(
            {
                "network": network.state_dict(),
                "averaged": averaged.state_dict(),
                "optimiser": optimiser.state_dict(),
                "done": number + 1,
            },
            keep,
        )
        after(averaged, number + 1)
    network.load_state_dict(averaged.state_dict())
    return network


def _average(averaged: Network, network: Network, decay: float) -> None:
    with torch.no_grad():
        torch._foreach_lerp_(  # what torch's own AveragedModel uses
            [weight for weight in averaged.parameters() if weight.requires_grad],
            [weight for weight in network.parameters() if weight.requires_grad],
            1 - decay,
        )
