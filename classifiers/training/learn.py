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
from classifiers.training.identity import swapped
from classifiers.training.network import Network, cut, padded

BATCH = 32
SMOOTH = 0.04  # label smoothing
DECAY = 0.85  # of the learning rate, per layer downwards
AVERAGE = 0.997  # of the weights, per step
WORDS = "bert.embeddings.word_embeddings.weight"
WORD_RATE = 0.2  # of the stage's rate, for word embeddings
WORD_AVERAGE_EVERY = 20  # steps: they are half of all weights
HIDDEN = 0.06  # share of a text's tokens that are hidden
# sentiment and severity: how much their loss counts beside the labels' (mean over labels, times this)
SHARES = {"labels": 6.0, "offensive": 1.0, "sentiment": 0.7, "severity": 1.5}
SEVERITY_WEIGHT = torch.tensor([1.0, 1.15, 1.25])

Epoch = Callable[[int, random.Random], list[Example]]


def groups(network: Network, rate: float) -> list[dict[str, Any]]:
    """Parameters with layer-wise rates; norms and biases aren't decayed."""
    depth = len(network.bert.encoder.layer)
    found = []
    for name, weight in network.named_parameters():
        if name == WORDS:  # sparse gradients: an optimiser of its own
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


def hidden(ids: list[int], mask: int, rng: random.Random) -> list[int]:
    """`ids` with a few tokens masked, but for the first and last: no single word may decide alone."""
    return [
        mask if 0 < at < len(ids) - 1 and rng.random() < HIDDEN else token
        for at, token in enumerate(ids)
    ]


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


class Descent:
    """Both optimisers as one: the word embeddings have sparse gradients, since one batch knows few words."""

    def __init__(self, network: Network, rate: float) -> None:
        self._network, self._words = network, network.get_parameter(WORDS)
        self._others = [weight for weight in network.parameters() if weight is not self._words]
        sparse = {"params": [self._words], "lr": rate * WORD_RATE, "top": rate * WORD_RATE}
        self._both = (
            torch.optim.AdamW(groups(network, rate), fused=True),
            torch.optim.SparseAdam([sparse]),
        )

    def step(self, loss: Any, pace: float) -> None:
        """One step down `loss`, at `pace` (0..1) of the rates."""
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._others, 1.0)
        for optimiser in self._both:
            for group in optimiser.param_groups:
                group["lr"] = group["top"] * pace
            optimiser.step()
        self._network.zero_grad()

    def state(self) -> list[Any]:
        return [optimiser.state_dict() for optimiser in self._both]

    def load(self, states: list[Any]) -> None:
        for optimiser, state in zip(self._both, states, strict=True):
            optimiser.load_state_dict(state)


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
    by when the rates have fallen, and after which no new pass begins; a machine that others use too
    finishes in time so, with fewer passes."""
    rng = random.Random(seed)
    torch.manual_seed(seed)
    descent = Descent(network, rate)
    mask = int(tokenizer.token_to_id("[MASK]") or 0)
    averaged = Network(network.bert.config)
    averaged.load_state_dict(network.state_dict())
    done = 0
    if keep.is_file():
        state = torch.load(keep, weights_only=True)
        network.load_state_dict(state["network"])
        averaged.load_state_dict(state["averaged"])
        descent.load(state["descent"])
        done = state["done"]
    step = steps = 0
    began = time.time()
    for number in range(epochs):
        rng.seed(seed * 1000 + number)
        examples = epoch(number, rng)
        texts = [twisted(swapped(e.text, rng), rng, 1.0 if e.school else 0.6) for e in examples]
        rows = [hidden(cut(found.ids), mask, rng) for found in tokenizer.encode_batch(texts)]
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
            gone = max(step / steps, (time.time() - began) / (stop_at - began))
            pace = min(1.0, (step + 1) / (0.06 * steps)) * max(0.02, 1 - gone)
            loss = loss_of(
                network(*padded([rows[i] for i in batch])), [examples[i] for i in batch], weights
            )
            descent.step(loss, pace)
            step, seen, losses = step + 1, seen + len(batch), losses + loss.item()
            _average(averaged, network, step)
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
                "descent": descent.state(),
                "done": number + 1,
            },
            keep,
        )
        after(averaged, number + 1)
    network.load_state_dict(averaged.state_dict())
    return network


def _average(averaged: Network, network: Network, step: int) -> None:
    """Move the averaged weights towards the present ones; the word embeddings only every so often."""
    decay = min(AVERAGE, (1 + step) / (10 + step))
    pairs = [
        (old, new)
        for (name, old), new in zip(averaged.named_parameters(), network.parameters(), strict=True)
        if name != WORDS
    ]
    with torch.no_grad():
        # what torch's own AveragedModel uses
        torch._foreach_lerp_([old for old, _ in pairs], [new for _, new in pairs], 1 - decay)
        if step % WORD_AVERAGE_EVERY == 0:
            averaged.get_parameter(WORDS).lerp_(
                network.get_parameter(WORDS), 1 - decay**WORD_AVERAGE_EVERY
            )
