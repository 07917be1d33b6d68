"""How busy the engine inside this process is, as it reports after each step. No IO here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clawdcore import Load

from .rates import Ratio


class EngineStats:
    """Takes the place of vLLM's StatLoggerBase (0.32, v1/metrics/loggers.py).

    ``clock`` gives seconds. Several engines behind one AsyncLLM add up; of the
    caches the fullest counts.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._running: dict[int, int] = {}
        self._cache: dict[int, float] = {}
        self._preemptions = 0
        self._speed = Ratio()
        self._queueing = Ratio()
        self._stepped: float | None = None

    def factory(self, vllm_config: Any, engine_index: int = 0) -> EngineStats:
        """What vLLM calls to make a logger; there is one for all engines."""
        del vllm_config, engine_index
        return self

    def record(
        self,
        scheduler_stats: Any,
        iteration_stats: Any,
        mm_cache_stats: Any = None,
        engine_idx: int = 0,
    ) -> None:
        """One step was made, with SchedulerStats and IterationStats of v1/metrics/stats.py."""
        del mm_cache_stats
        now = self._clock()
        if scheduler_stats is not None:
            self._running[engine_idx] = scheduler_stats.num_running_reqs
            self._cache[engine_idx] = scheduler_stats.kv_cache_usage
        if iteration_stats is None:
            return
        if self._stepped is not None:
            self._speed.add(now, iteration_stats.num_generation_tokens, now - self._stepped)
        self._stepped = now if any(self._running.values()) else None
        self._preemptions += iteration_stats.num_preempted_reqs
        for request in iteration_stats.finished_requests:
            self._queueing.add(now, request.queued_time, 1.0)

    def log(self) -> None:
        """Nothing is written: :meth:`load` is asked."""

    def log_engine_initialized(self) -> None:
        """Nothing is written."""

    def record_sleep_state(self, sleep: int = 0, level: int = 0) -> None:
        """The bot never puts an engine to sleep."""

    def load(self, requests: int, seats: int) -> Load:
        """``requests`` are ours that are under way, of which at most ``seats`` run at once.

        The engine reports after each step, and no more once it has nothing to do;
        so our own count bounds what it said last.
        """
        running = min(requests, sum(self._running.values()) or seats)
        return Load(
            running=running,
            waiting=requests - running,
            capacity=seats,
            cache_use=max(self._cache.values()) if requests and self._cache else 0.0,
            tokens_per_second=self._speed.value,
            queue_time=self._queueing.value,
            preemptions=self._preemptions,
        )
