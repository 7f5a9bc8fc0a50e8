"""The monitor as `trust-monitor run` runs it, with the harness's kind of source beside the others."""

from __future__ import annotations

import sys

from bench.faults import source
from monitor.cli import main

if __name__ == "__main__":
    source.register()
    sys.argv = ["trust-monitor", "run", "--config", sys.argv[1]]
    main()
