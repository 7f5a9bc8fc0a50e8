"""The mail server is away for six hours, with 500 alerts waiting: the other channel has them within
five minutes, and mail is drained within ten of its return."""

from __future__ import annotations

import json
import tempfile
import threading
import time
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

from bench.faults.driven import Jumping, driven
from bench.faults.offering import count
from bench.faults.report import Row, faults_of
from tests.delivery.smtp_faults import Fault, FaultyServer

AWAY = timedelta(hours=6)
CHANNEL = """
[[channels]]
id = "pager"
people = ["slt"]
url_file = "pager.url"
"""


class Pager:
    """A web hook that remembers when it heard what."""

    def __init__(self) -> None:
        self.clock: Jumping | None = None
        self.heard: list[tuple[datetime, str]] = []

    def __enter__(self) -> Self:
        pager = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                said = json.loads(body)
                assert pager.clock is not None
                pager.heard.append((pager.clock.now, f"{said['title']} {said['message']}"))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"json://127.0.0.1:{self._server.server_address[1]}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def six_hours(alerts: int) -> Row:
    """`alerts` alerts queued while nothing answers at the mail server's address."""
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="faults-outage-"))
    down = True
    with (
        FaultyServer(lambda _: Fault.BUSY_GREETING if down else Fault.NONE) as server,
        Pager() as pager,
    ):
        (folder / "pager.url").write_text(pager.url)
        with driven(folder, [server.relay()], more=CHANNEL, bundles=True) as monitor:
            pager.clock = monitor.clock
            start = monitor.clock.now
            monitor.judge(alerts)
            monitor.until(lambda: False, within=AWAY)
            paged = pager.heard[0][0] - start if pager.heard else None
            down = False
            back = monitor.clock.now
            drained = monitor.until(
                lambda: not monitor.owes(before=back), within=timedelta(hours=2)
            )
            took = monitor.clock.now - back
            found = count(monitor.feed, server.accepted, monitor.app.database)
    late = paged is None or paged > timedelta(minutes=5, seconds=30)
    return Row(
        fault="mail away for 6 simulated hours",
        volume=f"{alerts} alerts, {found.mails} mails, {len(pager.heard)} on the other channel",
        lost=found.lost,
        extras=found.extras,
        note=f"other channel after {paged}; drained {took} after the server's return",
        faults=faults_of(
            alerts_lost=found.lost > 0,
            copies=found.extras > 0,
            other_channel_late=late,
            drained_late=not drained or took > timedelta(minutes=10),
        ),
        minutes=(time.monotonic() - began) / 60,
    )
