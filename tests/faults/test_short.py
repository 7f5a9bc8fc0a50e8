"""The short form of each fault in bench/faults: the same code as the full run, at a small volume."""

from __future__ import annotations

import warnings

import pytest

from bench.faults.__main__ import FAULTS, SHORT
from tests import postgresql

SLOW = {"soak", "hanging"}  # their short forms still need minutes to say anything


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", sorted(FAULTS.keys() - SLOW))
def test_short_form_passes(name: str) -> None:
    """Nothing is lost, and nothing is sent too often, under a little of every fault."""
    if name.startswith("postgres") and not postgresql.is_installed():
        warnings.warn("NOT TESTED ON POSTGRESQL: it is not installed", stacklevel=1)
        pytest.skip("PostgreSQL's server programs (initdb, postgres) are not installed")
    for row in FAULTS[name](SHORT):
        assert not row.faults, " | ".join(row.cells())
