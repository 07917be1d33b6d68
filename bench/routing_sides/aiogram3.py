"""aiogram 3: a Dispatcher with one Router a function.

The shortest road it has: pydantic reads the bytes (aiogram itself goes through
``json.loads`` first, which is slower), with the bot as context so that
``feed_update`` doesn't read them again; it is awaited for each update in turn.
Texts are told apart by an async ``Filter``: ``F.text.startswith(…)`` would run
in a thread for every handler, which is some ten times slower.
"""

from __future__ import annotations

from typing import Any

from aiogram import Bot, Dispatcher, Router
from aiogram.filters import Command, CommandObject, Filter
from aiogram.methods.base import Response
from aiogram.types import Message, Update

from .traffic import TOKEN, Called, Scene, command, topic


class _StartsWith(Filter):
    def __init__(self, start: str) -> None:
        self._start = start

    async def __call__(self, message: Message) -> bool:
        return message.text is not None and message.text.startswith(self._start)


class Side:
    """As :class:`routing_sides.traffic.Side`."""

    def __init__(self, scene: Scene, called: Called) -> None:
        self._bot = Bot(TOKEN)
        self._dispatcher = Dispatcher()
        add = _command_router if scene.kind == "commands" else _text_router
        for number in range(scene.size):
            self._dispatcher.include_router(add(number, called))

    async def open(self) -> None:
        await self._dispatcher.emit_startup(bot=self._bot)

    async def run(self, answers: list[bytes]) -> None:
        read = Response[list[Update]].model_validate_json
        context: dict[str, Any] = {"bot": self._bot}
        for answer in answers:
            for update in read(answer, context=context).result or ():
                await self._dispatcher.feed_update(self._bot, update)

    async def close(self) -> None:
        await self._dispatcher.emit_shutdown(bot=self._bot)
        await self._bot.session.close()


def _command_router(number: int, called: Called) -> Router:
    router = Router()

    @router.message(Command(command(number)))
    async def forecast(message: Message, command: CommandObject) -> None:
        called(number, command.args or "")

    return router


def _text_router(number: int, called: Called) -> Router:
    router = Router()

    @router.message(_StartsWith(topic(number)))
    async def on_topic(message: Message) -> None:
        called(number, message.text or "")

    return router
