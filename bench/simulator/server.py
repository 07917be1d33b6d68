"""The simulator over HTTP: the engine's steps on the real clock, its tokens as events."""

from __future__ import annotations

import asyncio
import json
import random
import time
from typing import Any, Final

from aiohttp import web

from .api import Answer, Asked, Refused, problem, read
from .engine import Engine, Full, Parameters, Sequence
from .gauges import Gauges

OVERLOADED: Final = "The engine has more requests than it queues (--max-num-queued-reqs)."
DEAD: Final = "EngineCore encountered an issue. See stack trace (above) for the root cause."


class Simulator:
    """One server. ``control`` switches: {"dead": true} or {"stalled": true}, at /control."""

    def __init__(self, parameters: Parameters, *, model: str = "simulated", seed: int = 0) -> None:
        self.engine = Engine(parameters)
        self.gauges = Gauges(model)
        self.dead = False
        self._model = model
        self._chance = random.Random(seed)
        self._listeners: dict[int, asyncio.Queue[Sequence]] = {}
        self._work = asyncio.Event()
        self._free = asyncio.Event()
        self._free.set()
        self._stepping: asyncio.Task[None] | None = None
        self._runner: web.AppRunner | None = None
        self.root = ""

    async def start(self, port: int = 0) -> str:
        """Listen on loopback; returns the root, "http://127.0.0.1:PORT"."""
        app = web.Application(client_max_size=64 * 2**20)
        for path in ("/v1/chat/completions", "/v1/completions", "/v1/responses"):
            app.router.add_post(path, self._generate)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/health", self._health)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/load", self._load)
        app.router.add_post("/control", self._control)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port, backlog=1024)
        await site.start()
        chosen = self._runner.addresses[0][1]
        self.root = f"http://127.0.0.1:{chosen}"
        self._stepping = asyncio.create_task(self._steps())
        return self.root

    async def close(self) -> None:
        """Stop stepping and listening."""
        if self._stepping is not None:
            self._stepping.cancel()
            await asyncio.wait({self._stepping})
        if self._runner is not None:
            await self._runner.cleanup()

    async def _steps(self) -> None:
        """Steps at absolute times: one that is a little late does not delay the next.

        After a pause of the machine, or a stall, the engine goes on from there; no engine
        makes up for it.
        """
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            if not self._free.is_set():
                await self._free.wait()
                due = loop.time()
            seconds, wrote = self.engine.step(due)
            for sequence in self.engine.started:
                self.gauges.queue.see(sequence.started - sequence.arrived)
            self.engine.started.clear()
            if not seconds:
                self._work.clear()
                await self._work.wait()
                due = loop.time()
                continue
            due += seconds
            await asyncio.sleep(due - loop.time())
            late = loop.time() - due
            self.gauges.lag = max(self.gauges.lag, late)
            if late > seconds:
                due = loop.time()
            for sequence in wrote:
                self._count(sequence)
                listener = self._listeners.get(sequence.number)
                if listener is not None:
                    listener.put_nowait(sequence)
            await asyncio.sleep(0)  # they read it now, before the next step writes on

    def _count(self, sequence: Sequence) -> None:
        """It has written a token."""
        if sequence.written == 1:
            self.gauges.first.see(sequence.first - sequence.arrived)
        if sequence.written >= sequence.output:
            self.gauges.finished[sequence.finish] += 1

    async def _generate(self, request: web.Request) -> web.StreamResponse:
        try:
            priority = request.headers.get("X-Vllm-Priority")
            asked = read(request.path, await request.read(), priority)
            self._check(asked)
        except Refused as error:
            status, message = error.args
            return _json(problem(status, message), status)
        if self.dead:
            return _json(problem(500, DEAD), 500)
        loop = asyncio.get_running_loop()
        output = min(asked.output(self._chance), self.engine.parameters.context - asked.prompt)
        try:
            sequence = self.engine.add(asked.prompt, output, asked.priority, loop.time())
        except Full:
            return _json(problem(503, OVERLOADED), 503)
        tokens: asyncio.Queue[Sequence] = asyncio.Queue(maxsize=0)
        self._listeners[sequence.number] = tokens
        self._work.set()
        answer = Answer(asked, sequence.number, int(time.time()))
        sequence.finish = "length" if asked.fixed or output == asked.bound else "stop"
        try:
            if asked.stream:
                return await self._streamed(request, answer, sequence, tokens)
            while not sequence.over:
                await tokens.get()
            if sequence.written < sequence.output:
                return _json(problem(500, DEAD), 500)
            return _json(answer.whole(sequence.written, sequence.finish), 200)
        except ConnectionError:  # the caller is gone, or the engine
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        finally:
            del self._listeners[sequence.number]
            self.engine.abort(sequence)

    async def _streamed(
        self,
        request: web.Request,
        answer: Answer,
        sequence: Sequence,
        tokens: asyncio.Queue[Sequence],
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        await response.write(answer.begin())
        given = 0
        while given < sequence.output:
            await tokens.get()
            while not tokens.empty():
                tokens.get_nowait()
            if sequence.over and sequence.written < sequence.output:
                raise ConnectionResetError  # the engine died: the stream breaks off
            pieces = []
            while given < sequence.written:
                pieces.append(answer.token(given))
                given += 1
            await response.write(b"".join(pieces))
        await response.write(answer.end(given, sequence.finish))
        await response.write_eof()
        return response

    def _check(self, asked: Asked) -> None:
        if asked.model not in ("", self._model):
            raise Refused(404, f"The model `{asked.model}` does not exist.")
        if asked.prompt + (asked.bound or 1) > self.engine.parameters.context:
            raise Refused(
                400,
                "This model's maximum context length is "
                f"{self.engine.parameters.context} tokens. However, you requested "
                f"{asked.prompt + (asked.bound or 1)} tokens.",
            )

    async def _models(self, request: web.Request) -> web.Response:
        entry = {
            "id": self._model,
            "object": "model",
            "owned_by": "vllm",
            "max_model_len": self.engine.parameters.context,
        }
        return web.json_response({"object": "list", "data": [entry]})

    async def _health(self, request: web.Request) -> web.Response:
        return web.Response(status=503 if self.dead else 200)

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(text=self.gauges.text(self.engine))

    async def _load(self, request: web.Request) -> web.Response:
        load = len(self.engine.running) + self.engine.waiting
        return web.json_response({"server_load": load})

    async def _control(self, request: web.Request) -> web.Response:
        switches: dict[str, Any] = json.loads(await request.read())
        self.dead = bool(switches.get("dead", self.dead))
        if self.dead:
            for sequence in list(self.engine):
                self.engine.abort(sequence)
                self._listeners[sequence.number].put_nowait(sequence)
        if "stalled" in switches:
            (self._free.clear if switches["stalled"] else self._free.set)()
        return web.json_response({"dead": self.dead, "stalled": not self._free.is_set()})


def _json(body: bytes, status: int) -> web.Response:
    return web.Response(body=body, status=status, content_type="application/json")
