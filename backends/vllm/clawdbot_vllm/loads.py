"""How busy the servers are, out of the last readings and our own counts. No IO here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from clawdcore import Load, Replica

from .metrics import Gauges
from .picking import FRESH
from .rates import Ratio, blend
from .servers import Reading, Server

SHORTEST: Final = 0.05
"""Seconds between two readings that say something of a rate."""
LEAST_WAIT: Final = 1.0
"""Seconds that anybody is told to wait, at the least; and the most, from our own estimate."""
MOST_WAIT: Final = 60.0


def take(server: Server, gauges: Gauges, now: float) -> None:
    """Take a reading of /metrics into account."""
    before = server.reading
    server.reading = Reading(now, gauges, server.in_flight)
    _measure(server, now, gauges.tokens, busy=gauges.running > 0, ours=False)
    if before is not None:
        seconds = gauges.queue_seconds - before.gauges.queue_seconds
        count = gauges.queue_count - before.gauges.queue_count
        if seconds >= 0 and count > 0:
            server.queueing.add(now, seconds, count)


def take_ours(server: Server, now: float) -> None:
    """Take our own count of tokens into account, for a server without /metrics."""
    _measure(server, now, server.tokens, busy=server.in_flight > 0, ours=True)


def _measure(server: Server, now: float, tokens: float, *, busy: bool, ours: bool) -> None:
    """The server has generated ``tokens`` in all by now; ``ours`` is whose count that is.

    Time in which nothing ran and nothing came says nothing of the speed. A count
    that fell is a server that was started anew.
    """
    if ours != server.ours:
        server.ours, server.measured = ours, None
    before = server.measured
    if before is not None and now - before[0] < SHORTEST:
        return
    server.measured = (now, tokens)
    if before is None or tokens < before[1]:
        return
    if busy or tokens > before[1]:
        server.speed.add(now, tokens - before[1], now - before[0])


def answered(server: Server, seconds: float) -> None:
    """The first byte of an answer came after so long."""
    server.response_time = blend(server.response_time, seconds)


def finished(server: Server, seconds: float) -> None:
    """A whole answer took so long."""
    server.duration = blend(server.duration, seconds)


def wait(server: Server) -> float:
    """Seconds until one of the answers that are under way is through, by the late ones' mean."""
    if server.duration is None:
        return LEAST_WAIT
    return min(MOST_WAIT, max(LEAST_WAIT, server.duration / max(1, server.in_flight)))


def counts(server: Server, now: float) -> tuple[int, int]:
    """How many run and wait: the last reading, moved on by what we began and finished since."""
    reading = server.reading
    if reading is None or now - reading.at > FRESH:
        return server.in_flight, 0
    running, waiting = int(reading.gauges.running), int(reading.gauges.waiting)
    change = server.in_flight - reading.in_flight
    total = max(server.in_flight, running + waiting + change)
    # Who waits starts as soon as somebody finishes, and who comes joins those that wait.
    waiting = min(total, max(0, waiting + change)) if waiting else 0
    return total - waiting, waiting


def load(servers: Sequence[Server], now: float, *, most: int | None) -> Load:
    """Over all servers; ``most`` is what one of them may hold, None where that is unknown."""
    replicas = []
    for server in servers:
        running, waiting = counts(server, now)
        replicas.append(
            Replica(
                name=server.name,
                up=server.up,
                running=running,
                waiting=waiting,
                response_time=server.response_time,
            )
        )
    standing = [server for server in servers if server.up]
    gauges = [server.reading.gauges for server in standing if server.reading is not None]
    speeds = [server.speed.value for server in standing]
    measured = [speed for speed in speeds if speed is not None]
    cache = [reading.cache_use for reading in gauges if reading.cache_use is not None]
    return Load(
        running=sum(replica.running for replica in replicas if replica.up),
        waiting=sum(replica.waiting for replica in replicas if replica.up),
        capacity=(most or 0) * len(standing),
        cache_use=min(1.0, max(cache)) if cache else None,
        tokens_per_second=sum(measured) if measured else None,
        queue_time=_mean([server.queueing for server in standing]),
        preemptions=int(sum(reading.preemptions for reading in gauges)),
        replicas=tuple(replicas),
    )


def _mean(ratios: Sequence[Ratio]) -> float | None:
    top, bottom = sum(ratio.top for ratio in ratios), sum(ratio.bottom for ratio in ratios)
    return top / bottom if bottom > 0 else None
