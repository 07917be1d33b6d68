"""Webhook delivery to a real HTTP receiver."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from telegram import Bot, Update
from telegram.error import BadRequest

from clawdcore.testing.botapi import BotApiServer

Play = Callable[..., None]


class Receiver:
    """Takes updates; ``statuses`` are answered first, then 200. ``hold`` delays answers."""

    def __init__(self) -> None:
        self.url = ""
        self.bodies: list[bytes] = []
        self.secrets: list[str | None] = []
        self.statuses: list[int] = []
        self.replies: list[dict[str, Any]] = []
        self.open = 0
        self.most_open = 0
        self.hold: asyncio.Event | None = None
        self.two_open = asyncio.Event()

    async def take(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.read())
        self.secrets.append(request.headers.get("X-Telegram-Bot-Api-Secret-Token"))
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        if self.open == 2:
            self.two_open.set()
        try:
            if self.hold is not None:
                await self.hold.wait()
        finally:
            self.open -= 1
        if self.statuses:
            return web.Response(status=self.statuses.pop(0))
        return web.json_response(self.replies.pop(0)) if self.replies else web.Response()

    def texts(self, bot: Bot) -> list[str | None]:
        updates = [Update.de_json(json.loads(body), bot) for body in self.bodies]
        return [update.message.text if update.message else None for update in updates]


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    taken = Receiver()
    app = web.Application()
    app.router.add_post("/hook", taken.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    taken.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield taken
    finally:
        await runner.cleanup()


def test_updates_are_posted_with_the_secret(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        async with receiver() as hook:
            ada = server.user(5)
            server.say(ada, "before")
            assert await bot.set_webhook(hook.url, secret_token="s3-_x", max_connections=7)
            server.say(ada, "after")
            await server.wait(lambda: server.pending == 0)
            assert hook.texts(bot) == ["before", "after"]
            assert hook.secrets == ["s3-_x"] * 2
            info = await bot.get_webhook_info()
            assert (info.url, info.max_connections) == (hook.url, 7)
            assert (info.pending_update_count, info.last_error_message) == (0, None)

    play(scene)


def test_one_update_at_a_time_per_chat_and_chats_side_by_side(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        async with receiver() as hook:
            hook.hold = asyncio.Event()
            await bot.set_webhook(hook.url)
            for text in ("a", "b"):
                server.say(server.user(5), text)
                server.say(server.user(6), text)
            await hook.two_open.wait()
            await asyncio.sleep(0.05)
            assert hook.texts(bot) == ["a", "a"]
            hook.hold.set()
            await server.wait(lambda: server.pending == 0)
            assert hook.texts(bot) == ["a", "a", "b", "b"]
            assert hook.most_open == 2

    play(scene)


def test_max_connections_bounds_what_is_open(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        async with receiver() as hook:
            await bot.set_webhook(hook.url, max_connections=3)
            for user_id in range(1, 21):
                server.say(server.user(user_id), "x")
            await server.wait(lambda: server.pending == 0)
            assert len(hook.bodies) == 20
            assert hook.most_open <= 3

    play(scene)


def test_a_failed_delivery_is_retried_and_told(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        async with receiver() as hook:
            hook.statuses = [500, 302, 404]
            await bot.set_webhook(hook.url)
            server.say(server.user(5), "x")
            await server.wait(lambda: server.pending == 0)
            assert hook.texts(bot) == ["x"] * 4
            info = await bot.get_webhook_info()
            assert info.last_error_message == "Wrong response from the webhook: 404 Not Found"

    play(scene, webhook_retry=0.01)


def test_a_dead_receiver_keeps_updates_waiting(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        async with receiver() as hook:
            url = hook.url
        await bot.set_webhook(url)
        server.say(server.user(5), "x")
        await server.wait(lambda: server.webhook_error)
        info = await bot.get_webhook_info()
        assert info.last_error_message == "Connection refused"
        assert info.pending_update_count == 1
        await bot.delete_webhook(drop_pending_updates=True)
        assert server.pending == 0

    play(scene, webhook_retry=0.01)


def test_a_method_call_in_the_answer_is_run(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        async with receiver() as hook:
            hook.replies = [
                {"method": "sendMessage", "chat_id": 5, "text": "by answer"},
                {"method": "deleteWebhook"},
            ]
            await bot.set_webhook(hook.url)
            server.say(server.user(5), "x")
            await server.wait(lambda: server.sent)
            assert server.sent[0].text == "by answer"
            server.say(server.user(5), "y")
            await server.wait(lambda: server.violations)
            assert server.violations == ["deleteWebhook in a webhook's answer: error 400"]

    play(scene)


def test_garbage_is_posted_as_it_is(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        async with receiver() as hook:
            hook.statuses = [400]
            await bot.set_webhook(hook.url)
            server.inject_raw(b"\xff{")
            await server.wait(lambda: server.pending == 0)
            assert hook.bodies == [b"\xff{"]

    play(scene, webhook_retry=0.01)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"url": "ftp://127.0.0.1/"}, "An HTTPS URL must be provided"),
        ({"url": "https://bot.example/"}, "loopback addresses only"),
        ({"url": "http://[::1"}, "invalid URL"),
        ({"url": "http://127.0.0.1:9/", "secret_token": "no spaces"}, "unallowed characters"),
        ({"url": "http://127.0.0.1:9/", "secret_token": "x" * 257}, "token is too long"),
    ],
)
def test_bad_webhooks_are_refused(play: Play, options: dict[str, Any], error: str) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        with pytest.raises(BadRequest, match=f"(?i){error}"):
            await bot.set_webhook(**options)
        assert server.webhook_url == ""

    play(scene)
