"""What workers ask: files, somebody's rights, and deletions that the ledger then owes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final

from ..broker import Answered, AskMember, Closed, DeleteLater, Fetch, Port, ToEdge, ToWorker
from .api import Api, CallError, FloodWait, Rejected
from .delivery.deletions import DELETE_BEFORE
from .files import Files

log = logging.getLogger(__name__)

AT_ONCE: Final = 8
"""Calls at once that ask for rights; they go beside the pace that messages keep."""

Owe = Callable[[int, int, float], Awaitable[None]]
Delete = Callable[[int, int, float], None]


class Asking:
    """Answers workers, each at its own port.

    ``owe`` is awaited with chat, message and time (seconds since the epoch) of each
    deletion, ``delete`` carries it out then.
    """

    def __init__(self, api: Api, *, owe: Owe, delete: Delete) -> None:
        self._api = api
        self._owe = owe
        self._delete = delete
        self._files = Files(api)
        self._free = asyncio.Semaphore(AT_ONCE)

    async def answer(
        self, record: Fetch | AskMember | DeleteLater, port: Port[ToWorker, ToEdge]
    ) -> None:
        """Do what the worker at ``port`` asks for, and tell it what came of it."""
        match record:
            case Fetch():
                await self._files.fetch(record, port)
            case AskMember():
                await self._member(record, port)
            case DeleteLater():
                await self._delete_later(record, port)

    async def _member(self, record: AskMember, port: Port[ToWorker, ToEdge]) -> None:
        async with self._free:
            try:
                member = await self._api.member(record.chat_id, record.user_id)
            except CallError as error:
                answer = Answered(record.request, error=_why(error))
            else:
                answer = Answered(record.request, member)
        await _answer(port, answer)

    async def _delete_later(self, record: DeleteLater, port: Port[ToWorker, ToEdge]) -> None:
        due = time.time() + min(max(record.after, 0.0), DELETE_BEFORE)
        await self._owe(record.chat_id, record.message_id, due)
        self._delete(record.chat_id, record.message_id, due)
        await _answer(port, Answered(record.request))


def _why(error: CallError) -> str:
    """Why there is no answer, in words of ours: Telegram's may hold names."""
    if isinstance(error, FloodWait):
        return f"Telegram wants to be asked again in {error.seconds:.0f} s."
    if isinstance(error, Rejected):
        return f"Telegram refused ({error.reason})."
    return "Telegram did not answer."


async def _answer(port: Port[ToWorker, ToEdge], record: Answered) -> None:
    try:
        await port.send(record)
    except Closed:
        log.debug("an answer came after the worker had gone")
