"""Planned calls of plugins: asked for here, kept by the edge, run here when due."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec

from ..broker import Called, Closed, Due, Plan, Port, Send, Target, ToEdge, ToWorker
from ..errors import BackendError, FileUnavailable, PluginError, StorageError
from ..hooks.context import Call, Schedule
from ..messages import PASS, Reply
from ..privacy import describe
from . import notices
from .failures import Failures
from .guard import Tasks, ends_us, within
from .results import call, produced
from .streaming import ANSWER_LIMIT
from .unasked import Unasked

log = logging.getLogger(__name__)

Function = Callable[[Call], Any]
F = TypeVar("F", bound=Function)

NAME_LIMIT: Final = 64
"""Characters of a planned call's name; the edge writes it down."""
SHORTEST: Final = 1.0
"""Seconds between two calls of one plan at least: a chat takes about one message a second."""
RUNNING: Final = 16
"""Planned calls under way at once; the messages' own seats are not theirs."""
WAITING: Final = 1024
"""Calls taken at most, the running ones among them; the edge sends far fewer at once."""
EARLY: Final = 1024
"""Plans made before the edge can be told, which is during the start."""


class Schedules:
    """The functions of all plugins' planned calls, and their runs. ``now`` is epoch seconds.

    ``seconds`` is how long a call of a plugin may take, ``messages`` how many messages a
    minute it may send a chat.
    """

    def __init__(
        self,
        threads: Executor,
        *,
        now: Callable[[], float],
        seconds: Callable[[str], float | None] = lambda plugin: None,
        messages: Callable[[str], int] = lambda plugin: 20,
    ) -> None:
        self._seconds = seconds
        self._messages = messages
        self._unasked = Unasked(messages)
        self._threads = threads
        self._now = now
        self._functions: dict[tuple[str, str], Function] = {}
        self._early: dict[tuple[str, str, int, int], Plan] = {}
        self._port: Port[ToEdge, ToWorker] | None = None
        self._failures: Failures | None = None
        self._limit = 0.0
        self._free = asyncio.Semaphore(RUNNING)
        self._taken = 0
        self._missing: set[tuple[str, str]] = set()
        self._alive: Callable[[str], bool] = lambda plugin: True
        self._tasks = Tasks(lambda error: log.error("a planned call was lost: %s", describe(error)))

    def of(self, plugin: str) -> Schedule:
        """The part that belongs to one plugin."""
        return _PluginSchedule(self, plugin)

    def on(self, plugin: str, name: str, function: Function) -> None:
        """Register the function of a planned call; the last of a name holds."""
        self._functions[plugin, checked(plugin, name)] = function

    def attach(self, failures: Failures, *, limit: float, alive: Callable[[str], bool]) -> None:
        """Count failures there. A call may take ``limit`` seconds; is a plugin ``alive``?"""
        self._failures, self._limit, self._alive = failures, limit, alive

    async def open(self, port: Port[ToEdge, ToWorker]) -> None:
        """Send what was planned during the start, and from now on what is planned."""
        while self._early:
            key = next(iter(self._early))
            plan = self._early.pop(key)
            if self._alive(plan.plugin):
                await port.send(plan)
        self._port = port

    async def plan(self, plan: Plan) -> None:
        """Hand a plan to the edge. Raises :class:`~clawdcore.errors.StorageError`."""
        checked(plan.plugin, plan.name)
        if self._port is not None:
            try:
                await self._port.send(plan)
            except Closed as error:
                raise StorageError("the bot is stopping: nothing can be planned.") from error
            return
        key = plan.plugin, plan.name, plan.chat, plan.user
        if key not in self._early and len(self._early) >= EARLY:
            raise StorageError(
                f"more than {EARLY} calls are planned during the start.",
                fix="Plan them when they are asked for.",
            )
        self._early[key] = plan

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._now()

    def take(self, due: Due) -> None:
        """Run a call that is due, as soon as fewer than :data:`RUNNING` are under way."""
        self._taken += 1
        self._tasks.start(self._see_through(due, crowded=self._taken > WAITING))

    async def drained(self) -> None:
        """Until no call is under way."""
        await self._tasks.wait()

    async def stop(self) -> None:
        """Give up what is under way; the edge has it run by the next worker."""
        await self._tasks.stop()

    async def _see_through(self, due: Due, *, crowded: bool) -> None:
        try:
            if crowded:
                log.error("planned call %s of %s left out: too many wait", due.name, due.plugin)
            else:
                async with self._free:
                    await self._run(due)
            await self._sent(Called(due.id))
        except Closed:
            log.debug("planned call %d: the edge is gone", due.id)
        finally:
            self._taken -= 1

    async def _sent(self, record: ToEdge) -> None:
        if self._port is not None:
            await self._port.send(record)

    async def _run(self, due: Due) -> None:
        function = self._functions.get((due.plugin, due.name))
        if function is None or not self._alive(due.plugin):
            await self._cancel(due)
            return
        failures = self._failures
        if failures is None:
            return
        if failures.rest(due.plugin):
            log.warning("planned call %s of plugin %s left out: it rests", due.name, due.plugin)
            return
        asked = Call(due.name, due.chat, due.user, due.planned)
        try:
            limit = min(self._limit, self._seconds(due.plugin) or self._limit)
            with failures.usage.call(due.plugin):
                result = await within(limit, call(function, self._threads, asked))
            reply = answer(due.plugin, result)
            if reply is not None and due.chat and not self._may_say(due):
                raise PluginError(
                    f"plugin {due.plugin!r} sends one chat more than "
                    f"{self._messages(due.plugin)} messages a minute unasked.",
                    plugin=due.plugin,
                    fix="Plan fewer calls, or raise budget.messages of its entry.",
                )
        except (BackendError, FileUnavailable, StorageError) as error:
            log.warning("planned call %s of %s stopped: %s", due.name, due.plugin, describe(error))
        except Closed:
            raise
        except BaseException as error:
            if ends_us(error):
                raise
            failures.count(due.plugin, error)
        else:
            failures.forgive(due.plugin)
            if reply is not None and due.chat:
                await self._sent(Send(0, Target(chat_id=due.chat, private=due.chat > 0), reply))

    def _may_say(self, due: Due) -> bool:
        return self._unasked.allows(due.plugin, due.chat, asyncio.get_running_loop().time())

    async def _cancel(self, due: Due) -> None:
        gone = due.plugin, due.name
        if gone not in self._missing:
            self._missing.add(gone)
            log.warning("planned call %s: cancelled with the plugin %s", due.name, due.plugin)
        await self._sent(Plan(due.plugin, due.name, due.chat, due.user))


