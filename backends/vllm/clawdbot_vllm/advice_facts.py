"""What a vLLM server tells of itself, as far as advice needs it. No IO here.

Metrics are Prometheus' text with the names of vLLM 0.32 (v1/metrics/loggers.py).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

SAMPLE: Final = re.compile(r"^(vllm:\w+)(?:\{(.*)\})? (\S+)", re.MULTILINE)
LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
ENOUGH: Final = 1000
"""Steps below which a hundredth of them says nothing."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """One server, by ``name`` (host and port).

    ``health`` is the status of /health, 0 for none. ``version`` is vLLM's, () where
    unknown. ``context`` and ``cache_tokens`` are tokens, of one request and of the
    whole cache, 0 where unknown. Counts are since its start. ``step_median`` and
    ``step_slowest`` (99 of 100 are quicker) are seconds between two tokens of an answer.
    """

    name: str
    health: int = 0
    version: tuple[int, ...] = ()
    context: int = 0
    cache_tokens: int = 0
    cache_use: float | None = None
    running: float = 0.0
    waiting: float = 0.0
    finished: float = 0.0
    failed: float = 0.0
    refused: float = 0.0
    preemptions: float = 0.0
    step_median: float | None = None
    step_slowest: float | None = None


def facts(
    name: str, *, health: int, metrics: str = "", version: str = "", context: int = 0
) -> Facts:
    """``metrics`` is the text of /metrics, ``version`` what /version says, "" for neither."""
    sums: dict[str, float] = {}
    failed, cache_tokens, use = 0.0, 0, 0.0
    steps: dict[float, float] = {}
    for metric, labels, value in _samples(metrics):
        sums[metric] = sums.get(metric, 0.0) + value
        if metric == "vllm:request_success_total" and labels.get("finished_reason") == "error":
            failed += value
        elif metric == "vllm:cache_config_info":
            cache_tokens += _cache_tokens(labels)
        elif metric == "vllm:kv_cache_usage_perc":
            use = max(use, value)
        elif metric == "vllm:inter_token_latency_seconds_bucket":
            edge = _number(labels.get("le", ""))
            steps[edge] = steps.get(edge, 0.0) + value
    return Facts(
        name=name,
        health=health,
        version=_version(version),
        context=context,
        cache_tokens=cache_tokens,
        cache_use=use if "vllm:kv_cache_usage_perc" in sums else None,
        running=sums.get("vllm:num_requests_running", 0.0),
        waiting=sums.get("vllm:num_requests_waiting", 0.0),
        finished=sums.get("vllm:request_success_total", 0.0) - failed,
        failed=failed,
        refused=sums.get("vllm:admission_rejections_total", 0.0),
        preemptions=sums.get("vllm:num_preemptions_total", 0.0),
        step_median=_quantile(steps, 0.5),
        step_slowest=_quantile(steps, 0.99),
    )


def _samples(metrics: str) -> Iterator[tuple[str, Mapping[str, str], float]]:
    for found in SAMPLE.finditer(metrics):
        value = _number(found[3])
        if math.isfinite(value):
            yield found[1], dict(LABEL.findall(found[2] or "")), value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _cache_tokens(labels: Mapping[str, str]) -> int:
    """Tokens of one engine's cache; older servers tell blocks alone."""
    told = _number(labels.get("kv_cache_size_tokens", ""))
    if not math.isfinite(told):
        told = _number(labels.get("num_gpu_blocks", "")) * _number(labels.get("block_size", ""))
    return int(told) if math.isfinite(told) else 0


def _version(text: str) -> tuple[int, ...]:
    """``(0, 32)`` for "0.32.1+cpu"."""
    found = re.match(r"v?(\d+)\.(\d+)", text)
    return tuple(map(int, found.groups())) if found else ()


def _quantile(buckets: Mapping[float, float], share: float) -> float | None:
    """The upper edge of the bucket that holds it; None for too few, or beyond the last edge.

    ``buckets`` are cumulative counts by upper edge, the last one's infinite.
    """
    total = buckets.get(math.inf, 0.0)
    if total < ENOUGH:
        return None
    for edge in sorted(edge for edge in buckets if math.isfinite(edge)):
        if buckets[edge] >= share * total:
            return edge
    return None
