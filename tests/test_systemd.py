"""The unit file is valid and leaves an attacker little: checked by systemd itself."""

from __future__ import annotations

import shutil
import subprocess
import warnings
from pathlib import Path

import pytest

UNIT = Path(__file__).resolve().parents[1] / "systemd" / "trust-monitor.service"


@pytest.fixture(scope="module")
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if not found:
        warnings.warn("UNIT FILE NOT CHECKED: systemd-analyze is not installed", stacklevel=1)
        pytest.skip("systemd-analyze is not installed")
    return found


def test_exposure(analyze: str) -> None:
    """`systemd-analyze security` rates the service at 1.5 or lower."""
    result = subprocess.run(
        [analyze, "security", "--offline=yes", "--threshold=15", "--no-pager", str(UNIT)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-400:] + result.stderr


def test_unit_is_valid(analyze: str) -> None:
    """`systemd-analyze verify` has nothing to say, but that the program is not installed here."""
    result = subprocess.run(
        [analyze, "verify", str(UNIT)], capture_output=True, text=True, check=False
    )
    complaints = [
        line
        for line in result.stderr.splitlines()
        if "trust-monitor" in line and "is not executable" not in line
    ]
    assert complaints == []
