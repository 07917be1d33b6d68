"""One generation: ask the engine, and turn its stream into chunks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final, Literal

import httpx
import msgspec

from clawdcore import (
    BackendError,
    BackendUnavailable,
    Chunk,
    ContextOverflow,
    GenerationFailed,
    Usage,
)

from .launch import Engine
from .wire import OVERFLOW, PATH, Event, EventStream, Problem, decode

Finish = Literal["stop", "length", "abort"]
FINISHES: Final[dict[str, Finish]] = {"stop": "stop", "length": "length"}
END: Final = b""


class NotReached(BackendUnavailable):
    """The engine is gone; the request never got to it, so that another may be asked."""


class Generation:
    """Asks once. ``generated`` is told of each token as it comes."""

    def __init__(
        self,
        engine: Engine,
        body: bytes,
        *,
        deadline: float | None,
        generated: Callable[[int], None],
    ) -> None:
        self._engine = engine
        self._body = body
        self._deadline = deadline
        self._generated = generated
        self._begun = False
        self._prompt = 0
        self._answered = 0

    @property
    def tokens(self) -> int:
        """Tokens of the context that it fills now."""
        return self._prompt + self._answered

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        """The answer; the last chunk carries the finish, "abort" when the deadline passed.

        Raises:
            ContextOverflow: the turns don't fit the context.
            NotReached: the engine is gone, and has seen nothing of the request.
            BackendUnavailable: the engine died before the first chunk.
            GenerationFailed: it refused, or died later.
        """
        try:
            async with asyncio.timeout_at(self._deadline):
                response = await self._ask()
        except TimeoutError:
            yield Chunk(finish="abort")
            return
        except httpx.ReadTimeout as error:
            raise self._died(error) from error
        except httpx.TransportError as error:
            # A living engine takes every connection and answers at once.
            self._engine.kill()
            raise NotReached("llama.cpp can't be reached.", fix="Ask again.") from error
        try:
            async with aclosing(self._read(response)) as chunks:
                async for chunk in chunks:
                    self._begun = True
                    yield chunk
        except httpx.TransportError as error:
            raise self._died(error) from error
        finally:
            await response.aclose()  # the engine stops when it finds nobody listening

    async def _ask(self) -> httpx.Response:
        client = self._engine.client
        headers = {"Content-Type": "application/json"}
        request = client.build_request("POST", PATH, content=self._body, headers=headers)
        response = await client.send(request, stream=True)
        if response.is_success:
            return response
        try:
            problem = decode(await response.aread()).error or Problem()
        except msgspec.MsgspecError:
            problem = Problem()
        finally:
            await response.aclose()
        raise _refused(problem, response.status_code)

    async def _read(self, response: httpx.Response) -> AsyncGenerator[Chunk, None]:
        loop = asyncio.get_running_loop()
        data = response.aiter_bytes()
        stream = EventStream()
        finish: Finish | None = None
        while True:
            try:
                async with asyncio.timeout_at(self._deadline):
                    block = await anext(data, END)
            except TimeoutError:
                yield Chunk(finish="abort")
                return
            if block == END:
                raise self._broke("its stream ended early")
            for event in self._events(stream, block):
                text = self._text(event)
                finish = _finish(event) or finish
                if text:
                    yield Chunk(text=text)
                if event.usage is not None:
                    spent = event.usage
                    self._generated(max(0, spent.completion_tokens - self._answered))
                    usage = Usage(spent.prompt_tokens, spent.completion_tokens)
                    yield Chunk(finish=finish or "stop", usage=usage)
                    return
            if self._deadline is not None and loop.time() >= self._deadline:
                # Data that lay ready never let the timeout fire.
                yield Chunk(finish="abort")
                return

    def _events(self, stream: EventStream, block: bytes) -> list[Event]:
        try:
            events = [decode(item) for item in stream.feed(block)]
        except (ValueError, msgspec.MsgspecError) as error:
            raise self._broke(f"its stream can't be read: {type(error).__name__}") from None
        for event in events:
            if event.error is not None:
                raise _refused(event.error, 200)
        return events

    def _text(self, event: Event) -> str:
        if event.prompt_progress is not None:
            self._prompt = event.prompt_progress.processed
        text = "".join(choice.delta.content or "" for choice in event.choices)
        if text:
            # An event carries one token; a few wait for the rest of their letter.
            self._answered += 1
            self._generated(1)
        return text

    def _died(self, error: httpx.TransportError) -> BackendError:
        if isinstance(error, httpx.ReadTimeout):
            self._engine.kill()  # it hangs; the supervisor starts another
            return self._broke("it stopped answering")
        return self._broke("it died")

    def _broke(self, why: str) -> BackendError:
        if self._begun:
            return GenerationFailed(f"llama.cpp broke off the answer ({why}).", fix="Ask again.")
        return BackendUnavailable(
            f"llama.cpp can't answer ({why}).", fix="It is being started again; ask again."
        )


def _finish(event: Event) -> Finish | None:
    for choice in event.choices:
        if choice.finish_reason is not None:
            return FINISHES.get(choice.finish_reason, "stop")
    return None


def _refused(problem: Problem, status: int) -> BackendError:
    if problem.type == OVERFLOW:
        return ContextOverflow(
            f"The request has {problem.n_prompt_tokens:,} tokens, and the model takes "
            f"{problem.n_ctx:,}.",
            fix="Shorten it, or raise the option context of llamacpp.",
        )
    return GenerationFailed(
        f"llama.cpp refused the request (HTTP {status}, {problem.type or 'no reason given'}).",
        fix="Its chat template may not take these roles; try another model.",
    )
