"""ClawdBot: the whole road, with an edge, a broker, a worker and plugins.

Only Telegram is made up: ``poll`` gives the prepared answers. A plugin answers
with nothing, so that nothing is sent; ``Done`` goes back to the edge for every
update, and an update counts as finished when the edge has closed it.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque

from clawdcore import PASS, Context, Message, hookimpl
from clawdcore.broker import Bot, memory_broker
from clawdcore.config import parse
from clawdcore.edge.app import Edge
from clawdcore.edge.workers import OneWorker
from clawdcore.hooks.registration import RegisterCommand, RegisterHandler
from clawdcore.hooks.storage import SettingsStore
from clawdcore.testing import FakeBackend, FakeTelegram
from clawdcore.worker.app import Worker

from .traffic import BOT, Called, Scene, command, topic


class _Telegram(FakeTelegram):
    """Hands out the answers it is given; with none left it holds the long poll open."""

    def __init__(self) -> None:
        super().__init__()
        self._answers: deque[bytes] = deque()
        self._more = asyncio.Event()

    def give(self, answers: list[bytes]) -> None:
        """Let the next polls return these."""
        self._answers.extend(answers)
        self._more.set()

    async def poll(self, offset: int, *, limit: int, timeout: int) -> bytes:
        if not timeout:
            return b'{"ok":true,"result":[]}'
        await asyncio.sleep(0)  # an answer from a socket comes with a turn of the loop at least
        while not self._answers:
            self._more.clear()
            await self._more.wait()
        return self._answers.popleft()


class _CommandPlugin:
    def __init__(self, number: int, called: Called) -> None:
        self._number = number
        self._called = called

    @hookimpl
    def register_commands(self, register: RegisterCommand, context: Context) -> None:
        @register(command(self._number))
        async def forecast(message: Message, words: str = "") -> None:
            """Count this call"""
            self._called(self._number, words)


class _HandlerPlugin:
    def __init__(self, number: int, called: Called) -> None:
        self._number = number
        self._called = called

    @hookimpl
    def register_handlers(self, register: RegisterHandler, context: Context) -> None:
        mine = topic(self._number)

        @register("text")
        async def on_topic(message: Message) -> object:
            if not message.body.startswith(mine):
                return PASS
            self._called(self._number, message.body)
            return None


class Side:
    """As :class:`routing_sides.traffic.Side`."""

    def __init__(self, scene: Scene, called: Called) -> None:
        self._called = called
        make = _CommandPlugin if scene.kind == "commands" else _HandlerPlugin
        self._plugins: dict[str, object] = {
            f"plugin{number}": make(number, called) for number in range(scene.size)
        }
        self._given = 0

    async def open(self) -> None:
        config = parse(json.dumps({"plugins": list(self._plugins)}), env={})
        model = config.agents.defaults.model
        providers = [reference.partition("/")[0] for reference in (model.primary, *model.fallbacks)]
        edge_port, worker_port = memory_broker()
        self._telegram = _Telegram()
        self._edge = Edge(config.channels.telegram, OneWorker(edge_port), self._telegram)
        self._worker = Worker(
            config,
            worker_port,
            store=SettingsStore(),
            backends=dict.fromkeys(providers, FakeBackend()),
            targets=self._plugins,
        )
        report = await self._worker.start()
        if report.disabled:
            raise AssertionError(f"plugins did not load: {report.disabled}")
        me = Bot(int(str(BOT["id"])), str(BOT["username"]))
        self._running = asyncio.gather(self._edge.run(me), self._worker.run())
        await self._edge.listening

    async def run(self, answers: list[bytes]) -> None:
        self._given += sum(answer.count(b'"update_id"') for answer in answers)
        self._telegram.give(answers)
        # The edge may be quiet before its next poll, so quiet alone isn't the end.
        while self._edge.books.accepted < self._given or self._edge.books.open:
            await asyncio.sleep(0)
            await self._edge.quiet()

    async def close(self) -> None:
        self._edge.stop()
        await self._running
        await self._worker.close()
        books = self._edge.books
        if not self._given == books.accepted == books.answered:
            raise AssertionError(f"{self._given} updates, but the books say: {books.summary()}")
