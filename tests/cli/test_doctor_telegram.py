"""What the doctor finds at Telegram, asked of the local Bot API server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from email.utils import formatdate
from typing import Any

import pytest
from aiohttp import ClientSession, web

from clawdcore import config as configuration
from clawdcore.cli.checks import telegram, updates
from clawdcore.cli.checks.bot_api import BotApi
from clawdcore.cli.checks.finding import Finding, Status
from clawdcore.testing.botapi import BotApiServer, PollRules

TOKEN = "12345:GOOD"
Scene = Callable[[BotApiServer, BotApi], Awaitable[Sequence[Finding]]]


def config(**settings: Any) -> configuration.Config:
    import json

    return configuration.parse(json.dumps({"channels": {"telegram": settings}}), env={})


def play(scene: Scene, *, token: str = TOKEN, **options: Any) -> list[Finding]:
    async def main() -> list[Finding]:
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(BotApiServer(TOKEN, **options))
            api = await stack.enter_async_context(BotApi(server.root, token))
            found = list(await scene(server, api))
            assert server.crashes == []
            return found

    return asyncio.run(asyncio.wait_for(main(), 60))


def only(found: Sequence[Finding]) -> Finding:
    [finding] = found
    return finding


def test_a_good_token_is_named_and_a_bad_one_refused() -> None:
    good = only(play(lambda server, api: telegram.token(api)))
    assert (good.status, good.message) == (Status.OK, "accepted: @clawd_bot (id 12345)")
    bad = only(play(lambda server, api: telegram.token(api), token="12345:BAD"))
    assert bad.status is Status.FAIL
    assert "refuses the bot token" in bad.message
    assert "@BotFather" in bad.fix


def test_what_needs_an_accepted_token_is_silent_without_one() -> None:
    async def all_of_them(server: BotApiServer, api: BotApi) -> Sequence[Finding]:
        here = config(groups={"-5": {}})
        return [
            *await telegram.clock(api),
            *await telegram.privacy(api, here),
            *await telegram.groups(api, here),
            *await updates.webhook(api, here),
            *await updates.polling(api, here, 0),
        ]

    assert play(all_of_them, token="12345:BAD") == []


def test_the_way_there_is_timed() -> None:
    finding = only(play(lambda server, api: telegram.reach(api)))
    assert finding.status is Status.OK
    assert finding.message.endswith(" ms")


def test_everything_is_asked_once() -> None:
    async def scene(server: BotApiServer, api: BotApi) -> Sequence[Finding]:
        await asyncio.gather(telegram.token(api), telegram.clock(api), api.accepted())
        assert server.calls["getMe"] == 1
        return []

    play(scene)


@pytest.mark.parametrize(("ahead", "how"), [(120.0, "behind"), (-120.0, "ahead of")])
def test_a_wrong_clock_is_told(ahead: float, how: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        body = {"ok": True, "result": {"id": 1, "username": "x"}}
        date = formatdate(time.time() + ahead, usegmt=True)
        return web.json_response(body, headers={"Date": date})

    async def main() -> Sequence[Finding]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            async with BotApi(f"http://127.0.0.1:{runner.addresses[0][1]}", TOKEN) as api:
                return await telegram.clock(api)
        finally:
            await runner.cleanup()

    finding = only(asyncio.run(main()))
    assert finding.status is Status.WARN
    assert f"s {how} Telegram's" in finding.message
    assert abs(int(finding.message.split(" s ")[0].split()[-1]) - 120) <= 3


def test_clocks_that_agree_are_fine() -> None:
    assert only(play(lambda server, api: telegram.clock(api))).status is Status.OK


@pytest.mark.parametrize(
    ("sees_all", "groups", "status", "told"),
    [
        (True, {"*": {"requireMention": False}}, Status.OK, "privacy mode is off"),
        (False, {"*": {"requireMention": True}}, Status.OK, "privacy mode is on"),
        (False, {}, Status.OK, "privacy mode is on"),
        (False, {"-5": {"requireMention": False, "enabled": False}}, Status.OK, "is on"),
        (False, {"-5": {"requireMention": False}}, Status.WARN, "for the groups -5"),
    ],
)
def test_privacy_mode_is_explained(
    sees_all: bool, groups: dict[str, Any], status: Status, told: str
) -> None:
    finding = only(
        play(
            lambda server, api: telegram.privacy(api, config(groups=groups)),
            can_read_all_group_messages=sees_all,
        )
    )
    assert finding.status is status
    assert told in finding.message
    assert ("/setprivacy" in finding.fix) is (status is Status.WARN)


@pytest.mark.parametrize(
    ("place", "mention", "status", "told"),
    [
        ("administrator", False, Status.OK, "is an administrator"),
        ("member", True, Status.OK, "which is enough"),
        ("member", False, Status.WARN, "is no administrator"),
        ("left", True, Status.WARN, "not in the group"),
        ("kicked", True, Status.WARN, "not in the group"),
        (None, True, Status.WARN, "chat not found"),
    ],
)
def test_the_place_in_a_named_group(place: Any, mention: bool, status: Status, told: str) -> None:
    async def scene(server: BotApiServer, api: BotApi) -> Sequence[Finding]:
        if place is not None:
            server.group(-5, "Desk", bot_status=place)
        groups = {"*": {}, "-5": {"requireMention": mention}, "-6": {"enabled": False}}
        return await telegram.groups(api, config(groups=groups))

    finding = only(play(scene, can_read_all_group_messages=False))
    assert finding.status is status
    assert told in finding.message
    assert "-5" in finding.message


def test_a_webhook_that_is_set_elsewhere_is_told_by_its_host() -> None:
    async def scene(server: BotApiServer, api: BotApi) -> Sequence[Finding]:
        await api.call("setWebhook", url="http://127.0.0.1:9/path-secret")
        assert await updates.polling(api, config(), 0) == []
        return await updates.webhook(api, config())

    finding = only(play(scene))
    assert finding.status is Status.WARN
    assert "set to 127.0.0.1, but the configuration polls" in finding.message
    assert "path-secret" not in repr(finding)


@pytest.mark.parametrize(
    ("actual", "status", "told"),
    [
        ("http://127.0.0.1:9/a", Status.WARN, "configured is bot.example.org"),
        ("", Status.OK, "is not set yet"),
    ],
)
def test_a_webhook_is_compared_with_the_configuration(
    actual: str, status: Status, told: str
) -> None:
    wanted = config(webhook={"url": "https://bot.example.org/hook", "secret": "s" * 20})

    async def scene(server: BotApiServer, api: BotApi) -> Sequence[Finding]:
        if actual:
            await api.call("setWebhook", url=actual)
        return await updates.webhook(api, wanted)

    finding = only(play(scene))
    assert finding.status is status
    assert told in finding.message


def test_what_waits_and_what_failed_is_told() -> None:
    async def scene(server: BotApiServer, api: BotApi) -> Sequence[Finding]:
        await api.call("setWebhook", url="http://127.0.0.1:1/")
        server.say(server.user(5), "hello")
        while "last_error_message" not in (await api.call("getWebhookInfo")).result:
            continue
        return await updates.webhook(api, config())

    _, waiting, failed = play(scene)
    assert "1 updates wait" in waiting.message
    assert failed.status is Status.WARN
    assert "Connection refused" in failed.message


def test_looking_for_another_poller_takes_no_update() -> None:
    async def scene(server: BotApiServer, api: BotApi) -> Sequence[Finding]:
        ada = server.user(5)
        for text in ("one", "two", "three"):
            server.say(ada, text)
        found = await updates.polling(api, config(), 0)
        assert server.pending == 3
        found += await updates.polling(api, config(), 1.5)
        assert server.pending == 3
        return found

    short, long = play(scene)
    assert short.status is long.status is Status.OK
    assert "--listen" in short.message
    assert long.message == "nobody else polled within 1.5 s"


def test_another_poller_is_found_by_listening() -> None:
    async def scene(server: BotApiServer, api: BotApi) -> Sequence[Finding]:
        async def rival() -> None:
            async with ClientSession() as session:
                while True:
                    url = f"{server.root}/bot{TOKEN}/getUpdates?timeout=30"
                    async with session.get(url) as answer:
                        await answer.read()

        polling = asyncio.create_task(rival())
        try:
            await server.wait(lambda: server.polling)
            return await updates.polling(api, config(), 10)
        finally:
            polling.cancel()

    finding = only(play(scene, poll_rules=PollRules(0, 0)))
    assert finding.status is Status.FAIL
    assert "409" in finding.message


def test_a_poller_that_takes_what_waits_is_found_too() -> None:
    async def scene(server: BotApiServer, api: BotApi) -> Sequence[Finding]:
        ada = server.user(5)
        server.say(ada, "one")
        server.say(ada, "two")

        async def rival() -> None:
            await server.wait(lambda: server.calls["getUpdates"] >= 2)
            async with (
                ClientSession() as session,
                session.get(f"{server.root}/bot{TOKEN}/getUpdates?offset=2") as answer,
            ):
                await answer.read()

        taking = asyncio.create_task(rival())
        found = await updates.polling(api, config(), 10)
        await taking
        return found

    finding = only(play(scene, poll_rules=PollRules(0, 0)))
    assert finding.status is Status.FAIL
    assert "takes this bot's updates" in finding.message or "409" in finding.message
