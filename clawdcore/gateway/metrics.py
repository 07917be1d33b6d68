"""What Prometheus is told: ours as a whole, each queue, each replica, and the gateway's calls.

Labels come from the configuration and from lists of our own; none holds what a caller wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ..vitals import PluginUse, Queue, Vitals
from .machine import Used

BUCKETS: Final = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120)
"""Seconds; from what the gateway answers itself to the longest generations."""

_GAUGES: Final[tuple[tuple[str, str, Callable[[Queue], float | None]], ...]] = (
    ("limit", "Generations that may run at once, now.", lambda queue: queue.limit),
    ("ceiling", "Generations that may ever run at once.", lambda queue: queue.ceiling),
    ("bound", "Requests that may wait.", lambda queue: queue.bound),
    ("running", "Generations that run.", lambda queue: queue.running),
    ("eta_seconds", "How long a newcomer of class direct would wait.", lambda queue: queue.eta),
    ("wait_seconds", "Mean wait of those that got a seat lately.", lambda queue: queue.wait),
    (
        "tokens_per_second",
        "Generated tokens a second, measured lately.",
        lambda queue: queue.tokens_per_second,
    ),
    ("cache_use_ratio", "How full the server's cache is.", lambda queue: queue.cache_use),
)
_COUNTERS: Final[tuple[tuple[str, str, Callable[[Queue], int]], ...]] = (
    ("accepted", "Requests that came.", lambda queue: queue.accepted),
    ("finished", "Requests that gave their seat back.", lambda queue: queue.finished),
    ("joined", "Requests that shared another's generation.", lambda queue: queue.joined),
)


class Counters:
    """The gateway's own calls, and the registry in which everything is found."""

    def __init__(
        self,
        vitals: Callable[[], Vitals],
        ready: Callable[[], bool],
        machine: Callable[[], Used | None],
    ) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "clawdbot_gateway_requests",
            "Calls by route and HTTP status; 499 are callers who hung up.",
            ("route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "clawdbot_gateway_request_duration_seconds",
            "Time from a call's head to its answer's end.",
            ("route",),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.open = Gauge(
            "clawdbot_gateway_requests_in_progress",
            "Calls that are being answered, or wait.",
            registry=self.registry,
        )
        self._tokens = Counter(
            "clawdbot_gateway_tokens",
            "Tokens of the gateway's generations; estimated where the server doesn't say.",
            ("direction",),
            registry=self.registry,
        )
        self.registry.register(_Vital(vitals, ready, machine))
        # To look a series up by its labels costs more than to count.
        self._series: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self._prompt = self._tokens.labels("prompt")
        self._completion = self._tokens.labels("completion")

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count a call; ``route`` is one of ours, or "other"."""
        series = self._series.get((route, status))
        if series is None:
            series = self._requests.labels(route, status), self._seconds.labels(route)
            self._series[route, status] = series
        series[0].inc()
        series[1].observe(seconds)

    def tokens(self, prompt: int, output: int) -> None:
        """Count a generation's tokens."""
        self._prompt.inc(prompt)
        self._completion.inc(output)

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self.registry)


