"""What vLLM's ``/metrics`` tells: the few numbers that are needed, out of its text.

The text is Prometheus' exposition format; names as vLLM 0.32 gives them. One
server may run several engines, each with its own labels: counts add up, of the
cache the fullest counts.
"""

from __future__ import annotations

from typing import Final

import msgspec

PREFIX: Final = b"vllm:"


class Gauges(msgspec.Struct, frozen=True, kw_only=True):
    """One reading. ``cache_use`` is 0 to 1; the rest after it counts from the server's start.

    ``queue_seconds`` and ``queue_count`` are how long requests waited, and how many did.
    """

    running: float = 0.0
    waiting: float = 0.0
    cache_use: float | None = None
    preemptions: float = 0.0
    tokens: float = 0.0
    queue_seconds: float = 0.0
    queue_count: float = 0.0


_FIELDS: Final = {
    b"vllm:num_requests_running": "running",
    b"vllm:num_requests_waiting": "waiting",
    b"vllm:kv_cache_usage_perc": "cache_use",
    b"vllm:num_preemptions_total": "preemptions",
    b"vllm:generation_tokens_total": "tokens",
    b"vllm:request_queue_time_seconds_sum": "queue_seconds",
    b"vllm:request_queue_time_seconds_count": "queue_count",
}


def parse(text: bytes) -> Gauges | None:
    """The reading, or None where the text has no number of vLLM's."""
    found: dict[str, float] = {}
    for line in text.splitlines():
        if not line.startswith(PREFIX):
            continue
        brace = line.find(b"{")
        name = line[:brace] if brace >= 0 else line.partition(b" ")[0]
        field = _FIELDS.get(name)
        if field is None:
            continue
        # A label may hold spaces and braces; the number stands behind the last one.
        after = line[line.rfind(b"}") + 1 :] if brace >= 0 else line[len(name) :]
        value = _number(after)
        if value is None:
            continue
        if field == "cache_use":
            found[field] = max(value, found.get(field, 0.0))
        else:
            found[field] = found.get(field, 0.0) + value
    return Gauges(**found) if found else None


def _number(text: bytes) -> float | None:
    """The first number of ``text``; a time may follow it. None for what is not finite."""
    words = text.split(None, 1)
    try:
        value = float(words[0])
    except (IndexError, ValueError):
        return None
    return value if 0 <= value < float("inf") else None
