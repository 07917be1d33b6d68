"""Attachments: their bytes from the edge, and their text from the readers."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from itertools import count

from ..broker import Closed, Fetch, Fetched, Port, ToEdge, ToWorker
from ..errors import BackendError, FileUnavailable, Overloaded, StorageError
from ..hooks.registration import ReaderEntry
from ..messages import PASS, Attachment, Message
from ..privacy import describe
from .failures import Failures
from .guard import ends_us
from .origin import ORIGIN, asked
from .results import call
from .seats import Seats

log = logging.getLogger(__name__)


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Files:
    """Asks the edge for files; the token never enters the worker."""

    def __init__(self, port: Port[ToEdge, ToWorker]) -> None:
        self._port = port
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._pieces: dict[int, bytearray] = {}

    async def fetch(self, attachment: Attachment) -> bytes:
        """The file's bytes. Raises :class:`FileUnavailable`."""
        number = next(self._numbers)
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            await self._port.send(Fetch(number, attachment.file_id))
            return await future
        except Closed:
            raise FileUnavailable("the bot is stopping.") from None
        finally:
            self._waiting.pop(number, None)
            self._pieces.pop(number, None)

    def arrived(self, record: Fetched) -> None:
        """Put a file's pieces together for who waits for it, if they still do."""
        future = self._waiting.get(record.request)
        if future is None or future.done():
            return
        if record.error:
            future.set_exception(FileUnavailable(record.error))
            return
        data = self._pieces.setdefault(record.request, bytearray())
        data += record.data
        if not record.more:
            future.set_result(bytes(data))


def _own_time() -> AbstractContextManager[None]:
    """For the time of a reading: that of the message stands still."""
    origin = ORIGIN.get()
    if origin is None or origin.time is None:
        return nullcontext()
    return origin.time.stands_still()


class Readers:
    """What ``await message.text()`` runs.

    At most ``at_once`` readers work at a time, and of plain functions, which keep a
    processor busy, no more than this machine has of those.
    """

    def __init__(
        self,
        entries: Sequence[ReaderEntry],
        threads: Executor,
        *,
        seats: Seats,
        failures: Failures,
        at_once: int,
        budget: float,
    ) -> None:
        self._failures = failures
        self._entries = tuple(entries)
        self._threads = threads
        self._seats = seats
        self._all = Seats(at_once, budget=budget)
        self._plain = Seats(min(at_once, processors()), budget=budget)

    async def read(self, message: Message) -> str:
        """The typed text, and below it what readers make of each attachment.

        A reader that raises is logged, counted and passed over: the other parts stay. One
        whose plugin rests is not asked.
        """
        parts = [message.body] if message.body else []
        for attachment in message.attachments:
            text = await self._text(attachment, message)
            if text:
                parts.append(text)
        return "\n".join(parts)

    def _room(self, entry: ReaderEntry) -> Seats:
        return self._all if inspect.iscoroutinefunction(entry.function) else self._plain

    def close(self) -> None:
        """Stop looking at deadlines."""
        self._all.close()
        self._plain.close()

    async def _text(self, attachment: Attachment, message: Message) -> str:
        for entry in self._entries:
            if attachment.kind not in entry.kinds or self._failures.rest(entry.plugin):
                continue
            try:
                # Whoever waits for a reader holds no seat among the messages. Who reads has time.
                with _own_time():
                    async with self._seats.lent(), self._room(entry).taken(asked()):
                        with self._failures.usage.call(entry.plugin):
                            result = await call(entry.function, self._threads, attachment, message)
            except Overloaded:
                raise
            except (BackendError, FileUnavailable, StorageError) as error:
                log.warning("reader of plugin %s stopped: %s", entry.plugin, describe(error))
                continue
            except BaseException as error:
                if ends_us(error):
                    raise
                self._failures.count(entry.plugin, error)
                continue
            self._failures.forgive(entry.plugin)
            if result is not PASS and result:
                return str(result)
        return ""
