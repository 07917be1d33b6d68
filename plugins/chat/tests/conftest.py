"""A bot with the chat plugin alone, and a model that counts tokens and minds its context."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from typing import Any, Literal

import pytest

from clawdbot_chat import Chat, prompts
from clawdcore import Chunk, ContextOverflow, Request, Turn, Usage
from clawdcore.testing import FakeBackend, Harness

Finish = Literal["stop", "length", "abort"]
MODEL = "small"
SUMMARY_TASKS = prompts.SUMMARIZE, prompts.MERGE


class SmallModel(FakeBackend):
    """Counts a token for three bytes and four for each turn; refuses what doesn't fit.

    ``requests`` are for answers, ``summaries`` for notes, ``refused`` what did not
    fit. ``note`` answers the second: a text, an error, or a function of the request.
    ``note_delay`` is in (virtual) seconds.
    """

    def __init__(self, context_length: int = 4096) -> None:
        super().__init__(model=MODEL, context_length=context_length)
        self.context_length = context_length
        self.summaries: list[Request] = []
        self.refused: list[Request] = []
        self.note: str | Exception | Callable[[Request], str] = "A note."
        self.note_delay = 0.0
        self.finish: Finish = "stop"

    @staticmethod
    def count(turns: tuple[Turn, ...]) -> int:
        return sum(len(turn.content.encode()) // 3 + 4 for turn in turns)

    async def generate(self, request: Request) -> AsyncIterator[Chunk]:
        prompt = self.count(request.turns)
        if prompt + (request.max_tokens or 0) > self.context_length:
            self.refused.append(request)
            raise ContextOverflow("the turns don't fit.")
        if not any(task in request.turns[-1].content for task in SUMMARY_TASKS):
            async for chunk in super().generate(request):
                usage = chunk.usage and Usage(prompt, chunk.usage.completion_tokens)
                yield Chunk(chunk.text, chunk.finish and self.finish, usage)
            return
        self.summaries.append(request)
        if self.note_delay:
            await asyncio.sleep(self.note_delay)
        if isinstance(self.note, Exception):
            raise self.note
        note = self.note if isinstance(self.note, str) else self.note(request)
        yield Chunk(note, "stop", Usage(prompt, len(note) // 3))


class Bot(Harness):
    """A harness with a model of its own; ``chat`` is the plugin."""

    def __init__(
        self,
        model: SmallModel,
        options: dict[str, Any],
        defaults: dict[str, Any],
        config: dict[str, Any],
    ) -> None:
        self.chat = Chat()
        self.model = model
        config = {
            **config,
            "agents": {"defaults": {"model": f"llamacpp/{MODEL}", **defaults}},
            "plugins": [{"name": "chat", "options": options}],
        }
        super().__init__([self.chat], config=config, backend=model)


MakeBot = Callable[..., Bot]


@pytest.fixture
def make_bot() -> Iterator[MakeBot]:
    """``make_bot(context_length=4096, compaction="safeguard", **options)``."""
    with ExitStack() as stack:

        def make(
            *,
            context_length: int = 4096,
            compaction: str = "safeguard",
            defaults: dict[str, Any] | None = None,
            config: dict[str, Any] | None = None,
            **options: Any,
        ) -> Bot:
            wanted = {"compaction": {"mode": compaction}, **(defaults or {})}
            bot = stack.enter_context(
                Bot(SmallModel(context_length), options, wanted, config or {})
            )
            assert not bot.report.disabled
            return bot

        yield make
