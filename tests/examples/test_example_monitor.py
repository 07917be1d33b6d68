"""examples/monitor.py against a real gateway."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).parents[2] / "examples" / "monitor.py"
LIMIT = 120.0
"""Real seconds after which a test has failed; nothing here needs more than a few."""


async def monitor(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(SCRIPT),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if name != "CLAWDBOT_TOKEN"},
    )


async def line(process: asyncio.subprocess.Process) -> str:
    """Its next line, without date, time and zone."""
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip().split(" ", 2)[-1]


def test_it_tells_what_begins_and_what_is_over(serve: Any, started: Any) -> None:
    async def scene() -> None:
        async with asyncio.timeout(LIMIT), serve() as served:
            served.room.waiting = 4
            # A machine that is fully busy must not add a line of its own.
            options = ("--url", served.url, "--queue", "3", "--cpu", "100", "--interval", "0.1")
            process = await monitor(*options)
            async with started(process):
                assert await line(process) == "ALERT 4 requests wait, more than 3"
                served.room.waiting = 3
                assert await line(process) == "over: 4 requests wait, more than 3"
                served.room.up = False
                assert await line(process) == "ALERT the replica main 127.0.0.1:8000 is down"

    asyncio.run(scene())


def test_nobody_answers_and_others_answer() -> None:
    async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n[]")
        await writer.drain()
        writer.close()

    async def scene() -> None:
        server = await asyncio.start_server(hello, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with asyncio.timeout(LIMIT):
            async with server:
                process = await monitor("--url", url, "--looks", "1")
                said, _ = await process.communicate()
            assert b"ALERT what answers is no gateway of ClawdBot" in said
            process = await monitor("--url", url, "--looks", "1")
            said, errors = await process.communicate()
        assert b"ALERT the gateway can't be reached (ConnectError)" in said
        assert (process.returncode, errors) == (0, b"")

    asyncio.run(scene())
