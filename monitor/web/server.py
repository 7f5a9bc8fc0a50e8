"""Serves the pages on a thread of its own: nothing that happens there can hold up an alert."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import structlog
import uvicorn
from starlette.applications import Starlette

log = structlog.get_logger("monitor.web")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Where to serve. Without `certificate` and `key` (PEM files) only loopback makes sense: a
    reverse proxy in front ends TLS."""

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None


class WebServer:
    """Starts with the daemon and ends with it. A port that is taken is logged, and said by `start`:
    alerts then name the command, which always works."""

    def __init__(self, application: Starlette, listen: Listen) -> None:
        self._listen = listen
        self._server = uvicorn.Server(
            uvicorn.Config(
                application,
                host=listen.host,
                port=listen.port,
                ssl_certfile=listen.certificate,
                ssl_keyfile=listen.key,
                log_config=None,
                access_log=False,  # the path is the capability
                server_header=False,
                timeout_graceful_shutdown=3,
                limit_concurrency=64,
                h11_max_incomplete_event_size=16_384,
            )
        )
        self._thread = threading.Thread(target=self._serve, name="web", daemon=True)

    def start(self, *, within_s: float = 5.0) -> bool:
        """Begin to serve; True once connections are taken."""
        self._thread.start()
        waited = threading.Event()
        for _ in range(int(within_s / 0.05)):
            if self._server.started or not self._thread.is_alive():
                break
            waited.wait(0.05)
        if not self._server.started:
            log.error("web_not_started", host=self._listen.host, port=self._listen.port)
        return self._server.started

    def stop(self) -> None:
        """Take no more connections, and end within a few seconds."""
        self._server.should_exit = True
        self._thread.join(5)

    def _serve(self) -> None:
        try:
            self._server.run()
        except SystemExit:  # how uvicorn says that it could not bind
            return
