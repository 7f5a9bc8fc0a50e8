"""`python -m bench.faults [FAULT ...] [--short] [--write]`: run faults, print a table.

    python -m bench.faults --list
    python -m bench.faults kills smtp        these two, at full volume
    python -m bench.faults --short           all of them, small: what `make test` runs
    python -m bench.faults --share 0.1       all of them, at a tenth of the volume
    python -m bench.faults --write           ... and put the table into docs/reliability.md

It ends with 1 when a row failed. Rows of a run that names some faults replace only theirs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from bench.faults import (
    burst,
    clocks,
    hanging,
    hostile,
    kills,
    outage,
    points,
    postgres,
    smtp,
    soak,
    storage,
)
from bench.faults.report import HEADS, Row
from monitor.logs import configure

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
SHORT = 0.0
BEGIN, END = "<!-- table: python -m bench.faults --write -->\n", "<!-- end of table -->\n"
MEMORY = Path(__file__).parent / "last_run.json"

FAULTS: dict[str, Callable[[float], list[Row]]] = {
    "kills": lambda share: [kills.sqlite(part(10_000, share, 25))],
    "postgres-kills": lambda share: [postgres.kills(part(2_000, share, 15))],
    "postgres-stops": lambda share: [postgres.stops(part(50, share, 2))],
    "points": lambda share: points.all_points(part(200, share, 1)),
    "smtp": lambda share: smtp.modes(part(100, share, 2)),
    "outage": lambda share: [outage.six_hours(part(500, share, 30))],
    "storage": lambda share: storage.all_of(part(100, share, 3)),
    "clocks": lambda _: clocks.all_of(),
    "hanging": lambda share: [hanging.half(part(40, share * 4, 10), max(0.5, 30 * share))],
    "burst": lambda share: [
        burst.minute(part(10, share, 1))
        if share > SHORT
        else burst.minute(1, mentions=200, urgent=5, over_s=4)
    ],
    "hostile": lambda share: hostile.all_of(part(10_000, share, 200), few=share == SHORT),
    "soak": lambda share: [soak.hours(max(0.01, 2 * share))],
}
"""Each fault's rows, at a share of the full volume; SHORT asks for the least that still tells something."""


def part(full: int, share: float, least: int) -> int:
    """A share of the full volume, and no less than `least` nor more than all."""
    return min(full, max(least, round(full * share)))


def main() -> int:
    """See the module."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("faults", nargs="*", help=", ".join(FAULTS))
    options.add_argument("--short", action="store_true")
    options.add_argument("--share", type=float, default=1.0, help="of the full volume, 0 to 1")
    options.add_argument("--write", action="store_true")
    options.add_argument("--list", action="store_true")
    chosen = options.parse_args()
    if chosen.list:
        print("\n".join(FAULTS))
        return 0
    unknown = set(chosen.faults) - FAULTS.keys()
    if unknown:
        options.error(f"no such fault: {', '.join(sorted(unknown))}; there are {', '.join(FAULTS)}")
    configure("json", "error")
    failed = False
    for name in chosen.faults or FAULTS:
        print(f"== {name}", flush=True)
        rows = FAULTS[name](SHORT if chosen.short else chosen.share)
        for row in rows:
            print("  " + " | ".join(row.cells()), flush=True)
        failed = failed or any(row.faults for row in rows)
        if chosen.write:
            write(name, rows)
    return int(failed)


def write(name: str, rows: list[Row]) -> None:
    """Keep the rows of one fault, and write the page anew from all that are kept."""
    kept = json.loads(MEMORY.read_text(encoding="utf-8")) if MEMORY.exists() else {}
    kept[name] = {
        "on": f"{datetime.now(UTC):%-d %B %Y}",
        "machine": f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}",
        "rows": [row.cells() for row in rows],
    }
    MEMORY.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(before + BEGIN + "\n" + table(kept) + "\n" + END + after, encoding="utf-8")


def table(kept: dict[str, dict[str, object]]) -> str:
    """The kept rows, each with its date, and the machine beneath."""
    heads = (*HEADS[:-2], "date", *HEADS[-2:])
    lines = [heads, tuple("---" for _ in heads), *_dated(kept)]
    said = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    machines = sorted({str(entry["machine"]) for entry in kept.values()})
    return f"{said}\n\nMachine: {'; '.join(machines)}.\n"


def _dated(kept: dict[str, dict[str, object]]) -> Iterator[tuple[str, ...]]:
    for name in FAULTS:
        entry = kept.get(name)
        if entry is None:
            continue
        for row in entry["rows"]:  # type: ignore[attr-defined]
            yield (*row[:-2], str(entry["on"]), *row[-2:])


if __name__ == "__main__":
    sys.exit(main())
