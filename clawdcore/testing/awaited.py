"""The harness for ``async def`` tests: the same methods, to be awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import wraps
from threading import Thread
from typing import Any, Final

from .harness import Harness

ACTS: Final = frozenset({"advance", "album", "flood", "inject", "press", "say", "send", "settle"})
"""What takes (virtual) time, and is awaited."""


class AsyncHarness:
    """What the fixture ``bot`` is in an ``async def`` test, which runs in the bot's own loop.

    ``await bot.say("/hello")``: the methods that take time are awaited, all else is as in
    :class:`Harness`. What the test awaits itself takes virtual time too.
    """

    def __init__(self, harness: Harness) -> None:
        self._harness = harness

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._harness, name)
        if name not in ACTS:
            return found

        @wraps(found)
        async def act(*arguments: Any, **given: Any) -> Any:
            return await _in_thread(self._harness, lambda: found(*arguments, **given))

        return act


async def _in_thread(harness: Harness, act: Callable[[], Any]) -> Any:
    """What ``act`` returns: it waits for the loop, and so may not be called in it.

    The clock stands still while its thread does anything but wait.
    """
    loop = harness.loop
    done: asyncio.Future[Any] = loop.create_future()

    def settle(result: Any, error: BaseException | None) -> None:
        loop.threads_busy -= 1
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)

    def work() -> None:
        try:
            result = act()
        except BaseException as error:  # noqa: BLE001 - raised where the test waits
            loop.call_soon_threadsafe(settle, None, error)
        else:
            loop.call_soon_threadsafe(settle, result, None)

    loop.threads_busy += 1
    Thread(target=work, name="bot", daemon=True).start()
    return await done
