"""The gateway on real sockets: who says little, reads nothing, hangs up, or says too much."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from clawdcore.backend import Chunk
from clawdcore.config import GatewayConfig
from clawdcore.errors import PortTaken
from clawdcore.gateway import connection
from clawdcore.gateway import server as server_module
from clawdcore.gateway.listening import listen
from clawdcore.gateway.server import GatewayServer

LIMIT = 60.0
"""Real seconds after which a test has failed; nothing here needs one."""
CHAT = "/v1/chat/completions"
GOOD = {"model": "small", "messages": [{"role": "user", "content": "Hello there"}]}
FAR = {"model": "org/large", "messages": []}


@asynccontextmanager
async def served(house: Any, **options: Any) -> AsyncIterator[GatewayServer]:
    server = GatewayServer(
        GatewayConfig(),
        house.rooms,
        listen("127.0.0.1", 0),
        timeout=LIMIT,
        folder=Path(__file__).parent,
        **options,
    )
    try:
        await server.start()
        yield server
    finally:
        await server.close()


class Wire:
    """A connection on which a test writes what it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    def post(self, fields: Any, path: str = CHAT) -> None:
        body = json.dumps(fields).encode()
        head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        self.send(head.encode() + b"content-length: %d\r\n\r\n" % len(body) + body)

    async def head(self) -> tuple[int, dict[str, str]]:
        first, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines if line)
        return int(first.split()[1]), headers

    async def answer(self) -> tuple[int, Any]:
        status, headers = await self.head()
        return status, json.loads(await self._reader.readexactly(int(headers["content-length"])))

    async def until(self, mark: bytes) -> bytes:
        return await self._reader.readuntil(mark)

    async def rest(self) -> bytes:
        return await self._reader.read()


@asynccontextmanager
async def wire(server: GatewayServer) -> AsyncIterator[Wire]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.ports[0])
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):  # the server was first
            await writer.wait_closed()


