"""Our own dispatcher of the hooks that run while the bot does.

Each call is attributed and isolated: one plugin's error is logged under its
name and costs the others nothing.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Coroutine
from concurrent.futures import Executor
from functools import partial
from typing import Any, Final

from ..hooks.control import Held
from ..hooks.loaded import Loaded, Tables
from ..hooks.scope import Scope
from ..messages import Message, Receipt, Reply
from ..privacy import describe
from .failures import Failures
from .guard import ends_us, tame, within
from .results import call, produced

log = logging.getLogger(__name__)

SHUTDOWN_LIMIT: Final = 5.0
"""Seconds that one plugin's ``shutdown`` may take."""
PREPARE_LIMIT: Final = 2.0
"""Seconds that one ``prepare_reply`` may take: every answer waits for it."""
HOOK_LIMIT: Final = 5.0
"""Seconds that one ``reply_delivered`` or ``privacy_notes`` may take."""


class Plugins:
    """The loaded plugins, called in order.

    What ``prepare_reply`` and ``reply_delivered`` raise counts among their ``failures``,
    and a plugin that rests is not asked.
    """

    def __init__(self, tables: Tables, threads: Executor, failures: Failures) -> None:
        self._tables = tables
        self._threads = threads
        self._failures = failures
        self._preparing = tables.implementing("prepare_reply")
        self._told = tables.implementing("reply_delivered")

    @property
    def wants_receipts(self) -> bool:
        """Whether any plugin is told of deliveries."""
        return bool(self._told)

    async def _call(
        self, plugin: Loaded, hook: str, limit: float | None, **given: object
    ) -> object:
        given["context"] = plugin.context
        function = partial(plugin.call, hook, **given)
        if inspect.iscoroutinefunction(plugin.hooks[hook]):
            work: Coroutine[Any, Any, object] = function()
        else:
            work = call(function, self._threads)
        return await (work if limit is None else within(limit, work))

    async def startup(self) -> dict[str, Exception]:
        """Run every ``startup``; returns the errors of those that failed, by plugin."""
        failed: dict[str, Exception] = {}
        for plugin in self._tables.implementing("startup"):
            try:
                await self._call(plugin, "startup", None)
            except BaseException as error:
                if ends_us(error):
                    raise
                log.error("plugin %s did not start: %s", plugin.name, describe(error))
                failed[plugin.name] = error if isinstance(error, Exception) else tame(error)
        return failed

    async def shutdown(self) -> None:
        """Run every ``shutdown``, each within its limit."""
        for plugin in self._tables.implementing("shutdown"):
            try:
                await self._call(plugin, "shutdown", SHUTDOWN_LIMIT)
            except BaseException as error:
                if ends_us(error):
                    raise
                log.warning("shutdown of plugin %s failed: %s", plugin.name, describe(error))

    async def prepare(self, reply: Reply, message: Message, *, notice: bool = False) -> Reply:
        """The reply after every plugin's ``prepare_reply`` saw it, in order."""
        for plugin in self._preparing:
            if self._failures.rest(plugin.name):
                continue
            try:
                with self._failures.usage.call(plugin.name):
                    changed = await self._call(
                        plugin,
                        "prepare_reply",
                        PREPARE_LIMIT,
                        reply=reply,
                        message=message,
                        notice=notice,
                    )
                if isinstance(changed, Reply):
                    reply = produced(plugin.name, changed)
            except BaseException as error:
                if ends_us(error):
                    raise
                self._failures.count(plugin.name, error)
        return reply

    async def delivered(self, receipt: Receipt) -> None:
        """Tell every plugin that asks for it."""
        for plugin in self._told:
            if self._failures.rest(plugin.name):
                continue
            try:
                with self._failures.usage.call(plugin.name):
                    await self._call(plugin, "reply_delivered", HOOK_LIMIT, receipt=receipt)
            except BaseException as error:
                if ends_us(error):
                    raise
                self._failures.count(plugin.name, error)

    async def forget(self, scope: Scope, failed: str, language: str = "") -> tuple[Held, ...]:
        """What each plugin held of ``scope`` and has erased; ``failed`` stands for an error.

        They say it in ``language``.
        """
        held = []
        for plugin in self._tables.implementing("forget"):
            words = await self._said(plugin, "forget", None, failed, scope=scope, language=language)
            if words:
                held.append(Held(plugin.name, words))
        return tuple(held)

    async def privacy(self, language: str) -> tuple[Held, ...]:
        """What each plugin hands on of people's words, in ``language``."""
        notes = []
        for plugin in self._tables.implementing("privacy_notes"):
            words = await self._said(plugin, "privacy_notes", HOOK_LIMIT, "", language=language)
            if words:
                notes.append(Held(plugin.name, words))
        return tuple(notes)

    async def _said(
        self, plugin: Loaded, hook: str, limit: float | None, failed: str, **given: object
    ) -> str:
        """What a plugin's hook says, "" for nothing, ``failed`` where it raises."""
        try:
            return str(await self._call(plugin, hook, limit, **given) or "")
        except BaseException as error:
            if ends_us(error):
                raise
            log.warning("%s of plugin %s failed: %s", hook, plugin.name, describe(error))
            return failed
