"""When the service has failed for good, somebody is mailed by what the system has anyway."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import warnings
from email import message_from_string
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "systemd"
SERVICE, FAILURE = FOLDER / "trust-monitor.service", FOLDER / "trust-monitor-failure@.service"
NAMED = "trust-monitor.service"


def value(unit: Path, key: str) -> str:
    (found,) = re.findall(rf"^{key}=(.*)$", unit.read_text("utf-8"), re.MULTILINE)
    return str(found)


def test_the_failure_unit_is_valid(tmp_path: Path) -> None:
    """`systemd-analyze verify` has nothing to say of the instance that the service names."""
    analyze = shutil.which("systemd-analyze")
    if not analyze:
        warnings.warn("FAILURE UNIT NOT CHECKED: systemd-analyze is not installed", stacklevel=1)
        pytest.skip("systemd-analyze is not installed")
    wanted = value(SERVICE, "OnFailure").replace("%n", NAMED)
    assert wanted == f"trust-monitor-failure@{NAMED}.service"
    instance = tmp_path / wanted
    shutil.copy(FAILURE, instance)
    result = subprocess.run(
        [analyze, "verify", str(instance)], capture_output=True, text=True, check=False
    )
    assert [line for line in result.stderr.splitlines() if "trust-monitor" in line] == []


@pytest.mark.parametrize("status", [0, 3])
def test_the_mail_says_what_failed_and_what_to_do(tmp_path: Path, status: int) -> None:
    """The unit's own command, run with stand-ins for sendmail and systemctl, makes a whole mail, also
    when systemctl ends with the failed service's code."""
    out = tmp_path / "mail"
    for name, script in (
        ("sendmail", f'printf "%s " "$@" > {out}.arguments; cat > {out}'),
        ("systemctl", f'echo "systemctl $*"; exit {status}'),
    ):
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    command = value(FAILURE, "ExecStart")
    # What systemd puts in itself: https://www.freedesktop.org/software/systemd/man/systemd.unit.html
    for sign, word in (("%i", NAMED), ("%H", "quill"), ("$$", "$"), ("%%", "%")):
        command = command.replace(sign, word)
    environment = {
        "PATH": f"{tmp_path}:/usr/bin:/bin",
        "MAILTO": "it@trust.example",
        "SENDMAIL": str(tmp_path / "sendmail"),
    }
    subprocess.run(shlex.split(command), check=True, env=environment)
    mail = message_from_string(out.read_text("utf-8"))
    assert mail["To"] == "it@trust.example"
    assert mail["Subject"] == f"FAILED: {NAMED} on quill"
    body = str(mail.get_payload())
    assert f"systemctl start {NAMED}" in body
    assert f"status --no-pager --full --lines=30 {NAMED}" in body
    assert (tmp_path / "mail.arguments").read_text("utf-8") == "-i -t "


def test_a_reload_is_a_signal() -> None:
    """`systemctl reload` reads the configuration anew."""
    assert value(SERVICE, "ExecReload") == "/bin/kill -HUP $MAINPID"
