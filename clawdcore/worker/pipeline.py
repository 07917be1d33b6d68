"""The story of a message, from an update's bytes to the reply, on one page.

take    decode, ask the policy, find the route; all in arrival order
work    in a task of its own: take a seat, wait for the session, call the plugin
answer  what the plugin gave becomes a reply, a notice or nothing, in its time
send    after what the same person asked before; then exactly one ``Done``

What goes on after its time, though cancelled, is left behind: the rest of the
story is then told without it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import msgspec

from ..admission.ladder import Rung
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
    ToEdge,
    ToWorker,
)
from ..errors import BackendError, FileUnavailable, Overloaded, StorageError, UsageError
from ..hooks.command import Command
from ..hooks.registration import ButtonEntry, Handler
from ..messages import PASS, Reply
from ..privacy import describe
from . import notices, pressing
from .dispatch import Dispatch, Job
from .failures import Failures
from .guard import GRACE, Tasks, ends_us
from .order import Place
from .origin import ORIGIN
from .plugins import Plugins
from .reading import Files, Readers
from .refusals import Refusals
from .results import Caller, encodable, piece_of, produced
from .seats import Seats
from .telegram import Undecodable, decode
from .turns import Turns
from .waiting import Waiting

log = logging.getLogger(__name__)

DRAFT_PAUSE: Final = 0.25
"""Seconds between two drafts of one answer; the edge slows them further."""
ORDER_GRACE: Final = 5.0
"""Seconds, beyond a message's own time, that an answer waits for an earlier one's."""
ANSWER_LIMIT: Final = 32_768
"""Characters of one answer: eight Telegram messages of 4096, as many as anybody
reads; more would only hold up the chat, which takes about one message a second."""
BREATH: Final = 64
"""After so many pieces of a stream everybody else gets their turn."""

Ending = tuple[Reply | None, Outcome]
"""What goes back, if anything, and what it counts as."""


class Pipeline:
    """Takes updates and sees each through to its outcome."""

    def __init__(
        self,
        port: Port[ToEdge, ToWorker],
        *,
        bot: Bot,
        dispatch: Dispatch,
        plugins: Plugins,
        files: Files,
        readers: Readers,
        failures: Failures,
        seats: Seats,
        waiting: Waiting,
        rung: Callable[[], Rung],
        total_timeout: float,
        clock: Callable[[], float],
    ) -> None:
        self._port = port
        self._bot = bot
        self._dispatch = dispatch
        self._plugins = plugins
        self._files = files
        self._readers = readers
        self._failures = failures
        self._seats = seats
        self._rung = rung
        self._total = total_timeout
        self._clock = clock
        self._tasks = Tasks(lambda error: log.error("a message was lost: %s", describe(error)))
        self.waiting = waiting
        self._refusals = Refusals()
        self._turns = Turns()
        self.outcomes: dict[str, int] = {str(outcome): 0 for outcome in Outcome}
        self.skipped = 0

    async def take(self, update: Deliver) -> None:
        """Route one update; what takes time goes on in a task."""
        try:
            message = decode(
                update.body, self._bot, fetch=self._files.fetch, read=self._readers.read
            )
        except Undecodable as reason:
            self.skipped += 1
            log.warning("update %d skipped: %s (%d so far)", update.id, reason, self.skipped)
            await self._done(update.id, Outcome.SKIPPED)
            return
        job = None if message is None else self._dispatch.job(message)
        if job is None:
            await self._done(update.id, Outcome.UNADDRESSED)
        else:
            self._tasks.start(self._work(update.id, job))

    async def drained(self) -> None:
        """Until no message is under way; what was left behind doesn't count."""
        self._refusals.hurry()
        await self._tasks.wait()
        await self.waiting.drained()

    async def stop(self) -> None:
        """Give up what is under way."""
        await self._tasks.stop()
        await self.waiting.stop()

    async def _work(self, update: int, job: Job) -> None:
        """See one message through; whatever happens, its update gets its outcome."""
        try:
            try:
                reply, outcome = await self._timed(update, job)
            finally:
                job.leave_sessions()
                await self.waiting.end(update)
            if not job.left:
                await self._finish(update, job, reply, outcome)
        except Closed:
            log.debug("update %d: the edge is gone", update)
        finally:
            if not job.left:
                job.turn.leave()

    async def _finish(self, update: int, job: Job, reply: Reply | None, outcome: Outcome) -> None:
        if job.press is not None:
            reply = await pressing.answer(self._port, update, job, reply, outcome)
        if job.refused is not None:
            await self._refuse(update, job, job.refused)
        elif reply is not None:
            await self._send(update, job, reply, outcome)
        await self._port.send(Done(update, outcome))
        self.outcomes[outcome] += 1

    async def _refuse(self, update: int, job: Job, error: Overloaded) -> None:
        """Tell that it gets no answer; one notice may speak for several messages of a chat."""
        job.turn.leave()  # whoever waits to be told must not keep later answers waiting
        message = job.message
        async with self._refusals.spoken(message.chat.id, error.retry_after) as (count, seconds):
            if count:
                words = notices.refused(count, seconds, message.sender.language)
                await self._send(update, job, Reply(text=words), Outcome.NOTICED)

    async def _done(self, update: int, outcome: Outcome) -> None:
        self.outcomes[outcome] += 1
        try:
            await self._port.send(Done(update, outcome))
        except Closed:
            log.debug("update %d: the edge is gone", update)

    async def _timed(self, update: int, job: Job) -> Ending:
        """What to answer, found within the message's time."""
        language = job.message.sender.language
        task: Any = asyncio.current_task()
        deadline = task.get_loop().time() + self._total
        job.origin.ask = msgspec.structs.replace(job.origin.ask, deadline=deadline)
        ORIGIN.set(job.origin)
        self.waiting.begin(update, job, task)
        # Not asyncio.timeout: this timer also leaves behind what ignores being cancelled.
        job.timer = task.get_loop().call_later(self._total, self._expire, update, job, task)
        try:
            async with job.seat:
                return await self._answer(update, job)
        except asyncio.CancelledError as error:
            if task.cancelling() > 1 or not (job.expired or job.dropped):
                raise  # it was somebody else who asked for that
            if job.dropped:
                return None, Outcome.NOTICED  # the press was answered
            if job.blamed:
                self._failures.count(job.blamed, error)
            return _broken_off(job, notices.too_late(language))
        except Closed:
            raise
        except Overloaded as error:
            job.refused = error
            return None, Outcome.NOTICED
        except Exception as error:  # noqa: BLE001 - one message must not end the worker
            log.error("update %d failed: %s", update, describe(error))
            return _broken_off(job, notices.failed(language))
        finally:
            job.timer.cancel()
            if job.expired or job.dropped:
                task.uncancel()

    def _expire(self, update: int, job: Job, task: asyncio.Task[None]) -> None:
        """The message's time is over. A plugin that waits for a model isn't to blame."""
        job.expired = True
        job.blamed = "" if job.seat.waiting else job.plugin
        task.cancel()
        job.timer = task.get_loop().call_later(GRACE, self._leave_behind, update, job, task)

    def _leave_behind(self, update: int, job: Job, task: asyncio.Task[None]) -> None:
        """The plugin ignores being cancelled: go on without it."""
        job.left = True
        log.error("update %d: plugin %s ignores being cancelled", update, job.plugin)
        job.seat.give_up()
        job.leave_sessions()
        ending = _broken_off(job, notices.too_late(job.message.sender.language))
        if job.plugin:
            self._failures.count(job.plugin, TimeoutError())
        self._tasks.start(self._go_on(update, job, ending))
        self._tasks.leave_behind(task)

    async def _go_on(self, update: int, job: Job, ending: Ending) -> None:
        try:
            await self._finish(update, job, *ending)
        except Closed:
            log.debug("update %d: the edge is gone", update)
        finally:
            job.turn.leave()

    async def _answer(self, update: int, job: Job) -> Ending:
        if job.notice:
            return _notice(job.notice)
        if job.command is not None:
            return await self._command(update, job, job.command)
        if job.button is not None:
            return await self._pressed(update, job, job.button)
        resting = 0.0
        for handler, place in zip(job.handlers, job.serial, strict=True):
            if place is not None and not place.first:
                await self._turn_of(job, handler, place)
            began = self._clock()
            rest = self._failures.rest(handler.plugin)
            if rest:
                resting = max(resting, rest)
            else:
                job.format = handler.format
                answer = await self._cheaper(update, job, handler, {})
                if answer is None:
                    answer = await self._run(update, job, handler.plugin, handler.function, {})
                if place is not None and answer is not None and answer[1] is Outcome.ANSWERED:
                    self._turns.took(handler.plugin, self._clock() - began)
                if answer is not None:
                    return answer
            if place is not None:
                place.leave()
        if not job.addressed:
            return None, Outcome.UNADDRESSED
        language = job.message.sender.language
        return _notice(notices.resting(resting, language) if resting else notices.nobody(language))

    async def _turn_of(self, job: Job, handler: Handler, place: Place) -> None:
        """Wait for the earlier messages of the handler's key.

        Raises:
            Overloaded: there are too many of them for the message's time.
        """
        deadline = job.origin.ask.deadline
        if deadline is not None:
            left = deadline - asyncio.get_running_loop().time()
            self._turns.enter(handler.plugin, ahead=place.ahead, left=left)
        async with self._seats.lent():
            await place.wait()

    async def _command(self, update: int, job: Job, command: Command) -> Ending:
        language = job.message.sender.language
        try:
            words = command.parse(job.message.args)
        except UsageError as error:
            return _notice(notices.usage(command, error, language))
        rest = self._failures.rest(command.plugin)
        if rest:
            return _notice(notices.resting(rest, language))
        job.format = command.format
        answer = await self._cheaper(update, job, command, words)
        if answer is None:
            answer = await self._run(update, job, command.plugin, command.function, words)
        return (None, Outcome.UNADDRESSED) if answer is None else answer

    async def _cheaper(
        self, update: int, job: Job, entry: Command | Handler, words: dict[str, Any]
    ) -> Ending | None:
        """What its cheaper way gives, if it has one, that takes this, and the bot is so busy."""
        if entry.cheaper is None or self._rung() < Rung.CHEAPER:
            return None
        return await self._run(update, job, entry.plugin, entry.cheaper, words)

    async def _pressed(self, update: int, job: Job, button: ButtonEntry) -> Ending:
        rest = self._failures.rest(button.plugin)
        if rest:
            return _notice(notices.resting(rest, job.message.sender.language))
        job.format = button.format
        function = pressing.caller(button, job, self._port)
        answer = await self._run(update, job, button.plugin, function, {})
        return (None, Outcome.ANSWERED) if answer is None else answer

    async def _run(
        self, update: int, job: Job, plugin: str, function: Caller, words: dict[str, Any]
    ) -> Ending | None:
        """What one plugin's function gives; None when it passed."""
        language = job.message.sender.language
        job.plugin = plugin
        await self._port.send(Started(update, plugin))
        try:
            result = produced(plugin, await function(job.message, **words), job.format)
            if result is PASS:
                return None
            if isinstance(result, AsyncIterator):
                result = await self._stream(update, job, plugin, result)
        except UsageError as error:
            return _notice(
                notices.usage(job.command, error, language) if job.command else str(error)
            )
        except Overloaded as error:
            if job.written():
                return _broken_off(job, notices.backend(error, language))
            job.refused = error
            return None, Outcome.NOTICED
        except BackendError as error:
            return _broken_off(job, notices.backend(error, language))
        except (FileUnavailable, StorageError) as error:
            log.warning("plugin %s had to stop: %s", plugin, describe(error))
            return _broken_off(job, notices.unavailable(error, language))
        except BaseException as error:
            if job.left or ends_us(error):
                raise
            self._failures.count(plugin, error)
            return _broken_off(job, notices.failed(language))
        if job.left:
            return None, Outcome.NOTICED
        self._failures.forgive(plugin)
        if result is not None and job.origin.shortened:
            note = notices.kept_short(language)
            result = msgspec.structs.replace(
                result, text=notices.cut(result.text, note, result.format)
            )
        if result is None or result.text.strip():
            return result, Outcome.ANSWERED
        return _notice(notices.nothing(language)) if job.addressed else (None, Outcome.ANSWERED)

    async def _stream(
        self, update: int, job: Job, plugin: str, pieces: AsyncIterator[str]
    ) -> Reply:
        """Show the answer while it grows; the whole of it is the reply."""
        drafted = float("-inf")
        count = length = 0
        async with _closing(pieces):
            async for piece in pieces:
                if piece_of(plugin, piece):
                    job.shown.append(piece)
                    length += len(piece)
                if length > ANSWER_LIMIT or job.left:
                    break
                now = self._clock()
                if (
                    now - drafted >= DRAFT_PAUSE
                    and job.turn.first
                    and (job.target.private or not job.origin.shared)
                    and self._rung() < Rung.WHOLE_ANSWERS
                ):
                    drafted = now
                    await self._port.send(Draft(update, job.target, encodable("".join(job.shown))))
                count += 1
                if not count % BREATH:
                    await asyncio.sleep(0)
        return Reply(text="".join(job.shown), format=job.format)

    async def _send(self, update: int, job: Job, reply: Reply, outcome: Outcome) -> None:
        """Send, after everything that the same person asked before."""
        reply = await self._plugins.prepare(reply, job.message)
        if not reply.text.isascii():
            reply = msgspec.structs.replace(reply, text=encodable(reply.text))
        if len(reply.text) > ANSWER_LIMIT:
            note = notices.shortened(job.message.sender.language)
            text = notices.cut(reply.text[:ANSWER_LIMIT], note, reply.format)
            reply = msgspec.structs.replace(reply, text=text)
        if not job.turn.first:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._total + ORDER_GRACE):
                    await job.turn.wait()
        target = job.target
        if not reply.quote:
            target = msgspec.structs.replace(target, reply_to=0)
        message = job.message
        send = Send(
            update,
            target,
            reply,
            notice=outcome is Outcome.NOTICED and not job.written(),
            asker=message.sender.id,
            name=message.sender.name,
            streamed=bool(job.shown),
            edited=message.edited,
            shared=job.origin.shared,
        )
        await self._port.send(send)


def _notice(words: str) -> Ending:
    return Reply(text=words), Outcome.NOTICED


def _broken_off(job: Job, reason: str) -> Ending:
    """The reason alone, or below what had been written when it broke off."""
    so_far = job.written()
    if not so_far:
        return _notice(reason)
    text = notices.cut(so_far, reason, job.format)
    return Reply(text=text, format=job.format), Outcome.NOTICED


@asynccontextmanager
async def _closing(pieces: AsyncIterator[str]) -> AsyncIterator[None]:
    """Close a generator at the end; an iterator without ``aclose`` needs nothing."""
    try:
        yield
    finally:
        close = getattr(pieces, "aclose", None)
        if close is not None:
            await close()
