"""A server that speaks HTTP by hand, so that a test decides each byte and each silence."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest

from clawdbot_vllm import VllmBackend, VllmOptions
from clawdcore import ProviderConfig, Request, Turn

LIMIT = 60.0
"""Seconds of one test; far more than any needs."""


class Call:
    """One request, and the hands to answer it with."""

    def __init__(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.method, self.path, self.headers, self.body = method, path, headers, body
        self._reader, self._writer = reader, writer
        self.gone = asyncio.Event()
        """Set when the client has closed the connection; only :meth:`hang` looks."""
        self.seen = asyncio.Event()
        """Set by a test when it has got what was sent so far."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    async def raw(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def send(self, status: int, body: Any = b"", **headers: str) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = {"Content-Type": "application/json", "Content-Length": str(len(data))}
        head |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        await self.raw(f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + data)

    async def begin(self, kind: str = "text/event-stream") -> None:
        await self.raw(
            b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n"
            % kind.encode()
        )

    async def piece(self, data: bytes) -> None:
        await self.raw(b"%x\r\n%s\r\n" % (len(data), data))

    async def event(self, event: Any) -> None:
        data = event if isinstance(event, bytes) else json.dumps(event).encode()
        await self.piece(b"data: " + data + b"\n\n")

    async def end(self) -> None:
        await self.raw(b"0\r\n\r\n")

    async def answer(self, *texts: str, usage: tuple[int, int] = (7, 3)) -> None:
        """A whole answer of chat/completions."""
        await self.begin()
        await self.event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})
        for text in texts:
            await self.event({"choices": [{"index": 0, "delta": {"content": text}}]})
        await self.event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        spent = {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
        await self.event({"choices": [], "usage": spent})
        await self.event(b"[DONE]")
        await self.end()

    def abort(self) -> None:
        """Reset the connection."""
        self._writer.transport.abort()

    def close(self) -> None:
        """End it as a server does that stops in peace."""
        self._writer.close()

    async def hang(self) -> None:
        """Say nothing until the client closes."""
        while await self._reader.read(65536):
            pass
        self.gone.set()


Answer = Callable[[Call], Awaitable[None]]


class Wire:
    """Answers posts with what is queued in ``answers``, then with ``always``."""

    def __init__(self) -> None:
        self.answers: deque[Answer] = deque()
        self.always: Answer = lambda call: call.answer("Hi", " there")
        self.posts: list[Call] = []
        self.gets: list[str] = []
        self.connections = 0
        self.models: Any = {"data": [{"id": "m", "max_model_len": 2048, "owned_by": "vllm"}]}
        self.models_status = 200
        self.health = 200
        self.metrics: str | None = None
        self.info: Any = None
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def __aenter__(self) -> Wire:
        await self.up()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.down()

    async def up(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def down(self) -> None:
        """Stop listening and reset every connection."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        self.connections += 1
        try:
            while not writer.is_closing():
                await self._one(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return
        finally:
            self._tasks.discard(task)
            self._writers.discard(writer)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ")
        pairs = (line.split(": ", 1) for line in head[1:] if line)
        headers = {name.lower(): value for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        call = Call(method, path, headers, body, reader, writer)
        if method == "POST":
            self.posts.append(call)
            answer = self.answers.popleft() if self.answers else self.always
            await answer(call)
            return
        self.gets.append(path)
        if path == "/v1/models":
            await call.send(self.models_status, self.models)
        elif path == "/health":
            await call.send(self.health)
        elif path == "/metrics" and self.metrics is not None:
            await call.send(200, self.metrics.encode())
        elif path.startswith("/server_info") and self.info is not None:
            await call.send(200, self.info)
        else:
            await call.send(404, {"detail": "Not Found"})


class Kit:
    """What a test of the backend needs, as one fixture."""

    Wire = Wire
    ASK = Request(turns=(Turn("user", "What is the secret word?"),))

    @staticmethod
    def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(LIMIT):
                await story()

        asyncio.run(bounded())

    @staticmethod
    def made(*servers: Wire, **others: Any) -> VllmBackend:
        """A backend that draws the same lots each time."""
        options = others.pop("options", {})
        urls = [server.url for server in servers]
        provider = ProviderConfig(name="vllm", base_urls=urls, **others)
        return VllmBackend(provider, VllmOptions.model_validate(options), random=Random(1))

    @staticmethod
    @asynccontextmanager
    async def backend(*servers: Wire, **others: Any) -> AsyncIterator[VllmBackend]:
        """Started, and closed at the end."""
        backend = Kit.made(*servers, **others)
        await backend.start()
        try:
            yield backend
        finally:
            await backend.close()

    @staticmethod
    async def text(backend: VllmBackend, request: Request = ASK) -> str:
        return "".join([chunk.text async for chunk in backend.generate(request)])

    @staticmethod
    async def until(true: Callable[[], bool]) -> None:
        """Wait for what happens in another task; the test's own limit ends it."""
        while not true():
            await asyncio.sleep(0.005)


@pytest.fixture
def kit() -> type[Kit]:
    return Kit
