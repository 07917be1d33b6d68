"""Who waits in vain behind the earlier messages of one conversation.

A handler's ``serial`` lets the messages of a key in one after the other. Without a
bound somebody who writes faster than is answered would let each message's turn come
just when its time is over, and get no answer at all any more. So a message that would
wait too long is refused when it comes, with the time in which those before it are done.
"""

from __future__ import annotations

from typing import Final

from ..errors import Overloaded

SHARE: Final = 0.5
"""The part of its time that a message may be expected to wait for those before it; what is
left is for itself, and for others that take longer than most."""
GAIN: Final = 0.2
"""The weight of the newest turn in the mean."""


class Turns:
    """How long a turn takes, for each plugin. Times are in seconds."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    def took(self, plugin: str, seconds: float) -> None:
        """A turn of ``plugin`` ended with an answer after so long."""
        before = self._seconds.get(plugin, seconds)
        self._seconds[plugin] = before + GAIN * (seconds - before)

    def enter(self, plugin: str, *, ahead: int, left: float) -> None:
        """A message with ``left`` of its time wants to wait for ``ahead`` others.

        Raises:
            Overloaded: it would wait for most of that.
        """
        wait = ahead * self._seconds.get(plugin, 0.0)
        if wait > SHARE * left:
            raise Overloaded("this conversation has too many open questions.", retry_after=wait)
