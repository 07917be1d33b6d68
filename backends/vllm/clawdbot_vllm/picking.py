"""Which server gets the next request, and which gets none. No IO here.

Two servers are drawn by lot and the less busy one is taken: "The Power of Two
Choices in Randomized Load Balancing" (Mitzenmacher, 2001). It needs no view of
all servers at once, and does not send everything to the one whose count is old.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from random import Random
from typing import Final

from .failures import Kind
from .servers import Server

FRESH: Final = 5.0
"""Seconds after which a reading of /metrics counts for nothing."""
FIRST_REST: Final = 0.5
"""Seconds until a server that can't be reached is looked at again."""
LONGEST_REST: Final = 30.0
"""Seconds; each failure in a row doubles the rest up to this."""
STRIKES: Final = 3
"""Bad answers in a row that eject a server; one may be the request's own fault."""


def pick(
    servers: Sequence[Server],
    now: float,
    random: Random,
    *,
    without: Collection[Server] = (),
    most: int | None = None,
) -> Server | None:
    """The server for a request, None where all that could take it hold ``most`` already.

    An ejected server gets nothing unless all are. Those in ``without`` were tried
    and come again only where no other is left.
    """
    standing = [server for server in servers if server.up] or list(servers)
    untried = [server for server in standing if server not in without] or standing
    free = untried if most is None else [s for s in untried if s.in_flight < most]
    if not free and most is not None:
        free = [server for server in standing if server.in_flight < most]
    if not free:
        return None
    if len(free) == 1:
        return free[0]
    first, second = random.sample(free, 2)
    return first if busyness(first, now) <= busyness(second, now) else second


def busyness(server: Server, now: float) -> float:
    """Requests that a new one would meet: ours, and by the last reading others' and waiting ones.

    The older the reading, the less it counts.
    """
    reading = server.reading
    if reading is None:
        return float(server.in_flight)
    fresh = max(0.0, 1.0 - max(0.0, now - reading.at) / FRESH)
    gauges = reading.gauges
    others = max(0.0, gauges.running + gauges.waiting - reading.in_flight)
    return server.in_flight + fresh * (others + gauges.waiting)


def failed(server: Server, kind: Kind, now: float, random: Random) -> None:
    """Take an attempt's failure into account; the server may be ejected for it."""
    match kind:
        case Kind.UNREACHABLE | Kind.DEAD | Kind.SLOW:
            eject(server, now, random)
        case Kind.CUT:
            # The server may be fine, and the connection merely old: looked at once.
            eject(server, now, random, rest=0.0)
        case Kind.BROKEN:
            server.strikes += 1
            if server.strikes >= STRIKES:
                eject(server, now, random)
        case Kind.BUSY | Kind.REFUSED | Kind.OUT_OF_TIME:
            pass


def eject(server: Server, now: float, random: Random, *, rest: float | None = None) -> None:
    """Give it no requests until a look finds it well, at the earliest after ``rest`` seconds.

    Unset, the rest doubles with each failure; a jitter of a fifth keeps several
    bots from looking at the same moment.
    """
    if rest is None:
        rest = min(LONGEST_REST, FIRST_REST * 2.0 ** min(server.failures, 10))
        rest *= 0.8 + 0.4 * random.random()
    # Of several requests that fail together the first counts.
    if server.up or now >= server.probe_at:
        server.failures += 1
        server.probe_at = now + rest
    server.up = False
    server.reading = None


def restore(server: Server) -> None:
    """It answers again."""
    server.up = True
    server.strikes = 0


def answered(server: Server) -> None:
    """A request was answered; only this ends a row of failures."""
    restore(server)
    server.failures = 0
