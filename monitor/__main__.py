"""`python -m monitor` is `trust-monitor`."""

from monitor.cli import main

main()
