"""For authors of connectors: the contract suite and what it needs. Needs pytest, which the monitor itself
does not; see docs/connectors.md."""

import pytest

pytest.register_assert_rewrite("connectors.testing.suite")

from connectors.testing.harness import (  # noqa: E402 - the suite's asserts are rewritten first
    NOW,
    SECRET,
    TIMEOUT_S,
    Draft,
    Fault,
    Faults,
    Harness,
    Reader,
    drafts,
    edited,
)
from connectors.testing.suite import FAULTS, ContractSuite  # noqa: E402

__all__ = [
    "FAULTS",
    "NOW",
    "SECRET",
    "TIMEOUT_S",
    "ContractSuite",
    "Draft",
    "Fault",
    "Faults",
    "Harness",
    "Reader",
    "drafts",
    "edited",
]
