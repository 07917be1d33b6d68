"""What people write, show and say goes through every feature, and is nowhere afterwards.

The whole bot runs as processes, with all feature plugins that are installed, at log level
debug. Everything that it asks misbehaves in turn: the model and the services answer, fail,
send garbage, or quote what they were asked. Workers, engines and at last everything are
killed in the middle. Then every file that was touched is searched, and what the bot tells of
itself.
"""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import os
import random
import signal
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import platformdirs
import pytest
from aiohttp import web
from chaos_parts import processes
from chaos_parts.canaries import Canaries, Search
from chaos_parts.program import Program
from chaos_parts.site import TOKEN, Site, free_port

from clawdcore.testing.botapi import BotApiServer

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not Path("/proc/self/task").exists(), reason="finds processes in /proc, which Linux has"
    ),
]
FEATURES = ("translate", "ocr", "voice", "commands", "burn", "chat")
ROUNDS = 3
GAP = 0.15
"""Seconds between two messages."""
WORDS = (
    "{c} hello, what is {c}?",
    "{c} ¿dónde está la estación de tren, por favor?",
    "/translate en {c} ¿dónde está la estación?",
    "/tr {c} {c}",
    "/detect {c} wo ist der Bahnhof?",
    "/lang {c}",
    "/auto on {c}",
    "/languages {c}",
    "/weather {c}",
    "/weather home {c}",
    "/fx 10 {c} eur",
    "/fx {c}",
    "/wiki {c}",
    "/burn {c}",
    "/burn 60",
    "/transcribe {c}",
    "/ocr {c}",
    "/help {c}",
    "/status {c}",
    "/privacy {c}",
    "/pause {c}",
    "/new {c}",
    "/unknown{c} {c}",
    "/forget {c}",
    "/stop {c}",
)


class Misbehaving:
    """The model and the services, on one port: each answer is another kind of trouble."""

    def __init__(self, canaries: Canaries) -> None:
        self._turn = itertools.count()
        self._words = canaries.text
        self.asked = 0
        self.quoted = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """To whatever is asked."""
        self.asked += 1
        body = (await request.read()).decode("utf-8", "replace")
        asked = f"{request.path_qs} {body}"
        self.quoted += self._words in asked
        if request.path == "/v1/models":
            return web.json_response({"data": [{"id": "m", "max_model_len": 8192}]})
        kind = next(self._turn) % 6
        if kind == 0:
            return web.Response(status=500, text=asked)
        if kind == 1:
            return web.json_response({"error": {"message": asked, "type": asked}}, status=429)
        if kind == 2:
            return web.Response(text=f"<html>{asked}", content_type="text/html")
        if kind == 3:
            await asyncio.sleep(2)
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if "stream" in body:
            return web.Response(text=_events(asked), content_type="text/event-stream")
        return web.json_response({"results": asked, "translatedText": asked, "rates": asked})


def _events(text: str) -> str:
    chunk = {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
    last = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    return "".join(f"data: {json.dumps(each)}\n\n" for each in (chunk, last)) + "data: [DONE]\n\n"


class Featured(Site):
    """A site with the feature plugins; ``services`` is where all of them look."""

    services: str = ""
    gateway: int = 0

    def environment(self) -> dict[str, str]:
        """As :meth:`Site.environment`, with the speech model where it is kept."""
        cache = os.environ.get("CLAWDBOT_CACHE") or platformdirs.user_cache_path("clawdbot")
        return {**super().environment(), "CLAWDBOT_CACHE": str(cache)}

    def _content(self) -> dict[str, Any]:
        content = super()._content()
        root = self.services
        options: dict[str, dict[str, Any]] = {
            "commands": {
                **dict.fromkeys(("geocodingUrl", "weatherUrl", "ratesUrl"), root),
                "wikiUrl": root + "/{language}",
            },
            "translate": {"engines": ["model", "libretranslate"], "libretranslate": {"url": root}},
        }
        content["agents"]["defaults"]["model"] = {"primary": "vllm/m"}
        content["models"] = {"providers": {"vllm": {"baseUrl": f"{root}/v1", "models": []}}}
        content["gateway"] = {"port": self.gateway}
        content["plugins"] = [
            {"name": name, "options": options.get(name, {})} for name in installed()
        ]
        return content


def installed() -> list[str]:
    """The feature plugins that are here."""
    known = {each.name for each in entry_points(group="clawdbot")}
    return [name for name in FEATURES if name in known]


def picture(canaries: Canaries) -> bytes:
    """A picture whose pixels show the words, and whose comment holds bytes."""
    if find_spec("PIL") is None:
        return canaries.photo()
    from PIL import Image, ImageDraw, ImageFont

    page = Image.new("RGB", (1400, 160), "white")
    words = f"{canaries.text} {canaries.tokens}"
    ImageDraw.Draw(page).text((20, 50), words, font=ImageFont.load_default(48), fill="black")
    target = io.BytesIO()
    page.save(target, "JPEG", comment=canaries.picture)
    return target.getvalue()


def sound(canaries: Canaries) -> bytes:
    """A WAV file of noise, with bytes beside the samples."""
    dice = random.Random(5)
    samples = b"".join(struct.pack("<h", dice.randrange(-9000, 9000)) for _ in range(16_000))
    form = struct.pack("<HHIIHH", 1, 1, 16_000, 32_000, 2, 16)
    chunks = b"".join(
        name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)
        for name, data in ((b"fmt ", form), (b"note", canaries.sound), (b"data", samples))
    )
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


