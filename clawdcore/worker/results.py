"""Call a plugin's function, whatever its kind, and turn what it gives into a reply."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import Executor
from contextvars import copy_context
from functools import partial
from typing import Any, Final, get_args

from msgspec.structs import replace

from ..errors import PluginError
from ..hooks import callbacks
from ..messages import PASS, Format, Reply

Produced = Reply | AsyncIterator[str] | None | object
"""A reply, a stream of text, nothing, or :data:`PASS`."""

FORMATS: Final[tuple[str, ...]] = get_args(Format)
Caller = Callable[..., Coroutine[Any, Any, Any]]


def caller(function: Callable[..., Any], threads: Executor) -> Caller:
    """``function`` as one that can be awaited; to be asked once, not at every call.

    ``async def`` and async generators run on the loop, a plain function in a
    thread of ``threads``, with its caller's context variables.
    """
    if inspect.iscoroutinefunction(function):
        return function
    if inspect.isasyncgenfunction(function):

        async def begin(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return begin

    async def in_thread(*args: Any, **kwargs: Any) -> Any:
        loop = asyncio.get_running_loop()
        work = partial(copy_context().run, function, *args, **kwargs)
        result = await loop.run_in_executor(threads, work)
        return await result if inspect.isawaitable(result) else result

    return in_thread


async def call(function: Callable[..., Any], threads: Executor, *args: Any, **kwargs: Any) -> Any:
    """Call ``function`` once, as :func:`caller` would."""
    return await caller(function, threads)(*args, **kwargs)


def produced(plugin: str, result: Any, format: Format = "plain") -> Any:
    """Check what a plugin returned; a ``str`` becomes a reply of that ``format``.

    Buttons that are nobody's yet become the plugin's.

    Raises:
        PluginError: it is nothing that can be sent.
    """
    if result is None or result is PASS:
        return result
    if isinstance(result, str):
        return Reply(text=result, format=format)
    if isinstance(result, Reply):
        text: Any = result.text  # not checked when it was made
        if isinstance(text, str) and result.format in FORMATS:
            buttons = callbacks.checked(plugin, result.buttons) if result.buttons else ()
            return result if buttons == result.buttons else replace(result, buttons=buttons)
        raise PluginError(
            f"plugin {plugin!r} returned a Reply whose text or format can't be sent.",
            plugin=plugin,
            fix=f"Give it a str, and one of the formats {' and '.join(FORMATS)}.",
        )
    if isinstance(result, AsyncIterator):
        return result
    raise PluginError(
        f"plugin {plugin!r} returned {type(result).__name__}.",
        plugin=plugin,
        fix="Return a str, a Reply, an async iterator of str, None, or PASS.",
    )


def piece_of(plugin: str, piece: Any) -> str:
    """Check one piece of a stream.

    Raises:
        PluginError: it is no text.
    """
    if isinstance(piece, str):
        return piece
    raise PluginError(
        f"plugin {plugin!r} yielded {type(piece).__name__}.",
        plugin=plugin,
        fix="Yield str only.",
    )


def encodable(text: str) -> str:
    """``text`` as the broker can carry it: half of a surrogate pair becomes a question mark."""
    return text.encode("utf-8", "replace").decode()