class _Vital(Collector):
    """Turns one look at the vitals into metrics, whenever somebody asks."""

    def __init__(
        self,
        vitals: Callable[[], Vitals],
        ready: Callable[[], bool],
        machine: Callable[[], Used | None],
    ) -> None:
        self._vitals = vitals
        self._ready = ready
        self._machine = machine

    def describe(self) -> Iterable[Metric]:
        """Nothing is read when the collector is registered: the bot may not be up yet."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """As :class:`prometheus_client.registry.Collector`."""
        vitals = self._vitals()
        yield _gauge("uptime_seconds", "Time since the worker began.", vitals.uptime)
        yield _gauge("ready", "1 where messages are taken and a model is there.", self._ready())
        yield _gauge("ladder_rung", "How far down the ladder the bot is.", vitals.rung)
        yield _gauge("plugins_resting", "Plugins that kept failing.", len(vitals.resting))
        yield _gauge("models_degraded", "Models that fail.", len(vitals.degraded))
        yield _gauge("troubles", "Troubles that the owner was told of.", len(vitals.trouble))
        messages = CounterMetricFamily(
            "clawdbot_messages", "Messages by what became of them.", labels=("outcome",)
        )
        for outcome, count in vitals.messages.items():
            messages.add_metric((outcome,), count)
        yield messages
        yield from _plugins(vitals.plugins)
        yield from _queues(vitals.queues)
        yield from _replicas(vitals.queues)
        yield from _machine(self._machine())


def _plugins(plugins: Iterable[PluginUse]) -> Iterator[Metric]:
    calls = CounterMetricFamily(
        "clawdbot_plugin_calls", "Calls of a plugin's functions.", labels=("plugin",)
    )
    seconds = CounterMetricFamily(
        "clawdbot_plugin_seconds", "Time that these calls took.", labels=("plugin",)
    )
    failures = CounterMetricFamily(
        "clawdbot_plugin_failures", "Failures of a plugin.", labels=("plugin", "kind")
    )
    for plugin in plugins:
        calls.add_metric((plugin.name,), plugin.calls)
        seconds.add_metric((plugin.name,), plugin.seconds)
        for kind, count in plugin.failures.items():
            failures.add_metric((plugin.name, kind), count)
    yield from (calls, seconds, failures)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"clawdbot_{name}", meaning, value=float(value))


def _queues(queues: tuple[Queue, ...]) -> Iterator[Metric]:
    for name, meaning, read in _GAUGES:
        gauge = GaugeMetricFamily(f"clawdbot_queue_{name}", meaning, labels=("server",))
        for queue in queues:
            value = read(queue)
            if value is not None:
                gauge.add_metric((queue.server,), value)
        yield gauge
    for name, meaning, count in _COUNTERS:
        counter = CounterMetricFamily(f"clawdbot_queue_{name}", meaning, labels=("server",))
        for queue in queues:
            counter.add_metric((queue.server,), count(queue))
        yield counter
    waiting = GaugeMetricFamily(
        "clawdbot_queue_waiting", "Requests that wait, by class.", labels=("server", "class")
    )
    refused = CounterMetricFamily(
        "clawdbot_queue_refused",
        "Requests that got no seat, by reason.",
        labels=("server", "reason"),
    )
    for queue in queues:
        for kind, number in queue.waiting.items():
            waiting.add_metric((queue.server, kind), number)
        for reason, number in queue.refused.items():
            refused.add_metric((queue.server, reason), number)
    yield waiting
    yield refused


def _replicas(queues: tuple[Queue, ...]) -> Iterator[Metric]:
    labels = ("server", "replica")
    up = GaugeMetricFamily("clawdbot_replica_up", "1 where it answers.", labels=labels)
    running = GaugeMetricFamily("clawdbot_replica_running", "Requests it works on.", labels=labels)
    waiting = GaugeMetricFamily(
        "clawdbot_replica_waiting", "Requests that wait inside it.", labels=labels
    )
    seconds = GaugeMetricFamily(
        "clawdbot_replica_response_time_seconds",
        "Mean time of late answers up to their first byte.",
        labels=labels,
    )
    for queue in queues:
        for replica in queue.replicas:
            place = (queue.server, replica.name)
            up.add_metric(place, float(replica.up))
            running.add_metric(place, replica.running)
            waiting.add_metric(place, replica.waiting)
            if replica.response_time is not None:
                seconds.add_metric(place, replica.response_time)
    yield from (up, running, waiting, seconds)


def _machine(used: Used | None) -> Iterator[Metric]:
    """Ratios, as Prometheus wants them; nothing before the first look."""
    for name, meaning in (
        ("cpu", "How busy the processors are, lately."),
        ("memory", "How much of the memory is in use."),
        ("disk", "How full the disk with the workspace is."),
    ):
        gauge = GaugeMetricFamily(f"clawdbot_machine_{name}_ratio", meaning)
        if used is not None:
            gauge.add_metric((), getattr(used, name) / 100)
        yield gauge
