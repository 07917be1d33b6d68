"""One generation for a caller: its seat, its way to the model, its answer."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from hashlib import blake2b
from typing import Final

import msgspec

from ..admission.ask import Ask, Ticket
from ..backend import ApiCall, Chunk, Finish, Relayed, Request, ToolCall, Usage
from ..errors import BackendError, BadAnswer, GenerationFailed, Overloaded, StreamCut
from ..privacy import describe
from .counting import EVERY, Tokens
from .dialect import Answer, Dialect, Heading, Writer
from .envelope import open_envelope, prompt_tokens, readdressed
from .exchange import EVENTS, JSON, Exchange
from .keys import Key
from .metrics import Counters
from .presence import Gone
from .problems import Problem, problem_of
from .rooms import Room, Rooms

log = logging.getLogger(__name__)

ANSWER_LIMIT: Final = 16 * 1024 * 1024
"""Bytes of an answer that comes in one; millions of tokens."""
HELD_LIMIT: Final = 1024 * 1024
"""Bytes of one event that is held back until it is whole."""
LAST_WORDS: Final = 5.0
"""Seconds for telling a caller that an answer broke."""
MARGIN: Final = 0.25
"""Seconds after the deadline, in which queue and backend say themselves that it is over."""
NO_CACHE: Final = ((b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no"))


class _Whole(msgspec.Struct, frozen=True):
    """An answer that comes in one, to be sent when its seat is free again."""

    status: int
    content_type: bytes
    body: bytes


class Generations:
    """Answers calls of the generating APIs. ``timeout`` bounds each, in seconds."""

    def __init__(self, rooms: Rooms, counters: Counters, *, timeout: float) -> None:
        self._rooms = rooms
        self._counters = counters
        self._timeout = timeout
        self._secret = os.urandom(32)

    async def serve(self, exchange: Exchange, dialect: Dialect, key: Key) -> None:
        """Answer one call.

        Raises:
            Problem: it gets no answer; nothing was sent yet.
            Gone: the caller hung up; the work is cancelled and the seat free.
        """
        deadline = asyncio.get_running_loop().time() + self._timeout
        body = await exchange.body()
        envelope = open_envelope(body)
        ask = Ask(
            priority=key.priority,
            chat=key.fairness,
            sender=self._sender(envelope.user or ""),
            prompt_tokens=prompt_tokens(body),
            output_tokens=envelope.output_tokens,
            deadline=deadline,
        )
        call = _Call(exchange, dialect, ask, stream=bool(envelope.stream))
        try:
            async with exchange.present(), asyncio.timeout_at(deadline + MARGIN):
                room = await self._rooms.find(envelope.model)
                if dialect.path in room.backend.relays:
                    whole = await call.relay(room, readdressed(body, envelope, room.model))
                else:
                    whole = await call.generate(room, *dialect.read(body))
                if whole is not None:
                    await exchange.answer(whole.status, whole.body, whole.content_type)
        except (Gone, Problem):
            raise
        except BaseException as error:  # noqa: BLE001 - what is not ours goes on in _problem
            await call.fail(_problem(error))
        finally:
            self._counters.tokens(call.prompt, call.output)

    def _sender(self, user: str) -> str:
        """What stands for OpenAI's ``user``, so that nobody's name leaves this function."""
        if not user:
            return ""
        return blake2b(user.encode(), key=self._secret, digest_size=8).hexdigest()


class _Call:
    """A call that was understood. ``prompt`` and ``output`` are the tokens it took so far."""

    def __init__(self, exchange: Exchange, dialect: Dialect, ask: Ask, *, stream: bool) -> None:
        self.prompt = 0
        self.output = 0
        self._exchange = exchange
        self._ask = ask
        self._stream = stream
        self._failed = dialect.failed
        self._path = dialect.path

    def _used(self, ticket: Ticket, prompt: int, output: int) -> None:
        self.prompt, self.output = prompt, output
        ticket.used(prompt, output)

    async def relay(self, room: Room, body: bytes) -> _Whole | None:
        """Hand the call on and its answer back; None when that was sent already."""
        ask = self._ask
        call = ApiCall(
            path=self._path,
            body=body,
            stream=self._stream,
            priority=ask.priority,
            deadline=ask.deadline,
            key=ask.chat,
            sender=ask.sender,
        )
        async with room.admission.seat(ask) as ticket:
            with _telling(room):
                return await self._relayed(await room.backend.relay(call), ticket)

    async def _relayed(self, relayed: Relayed, ticket: Ticket) -> _Whole | None:
        events = relayed.content_type.startswith("text/event-stream")
        tokens = Tokens(self._ask.prompt_tokens, stream=events)
        try:
            async with aclosing(relayed.body):
                if events:
                    await self._relay_events(relayed, tokens, ticket)
                    return None
                return await _gathered(relayed, tokens)
        finally:
            if relayed.status < 400:
                self._used(ticket, *tokens.total())

    async def _relay_events(self, relayed: Relayed, tokens: Tokens, ticket: Ticket) -> None:
        held = b""
        async for piece in relayed.body:
            if tokens.see(piece):
                self._used(ticket, tokens.prompt, tokens.output)
            whole, held = split_events(held + piece if held else piece)
            if whole:
                await self._write(whole, relayed.status)
        if held:
            await self._write(held, relayed.status)
        if not self._exchange.status:
            raise BadAnswer("The model's server answered with nothing.")
        await self._exchange.finish()

    async def generate(self, room: Room, request: Request, writer: Writer) -> _Whole | None:
        """Ask the backend in its own words; None when the answer was sent already."""
        ask = self._ask
        request = msgspec.structs.replace(
            request,
            model=room.model,
            priority=ask.priority,
            deadline=ask.deadline,
            key=ask.chat,
            sender=ask.sender,
        )
        name = f"{room.provider}/{room.model}"
        writer.head(Heading(os.urandom(12).hex(), int(time.time()), name))
        self._failed = writer.failed
        async with room.admission.seat(ask) as ticket:
            with _telling(room):
                answer = await self._follow(room, request, writer, ticket)
            if self._stream:
                await self._write(writer.end(answer))
                await self._exchange.finish()
                return None
        return _Whole(200, JSON, writer.whole(answer))

    async def _follow(self, room: Room, request: Request, writer: Writer, ticket: Ticket) -> Answer:
        """Put an answer together, writing its events meanwhile where they are wanted."""
        texts: list[str] = []
        calls: list[ToolCall] = []
        finish: Finish | None = None
        usage: Usage | None = None
        prompt = self._ask.prompt_tokens
        try:
            async with _closing(room.backend.generate(request)) as chunks:
                async for chunk in chunks:
                    calls += chunk.calls
                    finish, usage = chunk.finish or finish, chunk.usage or usage
                    if chunk.text:
                        texts.append(chunk.text)
                        if len(texts) % EVERY == 0:
                            self._used(ticket, prompt, len(texts))
                    if self._stream and finish != "abort":
                        begun = b"" if self._exchange.status else writer.begin()
                        await self._write(begun + (writer.text(chunk.text) if chunk.text else b""))
        finally:
            usage = usage or Usage(prompt, len(texts))
            self._used(ticket, usage.prompt_tokens, usage.completion_tokens)
        if finish is None:
            raise StreamCut("The model's answer ended in the middle.")
        if finish == "abort":
            raise GenerationFailed("The model gave up its answer.")
        return Answer("".join(texts), tuple(calls), finish, usage)

    async def _write(self, events: bytes, status: int = 200) -> None:
        if not self._exchange.status:
            await self._exchange.begin(status, EVENTS, NO_CACHE)
        await self._exchange.write(events)

    async def fail(self, problem: Problem) -> None:
        """Tell the caller; what has begun ends with an event that says so.

        Raises:
            Problem: nothing was sent yet.
        """
        if not self._exchange.status:
            raise problem
        if self._exchange.over:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS):
                await self._exchange.write(self._failed(problem))
                await self._exchange.finish()


def _problem(error: BaseException) -> Problem:
    """What a caller is told; raises again what is our own end."""
    if isinstance(error, BackendError):
        return problem_of(error)
    if isinstance(error, TimeoutError):
        return Problem(504, "The answer was not ready within its time.", code="timeout")
    task = asyncio.current_task()
    if (
        task is None
        or task.cancelling()
        or not isinstance(error, Exception | asyncio.CancelledError)
    ):
        raise error
    log.warning("a generation failed: %s", describe(error))
    return Problem(502, f"The model failed ({type(error).__name__}).", code="generation_failed")


def split_events(data: bytes) -> tuple[bytes, bytes]:
    """Whole events, and the beginning of the next one.

    A broken answer then ends between events, where its error can be said. An event
    that is longer than :data:`HELD_LIMIT` is not waited for.
    """
    if data.endswith((b"\n\n", b"\r\n\r\n")) or len(data) > HELD_LIMIT:
        return data, b""
    line_feeds, returns = data.rfind(b"\n\n"), data.rfind(b"\r\n\r\n")
    end = max(line_feeds + 2 if line_feeds >= 0 else 0, returns + 4 if returns >= 0 else 0)
    return data[:end], data[end:]


@contextmanager
def _telling(room: Room) -> Iterator[None]:
    """Tell the room when its server refuses."""
    try:
        yield
    except Overloaded:
        room.refused()
        raise


async def _gathered(relayed: Relayed, tokens: Tokens) -> _Whole:
    pieces: list[bytes] = []
    size = 0
    async for piece in relayed.body:
        tokens.see(piece)
        size += len(piece)
        if size > ANSWER_LIMIT:
            raise BadAnswer("The model's server sent more than an answer can be.")
        pieces.append(piece)
    return _Whole(relayed.status, relayed.content_type.encode("latin-1"), b"".join(pieces))


@asynccontextmanager
async def _closing(chunks: AsyncIterator[Chunk]) -> AsyncIterator[AsyncIterator[Chunk]]:
    """Close an iterator after the body, which cancels the work behind it."""
    try:
        yield chunks
    finally:
        close = getattr(chunks, "aclose", None)
        if close is not None:
            await close()
