"""Updates by webhook: what is answered 200 is worked on, also while the bot stops."""

from __future__ import annotations

import asyncio
import socket

import pytest

from clawdcore.broker import (
    Closed,
    Deliver,
    Done,
    Hello,
    Outcome,
    Ready,
    memory_broker,
)
from clawdcore.config import TelegramConfig
from clawdcore.edge.api import CallError, FloodWait, Rejected, Unreachable
from clawdcore.edge.app import Edge
from clawdcore.edge.intake import Update
from clawdcore.edge.room import Room
from clawdcore.edge.webhook import REGISTRATIONS, register
from clawdcore.edge.workers import OneWorker
from clawdcore.errors import ChannelError, ChannelUnreachable
from clawdcore.testing import FakeTelegram, VirtualLoop
from clawdcore.testing.telegram import BOT

SECRET = "s" * 20
FULL = 20
URL = "https://bot.example.org/hook"
BODY = b'{"update_id":7}'
HEAD = (
    f"POST /hook HTTP/1.1\r\nHost: x\r\nX-Telegram-Bot-Api-Secret-Token: {SECRET}\r\n"
    f"Content-Length: {len(BODY)}\r\n\r\n"
).encode()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Noted(Room):
    """Says when somebody has to wait for it."""

    def __init__(self) -> None:
        super().__init__(updates=FULL)
        self.waited_for = asyncio.Event()

    async def take(self, size: int) -> None:
        if self.updates == FULL:
            self.waited_for.set()
        await super().take(size)


def test_a_call_that_waits_for_room_when_the_bot_stops_is_accepted_and_settled() -> None:
    async def run() -> None:
        port = free_port()
        webhook = {"url": URL, "port": port, "path": "/hook", "secret": SECRET}
        edge_port, worker = memory_broker()
        room = Noted()
        config = TelegramConfig.model_validate({"webhook": webhook})
        edge = Edge(config, OneWorker(edge_port), FakeTelegram(), room=room)
        serving = asyncio.ensure_future(edge.run(BOT))
        assert await worker.receive() == Hello(BOT)
        await worker.send(Ready())
        await edge.listening
        for number in range(FULL):
            await edge.accept(Update(1000 + number, b"{}"))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD + BODY)
        await room.waited_for.wait()
        edge.stop()
        for number in range(FULL):
            await worker.send(Done(1000 + number, Outcome.UNADDRESSED))
        assert b" 200 " in await reader.readline()
        writer.close()
        await writer.wait_closed()
        received = [await worker.receive() for _ in range(FULL + 1)]
        assert received[-1] == Deliver(7, BODY)
        assert not serving.done()
        await worker.send(Done(7, Outcome.UNADDRESSED))
        await serving
        assert (edge.books.accepted, edge.books.open) == (FULL + 1, 0)
        with pytest.raises(Closed):
            await worker.receive()

    async def bounded() -> None:
        async with asyncio.timeout(20):
            await run()

    asyncio.run(bounded())


class Registrar(FakeTelegram):
    """setWebhook goes as a list says, then it succeeds."""

    def __init__(self, *errors: CallError) -> None:
        super().__init__()
        self.errors = list(errors)
        self.registered: list[str] = []

    async def set_webhook(self, url: str, secret: str) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.registered.append(url)


def registered(*errors: CallError) -> list[str]:
    """What is registered with a Telegram that first raises ``errors``."""
    loop = VirtualLoop()

    async def run() -> list[str]:
        telegram = Registrar(*errors)
        await register(telegram, URL, SECRET)
        return telegram.registered

    try:
        return loop.run_until_complete(run())
    finally:
        loop.close()


def test_registering_is_tried_again_where_telegram_can_t_be_reached() -> None:
    assert registered(Unreachable("x", sent=True), FloodWait(9)) == [URL]
    with pytest.raises(ChannelUnreachable, match=r"timed out.*apiRoot"):
        registered(*[Unreachable("timed out", sent=True)] * REGISTRATIONS)


def test_a_refused_webhook_says_why_and_what_to_set() -> None:
    with pytest.raises(ChannelError, match=r"HTTPS url must be.*channels\.telegram\.webhook\.url"):
        registered(Rejected("Bad webhook: HTTPS url must be provided"))
