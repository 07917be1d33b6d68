"""python-telegram-bot: an Application with one handler a function, in one group.

The shortest road it has: ``process_update`` is awaited for each update in turn,
without the queue between its Updater and its Application.
"""

from __future__ import annotations

import json
import re
from typing import Any

from telegram import Update
from telegram.ext import Application, CommandHandler, ContextTypes, MessageHandler, filters
from telegram.request import BaseRequest, RequestData

from .traffic import BOT, TOKEN, Called, Scene, command, topic


class _Offline(BaseRequest):
    """Answers getMe, the one call that ``Application.initialize`` makes."""

    @property
    def read_timeout(self) -> float:
        return 1.0

    async def initialize(self) -> None: ...

    async def shutdown(self) -> None: ...

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *_: Any, **__: Any
    ) -> tuple[int, bytes]:
        if not url.endswith("/getMe"):
            raise AssertionError("the benchmark must send nothing")
        return 200, json.dumps({"ok": True, "result": BOT}).encode()


class Side:
    """As :class:`routing_sides.traffic.Side`."""

    def __init__(self, scene: Scene, called: Called) -> None:
        offline = _Offline()
        self._app: Any = (
            Application.builder()
            .token(TOKEN)
            .request(offline)
            .get_updates_request(offline)
            .updater(None)
            .job_queue(None)
            .build()
        )
        for number in range(scene.size):
            if scene.kind == "commands":
                self._add_command(number, called)
            else:
                self._add_handler(number, called)

    def _add_command(self, number: int, called: Called) -> None:
        async def forecast(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
            called(number, " ".join(context.args or ()))

        self._app.add_handler(CommandHandler(command(number), forecast))

    def _add_handler(self, number: int, called: Called) -> None:
        async def on_topic(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
            message = update.message
            called(number, (message and message.text) or "")

        mine = filters.Regex(f"^{re.escape(topic(number))}")
        self._app.add_handler(MessageHandler(mine, on_topic))

    async def open(self) -> None:
        await self._app.initialize()

    async def run(self, answers: list[bytes]) -> None:
        app = self._app
        for answer in answers:
            for data in json.loads(answer)["result"]:
                await app.process_update(Update.de_json(data, app.bot))

    async def close(self) -> None:
        await self._app.shutdown()
