"""One end of a broker, whatever carries its records."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

Out = TypeVar("Out", contravariant=True)
In = TypeVar("In", covariant=True)


class Closed(Exception):
    """The other side is gone; nothing more will come or go."""


class Port(Protocol, Generic[Out, In]):
    """One end of a broker."""

    async def send(self, record: Out) -> None:
        """Hand a record over; waits while the way is full.

        Cancelled, or with :class:`Closed` raised, it was not handed over.
        """
        ...

    async def receive(self) -> In:
        """The next record, in order. Raises :class:`Closed` at the end."""
        ...

    def close(self) -> None:
        """End both directions; what was sent before can still be received."""
        ...
