"""The backend against a real vLLM on the CPU: `make test-vllm` makes one and runs this."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import pytest

from clawdbot_vllm import VllmBackend
from clawdbot_vllm.metrics import _FIELDS, Gauges, parse
from clawdbot_vllm.priority import INFO
from clawdcore import (
    ApiCall,
    Backend,
    Chunk,
    Overloaded,
    Priority,
    ProviderConfig,
    Request,
    Tool,
    Turn,
)

pytestmark = pytest.mark.real

T = TypeVar("T")
Run = Callable[[Coroutine[Any, Any, T]], T]
ROOT = Path(__file__).parents[3]
READY = 300.0
"""Seconds for a server to start, and for one story; a busy machine takes a tenth of them."""
SEATS = 4
QUEUE = 8
LONG = 1900
"""Tokens of an answer that holds a seat until it is given up; greedy ones end at no token."""


class Server:
    """A vLLM server with room for SEATS, and as many in the queue."""

    def __init__(self, environment: Path, log: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.root = f"http://127.0.0.1:{port}"
        self._log = log
        tethered = ["setpriv", "--pdeathsig", "TERM"]  # it ends with the tests, killed or not
        command = [str(environment / "bin/python"), "tools/vllm_cpu/serve.py", "--port", str(port)]
        limits = ["--max-num-seqs", str(SEATS), "--max-num-queued-reqs", str(QUEUE)]
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                [*tethered, *command, *limits],
                cwd=ROOT,
                # It then tells its scheduling policy, which a server does only while developed.
                env={**os.environ, "VLLM_SERVER_DEV_MODE": "1"},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait(self) -> None:
        began = time.monotonic()
        while self._process.poll() is None and time.monotonic() - began < READY:
            try:
                with urllib.request.urlopen(f"{self.root}/health", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        pytest.fail(f"vLLM did not start:\n{self._log.read_text(errors='replace')[-3000:]}")

    def kill(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@pytest.fixture(scope="module")
def environment() -> Path:
    given = os.environ.get("CLAWDBOT_TEST_VLLM")
    if not given:
        pytest.skip("needs a real vLLM: `make test-vllm` makes one and runs this")
    return ROOT / given


@pytest.fixture(scope="module")
def server(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(environment, tmp_path_factory.mktemp("vllm") / "log")
    try:
        made.wait()
        yield made
    finally:
        made.kill()


def run(story: Coroutine[Any, Any, T]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(READY):
            return await story

    return asyncio.run(bounded())


@asynccontextmanager
async def backend(*servers: Server, api: str = "openai-completions") -> AsyncGenerator[VllmBackend]:
    urls = [f"{server.root}/v1" for server in servers]
    provider = ProviderConfig.model_validate({"name": "vllm", "baseUrls": urls, "api": api})
    made = VllmBackend(provider)
    try:
        await made.start()
        yield made
    finally:
        await made.close()


def ask(text: str = "How are you?", **others: Any) -> Request:
    return Request(turns=(Turn("user", text),), **({"temperature": 0.0} | others))


SHORT = ask(max_tokens=100)


async def collect(model: Backend, request: Request) -> list[Chunk]:
    return [chunk async for chunk in model.generate(request)]


def text_of(chunks: list[Chunk]) -> str:
    return "".join(chunk.text for chunk in chunks)


async def page(server: Server, path: str = "/metrics") -> bytes:
    async with aiohttp.ClientSession() as session, session.get(server.root + path) as response:
        return await response.read()


async def gauges(server: Server) -> Gauges:
    reading = parse(await page(server))
    assert reading is not None
    return reading


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Look until it is so; the story's own limit ends it."""
    while not await condition():
        await asyncio.sleep(0.02)


async def until_idle(server: Server) -> None:
    async def idle() -> bool:
        seen = await gauges(server)
        return seen.running == seen.waiting == 0

    await until(idle)


async def until_waiting(server: Server, number: int) -> None:
    async def so() -> bool:
        return (await gauges(server)).waiting == number

    await until(so)


