"""Call a plugin's function, whatever its kind, and turn what it gives into a reply."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from ..errors import PluginError
from ..messages import PASS, Reply

Produced = Reply | AsyncIterator[str] | None | object
"""A reply, a stream of text, nothing, or :data:`PASS`."""

Caller = Callable[..., Coroutine[Any, Any, Any]]


def caller(function: Callable[..., Any]) -> Caller:
    """``function`` as one that can be awaited; to be asked once, not at every call.

    ``async def`` and async generators run on the loop, a plain function in a
    thread.
    """
    if inspect.iscoroutinefunction(function):
        return function
    if inspect.isasyncgenfunction(function):

        async def begin(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return begin

    async def in_thread(*args: Any, **kwargs: Any) -> Any:
        result = await asyncio.to_thread(function, *args, **kwargs)
        return await result if inspect.isawaitable(result) else result

    return in_thread


async def call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call ``function`` once, as :func:`caller` would."""
    return await caller(function)(*args, **kwargs)


def produced(plugin: str, result: Any) -> Any:
    """Check what a plugin returned.

    Raises:
        PluginError: it is nothing that can be sent.
    """
    if result is None or result is PASS:
        return result
    if isinstance(result, str):
        return Reply(text=result) if result.strip() else None
    if isinstance(result, Reply | AsyncIterator):
        return result
    raise PluginError(
        f"plugin {plugin!r} returned {type(result).__name__}.",
        plugin=plugin,
        fix="Return a str, a Reply, an async iterator of str, None, or PASS.",
    )
