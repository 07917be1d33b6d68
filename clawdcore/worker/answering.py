"""What plugins make of a message: a reply, a notice, or nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec

from ..admission.ladder import Rung
from ..backend import Priority
from ..broker import Outcome, Port, Started, ToEdge, ToWorker
from ..errors import (
    BackendError,
    ChatUnavailable,
    FileUnavailable,
    Overloaded,
    StorageError,
    UsageError,
)
from ..hooks.command import Command
from ..hooks.registration import ButtonEntry, Handler
from ..messages import PASS
from ..privacy import describe
from . import notices, pressing
from .budgets import Budgets
from .dispatch import Job
from .endings import SILENT, Ending, broken_off, notice
from .failures import Failures
from .guard import ends_us
from .order import Place
from .results import Caller, produced
from .seats import Seats
from .streaming import Streaming
from .turns import Turns

log = logging.getLogger(__name__)


class Answering:
    """Calls the plugins that a job is for, in order, until one has an answer."""

    def __init__(
        self,
        port: Port[ToEdge, ToWorker],
        *,
        failures: Failures,
        seats: Seats,
        budgets: Budgets,
        rung: Callable[[], Rung],
        clock: Callable[[], float],
    ) -> None:
        self._port = port
        self._failures = failures
        self._seats = seats
        self._budgets = budgets
        self._rung = rung
        self._clock = clock
        self._streaming = Streaming(port, rung=rung, clock=clock)
        self._turns = Turns()

    async def answer(self, update: int, job: Job) -> Ending:
        """What to answer. Raises what is nobody's fault here, ``Overloaded`` above all."""
        if job.notice:
            return notice(job.notice)
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
        return notice(notices.resting(resting, language) if resting else notices.nobody(language))

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
            return notice(notices.usage(command, error, language))
        rest = self._failures.rest(command.plugin)
        if rest:
            return notice(notices.resting(rest, language))
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
            return notice(notices.resting(rest, job.message.sender.language))
        job.format = button.format
        function = pressing.caller(button, job, self._port)
        answer = await self._run(update, job, button.plugin, function, {})
        return (None, Outcome.ANSWERED) if answer is None else answer

    async def _run(
        self, update: int, job: Job, plugin: str, function: Caller, words: dict[str, Any]
    ) -> Ending | None:
        """What one plugin's function gives, within its budget; None when it passed."""
        ask = job.origin.ask
        if ask.priority is Priority.CONTROL:
            return await self._call(update, job, plugin, function, words)
        async with self._budgets.room(plugin, ask):
            with self._budgets.time(plugin, job.origin):
                return await self._call(update, job, plugin, function, words)

    async def _call(
        self, update: int, job: Job, plugin: str, function: Caller, words: dict[str, Any]
    ) -> Ending | None:
        language = job.message.sender.language
        job.plugin = plugin
        await self._port.send(Started(update, plugin))
        try:
            with self._failures.usage.call(plugin):
                result = produced(plugin, await function(job.message, **words), job.format)
                if result is PASS:
                    return None
                if isinstance(result, AsyncIterator):
                    result = await self._streaming.whole(update, job, plugin, result)
        except UsageError as error:
            return notice(
                notices.usage(job.command, error, language) if job.command else str(error)
            )
        except Overloaded as error:
            if job.written():
                return broken_off(job, notices.backend(error, language))
            job.refused = error
            return SILENT
        except BackendError as error:
            return broken_off(job, notices.backend(error, language))
        except (FileUnavailable, ChatUnavailable, StorageError) as error:
            log.warning("plugin %s had to stop: %s", plugin, describe(error))
            return broken_off(job, notices.unavailable(error, language))
        except BaseException as error:
            if job.left or ends_us(error):
                raise
            self._failures.count(plugin, error)
            return broken_off(job, notices.failed(language))
        if job.left:
            return SILENT
        self._failures.forgive(plugin)
        if result is not None and job.origin.shortened:
            note = notices.kept_short(language)
            result = msgspec.structs.replace(
                result, text=notices.cut(result.text, note, result.format)
            )
        if result is None or result.text.strip():
            return result, Outcome.ANSWERED
        return notice(notices.nothing(language)) if job.addressed else (None, Outcome.ANSWERED)
