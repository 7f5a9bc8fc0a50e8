"""Collecting and assessing 10,000 feed items end to end, peak memory, and the time to start.

    python bench/pipeline.py [--items 10000] [--share 0.05]

Twenty feeds of 500 items over real HTTP on loopback; `share` of the items are about one of our schools.
Everything else is the shipped pipeline: connector, matcher, lexicon, SQLite on disk, folder mail.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from xml.sax.saxutils import escape

from loopback import serve

PER_FEED = 500
OTHERS = (
    "The council meets on Thursday about the {0} in {1}.",
    "Lost near {1}: a {0}, answers to nothing, missed by all.",
    "Anyone know a decent {0} round {1} way? Ours has retired.",
    "Traffic is slow by the {0} in {1} after a lorry shed its load.",
)
OURS = (
    "Third time this term that Quenby Moor Academy has lost the {0}. Nobody rings back.",
    "Huge thanks to Quenby Moor Academy for the {0} at the fair, the kids loved it.",
    "Does Quenby Moor Academy have a {0} for year seven yet?",
    "The {0} outside Quenby Moor Academy is closed until Monday.",
    "Whoever runs Quenby Moor Academy couldn't organise a {0} in a cupboard.",
)
THINGS = "piano skip bridge choir boiler minibus hedge kettle gate scarecrow bus clock".split()  # noqa: SIM905
PLACES = "Aldmoor Brackwith Camber Dunmere Eskley Farrowby Gillingdale Hartlow".split()  # noqa: SIM905
SCHOOL = Path(__file__).parents[1] / "tests/data/config/quenby.toml"
MAIL = '[mail]\nchannel = "folder"\nfolder = "mail"\nsender = "monitor@trust.example"\n'


def document(feed: int, share: float) -> bytes:
    now = datetime.now(UTC)
    items = []
    for number in range(PER_FEED):
        shapes = OURS if random.random() < share else OTHERS
        words = " ".join(
            random.choice(shapes).format(random.choice(THINGS), random.choice(PLACES))
            for _ in range(3)
        )
        at = format_datetime(now - timedelta(minutes=number))
        items.append(
            f"<item><guid isPermaLink='false'>{feed}-{number}</guid><title>Post {number}</title>"
            f"<pubDate>{at}</pubDate><description>{escape(words)} ({feed}-{number})</description></item>"
        )
    body = "".join(items)
    return f"<rss version='2.0'><channel><title>Feed {feed}</title>{body}</channel></rss>".encode()


def start_up_s() -> float:
    """From nothing to a warm monitor: imports, configuration, matcher, classifier, database."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    write(folder, 1, 9)
    code = (
        "from pathlib import Path; from monitor import app; from monitor.config_file import load_config;"
        "from monitor.store.migrate import migrate;"
        f"a = app.build(load_config(Path({str(folder / 'config.toml')!r})));"
        "migrate(a.database); a.assessor.classifier.warm()"
    )
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - began


def write(folder: Path, feeds: int, port: int) -> Path:
    sources = "".join(
        f'[[sources]]\nid = "feed-{number}"\nkind = "rss"\nallow_private = true\n'
        f'url = "http://127.0.0.1:{port}/{number}"\n'
        for number in range(feeds)
    )
    path = folder / "config.toml"
    path.write_text(SCHOOL.read_text() + MAIL + sources, encoding="utf-8")
    return path


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--items", type=int, default=10_000)
    options.add_argument("--share", type=float, default=0.05)
    arguments = options.parse_args()
    random.seed(1)
    print(f"{'start-up, warm':<34}{min(start_up_s() for _ in range(3)):>10.2f} s (best of 3)")

    from monitor import app, logs  # noqa: PLC0415 - after the start-up was timed
    from monitor.config_file import load_config  # noqa: PLC0415
    from monitor.ports import SourceSpec  # noqa: PLC0415
    from monitor.store.migrate import migrate  # noqa: PLC0415

    feeds = arguments.items // PER_FEED
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    documents = [document(number, arguments.share) for number in range(feeds)]
    port = serve(lambda path: documents[int(path.rpartition("/")[2])])
    config = load_config(write(folder, feeds, port))
    logs.configure("json", "error")
    built = app.build(config)
    migrate(built.database)
    with built.store.begin() as rows:
        rows.sources.register(
            [
                SourceSpec(id=s.id, kind=s.kind, interval_s=s.every_s, fingerprint="")
                for s in config.sources
            ],
            now=built.clock(),
        )
    built.assessor.classifier.warm()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    for source in built.collector.sources:
        built.collector.collect(source)
    collected = time.perf_counter()
    while built.assessor.assess():
        pass
    assessed = time.perf_counter()
    for source in built.collector.sources:
        built.collector.collect(source)
    again = time.perf_counter()
    with built.store.read() as rows:
        stored = len(rows.mentions.settled())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    items = feeds * PER_FEED
    for name, seconds, count in (
        ("collect (fetch, parse, match, store)", collected - began, items),
        ("assess (classify, decide, store)", assessed - collected, stored),
        ("both, end to end", assessed - began, items),
        ("collect again, nothing new", again - assessed, items),
    ):
        print(f"{name:<38}{seconds:>8.2f} s{count:>8} posts{count / seconds:>10,.0f} posts/s")
    print(f"{'mentions stored':<38}{stored:>8}")
    print(f"{'peak memory':<38}{peak / 1024:>8.0f} MiB (before the run {before / 1024:.0f})")


if __name__ == "__main__":
    main()
