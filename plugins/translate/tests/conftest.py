"""A bot with the translate plugin alone, and ways to reply to somebody's message."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from typing import Any, Literal

import pytest

import clawdbot_translate
from clawdcore import Chunk, Request
from clawdcore.testing import ADA, FakeBackend, Group, Harness, User


class Model(FakeBackend):
    """Ends its answers with ``finish``."""

    def __init__(self) -> None:
        super().__init__()
        self.finish: Literal["stop", "length"] = "stop"

    async def generate(self, request: Request) -> AsyncIterator[Chunk]:
        async for chunk in super().generate(request):
            yield Chunk(chunk.text, chunk.finish and self.finish, chunk.usage)


class Bot(Harness):
    """A harness with the plugin and its options; ``model`` answers what a test tells it to."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.model = Model()
        super().__init__(
            [clawdbot_translate],
            config={"plugins": [{"name": "translate", "options": options}]},
            backend=self.model,
        )

    def reply(
        self, text: str, to: dict[str, Any], *, sender: User = ADA, chat: Group | None = None
    ) -> str:
        """Write ``text`` as a reply to the message with the fields ``to``."""
        before = len(self.sent)
        message = self._message(text, sender, chat, None)["message"]
        message["reply_to_message"] = {
            "message_id": 77,
            "date": message["date"],
            "chat": message["chat"],
            "from": {"id": 202, "is_bot": False, "first_name": "Bob", "language_code": "en"},
            **to,
        }
        self.inject({"message": message})
        return "\n".join(sent.text for sent in self.sent[before:])

    def prompts(self) -> list[str]:
        """The last turn of each request that the model got."""
        return [request.turns[-1].content for request in self.model.requests]


MakeBot = Callable[..., Bot]


@pytest.fixture
def make_bot() -> Iterator[MakeBot]:
    """``make_bot(**options)``."""
    with ExitStack() as stack:

        def make(**options: Any) -> Bot:
            bot = stack.enter_context(Bot(options))
            assert not bot.report.disabled
            return bot

        yield make


@pytest.fixture
def bot(make_bot: MakeBot) -> Bot:
    """The plugin as it is without options."""
    return make_bot()
