"""What the bot's own numbers showed during a rehearsal, from looks at its gateway. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from .monitor_look import Look


class Pressure(msgspec.Struct, frozen=True, kw_only=True):
    """How full the queue before a model server was, over all looks.

    ``shares`` are parts of the looks at which something waited, 0 to 1:
    ``at_ceiling`` with as many running as may ever, ``at_limit`` with as many as the
    server can do, ``inside`` with requests that waited inside the server. ``waited``
    is the part of all looks at which something waited. ``refused`` is by reason.
    ``load`` is the mean of those that ran and waited.
    """

    server: str
    limit: int
    ceiling: int
    bound: int
    replicas: int
    finished: int
    refused: dict[str, int]
    most_waiting: int
    waited: float
    at_ceiling: float
    at_limit: float
    inside: float
    load: float


def pressures(looks: Sequence[Look]) -> list[Pressure]:
    """Of each model server; [] without a look. The counts begin with the bot."""
    if not looks:
        return []
    return [_of(queue.server, looks) for queue in looks[-1].queues]


def busiest(found: Sequence[Pressure]) -> Pressure | None:
    """The one that refused most, else the one with most waiting."""
    return max(
        found,
        key=lambda each: (sum(each.refused.values()), each.most_waiting, each.finished),
        default=None,
    )


def most_rung(looks: Sequence[Look]) -> str:
    """The name of the furthest rung of the ladder, "none" for none."""
    return max((look.ladder for look in looks), key=lambda each: each.rung).name if looks else ""


def _of(server: str, looks: Sequence[Look]) -> Pressure:
    seen = [(queue, look) for look in looks for queue in look.queues if queue.server == server]
    last = seen[-1][0]
    crowded = [(queue, look) for queue, look in seen if sum(queue.waiting.values())]
    inside = [
        look
        for _, look in crowded
        if sum(each.waiting for each in look.replicas if each.server == server)
    ]
    return Pressure(
        server=server,
        limit=last.limit,
        ceiling=last.ceiling,
        bound=last.bound,
        replicas=sum(each.server == server for each in looks[-1].replicas),
        finished=last.finished,
        refused={reason: count for reason, count in last.refused.items() if count},
        most_waiting=max(sum(queue.waiting.values()) for queue, _ in seen),
        waited=_share(len(crowded), len(seen)),
        at_ceiling=_share(sum(q.running >= q.ceiling for q, _ in crowded), len(crowded)),
        at_limit=_share(sum(q.running >= q.limit for q, _ in crowded), len(crowded)),
        inside=_share(len(inside), len(crowded)),
        load=sum(q.running + sum(q.waiting.values()) for q, _ in seen) / len(seen),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
