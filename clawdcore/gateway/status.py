"""How the bot is doing, as JSON: /health, /ready and /metrics?format=json."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from ..vitals import Queue, Vitals
from .counting import Window
from .machine import Used

MINUTE: Final = 60


class Lately(msgspec.Struct):
    """What happened during the last minute.

    ``asked`` counts generations, those for chats included; ``good`` and ``bad`` the
    gateway's own calls, with their seconds.
    """

    asked: Window = msgspec.field(default_factory=lambda: Window(MINUTE))
    good: Window = msgspec.field(default_factory=lambda: Window(MINUTE))
    bad: Window = msgspec.field(default_factory=lambda: Window(MINUTE))
    accepted: int | None = None

    def see(self, now: float, vitals: Vitals) -> None:
        """Count what the queues accepted since the look before."""
        total = sum(queue.accepted for queue in vitals.queues)
        # The first look has nothing to compare with; only the window's beginning is set.
        self.asked.add(now, max(0, total - (total if self.accepted is None else self.accepted)))
        self.accepted = total

    def answered(self, now: float, status: int, seconds: float) -> None:
        """Count a generation's call; who hung up counts as neither."""
        if status < 400:
            self.good.add(now, 1, seconds)
        elif status == 429 or status >= 500:
            self.bad.add(now, 1, seconds)

    def success_rate(self, now: float) -> float | None:
        """0 to 1; a caller's own mistakes don't count; None without any call."""
        good, bad = self.good.count(now), self.bad.count(now)
        return round(good / (good + bad), 4) if good + bad else None

    def response_time(self, now: float) -> float | None:
        """Mean seconds of the calls that were answered; None without any."""
        good = self.good.count(now)
        return round(self.good.amount(now) / good, 4) if good else None


def state(vitals: Vitals) -> str:
    """``ok``; ``degraded`` where something is worse than it should be; ``down`` without a model."""
    known = [queue.replicas for queue in vitals.queues if queue.replicas]
    up = [replica.up for replicas in known for replica in replicas]
    if known and len(known) == len(vitals.queues) and not any(up):
        return "down"
    worse = vitals.rung or vitals.resting or vitals.degraded or vitals.trouble or not all(up)
    return "degraded" if worse else "ok"


def health(vitals: Vitals, *, ready: bool) -> dict[str, Any]:
    """What /health says to who may know."""
    return {
        "status": state(vitals),
        "ready": ready,
        "uptime": round(vitals.uptime, 1),
        "queues": [_queue(queue) for queue in vitals.queues],
        "ladder": _ladder(vitals),
        "messages": vitals.messages,
        "resting": vitals.resting,
        "degraded": list(vitals.degraded),
        "trouble": list(vitals.trouble),
    }


def numbers(vitals: Vitals, lately: Lately, used: Used | None, now: float) -> dict[str, Any]:
    """What /metrics?format=json says: flat numbers first, then each queue and replica."""
    return {
        "status": state(vitals),
        "uptime": round(vitals.uptime, 1),
        "queue_size": vitals.waiting,
        "active_requests": vitals.running,
        "requests_per_second": round(lately.asked.rate(now), 3),
        "success_rate": lately.success_rate(now),
        "mean_response_time": lately.response_time(now),
        "cpu_percent": used.cpu if used is not None else None,
        "memory_percent": used.memory if used is not None else None,
        "disk_percent": used.disk if used is not None else None,
        "ladder": _ladder(vitals),
        "queues": [_queue(queue) for queue in vitals.queues],
        "replicas": [
            {"server": queue.server, **msgspec.to_builtins(replica)}
            for queue in vitals.queues
            for replica in queue.replicas
        ],
        "messages": vitals.messages,
        "plugins": [msgspec.to_builtins(plugin) for plugin in vitals.plugins],
    }


def _ladder(vitals: Vitals) -> dict[str, Any]:
    return {"rung": vitals.rung, "name": vitals.rung_name}


def _queue(queue: Queue) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(queue)
    del fields["replicas"]
    return fields
