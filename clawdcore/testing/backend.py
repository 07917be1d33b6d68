"""A backend that answers what a test tells it to."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from ..backend import Backend, Chunk, Load, ModelInfo, Request, ToolCall, Usage

Answer = str | Exception | ToolCall | tuple[ToolCall, ...]
"""What a request gets."""


class FakeBackend(Backend):
    """Answers from a queue, and echoes the last turn when the queue is empty.

    ``requests`` are those that came, in order. ``delay`` is in (virtual) seconds
    before each chunk; ``cancelled`` counts generations that were given up. ``model``
    is its model's id; the harness fills in the configured one where it is "".
    ``tools``: it says that it can call tools. It calls what a test tells it to.
    """

    def __init__(self, *, model: str = "", context_length: int = 4096, tools: bool = False) -> None:
        self.requests: list[Request] = []
        self.cancelled = 0
        self.delay = 0.0
        self.running = 0
        self.started = False
        self.model = model
        self._length = context_length
        self.tools = tools
        self._answers: deque[Answer] = deque()

    def enqueue(self, *answers: Answer) -> None:
        """What the next requests get: a text, an error to raise, or calls of tools."""
        self._answers.extend(answers)

    async def start(self) -> None:
        """As :meth:`Backend.start`."""
        self.started = True

    async def close(self) -> None:
        """As :meth:`Backend.close`."""
        self.started = False

    async def models(self) -> list[ModelInfo]:
        """As :meth:`Backend.models`."""
        return [
            ModelInfo(
                id=self.model or "fake",
                context_length=self._length,
                max_output_tokens=self._length // 2,
                tools=self.tools,
            )
        ]

    async def generate(self, request: Request) -> AsyncIterator[Chunk]:
        """As :meth:`Backend.generate`, a word a chunk."""
        self.requests.append(request)
        answer = self._answers.popleft() if self._answers else request.turns[-1].content
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, ToolCall):
            answer = (answer,)
        if isinstance(answer, tuple):
            yield Chunk(calls=answer, finish="tool_calls")
            return
        words = answer.split(" ")
        finished = False
        self.running += 1
        try:
            for index, word in enumerate(words):
                if self.delay:
                    await asyncio.sleep(self.delay)
                yield Chunk(word if index == 0 else f" {word}")
            prompt = sum(len(turn.content) // 4 + 1 for turn in request.turns)
            finished = True
            yield Chunk("", "stop", Usage(prompt, len(words)))
        finally:
            self.running -= 1
            self.cancelled += not finished

    async def load(self) -> Load:
        """As :meth:`Backend.load`."""
        return Load(running=self.running, waiting=0, capacity=1024)