@asynccontextmanager
async def held(model: VllmBackend, count: int) -> AsyncGenerator[list[AsyncGenerator[Chunk, None]]]:
    """So many long answers, each begun, given up at the end."""
    answers: list[AsyncGenerator[Chunk, None]] = []
    try:
        for number in range(count):
            request = ask(f"Seat {number}", max_tokens=LONG, priority=Priority.CONTROL)
            answers.append(model.generate(request))
            await anext(answers[-1])
        yield answers
    finally:
        for answer in answers:
            await answer.aclose()


@pytest.mark.parametrize("api", ["openai-completions", "openai-responses"])
def test_both_apis_answer_streamed_and_count_tokens(server: Server, api: str) -> None:
    async def story() -> tuple[list[Chunk], list[Chunk]]:
        async with backend(server, api=api) as model:
            return await collect(model, SHORT), await collect(model, SHORT)

    first, second = run(story())
    assert len(first) > 3
    assert text_of(first).isascii() and text_of(first).strip()
    assert text_of(first) == text_of(second)
    assert first[-1].finish == "length"
    assert first[-1].usage is not None
    assert first[-1].usage.completion_tokens == 100 and first[-1].usage.prompt_tokens > 3


@pytest.mark.parametrize(
    ("path", "body", "where"),
    [
        (
            "chat/completions",
            {"messages": [{"role": "user", "content": "How are you?"}], "max_tokens": 20},
            ("choices", 0, "message", "content"),
        ),
        (
            "responses",
            {"input": "How are you?", "max_output_tokens": 20},
            ("output", 0, "content", 0, "text"),
        ),
    ],
)
def test_both_apis_answer_whole(
    server: Server, path: str, body: dict[str, Any], where: tuple[Any, ...]
) -> None:
    async def story() -> tuple[int, bytes]:
        call = ApiCall(
            path=path, body=json.dumps({"model": "random", "temperature": 0, **body}).encode()
        )
        async with backend(server) as model:
            relayed = await model.relay(call)
            return relayed.status, b"".join([block async for block in relayed.body])

    status, answer = run(story())
    assert status == 200
    found = json.loads(answer)
    for key in where:
        found = found[key]
    assert found.strip()


def test_a_schema_binds_the_answer(server: Server) -> None:
    schema = {
        "type": "object",
        "properties": {"yes": {"type": "boolean"}},
        "required": ["yes"],
        "additionalProperties": False,
    }

    async def story() -> list[Chunk]:
        async with backend(server) as model:
            return await collect(model, ask(max_tokens=200, schema=schema))

    answer = json.loads(text_of(run(story())))
    assert answer in ({"yes": True}, {"yes": False})


def test_a_tool_is_called(server: Server) -> None:
    tool = Tool(
        name="roll",
        description="Roll dice.",
        parameters={
            "type": "object",
            "properties": {"twice": {"type": "boolean"}},
            "required": ["twice"],
            "additionalProperties": False,
        },
    )

    async def story() -> list[Chunk]:
        async with backend(server) as model:
            return await collect(model, ask(max_tokens=300, tools=(tool,), tool_choice="required"))

    chunks = run(story())
    calls = [call for chunk in chunks for call in chunk.calls]
    assert calls and {call.name for call in calls} == {"roll"}
    json.loads(calls[0].arguments)  # vLLM binds it to JSON, not to the tool's parameters
    assert chunks[-1].finish == "tool_calls"


def test_the_metrics_that_the_backend_reads_exist(server: Server) -> None:
    async def story() -> bytes:
        async with backend(server) as model:
            await collect(model, ask(max_tokens=2))
        return await page(server)

    names = {line.partition(b"{")[0] for line in run(story()).splitlines()}
    assert set(_FIELDS) <= names


def test_the_server_says_that_it_schedules_by_priority(server: Server) -> None:
    async def story() -> list[tuple[str, str, str]]:
        await page(server, INFO)  # the first time it looks at the whole machine, for seconds
        async with backend(server) as model:
            return await model.diagnose()

    lines = run(story())
    assert any(status == "OK" and "priority" in message for status, message, _ in lines), lines


