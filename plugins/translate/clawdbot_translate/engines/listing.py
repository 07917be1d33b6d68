"""A service's list of languages: asked for once by all who need it, and believed for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from .contract import EngineFailed

AGAIN: Final = 60.0
"""Seconds that an old list is used on when a new one can't be had."""

Ask = Callable[[], Awaitable[frozenset[str]]]


class Listing:
    """The list of ``engine``; ``ask`` gets it. ``clock`` gives seconds that only move forward.

    A list without a language is no list: a server that still loads its models has one.
    """

    def __init__(
        self, engine: str, ask: Ask, *, believed: float, clock: Callable[[], float]
    ) -> None:
        self._engine = engine
        self._ask = ask
        self._believed = believed
        self._clock = clock
        self._known: frozenset[str] = frozenset()
        self._until = float("-inf")
        self._refused: EngineFailed | None = None
        self._asking: asyncio.Task[frozenset[str]] | None = None

    async def codes(self) -> frozenset[str]:
        """The codes as the service spells them; an old list while no new one can be had.

        Raises:
            EngineFailed: there is none. Whoever comes next asks again, but not before the time
                that the service asked for.
        """
        left = self._until - self._clock()
        if self._known and left > 0:
            return self._known
        if self._refused is not None and left > 0:
            self._refused.rest = left
            raise self._refused.with_traceback(None)
        if self._asking is None:
            self._asking = asyncio.create_task(self._renewed())
            self._asking.add_done_callback(self._asked)
        return await asyncio.shield(self._asking)  # who gives up takes nobody else's list along

    async def close(self) -> None:
        """Give up what is under way."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    def _asked(self, task: asyncio.Task[frozenset[str]]) -> None:
        self._asking = None

    async def _renewed(self) -> frozenset[str]:
        try:
            found = await self._ask()
            if not found:
                raise EngineFailed(
                    self._engine,
                    "lists no languages",
                    fix="Check that its models are installed; it is asked again by itself.",
                )
        except EngineFailed as error:
            if not self._known:
                self._refused = error if error.rest else None
                self._until = self._clock() + (error.rest or 0.0)
                raise
            self._until = self._clock() + AGAIN
            return self._known
        self._known, self._refused = found, None
        self._until = self._clock() + self._believed
        return found
