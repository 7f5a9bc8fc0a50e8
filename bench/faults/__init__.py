"""Faults on purpose: does an urgent alert still arrive, and does nobody get a flood?

    python -m bench.faults [FAULT ...] [--short] [--write]

Each fault is a file here, named in `__main__.py`. What was offered and what arrived is counted outside of
the monitor: a feed that remembers every item, and a mail server that remembers every message.
"""
