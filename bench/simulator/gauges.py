"""The simulator's numbers in Prometheus' text, under vLLM's names."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

from .engine import Engine

BUCKETS: Final = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Histogram:
    """Seconds by bucket."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS) + 1)
        self.sum = 0.0

    def see(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.sum += seconds

    def lines(self, name: str, labels: str) -> list[str]:
        """As Prometheus reads it."""
        found, total = [f"# TYPE {name} histogram"], 0
        for bound, count in zip((*map(str, BUCKETS), "+Inf"), self.counts, strict=True):
            total += count
            found.append(f'{name}_bucket{{{labels},le="{bound}"}} {total}')
        return [*found, f"{name}_count{{{labels}}} {total}", f"{name}_sum{{{labels}}} {self.sum}"]


class Gauges:
    """What is measured beside the engine's own counters.

    ``lag`` is the most seconds that a step was late since the start: whether the simulator
    itself kept up. ``finished`` counts whole answers by why they ended.
    """

    def __init__(self, model: str) -> None:
        self._labels = f'engine="0",model_name="{model}"'
        self.first = Histogram()
        self.queue = Histogram()
        self.lag = 0.0
        self.finished = {"stop": 0, "length": 0}

    def text(self, engine: Engine) -> str:
        """The page /metrics."""
        counters, labels = engine.counters, self._labels
        lines = []
        for kind, name, value in (
            ("gauge", "vllm:num_requests_running", len(engine.running)),
            ("gauge", "vllm:num_requests_waiting", engine.waiting),
            ("gauge", "vllm:kv_cache_usage_perc", engine.cache_use),
            ("counter", "vllm:num_preemptions_total", counters.preemptions),
            ("counter", "vllm:prompt_tokens_total", counters.prompt_tokens),
            ("counter", "vllm:generation_tokens_total", counters.generation_tokens),
            ("gauge", "simulator:lag_seconds", self.lag),
        ):
            lines += [f"# TYPE {name.removesuffix('_total')} {kind}", f"{name}{{{labels}}} {value}"]
        lines.append("# TYPE vllm:request_success counter")
        for reason, count in (*self.finished.items(), ("abort", counters.aborted)):
            success = f'{labels},finished_reason="{reason}"'
            lines.append(f"vllm:request_success_total{{{success}}} {count}")
        lines += self.first.lines("vllm:time_to_first_token_seconds", labels)
        lines += self.queue.lines("vllm:request_queue_time_seconds", labels)
        return "\n".join(lines) + "\n"
