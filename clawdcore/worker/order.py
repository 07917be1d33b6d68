"""Keep things of one key in order without a task or a lock for each key."""

from __future__ import annotations

import asyncio


class Place:
    """A place in one key's line: wait for those before, then leave."""

    __slots__ = ("_before", "_key", "_left", "_line")

    def __init__(self, line: Line, key: str, before: asyncio.Future[None] | None) -> None:
        self._line = line
        self._key = key
        self._before = before
        self._left: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def first(self) -> bool:
        """Whether nobody of the key is before it any more."""
        return self._before is None or self._before.done()

    async def wait(self) -> None:
        """Until everybody before has left. A cancelled wait keeps the place."""
        if self._before is not None and not self._before.done():
            await asyncio.shield(self._before)

    def leave(self) -> None:
        """Let the next one in, once those before are gone too. Harmless twice."""
        if self._left.done():
            return
        before = self._before
        if before is None or before.done():
            self._end()
        else:
            before.add_done_callback(self._end)

    def _end(self, _: object = None) -> None:
        if not self._left.done():
            self._left.set_result(None)
        self._line._forget(self._key, self._left)


class Line:
    """The lines of all keys; a key without anybody in it takes no memory."""

    def __init__(self) -> None:
        self._last: dict[str, asyncio.Future[None]] = {}

    def __len__(self) -> int:
        return len(self._last)

    def enter(self, key: str) -> Place:
        """Take the last place of ``key``'s line."""
        place = Place(self, key, self._last.get(key))
        self._last[key] = place._left
        return place

    def _forget(self, key: str, left: asyncio.Future[None]) -> None:
        if self._last.get(key) is left:
            del self._last[key]
