"""Connections to workers, and who keeps workers alive."""

from __future__ import annotations

import asyncio
from typing import Protocol

from ..broker import Port, Ready, ToEdge, ToWorker
from .work import Death


class Link:
    """A connection to a worker. ``beat`` is when it last showed life, in loop time."""

    def __init__(self, number: int, port: Port[ToWorker, ToEdge], ready: Ready) -> None:
        self.number = number
        self.port = port
        self.ready = ready
        self.beat = asyncio.get_running_loop().time()


class Attending(Protocol):
    """What a keeper of workers needs of the edge."""

    async def greet(self, port: Port[ToWorker, ToEdge]) -> Link:
        """Tell a new worker all that it must know, and wait until it is ready.

        Raises:
            clawdcore.broker.Closed: it ended before.
        """
        ...

    async def attend(self, link: Link) -> None:
        """Work with this worker from now on, until its port is closed."""
        ...

    async def drained(self, link: Link) -> None:
        """Until a worker that gets nothing new any more is done with all it has."""
        ...

    def pause(self) -> None:
        """Give nobody anything new until the next worker is attended."""
        ...

    def lost(self, link: Link, how: Death, culprit: str = "") -> None:
        """A worker that was attended has ended; ``culprit`` is whose code did that, if seen."""
        ...

    def pardon(self) -> None:
        """Let no plugin rest any more: somebody has mended what there was to mend."""
        ...

    def tell(self, kind: str, subject: str = "") -> None:
        """Have the owner told."""
        ...


class Workers(Protocol):
    """Who starts workers and keeps one attached."""

    async def run(self, edge: Attending) -> None:
        """Until :meth:`stop`, or until no worker can be had any more."""
        ...

    async def stop(self) -> None:
        """End the workers; nothing is open any more."""
        ...


class OneWorker:
    """A worker in this process, at the other end of ``port``; when it ends, so does the edge."""

    def __init__(self, port: Port[ToWorker, ToEdge]) -> None:
        self._port = port

    async def run(self, edge: Attending) -> None:
        """As :meth:`Workers.run`."""
        await edge.attend(await edge.greet(self._port))

    async def stop(self) -> None:
        """As :meth:`Workers.stop`."""
        self._port.close()
