"""The figures as Prometheus reads them. Names follow its conventions
(https://prometheus.io/docs/practices/naming/): base units, `_total` for what only grows.

Labels take values from the configuration (ids of sources) and from our own vocabulary: nothing of a
post, an address or a person can become one, and their number is bounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from importlib import metadata

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from monitor.domain import DeliveryKind, Outcome
from monitor.domain.health import Queue, Reason
from monitor.health.watcher import Watcher
from monitor.policy import health
from monitor.policy.health import Facts, Program

# From a commit to the hours of a mail server that is down. 60 s is what is promised for urgent alerts.
_STAGES_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21600)
_MODEL_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_PREFIX = "trust_monitor"


class Metrics(Collector):
    """Implements `monitor.pipeline.meter.Meter`, and reads the rest off the watcher's last look. One
    for the life of the program: `watcher` is put in with each configuration."""

    def __init__(self) -> None:
        self.watcher: Watcher | None = None
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._stages = Histogram(
            f"{_PREFIX}_stage_seconds",
            "Time in a stage: stored (fetched to committed), assessed (committed to judged), "
            "accepted (queued to taken by the mail server; urgent alerts).",
            ["stage"],
            buckets=_STAGES_S,
            registry=self.registry,
        )
        self._model = Histogram(
            f"{_PREFIX}_model_seconds",
            "One call of the classifier.",
            buckets=_MODEL_S,
            registry=self.registry,
        )
        self._posts = Counter(
            f"{_PREFIX}_model_posts", "Posts that the classifier judged.", registry=self.registry
        )
        self._attempts = Counter(
            f"{_PREFIX}_delivery_attempts",
            "Attempts to deliver, by kind of message and outcome.",
            ["kind", "outcome"],
            registry=self.registry,
        )
        self._polls = Counter(
            f"{_PREFIX}_polls",
            "Polls of each source, by how they ended: ok, unavailable, rejected.",
            ["source", "outcome"],
            registry=self.registry,
        )
        self._canary = Gauge(
            f"{_PREFIX}_canary_seconds",
            "How long the last canary took from its feed to the mail server.",
            registry=self.registry,
        )
        for stage in ("stored", "assessed", "accepted"):
            self._stages.labels(stage)
        for outcome in Outcome:
            self._attempts.labels(DeliveryKind.ALERT.value, outcome.value)
        self.registry.register(self)

    def stored(self, seconds: float) -> None:
        self._stages.labels("stored").observe(max(0.0, seconds))

    def assessed(self, seconds: float) -> None:
        self._stages.labels("assessed").observe(max(0.0, seconds))

    def model(self, posts: int, seconds: float) -> None:
        self._model.observe(seconds)
        self._posts.inc(posts)

    def delivered(self, kind: DeliveryKind, outcome: Outcome, seconds: float) -> None:
        self._attempts.labels(kind.value, outcome.value).inc()
        if kind is DeliveryKind.ALERT and outcome is Outcome.ACCEPTED:
            self._stages.labels("accepted").observe(max(0.0, seconds))

    def polled(self, source: str, outcome: str) -> None:
        self._polls.labels(source, outcome).inc()

    def canary(self, seconds: float) -> None:
        self._canary.set(seconds)

    def describe(self) -> Iterable[Metric]:
        """Nothing: else registering would already look."""
        return ()

    def collect(self) -> Iterator[Metric]:
        watcher = self.watcher
        if watcher is None:
            return
        facts = watcher.facts()
        yield from _judged(facts, watcher)
        yield from _database(facts)
        yield from _sources(facts)
        if facts.program:
            yield from _program(facts.program, watcher)


def _judged(facts: Facts, watcher: Watcher) -> Iterator[Metric]:
    judged = health.judge(facts, watcher.rules)
    here = {problem.reason for problem in judged.problems}
    yield _gauge("healthy", "1 when nobody has to see to anything.", int(judged.well))
    problems = _family("problem", "1 for each reason that holds now.", "reason")
    for reason in Reason:
        problems.add_metric([reason.value], int(reason in here))
    yield problems
    free = _family("disk_free_bytes", "Free space where we write.", "path")
    for disk in facts.disks:
        free.add_metric([disk.path], disk.free)
    yield free
    version = _family("build_info", "Which program this is.", "version")
    version.add_metric([metadata.version("trust-monitor")], 1)
    yield version


def _database(facts: Facts) -> Iterator[Metric]:
    queues = facts.queues
    yield _gauge(
        "database_up", "1 when the last look at the database went well.", facts.fault is None
    )
    if queues is None:
        return
    waiting = _family("queue_waiting", "What waits in each queue.", "queue")
    oldest = _family("queue_oldest_seconds", "Age of the oldest that waits (0: none).", "queue")
    for name, queue in (
        ("urgent", queues.urgent),
        ("digest", queues.digests),
        ("held", queues.held),
        ("unread", queues.unread),
    ):
        waiting.add_metric([name], queue.waiting)
        oldest.add_metric([name], _age(queue, facts.now))
    yield waiting
    yield oldest
    deliveries = _family("deliveries", "Messages by kind and state.", "kind", "state")
    for (kind, state), number in queues.deliveries.items():
        deliveries.add_metric([kind.value, state.value], number)
    yield deliveries
    leases = _family("leases", "Rows that a worker has in hand.", "table")
    for table, number in queues.leases.items():
        leases.add_metric([table], number)
    yield leases
    suppressed = CounterMetricFamily(
        f"{_PREFIX}_suppressed", "Not sent, or not by itself, and why.", labels=["kind"]
    )
    for why, number in queues.suppressed.items():
        suppressed.add_metric([why], number)
    yield suppressed


def _sources(facts: Facts) -> Iterator[Metric]:
    silent = _family("source_silent_seconds", "Since the source last answered.", "source")
    interval = _family("source_interval_seconds", "How often it is to be polled.", "source")
    failures = _family("source_failures", "Polls that failed in a row.", "source")
    for source in facts.sources:
        seen = source.last_success_at or source.registered_at
        if seen:
            silent.add_metric([source.source], max(0.0, (facts.now - seen).total_seconds()))
        interval.add_metric([source.source], source.interval_s)
        failures.add_metric([source.source], source.failures)
    yield silent
    yield interval
    yield failures


def _program(program: Program, watcher: Watcher) -> Iterator[Metric]:
    loops = _family("loop_progress_seconds", "Since each loop last began a turn.", "loop")
    for name, seconds in watcher.engine.progress().items():
        loops.add_metric([name], seconds)
    yield loops
    yield _gauge("stuck", "Loops and jobs that make no progress.", len(program.stuck))
    jumps = CounterMetricFamily(f"{_PREFIX}_clock_jumps", "How often the clock was set.")
    jumps.add_metric([], watcher.clock.jumps)
    yield jumps
    if program.canary and program.canary.passed_at:
        yield _gauge(
            "canary_last_success_timestamp_seconds",
            "When the last canary arrived.",
            program.canary.passed_at.timestamp(),
        )
    if program.heartbeat and program.heartbeat.told_at:
        yield _gauge(
            "heartbeat_last_success_timestamp_seconds",
            "When the outside was last told that all is well.",
            program.heartbeat.told_at.timestamp(),
        )


def _age(queue: Queue, now: datetime) -> float:
    return max(0.0, (now - queue.oldest_at).total_seconds()) if queue.oldest_at else 0.0


def _family(name: str, help_: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{_PREFIX}_{name}", help_, labels=labels)


def _gauge(name: str, help_: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{_PREFIX}_{name}", help_, value=value)
