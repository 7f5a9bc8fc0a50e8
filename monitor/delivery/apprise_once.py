"""A process that hands one message to Apprise, says in a word how it went, and ends.

In: one JSON object on standard input: url, answer_s, and title and body of what is to be sent (neither:
only see whether Apprise understands the URL). Out: "success", "timeout", or a few words why not. What
Apprise logs is thrown away: it may quote URLs.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading

import apprise
from apprise import AppriseResultStatus, NotifyFormat, NotifyType, PersistentStoreMode

_answered = threading.Lock()  # taken once: there is one answer


def main() -> None:
    """Do the task on standard input."""
    task = json.load(sys.stdin)
    logging.disable(logging.CRITICAL)
    answer_s = float(task["answer_s"])
    # The whole has a bound, whatever a plugin does: a gateway that drips keeps every time limit of its
    # own kind. Ended like this, not with sys.exit(): that would wait for Apprise's threads.
    threading.Timer(answer_s, lambda: _say("timeout")).start()
    _say(_send(task, answer_s))


def _send(task: dict[str, str], answer_s: float) -> str:
    asset = apprise.AppriseAsset(
        app_id="Trust Monitor",
        async_mode=False,
        service_timeout=0,
        storage_mode=PersistentStoreMode.MEMORY,
    )
    service = apprise.Apprise.instantiate(task["url"], asset=asset)
    if service is None:
        return "not a URL that Apprise can use"
    if "body" not in task:
        return "success"
    # Apprise's own 4 s would report a slow gateway as a failed one, and each repeat would arrive.
    service.socket_connect_timeout = answer_s / 3
    service.socket_read_timeout = answer_s * 2
    result = apprise.Apprise([service]).notify(
        title=task["title"],
        body=task["body"],
        body_format=NotifyFormat.TEXT,
        notify_type=NotifyType.WARNING,
    )
    return "success" if result.status is AppriseResultStatus.SUCCESS else "not accepted"


def _say(word: str) -> None:
    _answered.acquire()
    sys.stdout.write(word + "\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