def checked(plugin: str, name: str) -> str:
    """The name of a planned call. Raises :class:`~clawdcore.errors.PluginError`."""
    if not 1 <= len(name) <= NAME_LIMIT:
        raise PluginError(
            f"plugin {plugin!r} names a planned call with {len(name)} characters.",
            plugin=plugin,
            fix=f"Use 1 to {NAME_LIMIT}.",
        )
    return name


def seconds_of(plugin: str, seconds: float, least: float) -> float:
    """A time span. Raises :class:`~clawdcore.errors.PluginError`."""
    if not (math.isfinite(seconds) and seconds >= least):
        raise PluginError(
            f"plugin {plugin!r} plans a call with {seconds} s.",
            plugin=plugin,
            fix=f"Give at least {least:g} seconds.",
        )
    return float(seconds)


def epoch(plugin: str, when: datetime | float) -> float:
    """A moment in seconds since the epoch. Raises :class:`~clawdcore.errors.PluginError`."""
    if isinstance(when, datetime):
        if when.utcoffset() is None:
            raise PluginError(
                f"plugin {plugin!r} plans a call at a time without a zone.",
                plugin=plugin,
                fix="Use an aware datetime: datetime(…, tzinfo=UTC).",
            )
        return when.timestamp()
    return seconds_of(plugin, when, 0.0)


def answer(plugin: str, result: Any) -> Reply | None:
    """What a planned call gave, as a reply; None for nothing to say.

    Raises:
        PluginError: it is nothing that can be sent unasked.
    """
    if isinstance(result, AsyncIterator) or result is PASS:
        raise PluginError(
            f"plugin {plugin!r}: a planned call returned {type(result).__name__}.",
            plugin=plugin,
            fix="Return a str, a Reply or None.",
        )
    reply: Reply | None = produced(plugin, result)
    if reply is None or not reply.text.strip():
        return None
    if len(reply.text) > ANSWER_LIMIT:
        text = notices.cut(reply.text[:ANSWER_LIMIT], notices.shortened(""), reply.format)
        reply = msgspec.structs.replace(reply, text=text)
    return reply


class _PluginSchedule:
    """A :class:`~clawdcore.Schedule` of one plugin."""

    def __init__(self, schedules: Schedules, plugin: str) -> None:
        self._schedules = schedules
        self._plugin = plugin

    def on(self, name: str) -> Callable[[F], F]:
        def register(function: F) -> F:
            self._schedules.on(self._plugin, name, function)
            return function

        return register

    async def every(self, name: str, seconds: float, *, chat: int = 0, user: int = 0) -> None:
        seconds = seconds_of(self._plugin, seconds, SHORTEST)
        due = self._schedules.now() + seconds
        await self._schedules.plan(Plan(self._plugin, name, chat, user, due, seconds))

    async def at(self, name: str, when: datetime | float, *, chat: int = 0, user: int = 0) -> None:
        due = epoch(self._plugin, when)
        await self._schedules.plan(Plan(self._plugin, name, chat, user, due))

    async def after(self, name: str, seconds: float, *, chat: int = 0, user: int = 0) -> None:
        due = self._schedules.now() + seconds_of(self._plugin, seconds, 0.0)
        await self._schedules.plan(Plan(self._plugin, name, chat, user, due))

    async def cancel(self, name: str, *, chat: int = 0, user: int = 0) -> None:
        await self._schedules.plan(Plan(self._plugin, name, chat, user))
