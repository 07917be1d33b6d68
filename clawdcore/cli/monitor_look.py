"""One look at a bot that runs: what its gateway says, typed, and what is wrong in it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ..vitals import PluginUse, Queue, Vitals

if TYPE_CHECKING:
    from ..config import AlertsConfig
    from ..worker.alerts import Alert


class Ladder(msgspec.Struct, frozen=True):
    """How far down the ladder the bot is; ``rung`` 0 for not at all."""

    rung: int = 0
    name: str = "none"


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """A replica, and the ``server`` (provider) that it belongs to."""

    server: str
    name: str
    up: bool
    running: int = 0
    waiting: int = 0
    response_time: float | None = None


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What ``/metrics?format=json`` says; docs/metrics.md has the meaning and unit of each."""

    status: str
    uptime: float
    queue_size: int
    active_requests: int
    requests_per_second: float
    success_rate: float | None = None
    mean_response_time: float | None = None
    cpu_percent: float | None = None
    memory_percent: float | None = None
    disk_percent: float | None = None
    ladder: Ladder = Ladder()
    queues: tuple[Queue, ...] = ()
    replicas: tuple[Server, ...] = ()
    messages: dict[str, int] = {}
    plugins: tuple[PluginUse, ...] = ()

    def vitals(self) -> Vitals:
        """The same as the bot itself sees it: each replica under its server's queue."""
        from ..backend import Replica

        queues = tuple(
            msgspec.structs.replace(
                queue,
                replicas=tuple(
                    Replica(name=each.name, up=each.up)
                    for each in self.replicas
                    if each.server == queue.server
                ),
            )
            for queue in self.queues
        )
        return Vitals(uptime=self.uptime, queues=queues, messages=self.messages)


def decoded(body: bytes) -> Look:
    """The look in an answer's body; keys that we don't know are passed over.

    Raises:
        msgspec.DecodeError: it is no such JSON (``ValidationError`` is one).
    """
    return msgspec.json.decode(body, type=Look)


def alerts_in(look: Look, thresholds: AlertsConfig) -> list[Alert]:
    """What is wrong at this moment, by the rules by which the bot tells its owner."""
    from ..worker.alerts import found

    return found(thresholds, look.vitals(), look.cpu_percent)


def with_alerts(look: Look, alerts: list[Alert]) -> dict[str, Any]:
    """The look with its ``alerts`` beside it, as ``--json`` prints it."""
    fields: dict[str, Any] = msgspec.to_builtins(look)
    for queue in fields["queues"]:
        del queue["replicas"]  # they stand in a list of their own
    return {**fields, "alerts": msgspec.to_builtins(alerts)}
