"""The contract: plain records both ways, over a port with a bound.

Every record is a msgspec struct with a tag, so that a broker that crosses a
process encodes it without knowing what it is. The edge gives an update's bytes
away with :class:`Deliver`, and the update stays open until :class:`Done` says
what became of it. A clean stop is the edge closing its port once nothing is open.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Generic, Protocol, TypeVar

import msgspec

from ..messages import Content, Receipt, Reply


class Outcome(StrEnum):
    """How the work on one update ended; each update has exactly one."""

    ANSWERED = "answered"
    NOTICED = "noticed"
    UNADDRESSED = "unaddressed"
    SKIPPED = "skipped"


class Bot(msgspec.Struct, frozen=True):
    """Who we are on the channel."""

    id: int
    username: str
    reads_all_groups: bool = False


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where something is sent. ``reply_to`` is the message it answers, 0 for none."""

    chat_id: int
    topic: int | None = None
    reply_to: int = 0
    private: bool = True


class Hello(msgspec.Struct, frozen=True, tag=True):
    """The first record to a worker. ``restart`` counts the workers before it."""

    bot: Bot
    restart: int = 0


class Deliver(Content, msgspec.Struct, frozen=True, tag=True):
    """An update: its id, and its bytes as they came."""

    id: int
    body: bytes
    attempt: int = 1


class Fetched(Content, msgspec.Struct, frozen=True, tag=True):
    """The answer to :class:`Fetch`: the bytes, or why there are none."""

    request: int
    data: bytes = b""
    error: str = ""


class Delivered(msgspec.Struct, frozen=True, tag=True):
    """What became of a :class:`Send`."""

    receipt: Receipt


class Started(msgspec.Struct, frozen=True, tag=True):
    """Work on an update begins; from here on an attempt counts."""

    id: int


class Draft(Content, msgspec.Struct, frozen=True, tag=True):
    """The answer so far, to be shown if there is room; ``text`` is all of it."""

    id: int
    target: Target
    text: str

    SHOWN: ClassVar[frozenset[str]] = frozenset({"target"})


class Send(Content, msgspec.Struct, frozen=True, tag=True):
    """A reply to hand out. ``id`` is the update it answers, 0 for none.

    ``notice`` tells it from an answer: what can't be known to have arrived is
    repeated once for an answer, never for a notice.
    """

    id: int
    target: Target
    reply: Reply
    notice: bool = False

    SHOWN: ClassVar[frozenset[str]] = frozenset({"target"})


class Done(msgspec.Struct, frozen=True, tag=True):
    """The worker has sent all there is for an update."""

    id: int
    outcome: Outcome


class Fetch(msgspec.Struct, frozen=True, tag=True):
    """Ask for a file's bytes; answered by :class:`Fetched` of the same ``request``."""

    request: int
    file_id: str


class Commands(msgspec.Struct, frozen=True, tag=True):
    """The commands for the channel's menu, by language ("" for all others)."""

    language: str
    commands: tuple[tuple[str, str], ...]


ToWorker = Hello | Deliver | Fetched | Delivered
ToEdge = Started | Draft | Send | Done | Fetch | Commands

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
