"""Edge and worker against a Bot API server over HTTP, polling and webhook."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from clawdcore import (
    Attachment,
    Button,
    Context,
    Delete,
    Edit,
    Message,
    Press,
    Reply,
    Request,
    Toast,
    Turn,
    hookimpl,
)
from clawdcore.broker import Target, memory_broker
from clawdcore.config import parse
from clawdcore.edge.app import Edge
from clawdcore.edge.telegram import TelegramApi
from clawdcore.edge.workers import OneWorker
from clawdcore.errors import ChannelUnreachable, PortTaken, SecondPoller, TokenRefused
from clawdcore.testing import FakeBackend
from clawdcore.testing.botapi import BotApiServer
from clawdcore.testing.botapi.updates import PollRules
from clawdcore.worker.app import Worker

TOKEN = "1:TEST"
UNHURRIED = {"perSecond": 1000, "perChat": 1000, "groupPerMinute": 60_000}
SECRET = "s3cret_" + "x" * 20
CANCEL = Button("cancel", "queue", "cancel")


class Plugin:
    """Echoes by the model, counts, and reads files."""

    @hookimpl
    def register_commands(self, register: Any) -> None:
        @register("count")
        async def count(message: Message) -> AsyncIterator[str]:
            """Count slowly"""
            for number in range(3):
                yield f"{number} "
                await asyncio.sleep(0.6)

        @register("long")
        async def long(message: Message) -> str:
            """Say a lot"""
            return "word " * 1700

        @register("size")
        async def size(message: Message) -> str:
            """Size of the file replied to"""
            assert message.reply_to is not None
            return str(len(await message.reply_to.attachments[0].read()))

        @register("queue")
        async def queue(message: Message) -> Reply:
            """Show a place in line"""
            rows = ((Button("wait", "queue", "wait"), Button("cancel", "queue", "cancel")),)
            return Reply(text="You are number 7.", buttons=rows)

    @hookimpl
    def register_buttons(self, register: Any) -> None:
        @register("queue")
        async def pressed(press: Press) -> Any:
            if press.data == "cancel":
                return Toast("Cancelled."), Delete()
            return Toast("I'll call you."), Edit("You are number 6.", ((CANCEL,),))

    @hookimpl
    def register_handlers(self, register: Any, context: Context) -> None:
        @register("text", serial=lambda message: message.session)
        async def chat(message: Message) -> AsyncIterator[str]:
            quoted = message.reply_to.body if message.reply_to else ""
            turn = Turn("user", f"{quoted}|{message.body}")
            async for chunk in context.models.generate(Request(turns=(turn,))):
                yield chunk.text

        @register("photo")
        async def photo(message: Message) -> str:
            return await message.text()

    @hookimpl
    def register_readers(self, register: Any) -> None:
        @register("photo")
        async def read(attachment: Attachment) -> str:
            return f"{len(await attachment.read())} bytes"


class Running:
    """A bot that runs, and what to look at."""

    def __init__(self, edge: Edge, worker: Worker, backend: FakeBackend) -> None:
        self.edge = edge
        self.worker = worker
        self.backend = backend


@asynccontextmanager
async def running(server: BotApiServer, **telegram: Any) -> AsyncIterator[Running]:
    telegram = {"apiRoot": server.root, "pace": UNHURRIED, **telegram}
    config = parse(json.dumps({"channels": {"telegram": telegram}, "plugins": ["plugin"]}), env={})
    api = TelegramApi(TOKEN, server.root)
    edge_port, worker_port = memory_broker()
    backend = FakeBackend()
    try:
        me = await api.open()
        edge = Edge(config.channels.telegram, OneWorker(edge_port), api)
        worker = Worker(
            config, worker_port, backends={"llamacpp": backend}, targets={"plugin": Plugin()}
        )
        report = await worker.start()
        assert report.disabled == {}
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(edge.run(me))
            tasks.create_task(worker.run())
            await edge.listening
            yield Running(edge, worker, backend)
            edge.stop()
        await worker.close()
    finally:
        await api.close()
    assert edge.books.open == 0


# Telegram answers an offset that is asked again late or singly; only one story needs that.
AT_ONCE = PollRules(single_interval=0, short_interval=0)
Story = Callable[[BotApiServer], Coroutine[None, None, None]]


def tell(story: Story, **options: Any) -> None:
    async def run() -> None:
        rules = {"poll_rules": AT_ONCE, **options}
        async with asyncio.timeout(30), BotApiServer(TOKEN, **rules) as server:
            await story(server)
            assert server.violations == []
            assert server.crashes == []

    asyncio.run(run())


def texts(server: BotApiServer) -> list[str]:
    return [record.message["text"] for record in server.sent]


def test_private_chat_by_polling() -> None:
    async def story(server: BotApiServer) -> None:
        ada = server.user(7, "Ada")
        async with running(server) as bot:
            asked = server.say(ada, "hello")
            await server.wait(lambda: len(server.sent) == 1)
            assert texts(server) == ["|hello"]
            reply = server.sent[0].message
            assert reply["reply_to_message"]["message_id"] == asked["message_id"]
        assert server.pending == 0
        assert bot.edge.books.answered == 1

    tell(story, poll_rules=PollRules())


def test_stream_shows_drafts_before_the_answer() -> None:
    async def story(server: BotApiServer) -> None:
        ada = server.user(7, "Ada")
        async with running(server):
            server.say(ada, "/count")
            await server.wait(lambda: len(server.sent) == 1)
            assert texts(server) == ["0 1 2"]
            assert len(server.drafts) >= 2

    tell(story)


def test_group_answers_mentions_and_replies_only() -> None:
    async def story(server: BotApiServer) -> None:
        ada, bob = server.user(7, "Ada"), server.user(8, "Bob")
        group = server.group(-1000000000005, "News", [ada, bob])
        async with running(server) as bot:
            server.say(ada, "not for you", group)
            server.say(bob, "@clawd_bot what is up", group)
            await server.wait(lambda: len(server.sent) == 1)
            server.say(ada, "and now?", group, reply_to=server.sent[0])
            await server.wait(lambda: len(server.sent) == 2)
            assert texts(server) == ["|what is up", "|what is up|and now?"]
        assert bot.edge.books.unaddressed == 1

    tell(story)


def test_reply_to_another_message_and_files() -> None:
    async def story(server: BotApiServer) -> None:
        ada = server.user(7, "Ada")
        async with running(server):
            picture = server.photo(ada, b"\x89PNG" + b"x" * 996)
            await server.wait(lambda: len(server.sent) == 1)
            server.say(ada, "/size", reply_to=picture)
            await server.wait(lambda: len(server.sent) == 2)
            assert texts(server) == ["1000 bytes", "1000"]

    tell(story)


def test_long_answers_come_in_parts() -> None:
    async def story(server: BotApiServer) -> None:
        ada = server.user(7, "Ada")
        async with running(server):
            server.say(ada, "/long")
            await server.wait(lambda: len(server.sent) == 3)
            assert " ".join(texts(server)).split() == ["word"] * 1700

    tell(story)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_webhook_with_secret() -> None:
    async def story(server: BotApiServer) -> None:
        port = free_port()
        url = f"http://127.0.0.1:{port}/telegram-webhook"
        ada = server.user(7, "Ada")
        hook = {"url": url, "port": port, "secret": SECRET}
        async with running(server, webhook=hook) as bot, aiohttp.ClientSession() as http:
            server.say(ada, "hello")
            await server.wait(lambda: len(server.sent) == 1)
            before = bot.edge.books.accepted
            forged = {"update_id": 99, "message": {"text": "forged"}}
            for headers in ({}, {"X-Telegram-Bot-Api-Secret-Token": "wrong"}):
                async with http.post(url, json=forged, headers=headers) as response:
                    assert response.status == 401
            assert bot.edge.books.accepted == before
            good = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
            async with http.post(url, data=b"\xff{", headers=good) as response:
                assert response.status == 200
            assert bot.edge.books.broken == 1
            server.say(ada, "again")
            await server.wait(lambda: len(server.sent) == 2)
            assert texts(server) == ["|hello", "|again"]
        assert server.pending == 0

    tell(story)


def test_garbage_in_the_stream_costs_only_itself() -> None:
    async def story(server: BotApiServer) -> None:
        ada = server.user(7, "Ada")
        async with running(server) as bot:
            server.say(ada, "first")
            await server.wait(lambda: len(server.sent) == 1)
            for garbage in (b'{"update_id', b"\xff\xfe", 42, None, [], {"update_id": "x"}):
                server.inject_raw(garbage)
                server.say(ada, "next")
            await server.wait(lambda: len(server.sent) == 7, timeout=20)
            assert bot.edge.books.broken >= 6
            assert texts(server)[1:] == ["|next"] * 6

    tell(story)


def test_a_pause_asked_for_and_a_dropped_connection_lose_nothing() -> None:
    async def story(server: BotApiServer) -> None:
        ada = server.user(7, "Ada")
        async with running(server) as bot:
            server.fail("flood", "sendMessage", retry_after=1)
            server.fail("drop_before", "sendMessage")
            server.say(ada, "one")
            await server.wait(lambda: len(server.sent) == 1, timeout=10)
        assert bot.edge.books.answered == 1

    tell(story)


def test_wrong_token_unreachable_server_and_second_poller() -> None:
    async def story(server: BotApiServer) -> None:
        wrong = TelegramApi("2:WRONG", server.root)
        with pytest.raises(TokenRefused, match="@BotFather"):
            await wrong.open()
        await wrong.close()
        nobody = TelegramApi(TOKEN, f"http://127.0.0.1:{free_port()}")
        with pytest.raises(ChannelUnreachable, match="apiRoot"):
            await nobody.open()
        await nobody.close()

    tell(story)


def test_second_poller_ends_the_run() -> None:
    async def story(server: BotApiServer) -> None:
        other = TelegramApi(TOKEN, server.root)
        await other.open()

        async def keep_polling() -> None:
            from clawdcore.edge.api import Conflict

            while True:
                try:
                    await other.poll(0, limit=1, timeout=20)
                except Conflict:
                    continue

        rival = asyncio.create_task(keep_polling())
        try:
            with pytest.raises(BaseExceptionGroup) as caught:
                async with running(server):
                    await asyncio.sleep(20)
            assert caught.group_contains(SecondPoller, match="409", depth=None)
        finally:
            rival.cancel()
            await asyncio.gather(rival, return_exceptions=True)
            await other.close()

    tell(story)


def test_taken_webhook_port() -> None:
    async def story(server: BotApiServer) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            hook = {
                "url": f"http://127.0.0.1:{port}/x",
                "port": port,
                "secret": SECRET,
                "path": "/x",
            }
            with pytest.raises(BaseExceptionGroup) as caught:
                async with running(server, webhook=hook):
                    await asyncio.sleep(5)
            assert caught.group_contains(PortTaken, match=str(port), depth=None)

    tell(story)


def test_buttons_are_shown_pressed_edited_and_answered() -> None:
    async def story(server: BotApiServer) -> None:
        ada, bob = server.user(7, "Ada"), server.user(8, "Bob", language_code="zh-hans")
        group = server.group(-1000000000005, "News", [ada, bob])
        async with running(server) as bot:
            server.say(ada, "/queue@clawd_bot", group)
            await server.wait(lambda: len(server.sent) == 1)
            shown = server.sent[0]
            server.press(ada, shown, "wait")
            await server.wait(lambda: bool(server.answers and server.edits), timeout=20)
            assert server.answers[0].message["text"] == "I'll call you."
            after = server.messages(group.id)[-1]
            assert after["text"] == "You are number 6."
            (row,) = after["reply_markup"]["inline_keyboard"]
            assert [button["text"] for button in row] == ["cancel"]
            with pytest.raises(LookupError):
                server.press(ada, shown, "wait")
            server.press(bob, shown, "cancel")
            await server.wait(lambda: bool(server.deleted), timeout=20)
            await server.wait(lambda: len(server.answers) == 2, timeout=20)
            assert server.answers[1].message["text"] == "Cancelled."
        assert bot.edge.books.answered == 3

    tell(story)


def test_a_button_of_an_earlier_bot_says_that_it_no_longer_works() -> None:
    async def story(server: BotApiServer) -> None:
        ada = server.user(7, "Ada", language_code="zh-hans")
        server.private(ada)
        api = TelegramApi(TOKEN, server.root)
        await api.open()
        old = ((Button("old", "old", plugin="removed"),),)
        await api.send(Target(chat_id=7), "x", (), preview=False, buttons=old)
        await api.close()
        async with running(server) as bot:
            server.press(ada, server.sent[0], "old")
            await server.wait(lambda: bool(server.answers), timeout=20)
            assert server.answers[0].message["text"] == "这个按钮已经失效了。"
        assert bot.edge.books.noticed == 1

    tell(story)
