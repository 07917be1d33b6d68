"""Whose work the running code does: the message behind it, for admission."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

import msgspec

from ..admission.ask import Ask
from ..admission.gate import Seat
from ..backend import Priority
from ..messages import Message
from .deadline import Deadline


class Origin(msgspec.Struct, eq=False):
    """What admission must know of a message, and what it learns on the way.

    ``ask`` is its claim to a seat; its ``deadline`` is the message's own. ``seated``:
    it had a model's seat before. ``waits`` are the seats that it stands in line for;
    ``shortened``: a model's answer was cut, since answers are short now; ``shared``: it
    asked a model for what others may ask for too. ``language`` is its sender's, ``time``
    what it has, once its work has begun.
    """

    ask: Ask
    language: str = ""
    seated: bool = False
    shortened: bool = False
    shared: bool = False
    waits: list[Seat] = []
    time: Deadline | None = None

    def ends(self, at: float) -> None:
        """Its time is over ``at``, in the event loop's time."""
        self.ask = msgspec.structs.replace(self.ask, deadline=at)

    def place(self) -> tuple[int, float] | None:
        """Its number in line and the seconds to its turn; None when it waits for no model."""
        places = [place for seat in self.waits if (place := seat.place()) is not None]
        return max(places, key=lambda place: place[1]) if places else None


ORIGIN: Final[ContextVar[Origin | None]] = ContextVar("origin", default=None)
"""Of the message that this task works for, None for none."""


def asked() -> Ask:
    """The claim of the message that this task works for; one of nobody's, where there is none."""
    origin = ORIGIN.get()
    return Ask() if origin is None else origin.ask


def classify(message: Message, *, control: bool) -> Priority:
    """A message's class; ``control`` for commands that take no time."""
    if control:
        return Priority.CONTROL
    if message.chat.kind == "private":
        return Priority.DIRECT
    if message.attachments:
        return Priority.MEDIA
    return Priority.DIRECT if message.addressed else Priority.GROUP


def ask_of(message: Message, priority: Priority) -> Ask:
    """A message's claim: its chat is the fairness key, its sender the one within."""
    return Ask(priority=priority, chat=str(message.chat.id), sender=str(message.sender.id))
