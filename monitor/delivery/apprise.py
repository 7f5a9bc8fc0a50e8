"""The other channels: chat rooms, text messages and whatever else Apprise knows, one URL each.

Apprise is an optional extra (`pip install 'trust-monitor[channels]'`), and runs in a process of its own
for each message. A gateway that hangs or drips for ever ends with that process, and so does whatever
else its hundred and more plugins may do; nothing of them is loaded into the monitor.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec

from pydantic import SecretStr

from monitor.delivery.other import words_of
from monitor.domain import OTHER, Outcome, Sent
from monitor.errors import MonitorError

MISSING = "Apprise is not installed: pip install 'trust-monitor[channels]'"
ANSWER_S = 15.0  # what a gateway may take
BEGIN_S = 20.0  # what starting the process and loading Apprise may take on a busy machine
_SAID = {"success": Outcome.ACCEPTED, "timeout": Outcome.AMBIGUOUS}


class AppriseMailer:
    """The channel "other": its recipients are the ids of configured channels.

    `urls` maps those to their Apprise URLs, which are secrets: they go to the process by its standard
    input, and are never shown. `answer_s` is how long, in seconds, a gateway may take for its answer.
    """

    channel = OTHER

    def __init__(self, urls: Mapping[str, SecretStr], *, answer_s: float = ANSWER_S) -> None:
        self._urls = dict(urls)
        self._answer_s = answer_s

    def send(self, recipient: str, message: bytes, *, attempt: int) -> Sent:
        """Hand `message` to the channel `recipient` once. Apprise says yes, no, or that no answer
        came in time: the message may then have arrived, so it is AMBIGUOUS."""
        del attempt
        url = self._urls.get(recipient)
        if url is None:
            detail = "no channel of this name is configured any more"
            return Sent(outcome=Outcome.REJECTED, detail=detail, relay=recipient)
        if find_spec("apprise") is None:
            return Sent(outcome=Outcome.DEFERRED, detail=MISSING, relay=recipient)
        title, body = words_of(message)
        said = self._ask({"url": url.get_secret_value(), "title": title, "body": body})
        outcome = _SAID.get(said, Outcome.DEFERRED)
        detail = said if outcome is not Outcome.AMBIGUOUS else "no answer in time"
        return Sent(outcome=outcome, detail=detail, relay=recipient)

    def check(self, recipient: str) -> str:
        """A sentence when Apprise is installed and understands the channel's URL; nothing is sent.
        Raises MonitorError, which doesn't repeat the URL, otherwise."""
        if find_spec("apprise") is None:
            raise MonitorError(MISSING)
        said = self._ask({"url": self._urls[recipient].get_secret_value()})
        if said != "success":
            raise MonitorError(
                f"channel {recipient}: Apprise doesn't understand its URL ({said}). "
                "https://appriseit.com/services/ lists what it knows, and how each URL is written."
            )
        return "Apprise knows this kind of service; nothing was sent"

    def _ask(self, task: Mapping[str, str]) -> str:
        """What the process answers, in a word or a few: "success" or "timeout", or why not."""
        try:
            done = subprocess.run(
                [sys.executable, "-P", "-m", "monitor.delivery.apprise_once"],
                input=json.dumps({**task, "answer_s": self._answer_s}).encode(),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # a library's last words may quote the URL
                timeout=self._answer_s + BEGIN_S,
                start_new_session=True,  # Ctrl-C is for the monitor, which then finishes this
                check=False,
            )
        except subprocess.TimeoutExpired:
            return "timeout"
        except OSError as error:
            return f"no process could be started: {error.strerror}"
        if done.returncode < 0:  # killed from outside, perhaps after it had sent
            return "timeout"
        said = done.stdout.decode(errors="replace").strip()
        return said if done.returncode == 0 and said else "Apprise broke off"
