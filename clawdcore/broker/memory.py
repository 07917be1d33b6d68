"""The broker inside one process: two bounded pipes."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final, Generic, TypeVar

from .contract import ToEdge, ToWorker
from .port import Closed, Port

T = TypeVar("T")
Out = TypeVar("Out")
In = TypeVar("In")

DEFAULT_BOUND: Final = 1024
"""Records under way in one direction before the sender waits."""


class Pipe(Generic[T]):
    """One direction: many senders, one receiver, a bound, and an end."""

    def __init__(self, bound: int = DEFAULT_BOUND) -> None:
        self._records: deque[T] = deque()
        self._bound = bound
        self._closed = False
        self._readable = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    def __len__(self) -> int:
        return len(self._records)

    async def put(self, record: T) -> None:
        """Append; waits while full. Raises :class:`Closed`."""
        while not self._closed and len(self._records) >= self._bound:
            self._writable.clear()
            await self._writable.wait()
        if self._closed:
            raise Closed
        self._records.append(record)
        self._readable.set()

    async def get(self) -> T:
        """The oldest record; waits while empty. Raises :class:`Closed` at the end."""
        while not self._records:
            if self._closed:
                raise Closed
            self._readable.clear()
            await self._readable.wait()
        record = self._records.popleft()
        self._writable.set()
        return record

    def close(self) -> None:
        """End it: senders fail now, the receiver after the last record."""
        self._closed = True
        self._readable.set()
        self._writable.set()


class MemoryPort(Generic[Out, In]):
    """One end of a pair of pipes."""

    def __init__(self, outgoing: Pipe[Out], incoming: Pipe[In]) -> None:
        self._outgoing = outgoing
        self._incoming = incoming

    async def send(self, record: Out) -> None:
        """As :meth:`Port.send`."""
        await self._outgoing.put(record)

    async def receive(self) -> In:
        """As :meth:`Port.receive`."""
        return await self._incoming.get()

    def close(self) -> None:
        """As :meth:`Port.close`."""
        self._outgoing.close()
        self._incoming.close()


def memory_broker(
    bound: int = DEFAULT_BOUND,
) -> tuple[Port[ToWorker, ToEdge], Port[ToEdge, ToWorker]]:
    """The edge's end and the worker's end of a broker in this process."""
    down: Pipe[ToWorker] = Pipe(bound)
    up: Pipe[ToEdge] = Pipe(bound)
    return MemoryPort(down, up), MemoryPort(up, down)
