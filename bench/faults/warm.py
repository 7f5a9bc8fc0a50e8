"""A warm parent: everything is imported and built once, and each life of the monitor is a fork of it.

    python -m bench.faults.warm CONFIG        then, on its standard input, a line each:

    kill 0.31      live for 0.31 s, then SIGKILL         answers "killed"
    point 20 NAME  live until the named point kills it   answers "killed", or "never" after 20 s
    live           live until the next line              answers "alive"
    stop           SIGTERM to the living one             answers "ended STATUS SECONDS"

It has one thread and opens nothing before it forks, so that a child is as a fresh process would be, but
for the two seconds that it takes to import it all and to read rules and phrases. Alerts neither escalate
nor wait for company here: what is counted is what was sent.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

from bench.faults import points, source
from bench.faults.driven import ONE_BY_ONE
from monitor import app as house
from monitor.config import Config
from monitor.config_file import load_config
from monitor.daemon import App
from monitor.logs import configure
from monitor.policy.routes.escalation import EscalationRules

NEVER = EscalationRules(after_min=1440, repeat_min=(1440,))


def build(config: Config) -> App:
    """The monitor as it runs, without escalation and bundles."""
    app = house.build(config)
    return replace(
        app,
        escalator=replace(app.escalator, rules=NEVER),
        deliverer=replace(app.deliverer, flood=ONE_BY_ONE),
    )


def live(app: App, point: str = "") -> int:
    """One life, in the child; with `point`, to that point."""
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    configure("json", "warning")
    return 0 if (points.arm(app, point) if point else app).run(stopping) else 1


def fork(app: App, point: str = "") -> int:
    """A child that lives; its process id."""
    child = os.fork()
    if child:
        return child
    status = 70
    try:
        status = live(app, point)
    finally:
        sys.stderr.flush()
        os._exit(status)


def _until(child: int, longest_s: float) -> str:
    """How a child ended that kills itself."""
    deadline = time.monotonic() + longest_s
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return "killed" if os.WIFSIGNALED(status) else f"ended by itself {status}"
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "never"


def main() -> None:
    """Serve the lines until the input ends."""
    source.register()
    app = build(load_config(Path(sys.argv[1])))
    app.assessor.classifier.warm()
    app.rehearse()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # until a child listens to it
    living = 0
    print("ready", flush=True)
    for line in sys.stdin:
        order, _, seconds = line.strip().partition(" ")
        match order:
            case "kill":
                child = fork(app)
                time.sleep(float(seconds))
                os.kill(child, signal.SIGKILL)
                _, status = os.waitpid(child, 0)
                killed = os.WIFSIGNALED(status)
                print("killed" if killed else f"ended by itself {status}", flush=True)
            case "point":
                longest, _, point = seconds.partition(" ")
                print(_until(fork(app, point), float(longest)), flush=True)
            case "live":
                living = fork(app)
                print("alive", flush=True)
            case "stop":
                began = time.monotonic()
                os.kill(living, signal.SIGTERM)
                _, status = os.waitpid(living, 0)
                living = 0
                print(
                    f"ended {os.waitstatus_to_exitcode(status)} {time.monotonic() - began:.1f}",
                    flush=True,
                )
    if living:  # the harness is gone
        os.kill(living, signal.SIGKILL)


if __name__ == "__main__":
    main()