def test_calls_share_a_connection(house: Any) -> None:
    async def scene() -> None:
        async with asyncio.timeout(LIMIT), served(house) as server, wire(server) as line:
            for _ in range(3):
                line.post(GOOD)
                status, answer = await line.answer()
                assert (status, answer["object"]) == (200, "chat.completion")
            line.send(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
            status, headers = await line.head()
            assert status == 200
            assert headers["date"]
            assert "server" not in headers

    asyncio.run(scene())


def test_a_stream_comes_piece_by_piece(house: Any) -> None:
    async def scene() -> None:
        async with asyncio.timeout(LIMIT), served(house) as server, wire(server) as line:
            house.rooms.fake.delay = 0.01
            line.post({**GOOD, "stream": True})
            status, headers = await line.head()
            assert (status, headers["transfer-encoding"]) == (200, "chunked")
            assert headers["cache-control"] == "no-cache"
            await line.until(b'"content":"Hello"')
            assert house.rooms.fake.running == 1
            await line.until(b"[DONE]\n\n")

    asyncio.run(scene())


@pytest.mark.parametrize("stream", [False, True])
def test_a_closed_connection_ends_the_work(house: Any, stream: bool) -> None:
    async def scene() -> None:
        async with asyncio.timeout(LIMIT), served(house) as server:
            ended = asyncio.Event()

            async def generate(request: Any) -> Any:
                begun.set()
                try:
                    await asyncio.Event().wait()
                    yield
                finally:
                    ended.set()

            begun = asyncio.Event()
            house.rooms.fake.generate = generate
            async with wire(server) as line:
                line.post({**GOOD, "stream": stream})
                await begun.wait()
            await ended.wait()

    asyncio.run(scene())


def test_a_caller_who_never_reads_is_not_written_to_without_end(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "UNREAD_TIME", 0.1)
    sent = 0

    async def scene() -> None:
        async with asyncio.timeout(LIMIT), served(house) as server:
            ended = asyncio.Event()

            async def generate(request: Any) -> Any:
                nonlocal sent
                try:
                    while True:
                        sent += 1
                        yield Chunk("x" * 60_000)
                finally:
                    ended.set()

            house.rooms.fake.generate = generate
            async with wire(server) as line:
                line.post({**GOOD, "stream": True})
                # Nobody reads: both ends' buffers fill, and then the caller is cut off.
                await ended.wait()
        assert sent < 2000

    asyncio.run(scene())


@pytest.mark.parametrize(
    "data",
    [
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\nx: " + b"y" * 70_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 20_000 + b"\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\nx: " + b"y" * 70_000,
    ],
)
def test_a_head_that_is_too_large_is_a_431(house: Any, data: bytes) -> None:
    async def scene() -> None:
        async with asyncio.timeout(LIMIT), served(house) as server, wire(server) as line:
            line.send(data)
            status, answer = await line.answer()
            assert (status, answer["error"]["code"]) == (431, "head_too_large")

    asyncio.run(scene())


@pytest.mark.parametrize("data", [b"", b"G", b"POST /v1/chat/completions HTTP/1.1\r\nhost: loc"])
def test_a_head_that_does_not_come_is_not_waited_for(
    house: Any, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "HEAD_TIME", 0.1)

    async def scene() -> None:
        async with asyncio.timeout(LIMIT), served(house) as server, wire(server) as line:
            line.send(data)
            status, answer = await line.answer()
            assert (status, answer["error"]["code"]) == (408, "timeout")
            assert await line.rest() == b""

    asyncio.run(scene())


def test_a_second_head_that_does_not_come_is_not_waited_for_either(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene() -> None:
        async with asyncio.timeout(LIMIT), served(house) as server, wire(server) as line:
            line.post(GOOD)
            assert (await line.answer())[0] == 200
            monkeypatch.setattr(connection, "HEAD_TIME", 0.1)
            line.send(b"GET /health HT")
            assert (await line.answer())[0] == 408

    asyncio.run(scene())


def test_bytes_of_no_call_keep_no_connection_open(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "KEEP_ALIVE", 0.2)

    async def scene() -> None:
        async with asyncio.timeout(LIMIT), served(house) as server, wire(server) as line:
            line.post(GOOD)
            assert (await line.answer())[0] == 200
            line.send(b"\r\n")
            assert await line.rest() == b""

    asyncio.run(scene())


def test_what_is_no_http_is_told_so(house: Any) -> None:
    async def scene() -> None:
        async with asyncio.timeout(LIMIT), served(house) as server, wire(server) as line:
            line.send(b"\x16\x03\x01 hush\r\n\r\n")
            status, answer = await line.answer()
            assert (status, answer["error"]["code"]) == (400, "invalid_http")

    asyncio.run(scene())


def test_a_large_body_is_refused_before_it_comes(house: Any) -> None:
    async def scene() -> None:
        async with asyncio.timeout(LIMIT), served(house) as server, wire(server) as line:
            line.send(
                b"POST /v1/responses HTTP/1.1\r\nhost: localhost\r\n"
                b"content-type: application/json\r\ncontent-length: 99999999\r\n\r\n"
            )
            assert (await line.answer())[0] == 413
            assert await line.rest() == b""

    asyncio.run(scene())


def test_connections_are_bounded(house: Any) -> None:
    async def scene() -> None:
        async with asyncio.timeout(LIMIT), served(house) as server:
            server._bounded.connections_limit = 1
            async with wire(server) as first:
                first.post(GOOD)
                assert (await first.answer())[0] == 200
                async with wire(server) as second:
                    status, answer = await second.answer()
                    assert (status, answer["error"]["code"]) == (503, "overloaded")

    asyncio.run(scene())


def test_an_upgrade_is_a_call_like_any_other(house: Any) -> None:
    async def scene() -> None:
        async with asyncio.timeout(LIMIT), served(house) as server, wire(server) as line:
            line.send(
                b"GET /health HTTP/1.1\r\nhost: localhost\r\n"
                b"connection: upgrade\r\nupgrade: websocket\r\n\r\n"
            )
            assert (await line.answer())[0] == 200

    asyncio.run(scene())


def test_draining_lets_calls_end_and_takes_no_more(house: Any) -> None:
    async def scene() -> None:
        async with asyncio.timeout(LIMIT), served(house) as server, wire(server) as line:
            begun, go_on = asyncio.Event(), asyncio.Event()

            async def generate(request: Any) -> Any:
                begun.set()
                await go_on.wait()
                yield Chunk("Done", "stop")

            house.rooms.fake.generate = generate
            async with wire(server) as idle:
                idle.send(b"GET /ready HTTP/1.1\r\nhost: localhost\r\n\r\n")
                assert (await idle.answer())[0] == 200
                line.post(GOOD)
                await begun.wait()
                port = server.ports[0]
                draining = asyncio.create_task(server.drain(LIMIT))
                assert await idle.rest() == b""
                with pytest.raises(ConnectionError):
                    await asyncio.open_connection("127.0.0.1", port)
                go_on.set()
                status, answer = await line.answer()
                assert (status, answer["choices"][0]["message"]["content"]) == (200, "Done")
                await draining

    asyncio.run(scene())


@pytest.mark.parametrize("used", [False, True], ids=["fresh", "used before"])
def test_a_call_that_was_on_its_way_when_the_drain_began_is_answered(
    house: Any, used: bool
) -> None:
    async def scene() -> None:
        async with asyncio.timeout(LIMIT), served(house) as server, wire(server) as line:
            if used:
                line.send(b"GET /ready HTTP/1.1\r\nhost: localhost\r\n\r\n")
                assert (await line.answer())[0] == 200
            else:
                while not server.connections:
                    await asyncio.sleep(0)
            draining = asyncio.create_task(server.drain(LIMIT))
            while server.accepting:
                await asyncio.sleep(0)
            line.post(GOOD)
            status, headers = await line.head()
            assert (status, headers["connection"]) == (200, "close")
            await line.rest()
            await draining

    asyncio.run(scene())


def test_a_connection_that_was_only_just_accepted_is_not_dropped(house: Any) -> None:
    async def scene() -> None:
        async with asyncio.timeout(LIMIT), served(house) as server:
            with socket.create_connection(("127.0.0.1", server.ports[0])) as line:
                line.sendall(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
                # The loop sees it in one round and accepts it; the drain begins in the next.
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                await server.drain(LIMIT)
                assert line.recv(12) == b"HTTP/1.1 200"

    asyncio.run(scene())


def test_what_says_nothing_does_not_hold_the_drain(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "LAST_CALL", 0.01)

    async def scene() -> None:
        async with asyncio.timeout(LIMIT / 2), served(house) as server, wire(server) as line:
            while not server.connections:
                await asyncio.sleep(0)
            await server.drain(LIMIT)
            assert await line.rest() == b""

    asyncio.run(scene())


@pytest.mark.parametrize("stream", [False, True])
def test_what_does_not_end_in_time_is_told_that_the_bot_stops(house: Any, stream: bool) -> None:
    async def scene() -> None:
        async with asyncio.timeout(LIMIT), served(house) as server, wire(server) as line:
            begun = asyncio.Event()

            async def generate(request: Any) -> Any:
                if stream:
                    yield Chunk("Once")
                begun.set()
                await asyncio.Event().wait()
                yield Chunk("Never", "stop")

            house.rooms.fake.generate = generate
            line.post({**GOOD, "stream": stream})
            await begun.wait()
            await server.drain(0.05)
            if stream:
                assert b'"code":"stopping"' in await line.rest()
            else:
                status, answer = await line.answer()
                assert (status, answer["error"]["code"]) == (503, "stopping")

    asyncio.run(scene())


def test_closing_twice_and_before_the_start_is_harmless(house: Any) -> None:
    async def scene() -> None:
        async with served(house) as server:
            await server.close()
        other = GatewayServer(
            GatewayConfig(), house.rooms, listen("127.0.0.1", 0), timeout=1, folder=Path("/")
        )
        await other.close()

    asyncio.run(scene())


def test_a_second_server_can_take_over_the_same_listener(house: Any) -> None:
    async def scene() -> None:
        (listener,) = listen("127.0.0.1", 0)
        with listener:
            for _ in range(2):
                async with asyncio.timeout(LIMIT):
                    server = GatewayServer(
                        GatewayConfig(),
                        house.rooms,
                        [listener.dup()],
                        timeout=LIMIT,
                        folder=Path("/"),
                    )
                    await server.start()
                    async with wire(server) as line:
                        line.post(GOOD)
                        assert (await line.answer())[0] == 200
                    await server.close()

    asyncio.run(scene())


def test_a_taken_port_is_told_with_the_fix() -> None:
    (taken,) = listen("127.0.0.1", 0)
    with taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"127\.0\.0\.1:{port} .*set gateway\.port"):
            listen("127.0.0.1", port)


def test_an_unknown_host_is_told_with_the_fix() -> None:
    with pytest.raises(PortTaken, match=r"name is unknown.*gateway\.host"):
        listen("no such host", 0)


def test_every_address_of_a_name_gets_the_same_port() -> None:
    opened = listen("localhost", 0)
    try:
        assert len({each.getsockname()[1] for each in opened}) == 1
    finally:
        for each in opened:
            each.close()
