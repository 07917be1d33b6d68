"""A gateway with models and queues of its own, called without any network."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, TypeVar

import pytest

from clawdcore.admission.ask import Ask
from clawdcore.backend import (
    ApiCall,
    Backend,
    Chunk,
    Load,
    ModelInfo,
    Relayed,
    Replica,
    Request,
)
from clawdcore.errors import ModelNotFound, Overloaded, TooLate
from clawdcore.gateway.app import Gateway
from clawdcore.gateway.keys import Keys
from clawdcore.gateway.rooms import Room
from clawdcore.testing import FakeBackend, VirtualLoop
from clawdcore.vitals import Queue, Vitals

T = TypeVar("T")


@dataclass
class FakeTicket:
    ask: Ask
    waited: float = 0.0
    uses: list[tuple[int, int]] = field(default_factory=list)

    def used(self, prompt_tokens: int, output_tokens: int) -> None:
        self.uses.append((prompt_tokens, output_tokens))


class FakeAdmission:
    """Seats in order; refuses when ``bound`` wait, and whoever waits past its deadline."""

    def __init__(self, limit: int = 4, bound: int = 8) -> None:
        self.limit = limit
        self.bound = bound
        self.running = 0
        self.accepted = 0
        self.finished = 0
        self.refused = 0
        self.tickets: list[FakeTicket] = []
        self.retry_after = 6.2
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @asynccontextmanager
    async def seat(self, ask: Ask) -> AsyncIterator[FakeTicket]:
        self.accepted += 1
        try:
            await self._wait(ask)
        except BaseException:
            self.refused += 1
            raise
        self.tickets.append(FakeTicket(ask))
        try:
            yield self.tickets[-1]
        finally:
            self.running -= 1
            self.finished += 1
            self._next()

    async def _wait(self, ask: Ask) -> None:
        loop = asyncio.get_running_loop()
        if self.running < self.limit:
            self.running += 1
            return
        if len(self._waiting) >= self.bound:
            raise Overloaded("Too many requests wait.", retry_after=self.retry_after)
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout_at(ask.deadline):
                await turn
        except TimeoutError:
            self._waiting.remove(turn)
            raise TooLate("It waited too long.", retry_after=self.retry_after) from None
        except asyncio.CancelledError:
            if turn in self._waiting:
                self._waiting.remove(turn)
            else:
                self.running -= 1
                self._next()
            raise

    def _next(self) -> None:
        while self._waiting and self.running < self.limit:
            turn = self._waiting.popleft()
            if not turn.done():
                self.running += 1
                turn.set_result(None)

    def vitals(self) -> Queue:
        return Queue(
            server="main",
            limit=self.limit,
            ceiling=self.limit,
            bound=self.bound,
            running=self.running,
            waiting={"control": 0, "direct": self.waiting, "group": 0, "media": 0},
            accepted=self.accepted,
            finished=self.finished,
            refused={"full": self.refused},
            replicas=(Replica(name="127.0.0.1:8000", up=True, response_time=0.2),),
            tokens_per_second=31.5,
            cache_use=0.25,
        )


class RelayBackend(Backend):
    """Hands back what a test enqueued: pieces, an error among them raised in its place."""

    relays: ClassVar[frozenset[str]] = frozenset({"chat/completions", "responses"})

    def __init__(self) -> None:
        self.calls: list[ApiCall] = []
        self.closed = 0
        self.bodies: list[object] = []  # held, so that only closing ends them
        self.status = 200
        self.content_type = "application/json"
        self.delay = 0.0
        self._answers: deque[list[bytes | Exception] | Exception] = deque()

    def enqueue(self, *answers: list[bytes | Exception] | Exception) -> None:
        self._answers.extend(answers)

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def models(self) -> list[ModelInfo]:
        return [ModelInfo(id="org/large", context_length=8192, max_output_tokens=4096)]

    def generate(self, request: Request) -> AsyncIterator[Chunk]:
        raise AssertionError("what can be relayed is not generated")

    async def load(self) -> Load:
        return Load(running=0, waiting=0, capacity=8)

    async def relay(self, call: ApiCall) -> Relayed:
        self.calls.append(call)
        answer = self._answers.popleft() if self._answers else [b'{"object": "nothing"}']
        if isinstance(answer, Exception):
            raise answer
        kind = "text/event-stream" if call.stream else self.content_type
        body = self._body(answer)
        self.bodies.append(body)
        return Relayed(self.status, kind, body)

    async def _body(self, pieces: list[bytes | Exception]) -> AsyncGenerator[bytes, None]:
        try:
            for piece in pieces:
                if self.delay:
                    await asyncio.sleep(self.delay)
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            self.closed += 1


class FakeRooms:
    """Two servers: ``main`` generates, ``far`` is relayed to."""

    def __init__(self) -> None:
        self.fake = FakeBackend(model="small")
        self.far = RelayBackend()
        self.admission = FakeAdmission()
        self.ready = True
        self.found: list[str] = []
        self.refusals: list[str] = []
        self.change: dict[str, Any] = {}
        self.error: Exception | None = None

    async def find(self, name: str) -> Room:
        self.found.append(name)
        if self.error is not None:
            raise self.error
        if name in ("main/small", "small"):
            return Room("main", "small", self.fake, self.admission, partial(self._refused, "main"))
        if name in ("far/org/large", "org/large"):
            return Room("far", "org/large", self.far, self.admission, partial(self._refused, "far"))
        raise ModelNotFound(f"nobody serves {name!r}.", fix="Served: main/small, far/org/large.")

    def _refused(self, provider: str) -> None:
        self.refusals.append(provider)

    async def models(self) -> list[tuple[str, ModelInfo]]:
        return [("main", (await self.fake.models())[0]), ("far", (await self.far.models())[0])]

    def vitals(self) -> Vitals:
        given = {
            "uptime": 12.5,
            "queues": (self.admission.vitals(),),
            "messages": {"answered": 7},
            **self.change,
        }
        return Vitals(**given)


@dataclass
class Answer:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    complete: bool = False

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Any:
        return self.json["error"]

    @property
    def events(self) -> list[Any]:
        """The data of the server-sent events; "[DONE]" as it is."""
        found = []
        for block in self.body.decode().split("\n\n"):
            for line in block.splitlines():
                if line.startswith("data: "):
                    data = line.removeprefix("data: ")
                    found.append(data if data == "[DONE]" else json.loads(data))
        return found


class Caller:
    """One call, whose caller can hang up."""

    def __init__(
        self, gateway: Gateway, scope: dict[str, Any], pieces: list[bytes], *, stalled: bool
    ) -> None:
        self._stalled = stalled
        self.answer = Answer()
        self.began = asyncio.Event()
        self._hung_up = asyncio.Event()
        self._pieces = deque(pieces)
        self.task = asyncio.create_task(gateway(scope, self._receive, self._send))

    def hang_up(self) -> None:
        self._hung_up.set()

    async def _receive(self) -> dict[str, Any]:
        if self._pieces:
            piece = self._pieces.popleft()
            return {
                "type": "http.request",
                "body": piece,
                "more_body": bool(self._pieces) or self._stalled,
            }
        await self._hung_up.wait()
        return {"type": "http.disconnect"}

    async def _send(self, event: Any) -> None:
        assert not self.answer.complete
        if event["type"] == "http.response.start":
            assert not self.answer.status
            self.answer.status = event["status"]
            self.answer.headers = {k.decode(): v.decode() for k, v in event["headers"]}
            return
        assert self.answer.status
        self.answer.body += event["body"]
        self.answer.complete = not event["more_body"]
        if self.answer.body:
            self.began.set()


class House:
    """A gateway, its models, and ways to call it; ``run`` takes a coroutine function."""

    def __init__(self) -> None:
        self.rooms = FakeRooms()
        self.keys = Keys()
        self.timeout = 60.0
        self.peer = "127.0.0.1"
        self._gateway: Gateway | None = None

    @property
    def gateway(self) -> Gateway:
        if self._gateway is None:
            self._gateway = Gateway(
                self.rooms,
                self.keys,
                timeout=self.timeout,
                clock=lambda: asyncio.get_running_loop().time(),
            )
        return self._gateway

    def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            return runner.run(work())

    def caller(
        self,
        path: str,
        fields: Any = None,
        *,
        method: str = "",
        headers: dict[str, str] | None = None,
        pieces: list[bytes] | None = None,
        query: str = "",
        stalled: bool = False,
    ) -> Caller:
        given = {"host": "127.0.0.1:18780"}
        if fields is not None:
            pieces = [fields if isinstance(fields, bytes) else json.dumps(fields).encode()]
        if pieces is not None:
            given["content-type"] = "application/json"
        given |= headers or {}
        scope = {
            "type": "http",
            "method": method or ("GET" if pieces is None else "POST"),
            "path": path,
            "query_string": query.encode(),
            "headers": [(k.encode(), v.encode()) for k, v in given.items() if v],
            "client": (self.peer, 40000),
        }
        return Caller(self.gateway, scope, pieces or [b""], stalled=stalled)

    async def call(self, path: str, fields: Any = None, **options: Any) -> Answer:
        caller = self.caller(path, fields, **options)
        await caller.task
        assert caller.answer.complete
        return caller.answer

    def ask(self, path: str, fields: Any = None, **options: Any) -> Answer:
        """One call on a loop of its own."""
        return self.run(lambda: self.call(path, fields, **options))

    def chat(self, model: str = "main/small", text: str = "Hello there you", **more: Any) -> Answer:
        turns = [{"role": "user", "content": text}]
        return self.ask("/v1/chat/completions", {"model": model, "messages": turns, **more})

    def responses(self, model: str = "main/small", text: Any = "Hello you", **more: Any) -> Answer:
        return self.ask("/v1/responses", {"model": model, "input": text, **more})


@pytest.fixture
def house() -> Iterator[House]:
    made = House()
    yield made
    # Whatever a test did: no seat may be left behind, and nobody may still wait.
    assert made.rooms.admission.running == 0
    assert made.rooms.admission.waiting == 0
    assert made.rooms.fake.running == 0
