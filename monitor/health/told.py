"""Health as a JSON document: what /healthz answers and `trust-monitor status --json` prints."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from monitor.domain.health import Health, Queue
from monitor.policy.health import Facts


def document(facts: Facts, health: Health, *, state_dir: str, version: str) -> dict[str, Any]:
    """One JSON object. "status" is "ok" when nothing is wrong, "warning" when nobody has to get up,
    "failing" when somebody has to. Times are ISO 8601 in UTC; no value is a person's or a post's."""
    status = "failing" if not health.well else "warning" if health.problems else "ok"
    return {
        "status": status,
        "at": iso(health.at),
        "version": version,
        # Which monitor this is: a port may be another one's.
        "state_dir": state_dir,
        "problems": [
            {
                "reason": problem.reason.value,
                "grave": problem.grave,
                "says": problem.says,
                "do": problem.do,
                "since": iso(problem.since),
            }
            for problem in health.problems
        ],
        "program": _program(facts),
        "queues": _queues(facts),
        "sources": {
            source.source: {
                "last_success_at": iso(source.last_success_at),
                "interval_s": source.interval_s,
                "failures": source.failures,
            }
            for source in facts.sources
        },
        "disks": {disk.path: disk.free for disk in facts.disks},
    }


def _program(facts: Facts) -> dict[str, Any] | None:
    program = facts.program
    if program is None:
        return None
    canary, heartbeat = program.canary, program.heartbeat
    return {
        "up_s": round(program.up_s),
        "ready": program.ready,
        "stuck": list(program.stuck),
        "canary": canary
        and {
            "passed_at": iso(canary.passed_at),
            "took_s": canary.took_s and round(canary.took_s, 2),
            "failure": canary.failure,
        },
        "heartbeat": heartbeat
        and {"told_at": iso(heartbeat.told_at), "failure": heartbeat.failure},
    }


def _queues(facts: Facts) -> dict[str, Any] | None:
    queues = facts.queues
    if queues is None:
        return None

    def waiting(queue: Queue) -> dict[str, Any]:
        return {"waiting": queue.waiting, "oldest_at": iso(queue.oldest_at)}

    return {
        "urgent": waiting(queues.urgent),
        "digests": waiting(queues.digests),
        "held": waiting(queues.held),
        "unread": waiting(queues.unread),
        "sent_24h": {kind.value: number for kind, number in queues.sent.items()},
        "dead_24h": {kind.value: number for kind, number in queues.dead.items()},
        "suppressed": dict(queues.suppressed),
        "leases": dict(queues.leases),
    }


def iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