def test_a_late_urgent_request_overtakes(server: Server) -> None:
    async def story() -> list[Priority]:
        order: list[Priority] = []
        classes = (Priority.MEDIA, Priority.GROUP, Priority.DIRECT)
        async with backend(server) as model, asyncio.TaskGroup() as tasks:

            async def one(priority: Priority) -> None:
                # A longer answer for those that should come later: also two that start at once
                # then end in order.
                await collect(model, ask(max_tokens=10 * priority, priority=priority))
                order.append(priority)

            async with held(model, SEATS) as answers:
                for waiting, priority in enumerate(classes, start=1):
                    tasks.create_task(one(priority))
                    await until_waiting(server, waiting)
                # One seat for the three of them, which they therefore take one after another.
                await answers.pop().aclose()
                await until_waiting(server, 0)
        return order

    assert run(story()) == [Priority.DIRECT, Priority.GROUP, Priority.MEDIA]


def test_closing_an_answer_stops_its_work(server: Server) -> None:
    async def story() -> tuple[float, float]:
        await until_idle(server)
        before = (await gauges(server)).tokens
        async with backend(server) as model, held(model, SEATS):
            during = (await gauges(server)).running
        await until_idle(server)
        return during, (await gauges(server)).tokens - before

    during, generated = run(story())
    assert during == SEATS
    assert generated < SEATS * LONG, "it wrote all answers to their end, for nobody"


def test_cancelling_a_request_that_waits_takes_it_out_of_the_queue(server: Server) -> None:
    async def story() -> None:
        async with backend(server) as model, held(model, SEATS):
            waiting = asyncio.create_task(collect(model, ask(max_tokens=5)))
            await until_waiting(server, 1)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await until_waiting(server, 0)
            assert (await gauges(server)).running == SEATS

    run(story())


def test_a_full_queue_answers_503_and_the_backend_says_overloaded(server: Server) -> None:
    async def story() -> int:
        body = {
            "model": "random",
            "messages": [{"role": "user", "content": "Hi"}],
            "max_tokens": 2,
        }
        async with (
            backend(server) as model,
            asyncio.TaskGroup() as tasks,
            held(model, SEATS),
        ):
            extra = [
                tasks.create_task(collect(model, ask(str(number), max_tokens=2)))
                for number in range(QUEUE - SEATS)
            ]
            await until_waiting(server, QUEUE - SEATS)
            async with (
                aiohttp.ClientSession() as session,
                session.post(f"{server.root}/v1/chat/completions", json=body) as response,
            ):
                status = response.status
            with pytest.raises(Overloaded) as caught:
                await collect(model, ask(max_tokens=2))
            assert caught.value.retry_after > 0
            assert not any(task.done() for task in extra)
        return status

    assert run(story()) == 503


def test_load_tells_what_runs(server: Server) -> None:
    async def story() -> None:
        async with backend(server) as model:
            async with held(model, 2):

                async def seen() -> bool:
                    load = await model.load()
                    return load.running == 2 and load.tokens_per_second is not None

                await until(seen)
                load = await model.load()
                assert load.cache_use is not None and 0 < load.cache_use < 1
                assert [replica.up for replica in load.replicas] == [True]

            async def idle() -> bool:
                load = await model.load()
                return load.running == load.waiting == 0

            await until(idle)

    run(story())


def test_one_of_two_replicas_dies_and_no_request_fails(
    server: Server, environment: Path, tmp_path: Path
) -> None:
    async def story(other: Server) -> int:
        answered = 0
        killed = False
        async with backend(server, other) as model:

            async def one(number: int) -> None:
                nonlocal answered
                body = {
                    "model": "random",
                    "messages": [{"role": "user", "content": f"Number {number}"}],
                    "max_tokens": 400,
                    "temperature": 0,
                }
                call = ApiCall(path="chat/completions", body=json.dumps(body).encode())
                relayed = await model.relay(call)
                answer = json.loads(b"".join([block async for block in relayed.body]))
                assert relayed.status == 200
                assert answer["usage"]["completion_tokens"] == 400
                answered += 1

            async def person(number: int) -> None:
                """Asks again and again until a server died, and once more."""
                while not killed:
                    await one(number)
                await one(number)

            async def other_works() -> bool:
                return (await gauges(other)).running > 0

            async with asyncio.TaskGroup() as people:
                for number in range(6):
                    people.create_task(person(number))
                await until(other_works)
                other.kill()
                killed = True
            load = await model.load()
            assert [replica.up for replica in load.replicas] == [True, False]
            return answered

    other = Server(environment, tmp_path / "log")
    try:
        other.wait()
        assert run(story(other)) >= 12
    finally:
        other.kill()
