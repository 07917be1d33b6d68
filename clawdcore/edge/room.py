"""Room for updates: a bound on how many there are, and on their bytes.

Without room the edge stops asking; what is not asked for, Telegram keeps for
24 hours.
"""

from __future__ import annotations

import asyncio
from typing import Final

UPDATES: Final = 20_000
BYTES: Final = 64 * 1024 * 1024
"""Updates, and bytes of them, that the edge holds."""


class Room:
    """Taken for each update with its size, given back when it is settled."""

    def __init__(self, *, updates: int = UPDATES, size: int = BYTES) -> None:
        self._updates = updates
        self._bytes = size
        self._line = asyncio.Lock()
        self._freed = asyncio.Event()
        self.updates = 0
        self.bytes = 0

    async def take(self, size: int) -> None:
        """Wait until there is room for an update of ``size`` bytes; first come, first served.

        One that is larger than all the room gets it once nothing else is there.
        """
        async with self._line:
            while self.updates and not self._fits(size):
                self._freed.clear()
                await self._freed.wait()
            self.updates += 1
            self.bytes += size

    def give_back(self, size: int) -> None:
        """An update of ``size`` bytes is gone."""
        self.updates -= 1
        self.bytes -= size
        self._freed.set()

    def _fits(self, size: int) -> bool:
        return self.updates < self._updates and self.bytes + size <= self._bytes
