"""A bot with the translate plugin alone, and ways to reply to somebody's message."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from typing import Any, Literal

import pytest

from clawdbot_translate import Translate
from clawdcore import Attachment, Chunk, RegisterReader, Request, hookimpl
from clawdcore.testing import ADA, FakeBackend, Group, Harness, User

PHOTO = [{"file_id": "f", "file_unique_id": "u", "width": 9, "height": 9}]
VOICE = {"file_id": "v", "file_unique_id": "w", "duration": 3}


class Model(FakeBackend):
    """Ends its answers with ``finish``."""

    def __init__(self) -> None:
        super().__init__()
        self.finish: Literal["stop", "length"] = "stop"

    async def generate(self, request: Request) -> AsyncIterator[Chunk]:
        async for chunk in super().generate(request):
            yield Chunk(chunk.text, chunk.finish and self.finish, chunk.usage)


class Glasses:
    """Stands in for the plugins that read pictures and hear voices: ``text`` is what they find."""

    def __init__(self) -> None:
        self.text = ""

    @hookimpl
    def register_readers(self, register: RegisterReader) -> None:
        @register("photo", "voice")
        async def read(attachment: Attachment) -> str:
            return self.text


class Bot(Harness):
    """A harness with the plugin and its options; ``model`` answers what a test tells it to.

    ``glasses.text`` is what readers find in each photo and voice note.
    """

    def __init__(
        self, options: dict[str, Any], plugins: tuple[object, ...] = (), *, network: bool = False
    ) -> None:
        self.model = Model()
        self.glasses = Glasses()
        self.wall = 1_800_000_000.0
        super().__init__(
            [Translate(lambda: self.wall), self.glasses, *plugins],
            config={"plugins": [{"name": "translate", "options": options}]},
            backend=self.model,
            network=network,
        )

    def update(
        self, fields: dict[str, Any], *, sender: User = ADA, chat: Group | None = None
    ) -> str:
        """Write a message with any ``fields``; returns what the bot answers."""
        before = len(self.sent)
        where: dict[str, Any] = {"id": sender.id, "type": "private", "first_name": sender.name}
        if chat is not None:
            where = {"id": chat.id, "type": "supergroup", "title": chat.title}
        person = {
            "id": sender.id,
            "is_bot": False,
            "first_name": sender.name,
            "language_code": sender.language,
        }
        message = {"message_id": 1000 + before, "date": 0, "chat": where, "from": person, **fields}
        self.inject({"message": message})
        return "\n".join(sent.text for sent in self.sent[before:])

    def reply(
        self, text: str, to: dict[str, Any], *, sender: User = ADA, chat: Group | None = None
    ) -> str:
        """Write ``text`` as a reply to the message with the fields ``to``."""
        command = text.split(maxsplit=1)[0]
        bob = {"id": 202, "is_bot": False, "first_name": "Bob", "language_code": "en"}
        where = {"id": sender.id, "type": "private", "first_name": sender.name}
        quoted = {"message_id": 77, "date": 0, "chat": where, "from": bob, **to}
        entities = [{"type": "bot_command", "offset": 0, "length": len(command)}]
        fields = {"text": text, "entities": entities, "reply_to_message": quoted}
        return self.update(fields, sender=sender, chat=chat)

    def photo(self, read: str, *, sender: User = ADA, chat: Group | None = None) -> str:
        """Send a picture with the text ``read`` on it."""
        self.glasses.text = read
        return self.update({"photo": PHOTO}, sender=sender, chat=chat)

    def voice(self, said: str, *, sender: User = ADA, chat: Group | None = None) -> str:
        """Send a voice note that says ``said``."""
        self.glasses.text = said
        return self.update({"voice": VOICE}, sender=sender, chat=chat)

    def prompts(self) -> list[str]:
        """The last turn of each request that the model got."""
        return [request.turns[-1].content for request in self.model.requests]


MakeBot = Callable[..., Bot]


@pytest.fixture
def make_bot() -> Iterator[MakeBot]:
    """``make_bot(**options)``."""
    with ExitStack() as stack:

        def make(*plugins: object, network: bool = False, **options: Any) -> Bot:
            bot = stack.enter_context(Bot(options, plugins, network=network))
            assert not bot.report.disabled, bot.report.disabled
            return bot

        yield make


@pytest.fixture
def bot(make_bot: MakeBot) -> Bot:
    """The plugin as it is without options."""
    return make_bot()
