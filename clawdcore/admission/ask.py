"""What is asked of admission, and what it gives."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from ..backend import Priority
from ..vitals import Queue


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A request for a seat.

    ``chat`` is the fairness key, ``sender`` the one within it. ``prompt_tokens`` is an
    estimate; ``output_tokens`` the most that may come out, 0 where nobody said.
    ``deadline`` is in seconds of the running loop's clock, by which the work must be
    done. ``later`` is for the further work of a message that had a seat already.
    """

    priority: Priority = Priority.DIRECT
    chat: str = ""
    sender: str = ""
    prompt_tokens: int = 0
    output_tokens: int = 0
    deadline: float | None = None
    later: bool = False


class Ticket(Protocol):
    """A seat that is held."""

    @property
    def waited(self) -> float:
        """Seconds from asking to getting it."""
        ...

    def used(self, prompt_tokens: int, output_tokens: int) -> None:
        """What it has really taken so far, in all; the estimate counts until then."""
        ...


class Admission(Protocol):
    """The queue in front of one model server."""

    def seat(self, ask: Ask) -> AbstractAsyncContextManager[Ticket]:
        """Wait for a seat and hold it for the body of an ``async with``.

        Raises:
            clawdcore.errors.TooLate: it can't be done before its deadline.
            clawdcore.errors.Overloaded: too many wait; ``retry_after`` says when to
                come back.
        """
        ...

    def vitals(self) -> Queue:
        """How it is doing."""
        ...
