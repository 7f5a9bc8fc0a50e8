"""The shared development set, when it lies beside the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policy.matching import score

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "school"


def test_development_set() -> None:
    """Micro-F1 over pairs of post and organisation is at least 0.95."""
    posts = SHARED / "matching_dev.jsonl"
    if not posts.exists():
        pytest.skip("SHARED DATA ABSENT: matching is NOT measured on the development set")
    result = score(SHARED / "matching_dev_watchlist.json", posts)
    assert result.f1 >= 0.95, result.wrong
