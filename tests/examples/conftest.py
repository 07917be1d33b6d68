"""A real gateway with a small model, for programs that call it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from clawdcore.admission.ask import Ask
from clawdcore.backend import ModelInfo, Replica
from clawdcore.config import GatewayConfig
from clawdcore.gateway.keys import Key
from clawdcore.gateway.listening import listen
from clawdcore.gateway.rooms import Room
from clawdcore.gateway.server import GatewayServer
from clawdcore.testing import FakeBackend
from clawdcore.vitals import Queue, Vitals


@dataclass
class Ticket:
    waited: float = 0.0

    def used(self, prompt_tokens: int, output_tokens: int) -> None:
        """Nobody is billed here."""


def queue_of(waiting: int, *, up: bool) -> Queue:
    return Queue(
        server="main",
        limit=4,
        ceiling=4,
        bound=128,
        running=0,
        waiting={"direct": waiting},
        accepted=0,
        finished=0,
        refused={},
        replicas=(Replica(name="127.0.0.1:8000", up=up),),
    )


class Seats:
    """Lets everybody in, and keeps by whom it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    @asynccontextmanager
    async def seat(self, ask: Ask) -> AsyncIterator[Ticket]:
        self.asked.append(ask.chat)
        yield Ticket()

    def vitals(self) -> Queue:
        return queue_of(0, up=True)


class OneRoom:
    """One model; ``waiting`` and ``up`` are what a test says that they are."""

    def __init__(self) -> None:
        self.ready = True
        self.model = FakeBackend(model="small")
        self.seats = Seats()
        self.waiting = 0
        self.up = True

    async def find(self, name: str) -> Room:
        return Room("main", "small", self.model, self.seats, lambda: None)

    async def models(self) -> list[tuple[str, ModelInfo]]:
        return [("main", (await self.model.models())[0])]

    def vitals(self) -> Vitals:
        queue = queue_of(self.waiting, up=self.up)
        return Vitals(uptime=1, queues=(queue,))


@dataclass
class Served:
    """Where it is, and what is behind it."""

    url: str
    room: OneRoom


Serve = Callable[..., AbstractAsyncContextManager[Served]]


@pytest.fixture
def serve() -> Serve:
    """``async with serve(Key.of(…), …) as served``."""

    @asynccontextmanager
    async def serving(*keys: Key) -> AsyncIterator[Served]:
        room = OneRoom()
        server = GatewayServer(
            GatewayConfig(),
            room,
            listen("127.0.0.1", 0),
            timeout=60.0,
            folder=Path(__file__).parent,
            more=keys,
        )
        try:
            await server.start()
            yield Served(f"http://127.0.0.1:{server.ports[0]}", room)
        finally:
            await server.close()

    return serving


@asynccontextmanager
async def _ended(process: asyncio.subprocess.Process) -> AsyncIterator[None]:
    try:
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.fixture
def started() -> Callable[..., AbstractAsyncContextManager[None]]:
    """``async with started(process)``: it ends with the block at the latest."""
    return _ended
