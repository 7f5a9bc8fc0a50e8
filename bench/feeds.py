"""Feed corpus robustness: every file of a corpus through the feed connector's reader.

    python bench/feeds.py PATH_TO_FEEDPARSER/tests

Each document is taken apart and turned into posts as the connector does it, under a limit of time. A
document that is refused, with the reason, is an answer; an exception, or a file over the limit, is a
failure. feedparser's own tests hold 2,000 files: `pip download --no-binary :all: --no-deps feedparser`.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from types import FrameType

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from connectors import feed_document
from connectors.errors import SourceUnavailable
from connectors.rss import Feed, to_post

SUFFIXES = {".xml", ".rss", ".atom", ".rdf", ".json", ".gz", ".z"}
FEED = Feed(platform="rss", url="https://feeds.example/feed", base="https://feeds.example/feed")


class TooLong(Exception):
    """A document took longer than the limit."""


def main() -> int:
    """Read the corpus; return 1 when a file failed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("corpus", type=Path, help="a file, or a folder that is searched for feeds")
    options.add_argument("--limit", type=float, default=5.0, help="seconds for one file")
    options.add_argument("--slowest", type=int, default=5, help="how many of the slowest to print")
    chosen = options.parse_args()
    found = [chosen.corpus] if chosen.corpus.is_file() else sorted(chosen.corpus.rglob("*"))
    files = [path for path in found if path.is_file() and path.suffix.lower() in SUFFIXES]
    if not files:
        options.error(f"no feeds below {chosen.corpus}")
    signal.signal(signal.SIGALRM, _too_long)
    counts: Counter[str] = Counter()
    seconds: dict[Path, float] = {}
    failures: list[tuple[Path, str]] = []
    for path in files:
        started = time.perf_counter()
        signal.setitimer(signal.ITIMER_REAL, chosen.limit)
        try:
            counts += read(path)
        except Exception as error:  # noqa: BLE001  (any exception is what is looked for)
            failures.append((path, f"{type(error).__name__}: {error}"))
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        seconds[path] = time.perf_counter() - started
    for path, why in failures:
        print(f"FAILED  {path}: {why}")
    for path in sorted(seconds, key=seconds.__getitem__, reverse=True)[: chosen.slowest]:
        print(f"{seconds[path] * 1000:9.1f} ms  {path}")
    for what, count in sorted(counts.items()):
        if what.startswith("  "):
            print(f"{count:6,}{what}")
    print(
        f"{len(files):,} files, {counts['feeds']:,} feeds, {counts['refused']:,} refused, "
        f"{counts['posts']:,} posts, {counts['skipped']:,} items skipped; "
        f"{len(failures)} failures; {sum(seconds.values()):.1f} s in all"
    )
    return 1 if failures else 0


def read(path: Path) -> Counter[str]:
    """Take one document apart; return what it gave."""
    content_type = "application/json" if path.suffix == ".json" else "application/xml"
    try:
        document = feed_document.parse(path.read_bytes(), content_type)
    except SourceUnavailable as error:
        return Counter({"refused": 1, f"  refused: {error}": 1})
    posts = [to_post(item, FEED) for item in document.items]
    assert all(post.content_hash for post in posts)
    return Counter(feeds=1, posts=len(posts), skipped=document.skipped)


def _too_long(_signum: int, _frame: FrameType | None) -> None:
    raise TooLong("over the limit")


if __name__ == "__main__":
    raise SystemExit(main())
