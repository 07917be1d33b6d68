"""Call a plugin's function, whatever its kind, and turn what it gives into a reply."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from typing import Any

from ..errors import PluginError
from ..messages import PASS, Reply

Produced = Reply | AsyncIterator[str] | None | object
"""A reply, a stream of text, nothing, or :data:`PASS`."""


async def call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call ``async def`` and async generators here, a plain function in a thread."""
    if inspect.isasyncgenfunction(function):
        return function(*args, **kwargs)
    if inspect.iscoroutinefunction(function):
        return await function(*args, **kwargs)
    result = await asyncio.to_thread(function, *args, **kwargs)
    return await result if inspect.isawaitable(result) else result


def produced(plugin: str, result: Any) -> Any:
    """Check what a plugin returned.

    Raises:
        PluginError: it is nothing that can be sent.
    """
    if isinstance(result, str):
        return Reply(text=result) if result.strip() else None
    if result is None or result is PASS or isinstance(result, Reply | AsyncIterator):
        return result
    raise PluginError(
        f"plugin {plugin!r} returned {type(result).__name__}.",
        plugin=plugin,
        fix="Return a str, a Reply, an async iterator of str, None, or PASS.",
    )