@asynccontextmanager
async def services(canaries: Canaries) -> AsyncIterator[tuple[str, Misbehaving]]:
    """Where the model and the services are."""
    trouble = Misbehaving(canaries)
    application = web.Application(client_max_size=64 * 1024 * 1024)
    application.router.add_route("*", "/{path:.*}", trouble.answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}", trouble
    finally:
        await runner.cleanup()


class Town:
    """Ada in private, Lin in a group, and whoever calls the gateway."""

    def __init__(self, server: BotApiServer, canaries: Canaries, gateway: str) -> None:
        self._server = server
        self._canaries = canaries
        self._gateway = gateway
        name = canaries.text
        self._people = [server.user(1, name), server.user(2, name, language_code="zh-hans")]
        self._group = server.group(-77, f"Group {name}")
        self._files = [
            ("photo", picture(canaries)),
            ("photo", canaries.photo()),
            ("voice", sound(canaries)),
            ("voice", canaries.voice()),
            ("document", picture(canaries)),
            ("document", canaries.photo()[:300]),
        ]

    async def speak(self) -> None:
        """Each text once in private and once in the group, files between them."""
        files = itertools.cycle(self._files)
        for number, words in enumerate(WORDS):
            text = words.format(c=f"{self._canaries.text} {self._canaries.tokens}")
            person, group = self._people[number % 2], None if number % 4 < 2 else self._group
            said = self._server.say(person, text if group is None else f"@clawd_bot {text}", group)
            kind, data = next(files)
            caption = "" if number % 3 else text
            file = self._server.attach(
                person, kind, data, group, caption=caption, name=f"{self._canaries.text}.png"
            )
            command = ("/ocr", "/transcribe", "/translate en", "/burn 60")[number % 4]
            self._server.say(person, f"{command}@clawd_bot", group, reply_to=file)
            self._server.edit(said, text + "!", group)
            await asyncio.sleep(GAP)

    async def call(self) -> None:
        """The gateway, with and without a stream; it may be gone at any moment."""
        words = self._canaries.text
        async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
            for stream in (False, True, False):
                body = {"model": "m", "stream": stream, "user": words}
                body["messages"] = [{"role": "user", "content": words}]
                for path in ("/v1/chat/completions", f"/v1/{words}"):
                    try:
                        await client.post(
                            self._gateway + path, json=body, headers={"x-title": words}
                        )
                    except httpx.HTTPError:
                        continue


async def told(gateway: str) -> bytes:
    """What the bot tells of itself."""
    pages = b""
    async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
        for path in ("/metrics", "/metrics?format=json", "/health", "/openapi.json"):
            try:
                pages += (await client.get(gateway + path)).content
            except httpx.HTTPError:
                continue
    return pages


def below(pid: int) -> list[int]:
    """All processes that the process has started, and what those have."""
    return [each for child in processes.children(pid) for each in (child, *below(child))]


async def harass(bot: Program, seed: int) -> None:
    """Kill something that the bot has started, again and again; the worker by turns."""
    dice = random.Random(seed)
    while True:
        await asyncio.sleep(dice.uniform(1.0, 2.5))
        engines = [pid for pid in below(bot.pid) if pid not in processes.workers(bot.pid)]
        if engines and dice.random() < 0.5:
            dead = dice.choice(engines)
            for number in (signal.SIGSEGV, signal.SIGKILL):
                with_signal(dead, number)
        else:
            bot.kill_worker()


def with_signal(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may be gone."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


async def story(folder: Path, canaries: Canaries) -> tuple[Search, bytes, Misbehaving, Site]:
    """Everything, and the search after it."""
    began = time.time()
    pages = b""
    async with services(canaries) as (root, trouble), BotApiServer(TOKEN) as server:
        Featured.services, Featured.gateway = root, free_port()
        site = Featured(folder, server.root, concurrent=8, timeout=8.0)
        gateway = f"http://127.0.0.1:{site.gateway}"
        bot = Program(site, "--debug")
        town = Town(server, canaries, gateway)
        search = Search(canaries, began, [folder])
        try:
            for number in range(ROUNDS):
                await bot.start()
                killing = asyncio.create_task(harass(bot, number))
                calling = asyncio.create_task(town.call())
                try:
                    await town.speak()
                    pages += await told(gateway)
                    search.handles(
                        handle
                        for pid in (bot.pid, *below(bot.pid))
                        for handle in processes.open_files(pid)
                    )
                    search.everywhere(disk_only=True)
                finally:
                    killing.cancel()
                    calling.cancel()
                    await asyncio.gather(killing, calling, return_exceptions=True)
                if number < ROUNDS - 1:
                    await bot.kill_all(at_once=number % 2 == 0)
                else:
                    await asyncio.sleep(3)
                    pages += await told(gateway)
                    await bot.stop()
        finally:
            await bot.close()
        search.everywhere()
    return search, pages, trouble, site


@pytest.mark.skipif("chat" not in installed(), reason="no feature plugin is installed")
def test_nothing_of_what_people_send_stays_anywhere(tmp_path: Path) -> None:
    canaries = Canaries()
    search, pages, trouble, site = asyncio.run(story(tmp_path, canaries))
    assert search.hits == set()
    assert search.unreadable == 0
    assert search.files > 5
    assert canaries.found_in(pages) == []
    assert b"clawdbot" in pages
    logs = "".join(file.read_text(encoding="utf-8", errors="replace") for file in site.log_files)
    assert "DEBUG" in logs, "the log has the level at which most is said"
    assert trouble.quoted > 20, "what people wrote went through the features"
