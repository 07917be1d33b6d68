"""Control over HTTP, the server as a process, and what it listens on."""

from __future__ import annotations

import asyncio
import base64
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from telegram import Bot

from clawdcore.testing.botapi import BotApiServer

Play = Callable[..., None]
ROOT = Path(__file__).parents[2]


async def ask(root: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
    async with aiohttp.ClientSession(headers=headers) as session:
        url = f"{root}/__control/{path}"
        call = session.get(url) if body is None else session.post(url, json=body)
        async with call as response:
            return response.status, await response.json()


async def told(root: str, path: str, body: object = None) -> Any:
    status, answer = await ask(root, path, body)
    assert (status, answer["ok"]) == (200, True)
    return answer["result"]


def test_people_act_over_http(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        root = server.root
        await told(root, "user", {"id": 5, "first_name": "Ada", "language_code": "fr"})
        group = await told(root, "group", {"id": -7, "title": "Desk", "members": [5]})
        assert group == {"id": -7, "type": "group", "title": "Desk"}
        said = await told(root, "say", {"user": 5, "text": "/hi", "chat": -7})
        edit = {"chat": -7, "message_id": said["message_id"], "text": "/ho"}
        assert (await told(root, "edit", edit))["text"] == "/ho"
        data = base64.b64encode(b"jpeg").decode()
        await told(root, "attach", {"user": 5, "kind": "photo", "data": data})
        updates = await bot.get_updates()
        assert updates[0].message is not None
        assert updates[0].message.text == "/hi"
        assert updates[1].edited_message is not None
        assert updates[2].message is not None
        assert updates[2].message.photo
        button = {"inline_keyboard": [[{"text": "t", "callback_data": "d"}]]}
        sent = await bot.send_message(5, "x", api_kwargs={"reply_markup": button})
        press = {"user": 5, "chat": 5, "message_id": sent.message_id, "button": "d"}
        assert await told(root, "press", press) == "1"
        for wrong in ({"button": "e"}, {"message_id": sent.message_id + 1}, {"user": 6}):
            status, answer = await ask(root, "press", press | wrong)
            assert (status, answer["ok"]) == (400, False)
        state = await told(root, "state")
        assert state["pending"] == 4
        assert state["calls"]["sendMessage"] == 1

    play(scene)


def test_events_are_numbered_and_wait(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        server.private(server.user(5))
        waiting = asyncio.create_task(told(server.root, "events?after=0&timeout=20"))
        await asyncio.sleep(0.02)
        await bot.send_message_draft(5, 1, "he")
        first = await waiting
        assert [(e["n"], e["kind"], e["message"]["text"]) for e in first["events"]] == [
            (1, "draft", "he")
        ]
        sent = await bot.send_message(5, "hello")
        await bot.edit_message_text("hello!", 5, sent.message_id)
        await bot.delete_message(5, sent.message_id)
        rest = await told(server.root, f"events?after={first['last']}&timeout=20")
        assert [e["kind"] for e in rest["events"]] == ["sent", "edit", "delete"]
        assert rest["last"] == 4
        assert await told(server.root, "events?after=4&timeout=0") == {"events": [], "last": 4}

    play(scene)


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("say", {"user": 404, "text": "x"}, "no such user"),
        ("say", {"user": 5}, "missing field 'text'"),
        ("say", {"user": 5, "text": 1}, "a text is a JSON string"),
        ("say", {"user": 5, "text": "x", "chat": -404}, "no such chat"),
        ("say", [], "expected a JSON object"),
        ("group", {"id": 3, "title": "x"}, "a group's id is negative"),
        ("attach", {"user": 5, "kind": "photo", "data": "?"}, "base64"),
        ("events?after=x", None, "invalid literal"),
    ],
)
def test_mistakes_are_told(play: Play, path: str, body: object, error: str) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        server.user(5)
        status, answer = await ask(server.root, path, body)
        assert status == 400
        assert error in answer["description"]

    play(scene)


def test_it_answers_and_listens_on_loopback_only(play: Play) -> None:
    async def scene(server: BotApiServer, bot: Bot) -> None:
        status, answer = await ask(server.root, "state", Host="bot.example")
        assert status == 403
        assert "loopback only" in answer["description"]
        with pytest.raises(ValueError, match=r"loopback only, not on '0\.0\.0\.0'"):
            await BotApiServer().start("0.0.0.0")
        with pytest.raises(OSError, match="address already in use"):
            await BotApiServer().start(port=int(server.root.rpartition(":")[2]))

    play(scene)


async def launch(*arguments: str) -> tuple[asyncio.subprocess.Process, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "clawdcore.testing.botapi",
        *arguments,
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    line = await process.stdout.readline()
    return process, json.loads(line)["root"]


@pytest.mark.parametrize("ending", ["sigterm", "sigint", "stdin"])
def test_a_process_of_its_own(ending: str) -> None:
    async def main() -> None:
        options = ["--token", "9:X", "--username", "own_bot", "--limits"]
        process, root = await launch(*options, *(["--with-parent"] if ending == "stdin" else []))
        url = f"{root}/bot9:X/getMe"
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            assert (await response.json())["result"]["username"] == "own_bot"
        assert process.stdin is not None
        if ending == "stdin":
            process.stdin.close()
        else:
            process.send_signal(getattr(signal, ending.upper()))
        assert await process.wait() == 0

    asyncio.run(asyncio.wait_for(main(), 20))


def test_a_process_that_may_not_listen_there_says_why() -> None:
    async def main() -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "clawdcore.testing.botapi", "--host", "0.0.0.0",
            cwd=ROOT, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, errors = await process.communicate()
        assert process.returncode == 1
        assert b"error: the local Bot API server listens on loopback only" in errors

    asyncio.run(asyncio.wait_for(main(), 20))
