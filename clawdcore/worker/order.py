"""Keep things of one key in order without a task or a lock for each key."""

from __future__ import annotations

import asyncio


class Place:
    """A place in one key's line: wait for those before, then leave.

    A line is a list linked both ways, and leaving takes a place out of it.
    Nothing is made to wait on until somebody waits.
    """

    __slots__ = ("_after", "_before", "_key", "_left", "_line", "_turn")

    def __init__(self, line: Line, key: str, before: Place | None) -> None:
        self._line = line
        self._key = key
        self._before = before
        self._after: Place | None = None
        self._left = False
        self._turn: asyncio.Event | None = None

    @property
    def first(self) -> bool:
        """Whether nobody of the key is before it any more."""
        return self._before is None

    @property
    def ahead(self) -> int:
        """How many of the key are before it."""
        count, place = 0, self._before
        while place is not None:
            count, place = count + 1, place._before
        return count

    async def wait(self) -> None:
        """Until everybody before has left. A cancelled wait keeps the place."""
        if self._before is None:
            return
        if self._turn is None:
            self._turn = asyncio.Event()
        await self._turn.wait()

    def leave(self) -> None:
        """Let the next one in, once those before are gone too. Harmless twice."""
        if self._left:
            return
        self._left = True
        before, after = self._before, self._after
        if before is not None:
            before._after = after
        if after is not None:
            after._follow(before)
        else:
            self._line._ends_with(self._key, before)
        self._after = None
        self._follow(None)

    def _follow(self, before: Place | None) -> None:
        self._before = before
        if before is None and self._turn is not None:
            self._turn.set()


class Line:
    """The lines of all keys; a key without anybody in it takes no memory."""

    def __init__(self) -> None:
        self._last: dict[str, Place] = {}

    def __len__(self) -> int:
        return len(self._last)

    def enter(self, key: str) -> Place:
        """Take the last place of ``key``'s line."""
        last = self._last.get(key)
        place = self._last[key] = Place(self, key, last)
        if last is not None:
            last._after = place
        return place

    def _ends_with(self, key: str, last: Place | None) -> None:
        if last is None:
            del self._last[key]
        else:
            self._last[key] = last
