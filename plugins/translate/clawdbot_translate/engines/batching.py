"""Joins what waits for the same pair of languages into one request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from .contract import EngineBusy, EngineFailed, RefusedByEngine

WAIT: Final = 0.02
"""Seconds that the first text waits for others: unseen beside the translation itself."""
BATCH: Final = 32
"""Texts of one request (LibreTranslate's ``--batch-limit`` has no bound by default)."""
WAITING: Final = 1024
"""Texts that wait in all; beyond, the next engine is asked. One caller alone may have more."""

Pair = tuple[str, str]
Send = Callable[[list[str], str, str], Awaitable[list[str]]]


@dataclass(eq=False, slots=True)
class _Asked:
    """Texts of one caller, and where their translations are waited for."""

    texts: list[str]
    answer: asyncio.Future[list[str]]


@dataclass(eq=False, slots=True)
class _Line:
    """Those who wait for one pair, and the task that sends for them."""

    asked: list[_Asked] = field(default_factory=list)
    task: asyncio.Task[None] | None = None


class Batcher:
    """Callers within ``wait`` seconds share a request; ``send(texts, source, target)`` makes it.

    A request has at most ``BATCH`` texts and ``characters`` characters, unless one text alone
    has more. A caller that gives up takes its texts with it, unless they are on their way.
    """

    def __init__(self, engine: str, send: Send, *, characters: int, wait: float = WAIT) -> None:
        self._engine = engine
        self._send = send
        self._characters = characters
        self._wait = wait
        self._lines: dict[Pair, _Line] = {}
        self._sending: set[asyncio.Task[None]] = set()
        self._count = 0

    async def translate(self, texts: Sequence[str], source: str, target: str) -> list[str]:
        """The translations, in order; raises what ``send`` raised.

        What is too much for one request goes in several, one after the other.

        Raises:
            EngineBusy: too many texts wait already.
        """
        if self._count and self._count + len(texts) > WAITING:
            raise EngineBusy(self._engine, "has too much to do")
        self._count += len(texts)
        try:
            answers: list[str] = []
            for some in portions(texts, BATCH, self._characters):
                answers += await self._waited(some, (source, target))
            return answers
        finally:
            self._count -= len(texts)

    async def close(self) -> None:
        """Give up what is under way."""
        tasks = [line.task for line in self._lines.values() if line.task] + list(self._sending)
        self._lines.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _waited(self, texts: list[str], pair: Pair) -> list[str]:
        asked = _Asked(texts, asyncio.get_running_loop().create_future())
        line = self._lines.setdefault(pair, _Line())
        line.asked.append(asked)
        if line.task is None:
            line.task = asyncio.create_task(self._flush(pair, line))
        return await asked.answer

    async def _flush(self, pair: Pair, line: _Line) -> None:
        await asyncio.sleep(self._wait)
        del self._lines[pair]
        waiting = [asked for asked in line.asked if not asked.answer.done()]
        while waiting:
            batch = self._first(waiting)
            waiting = waiting[len(batch) :]
            task = asyncio.create_task(self._serve(batch, *pair))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    def _first(self, waiting: list[_Asked]) -> list[_Asked]:
        """The callers, in order, whose texts fit one request; at least the first."""
        taken: list[_Asked] = []
        room, characters = BATCH, self._characters
        for asked in waiting:
            room -= len(asked.texts)
            characters -= sum(map(len, asked.texts))
            if taken and (room < 0 or characters < 0):
                break
            taken.append(asked)
        return taken

    async def _serve(self, batch: list[_Asked], source: str, target: str) -> None:
        """Send one batch; nobody else suffers from a text that is refused."""
        try:
            await self._request(batch, source, target)
        except RefusedByEngine as error:
            if len(batch) == 1:
                _fail(batch, error)
            for asked in batch if len(batch) > 1 else ():
                await self._serve([asked], source, target)
        except asyncio.CancelledError:
            for asked in batch:
                asked.answer.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - whoever waits is told, whatever it was
            _fail(batch, error)

    async def _request(self, batch: list[_Asked], source: str, target: str) -> None:
        texts = [text for asked in batch for text in asked.texts]
        answers = await self._send(texts, source, target)
        if len(answers) != len(texts):
            raise EngineFailed(self._engine, "sent another number of texts than it was given")
        for asked in batch:
            own, answers = answers[: len(asked.texts)], answers[len(asked.texts) :]
            if not asked.answer.done():
                asked.answer.set_result(own)


def portions(texts: Sequence[str], most: int, characters: int) -> Iterator[list[str]]:
    """``texts`` in order, in lists of at most ``most`` texts and ``characters`` characters.

    A text that has more characters is alone in its list.
    """
    some: list[str] = []
    room = characters
    for text in texts:
        if some and (len(some) == most or len(text) > room):
            yield some
            some, room = [], characters
        some.append(text)
        room -= len(text)
    if some:
        yield some


def _fail(batch: list[_Asked], error: Exception) -> None:
    for asked in batch:
        if not asked.answer.done():
            asked.answer.set_exception(error)
