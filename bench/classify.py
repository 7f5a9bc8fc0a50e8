"""How fast judging is: the lexicon, the built-in model, and both against a plain torch pipeline.

    python bench/classify.py [FOLDER] [--work W]

FOLDER holds JSONL files with a "text" a line (the school posts of classifiers/training/data by default).
W is the training's work folder: with it, where torch is installed, the float weights are run one post at
a time on the same texts, and the ratio is told. The model is timed on the development split.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from classifiers.lexicon import LexiconClassifier
from classifiers.training import posts
from classifiers.transformer import TransformerClassifier
from classifiers.verdict import Classifier

BUILTIN = Path(__file__).resolve().parents[1] / "classifiers" / "builtin"


def texts_of(folder: Path) -> list[str]:
    lines = [
        line
        for path in sorted(folder.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    return [text for line in lines if (text := json.loads(line).get("text"))]


def rate(run: Callable[[], object], count: int, times: int = 3) -> float:
    """Best posts a second of wall time."""
    best = 0.0
    for _ in range(times):
        before = time.perf_counter()
        run()
        best = max(best, count / (time.perf_counter() - before))
    return best


def lexicon(texts: list[str]) -> None:
    classifier = LexiconClassifier()
    before = time.perf_counter()
    classifier.warm()
    print(f"lexicon start-up        {time.perf_counter() - before:8.2f} s")
    length = sum(map(len, texts)) / len(texts)
    print(f"posts                   {len(texts):8d} of {length:.0f} characters on average")
    print(f"lexicon                 {rate(lambda: classifier.classify(texts), len(texts)):8.0f}/s")
    long_texts(classifier, texts, (1_000, 10_000, 100_000, 1_000_000))


def long_texts(classifier: Classifier, texts: list[str], sizes: tuple[int, ...]) -> None:
    for size in sizes:
        text = (" ".join(texts[:50]) * (size // 1000))[:size]
        before = time.perf_counter()
        classifier.classify([text])
        print(f"  {size:9d} characters  {(time.perf_counter() - before) * 1000:8.1f} ms")


def built_in(work: Path | None) -> None:
    _, held = posts.divided(posts.read())
    texts = [post.text for post in held]
    model = TransformerClassifier(BUILTIN)
    before = time.perf_counter()
    model.classify(["hello"])
    print(f"model, first verdict    {time.perf_counter() - before:8.2f} s")
    quick = rate(lambda: model.classify(texts), len(texts))
    print(
        f"model, int8, sorted     {quick:8.0f}/s on the {len(texts)} posts of the split, 2 threads"
    )
    long_texts(model, texts, (1_000, 10_000, 100_000))
    code = (
        "import resource; from classifiers.transformer import TransformerClassifier as T; "
        f"T({str(BUILTIN)!r}).classify(['hello']); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
    )
    before = time.perf_counter()
    peak = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    took = time.perf_counter() - before
    print(f"fresh process           {took:8.2f} s to a verdict, {peak.stdout.strip()} MiB at most")
    if work is not None:
        slow = one_at_a_time(work, texts[::4])
        print(f"torch, one at a time    {slow:8.0f}/s: int8 is {quick / slow:.1f} times as fast")


def one_at_a_time(work: Path, texts: list[str]) -> float:
    import torch  # noqa: PLC0415 - only with --work

    from classifiers.training.network import padded  # noqa: PLC0415
    from classifiers.training.steps import load  # noqa: PLC0415

    torch.set_num_threads(2)
    network, tokenizer = load(work)

    def run() -> None:
        with torch.inference_mode():
            for text in texts:
                network(*padded([tokenizer.encode(text).ids[:256]]))

    return rate(run, len(texts), times=2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=posts.DATA)
    parser.add_argument("--work", type=Path)
    chosen = parser.parse_args()
    lexicon(texts_of(chosen.folder))
    if (BUILTIN / "config.json").is_file():
        built_in(chosen.work)
    print(
        f"peak memory             {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f} MiB"
    )


if __name__ == "__main__":
    main()
