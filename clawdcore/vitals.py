"""How the bot is doing, in numbers and names of our own: what /health and /metrics show.

Nothing in here says what anybody wrote, or who wrote.
"""

from __future__ import annotations

import msgspec

from .backend import Replica

CLASSES = ("control", "direct", "group", "media")
"""The names of the classes of work, the most urgent first."""


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """The queue in front of one model server.

    ``limit`` of at most ``ceiling`` may run at once, ``running`` do. ``waiting`` is
    by class. ``accepted`` came in; of those ``finished`` gave their seat back and
    ``refused``, by reason, never got one, or lost their place. ``joined`` shared
    another's generation instead. ``eta`` is the seconds that a newcomer of class
    direct would wait; ``wait`` the mean of those that got a seat lately.
    ``tokens_per_second`` is measured, None before any.
    """

    server: str
    limit: int
    ceiling: int
    bound: int
    running: int
    waiting: dict[str, int]
    accepted: int
    finished: int
    refused: dict[str, int]
    joined: int = 0
    eta: float = 0.0
    wait: float = 0.0
    tokens_per_second: float | None = None
    cache_use: float | None = None
    replicas: tuple[Replica, ...] = ()


class PluginUse(msgspec.Struct, frozen=True, kw_only=True):
    """What one plugin has cost since the worker began.

    ``calls`` of its functions took ``seconds`` by the clock, waiting for models and other
    plugins included. ``failures`` are by kind, ``rest`` the seconds that it still rests.
    """

    name: str
    calls: int = 0
    seconds: float = 0.0
    failures: dict[str, int] = {}
    rest: float = 0.0


class Vitals(msgspec.Struct, frozen=True, kw_only=True):
    """One look at everything.

    ``uptime`` is in seconds. ``messages`` counts what became of messages by outcome.
    ``rung`` is how far down the ladder the bot is, 0 for not at all, ``rung_name``
    its name. ``resting`` gives the seconds that plugins which kept failing still
    rest, ``degraded`` the models that fail. ``trouble`` are sentences for the owner.
    ``plugins`` are those that were loaded.
    """

    uptime: float
    queues: tuple[Queue, ...] = ()
    messages: dict[str, int] = {}
    rung: int = 0
    rung_name: str = "none"
    resting: dict[str, float] = {}
    degraded: tuple[str, ...] = ()
    trouble: tuple[str, ...] = ()
    plugins: tuple[PluginUse, ...] = ()

    @property
    def running(self) -> int:
        """Generations under way, over all servers."""
        return sum(queue.running for queue in self.queues)

    @property
    def waiting(self) -> int:
        """Requests that wait for a generation, over all servers and classes."""
        return sum(sum(queue.waiting.values()) for queue in self.queues)
