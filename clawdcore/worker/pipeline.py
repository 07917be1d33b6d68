"""The story of a message, from an update's bytes to the reply, on one page.

take    decode, ask the policy, find the route; all in arrival order
work    in a task of its own: take a seat, wait for the session, call the plugin
answer  what the plugin gave becomes a reply, a notice or nothing, in its time
send    after what the same person asked before; then exactly one ``Done``
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import msgspec

from ..broker import (
    Bot,
    Closed,
    Deliver,
    Done,
    Draft,
    Outcome,
    Port,
    Send,
    Started,
    Target,
    ToEdge,
    ToWorker,
)
from ..errors import BackendError, UsageError
from ..hooks.command import Command
from ..hooks.quarantine import Quarantine
from ..hooks.registration import Handler
from ..messages import PASS, Message, Reply
from ..privacy import describe
from . import notices
from .access import Access, Policy
from .order import Line, Place
from .owner import Owner
from .plugins import Plugins
from .reading import Files, Readers
from .results import Caller, produced
from .routing import Routes
from .seats import Seats
from .telegram import Undecodable, decode

log = logging.getLogger(__name__)

DRAFT_PAUSE: Final = 0.25
"""Seconds between two drafts of one answer; the edge slows them further."""
ORDER_GRACE: Final = 5.0
"""Seconds, beyond a message's own time, that an answer waits for an earlier one's."""
STRANGER_PAUSE: Final = 3600.0
STRANGERS: Final = 1000
"""A stranger is told so once in this many seconds; so many strangers are remembered."""

Answer = tuple[Reply | None, Outcome]
"""What goes back, if anything, and what it counts as."""


class Job(msgspec.Struct):
    """One message on its way through :meth:`Pipeline.work`."""

    message: Message
    target: Target
    turn: Place
    command: Command | None = None
    handlers: tuple[Handler, ...] = ()
    serial: tuple[Place | None, ...] = ()
    notice: str = ""
    addressed: bool = True
    shown: list[str] = []


class Pipeline:
    """Takes updates and sees each through to its outcome."""

    def __init__(
        self,
        port: Port[ToEdge, ToWorker],
        *,
        bot: Bot,
        routes: Routes,
        policy: Policy,
        owner: Owner,
        plugins: Plugins,
        files: Files,
        readers: Readers,
        quarantine: Quarantine,
        seats: Seats,
        total_timeout: float,
        clock: Callable[[], float],
        rested: Callable[[str, float], None],
    ) -> None:
        self._port = port
        self._bot = bot
        self._routes = routes
        self._policy = policy
        self._owner = owner
        self._plugins = plugins
        self._files = files
        self._readers = readers
        self._quarantine = quarantine
        self._seats = seats
        self._total = total_timeout
        self._clock = clock
        self._rested = rested
        self._askers = Line()
        self._sessions = Line()
        self._strangers: dict[int, float] = {}
        self.skipped = 0

    async def take(self, update: Deliver, tasks: asyncio.TaskGroup) -> None:
        """Route one update; what takes time goes on in a task of ``tasks``."""
        try:
            message = decode(
                update.body, self._bot, fetch=self._files.fetch, read=self._readers.read
            )
        except Undecodable as reason:
            self.skipped += 1
            log.warning("update %d skipped: %s (%d so far)", update.id, reason, self.skipped)
            await self._port.send(Done(update.id, Outcome.SKIPPED))
            return
        job = None if message is None else self._route(message)
        if job is None:
            await self._port.send(Done(update.id, Outcome.UNADDRESSED))
        else:
            tasks.create_task(self._work(update.id, job))

    def _route(self, message: Message) -> Job | None:
        """Who gets the message; None when nobody was spoken to."""
        access = self._policy.decide(message, owner=self._owner.id)
        if access is Access.REFUSED:
            return None
        if message.sender.id == self._owner.id:
            self._owner.language = message.sender.language
        command = self._routes.command(message)
        if access is Access.STRANGER and not self._claims(message):
            return self._turn_away(message)
        if command is not None:
            return self._job(message, command=command)
        addressed = access is not Access.OVERHEARD
        language = message.sender.language
        if message.command and addressed:
            if message.chat.kind != "private" and not message.addressed:
                return None  # somebody else's command in a group without requireMention
            nearest = self._routes.nearest(message.command)
            words = notices.unknown_command(message.command, nearest, language)
            return self._job(message, notice=words)
        handlers = self._routes.handlers(message, addressed=addressed)
        if handlers:
            return self._job(message, handlers=handlers, addressed=addressed)
        if addressed and (message.addressed or message.chat.kind == "private"):
            return self._job(message, notice=notices.nobody(language))
        return None

    def _claims(self, message: Message) -> bool:
        return message.command == "start" and bool(message.args) and bool(self._owner.code)

    def _turn_away(self, message: Message) -> Job | None:
        now = self._clock()
        user = message.sender.id
        last = self._strangers.pop(user, None)
        if last is not None and now - last < STRANGER_PAUSE:
            self._strangers[user] = last
            return None
        self._strangers[user] = now
        if len(self._strangers) > STRANGERS:
            del self._strangers[next(iter(self._strangers))]
        return self._job(message, notice=notices.stranger(user, message.sender.language))

    def _job(
        self,
        message: Message,
        *,
        command: Command | None = None,
        handlers: tuple[Handler, ...] = (),
        notice: str = "",
        addressed: bool = True,
    ) -> Job:
        return Job(
            message=message,
            target=Target(
                chat_id=message.chat.id,
                topic=message.chat.topic,
                reply_to=message.id,
                private=message.chat.kind == "private",
            ),
            turn=self._askers.enter(message.asker),
            command=command,
            handlers=handlers,
            serial=tuple([self._serial(handler, message) for handler in handlers]),
            notice=notice,
            addressed=addressed,
        )

    def _serial(self, handler: Handler, message: Message) -> Place | None:
        """The message's place in the line of the handler's key, if it has one."""
        if handler.serial is None:
            return None
        try:
            key = f"{handler.plugin}\0{handler.serial(message)}"
        except Exception as error:  # noqa: BLE001 - a plugin is foreign code
            self._count_failure(handler.plugin, error)
            return None
        return self._sessions.enter(key)

    async def _work(self, update: int, job: Job) -> None:
        """See one message through; whatever happens, its update gets its outcome."""
        try:
            try:
                reply, outcome = await self._timed(update, job)
            finally:
                for place in job.serial:
                    if place is not None:
                        place.leave()
            if reply is not None:
                await self._send(update, job, reply)
            await self._port.send(Done(update, outcome))
        except Closed:
            log.debug("update %d: the edge is gone", update)
        finally:
            job.turn.leave()

    async def _timed(self, update: int, job: Job) -> Answer:
        """What to answer, found within the message's time."""
        language = job.message.sender.language
        try:
            async with asyncio.timeout(self._total):
                await self._port.send(Started(update))
                async with self._seats.taken():
                    return await self._answer(update, job)
        except TimeoutError:
            return _broken_off(job, notices.too_late(language))
        except Closed:
            raise
        except Exception as error:  # noqa: BLE001 - one message must not end the worker
            log.error("update %d failed: %s", update, describe(error))
            return _broken_off(job, notices.failed(language))

    async def _answer(self, update: int, job: Job) -> Answer:
        if job.notice:
            return _notice(job.notice)
        if job.command is not None:
            return await self._command(update, job, job.command)
        resting = 0.0
        for handler, place in zip(job.handlers, job.serial, strict=True):
            if place is not None and not place.first:
                async with self._seats.lent():
                    await place.wait()
            rest = self._quarantine.rest(handler.plugin, self._clock())
            if rest:
                resting = max(resting, rest)
            else:
                answer = await self._run(update, job, handler.plugin, handler.function, {})
                if answer is not None:
                    return answer
            if place is not None:
                place.leave()
        if not job.addressed:
            return None, Outcome.UNADDRESSED
        language = job.message.sender.language
        return _notice(notices.resting(resting, language) if resting else notices.nobody(language))

    async def _command(self, update: int, job: Job, command: Command) -> Answer:
        language = job.message.sender.language
        try:
            words = command.parse(job.message.args)
        except UsageError as error:
            return _notice(notices.usage(command, error, language))
        rest = self._quarantine.rest(command.plugin, self._clock())
        if rest:
            return _notice(notices.resting(rest, language))
        answer = await self._run(update, job, command.plugin, command.function, words)
        return (None, Outcome.UNADDRESSED) if answer is None else answer

    async def _run(
        self, update: int, job: Job, plugin: str, function: Caller, words: dict[str, Any]
    ) -> Answer | None:
        """What one plugin's function gives; None when it passed."""
        language = job.message.sender.language
        try:
            result = produced(plugin, await function(job.message, **words))
            if result is PASS:
                return None
            if isinstance(result, AsyncIterator):
                result = await self._stream(update, job, result)
        except UsageError as error:
            return _notice(
                notices.usage(job.command, error, language) if job.command else str(error)
            )
        except BackendError as error:
            return _broken_off(job, notices.backend(error, language))
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001 - foreign code
            self._count_failure(plugin, error)
            return _broken_off(job, notices.failed(language))
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            self._count_failure(plugin, error)  # it raised that by itself
            return _broken_off(job, notices.failed(language))
        self._quarantine.succeeded(plugin)
        return result, Outcome.ANSWERED

    def _count_failure(self, plugin: str, error: BaseException) -> None:
        log.error("plugin %s failed: %s", plugin, describe(error))
        rest = self._quarantine.failed(plugin, self._clock())
        if rest:
            log.error("plugin %s rests for %.0f s after repeated failures", plugin, rest)
            self._rested(plugin, rest)

    async def _stream(self, update: int, job: Job, pieces: AsyncIterator[str]) -> Reply | None:
        """Show the answer while it grows; the whole of it is the reply."""
        last = float("-inf")
        async with _closing(pieces):
            async for piece in pieces:
                job.shown.append(piece)
                now = self._clock()
                if now - last >= DRAFT_PAUSE and job.turn.first:
                    last = now
                    await self._port.send(Draft(update, job.target, "".join(job.shown)))
        text = "".join(job.shown)
        return Reply(text=text) if text.strip() else None

    async def _send(self, update: int, job: Job, reply: Reply) -> None:
        """Send, after everything that the same person asked before."""
        reply = await self._plugins.prepare(reply, job.message)
        if not job.turn.first:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._total + ORDER_GRACE):
                    await job.turn.wait()
        target = job.target
        if not reply.quote:
            target = msgspec.structs.replace(target, reply_to=0)
        await self._port.send(Send(update, target, reply))


def _notice(words: str) -> Answer:
    return Reply(text=words), Outcome.NOTICED


def _broken_off(job: Job, reason: str) -> Answer:
    """The reason alone, or below what had been written when it broke off."""
    so_far = "".join(job.shown)
    return _notice(notices.cut(so_far, reason) if so_far.strip() else reason)


@asynccontextmanager
async def _closing(pieces: AsyncIterator[str]) -> AsyncIterator[None]:
    """Close a generator at the end; an iterator without ``aclose`` needs nothing."""
    try:
        yield
    finally:
        close = getattr(pieces, "aclose", None)
        if close is not None:
            await close()
