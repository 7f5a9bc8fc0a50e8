"""How fast the lexicon is: posts a second on one core, start-up, peak memory, and long texts.

    python bench/classify.py [FOLDER]

FOLDER holds JSONL files with a "text" a line (../shared/data/school by default); without it, sentences
made up here are used.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from classifiers.lexicon import LexiconClassifier

MADE_UP = [
    "The summer fair is on Saturday and there will be cake, bring your wellies.",
    "Emailed the office three times about the bus and still no reply, absolute shambles.",
    "Does anyone know what time the open evening starts at the new building?",
    "tick tock mr pardew, i know what time you leave",
] * 1000


def texts_of(folder: Path) -> list[str]:
    lines = [
        line
        for path in sorted(folder.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    return [text for line in lines if (text := json.loads(line).get("text"))] or MADE_UP


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("../shared/data/school")
    texts = texts_of(folder)
    classifier = LexiconClassifier()
    before = time.perf_counter()
    classifier.warm()
    print(f"start-up          {time.perf_counter() - before:8.2f} s")
    rates = []
    for _ in range(3):
        before = time.process_time()
        classifier.classify(texts)
        rates.append(len(texts) / (time.process_time() - before))
    length = sum(map(len, texts)) / len(texts)
    print(f"posts             {len(texts):8d} of {length:.0f} characters on average")
    print(f"rate              {max(rates):8.0f} posts/s on one core (best of 3)")
    for size in (1_000, 10_000, 100_000, 1_000_000):
        text = (" ".join(texts[:50]) * (size // 1000))[:size]
        before = time.process_time()
        classifier.classify([text])
        print(f"{size:9d} chars   {(time.process_time() - before) * 1000:8.1f} ms")
    print(f"peak memory       {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f} MiB")


if __name__ == "__main__":
    main()
