"""Hours of ordinary life, compressed: memory and descriptors stay level after the warm-up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.faults.burst import wait_until_started
from bench.faults.offering import Feed
from bench.faults.report import Row, faults_of
from bench.faults.world import ROOT, write_config
from tests.delivery.smtp_faults import FaultyServer

WARM_UP = 0.25  # of the time
SAMPLES_EVERY_S = 10.0


def hours(length: float) -> Row:
    """A poll every five seconds, each with something new, for so many hours."""
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="faults-soak-"))
    with Feed(lambda draw: draw.choice((0, 1, 2)), 7) as feed, FaultyServer() as relay:
        config = write_config(folder, url=feed.url, port=relay.port)
        with (folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "bench.faults.plain", str(config)],
                stdout=log,
                stderr=log,
                cwd=ROOT,
            )
        wait_until_started(folder / "log")
        samples = []
        while time.monotonic() - began < length * 3600 and process.poll() is None:
            time.sleep(min(SAMPLES_EVERY_S, length * 360))
            samples.append((time.monotonic() - began, *_of(process.pid)))
        process.send_signal(signal.SIGTERM)
        status = process.wait(90)
    at, memory, descriptors = np.array(samples).T
    warm = at > WARM_UP * at[-1]
    slope = float(np.polyfit(at[warm] / 3600, memory[warm] / 1e6, 1)[0])
    more = int(descriptors[warm][-1] - descriptors[warm][0])
    return Row(
        fault="soak",
        volume=f"{length:g} h, {len(feed.items):,} posts, {len(relay.accepted):,} mails",
        note=f"memory {memory[-1] / 1e6:.0f} MB, {slope:+.1f} MB/h after the warm-up; "
        f"descriptors {more:+d} to {int(descriptors[-1])}; exit status {status}",
        faults=faults_of(
            memory_grows=slope >= 1.0, descriptors_grow=more > 5, exit_status=status != 0
        ),
        minutes=(time.monotonic() - began) / 60,
    )


def _of(process: int) -> tuple[int, int]:
    """Bytes in memory, and open descriptors."""
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE"), sum(1 for _ in Path(f"/proc/{process}/fd").iterdir())
