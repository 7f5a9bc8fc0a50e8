"""Is it well? One judgement, told everywhere in the same words.

    the database's queues -+
    the engine's loops     +-> Watcher.look() -> policy.health.judge -> Standing
    disk, clock, canary   -+                                              |
             `trust-monitor status`, /healthz, /metrics, the heartbeat ---+

`notify` is the service manager's part: systemd restarts us when a loop hangs. What a restart doesn't
mend is for a person, and that is what everything else here is for.
"""

from monitor.health.notify import keep_watchdog_fed, notify, watchdog_interval_s

__all__ = ["keep_watchdog_fed", "notify", "watchdog_interval_s"]
