"""The backend with a real model: `make test-real`."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import stat
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from clawdbot_llamacpp import LlamaCppBackend, LlamaCppOptions, hub
from clawdbot_llamacpp.cache import models_folder
from clawdbot_llamacpp.catalogue import find
from clawdbot_llamacpp.fetch import fetch
from clawdbot_llamacpp.options import DEFAULT_MODEL
from clawdcore import (
    BackendUnavailable,
    Chunk,
    ContextOverflow,
    GenerationFailed,
    Overloaded,
    Priority,
    Request,
    Turn,
)

pytestmark = pytest.mark.real

T = TypeVar("T")
Run = Callable[[Coroutine[Any, Any, T]], T]
LIMIT = 120.0
"""Seconds that a story may take on a busy machine."""


@pytest.fixture(scope="module")
def loop_runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def model_path() -> Path:
    return fetch(find(DEFAULT_MODEL), models_folder(), hub_url=hub.endpoint())


@pytest.fixture(scope="module")
def backend(loop_runner: asyncio.Runner, model_path: Path) -> Iterator[LlamaCppBackend]:
    backend = LlamaCppBackend(LlamaCppOptions(slots=2, queue=1, context=1024))
    loop_runner.run(backend.start())
    yield backend
    loop_runner.run(backend.close())


@pytest.fixture
def run(loop_runner: asyncio.Runner) -> Run[Any]:
    async def bounded(story: Coroutine[Any, Any, T]) -> T:
        async with asyncio.timeout(LIMIT):
            return await story

    return lambda story: loop_runner.run(bounded(story))


def ask(text: str, **others: Any) -> Request:
    turns = (Turn("system", "You are a helpful assistant."), Turn("user", text))
    return Request(turns=turns, **({"temperature": 0.0} | others))


COUNT = ask("Count from 1 to 200, separated by commas.", max_tokens=300)


async def collect(chunks: AsyncGenerator[Chunk, None]) -> list[Chunk]:
    async with aclosing(chunks):
        return [chunk async for chunk in chunks]


def text_of(chunks: list[Chunk]) -> str:
    return "".join(chunk.text for chunk in chunks)


async def slots(backend: LlamaCppBackend) -> list[dict[str, Any]]:
    assert backend.engine is not None
    found: list[dict[str, Any]] = (await backend.engine.client.get("/slots")).json()
    return found


async def processing(backend: LlamaCppBackend) -> int:
    return sum(slot["is_processing"] for slot in await slots(backend))


async def seconds_until_idle(backend: LlamaCppBackend) -> float:
    began = time.monotonic()
    while await processing(backend):
        pass
    return time.monotonic() - began


async def busy(backend: LlamaCppBackend, count: int) -> None:
    while await processing(backend) < count:
        pass


async def settle() -> None:
    """Let every task run until it waits for the engine."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_it_translates(backend: LlamaCppBackend, run: Run[Any]) -> None:
    request = ask(
        "Translate into Chinese, and write nothing else: The meeting starts at nine tomorrow "
        "morning.",
        max_tokens=60,
    )
    chunks = run(collect(backend.generate(request)))
    assert "明天" in text_of(chunks) and "九点" in text_of(chunks)
    last = chunks[-1]
    assert last.finish == "stop"
    assert last.usage is not None
    assert last.usage.prompt_tokens > 20 and last.usage.completion_tokens >= 5
    assert len(chunks) > 3


def test_the_models_own_template_frames_the_turns(backend: LlamaCppBackend, run: Run[Any]) -> None:
    async def story() -> tuple[str, int, int]:
        assert backend.engine is not None
        client = backend.engine.client
        messages = [{"role": turn.role, "content": turn.content} for turn in ask("Hi").turns]
        framed = (await client.post("/apply-template", json={"messages": messages})).json()
        prompt = framed["prompt"]
        sent = {"content": prompt, "parse_special": True}
        tokens = (await client.post("/tokenize", json=sent)).json()["tokens"]
        [*_, last] = await collect(backend.generate(ask("Hi", max_tokens=1)))
        assert last.usage is not None
        return prompt, len(tokens), last.usage.prompt_tokens

    prompt, tokens, used = run(story())
    assert "<|im_start|>system\nYou are a helpful assistant.<|im_end|>" in prompt
    assert prompt.endswith("<|im_start|>assistant\n")
    assert used == tokens


def test_max_tokens_and_stop_end_the_answer(backend: LlamaCppBackend, run: Run[Any]) -> None:
    short = run(collect(backend.generate(ask("Count from 1 to 200.", max_tokens=5))))
    assert short[-1].finish == "length"
    assert short[-1].usage is not None and short[-1].usage.completion_tokens == 5
    request = ask("Count from 1 to 20, separated by commas.", max_tokens=100, stop=("7",))
    stopped = run(collect(backend.generate(request)))
    assert stopped[-1].finish == "stop"
    assert "6" in text_of(stopped) and "7" not in text_of(stopped)


def test_two_slots_answer_at_the_same_time(backend: LlamaCppBackend, run: Run[Any]) -> None:
    async def story() -> tuple[list[str], int, float | None]:
        order: list[str] = []
        running = 0

        async def one(name: str, first: int) -> None:
            nonlocal running
            request = ask(f"Count from {first} to {first + 30}.", max_tokens=60)
            async for chunk in backend.generate(request):
                if chunk.text:
                    order.append(name)
                running = max(running, (await backend.load()).running)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(one("a", 1))
            tasks.create_task(one("b", 100))
        return order, running, (await backend.load()).tokens_per_second

    order, running, rate = run(story())
    assert running == 2
    switches = sum(left != right for left, right in pairwise(order))
    assert switches > 20, "they took turns in blocks"
    assert rate is not None and rate > 0


def test_load_tells_what_runs_waits_and_fills_the_context(
    backend: LlamaCppBackend, run: Run[Any]
) -> None:
    async def story() -> None:
        first, second = backend.generate(COUNT), backend.generate(COUNT)
        await anext(first)
        await anext(second)
        third = asyncio.create_task(collect(backend.generate(ask("Hi", max_tokens=2))))
        await settle()
        load = await backend.load()
        assert (load.running, load.waiting, load.capacity) == (2, 1, 2)
        assert load.cache_use is not None and 0 < load.cache_use < 1
        with pytest.raises(Overloaded) as caught:
            await collect(backend.generate(COUNT))
        assert caught.value.retry_after >= 1
        await first.aclose()
        await second.aclose()
        assert (await third)[-1].finish is not None
        idle = await backend.load()
        assert (idle.running, idle.waiting, idle.cache_use) == (0, 0, 0.0)

    run(story())


def test_the_more_urgent_request_goes_first(backend: LlamaCppBackend, run: Run[Any]) -> None:
    async def story() -> list[str]:
        held = [backend.generate(COUNT), backend.generate(COUNT)]
        for chunks in held:
            await anext(chunks)
        order: list[str] = []

        async def one(name: str, priority: Priority) -> None:
            await collect(backend.generate(ask("Hi", max_tokens=2, priority=priority)))
            order.append(name)

        media = asyncio.create_task(one("media", Priority.MEDIA))
        await settle()
        control = asyncio.create_task(one("control", Priority.CONTROL))
        await settle()  # the queue holds one, so the less urgent one is refused
        assert isinstance(media.exception(), Overloaded)
        for chunks in held:
            await chunks.aclose()
        await control
        return order

    assert run(story()) == ["control"]


def test_closing_the_iterator_frees_the_slot(backend: LlamaCppBackend, run: Run[Any]) -> None:
    async def story() -> float:
        chunks = backend.generate(COUNT)
        await anext(chunks)
        await chunks.aclose()
        return await seconds_until_idle(backend)

    assert run(story()) < 5.0


def test_cancelling_while_the_question_is_read_frees_the_slot(
    backend: LlamaCppBackend, run: Run[Any]
) -> None:
    async def story() -> list[int]:
        reading = asyncio.create_task(collect(backend.generate(ask("long story " * 400))))
        await busy(backend, 1)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await seconds_until_idle(backend)
        return [slot["n_prompt_tokens_processed"] for slot in await slots(backend)]

    read = run(story())
    assert max(read) < 500, "it read the question to its end, for nobody"


def test_a_deadline_stops_the_generation(backend: LlamaCppBackend, run: Run[Any]) -> None:
    async def story() -> tuple[list[Chunk], float]:
        deadline = asyncio.get_running_loop().time() + 1.5
        request = ask("Count from 1 to 500.", max_tokens=1000, deadline=deadline)
        chunks = await collect(backend.generate(request))
        return chunks, await seconds_until_idle(backend)

    chunks, seconds = run(story())
    assert chunks[-1] == Chunk(finish="abort")
    assert seconds < 5.0


def test_too_long_a_request_is_refused_before_any_text(
    backend: LlamaCppBackend, run: Run[Any]
) -> None:
    with pytest.raises(ContextOverflow, match="the model takes 1,024"):
        run(collect(backend.generate(ask("x " * 2000))))


def test_nobody_else_gets_an_answer(backend: LlamaCppBackend, run: Run[Any]) -> None:
    assert backend.engine is not None
    socket = backend.engine.folder / "engine.sock"
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(socket))) as stranger:
        body = {"messages": [{"role": "user", "content": "Hi"}]}
        assert stranger.post("http://x/v1/chat/completions", json=body).status_code == 401
        assert stranger.get("http://x/slots").status_code == 401
        assert stranger.get("http://x/").status_code in (401, 404)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_it_prints_goes_nowhere(backend: LlamaCppBackend, run: Run[Any]) -> None:
    assert backend.engine is not None
    for number in (1, 2):
        assert Path(f"/proc/{backend.engine.pid}/fd/{number}").readlink() == Path("/dev/null")


def test_only_the_bot_ends_it(backend: LlamaCppBackend, run: Run[Any]) -> None:
    async def story() -> None:
        engine = backend.engine
        assert engine is not None
        for signum in (signal.SIGTERM, signal.SIGINT):
            os.kill(engine.pid, signum)  # as a service manager does to all processes at once
        assert text_of(await collect(backend.generate(ask("Say hello.", max_tokens=5))))
        assert backend.engine is engine

    run(story())


def test_kill_9_costs_the_answers_in_work_and_nothing_else(
    backend: LlamaCppBackend, run: Run[Any]
) -> None:
    async def story() -> None:
        engine = backend.engine
        assert engine is not None
        begun = backend.generate(COUNT)
        await anext(begun)
        reading = asyncio.create_task(collect(backend.generate(ask("long story " * 300))))
        await busy(backend, 2)
        waiting = asyncio.create_task(collect(backend.generate(ask("Hi", max_tokens=3))))
        os.kill(engine.pid, signal.SIGKILL)
        with pytest.raises(GenerationFailed):
            await collect(begun)
        with pytest.raises(BackendUnavailable):
            await reading
        assert (await waiting)[-1].finish == "length"
        assert backend.engine is not None and backend.engine.pid != engine.pid
        hasty = ask("Hi", deadline=asyncio.get_running_loop().time())
        os.kill(backend.engine.pid, signal.SIGSEGV)
        await backend.engine.wait()
        await asyncio.sleep(0)
        with pytest.raises(BackendUnavailable):
            await collect(backend.generate(hasty))
        assert text_of(await collect(backend.generate(ask("Say hello.", max_tokens=5))))

    run(story())


def test_closing_ends_what_runs_and_the_engine(model_path: Path, run: Run[Any]) -> None:
    async def story() -> None:
        backend = LlamaCppBackend(LlamaCppOptions(model=str(model_path), slots=1, context=512))
        await backend.start()
        engine = backend.engine
        assert engine is not None
        running, queued = backend.generate(COUNT), backend.generate(COUNT)
        await anext(running)
        waiting = asyncio.create_task(collect(queued))
        await settle()
        await backend.close()
        assert await engine.wait() == 0
        with pytest.raises(GenerationFailed):
            await collect(running)
        with pytest.raises(BackendUnavailable):
            await waiting
        with pytest.raises(BackendUnavailable, match="not started"):
            await collect(backend.generate(COUNT))

    run(story())


CHILD = """
import asyncio, sys
from clawdbot_llamacpp import LlamaCppBackend, LlamaCppOptions

async def main():
    backend = LlamaCppBackend(LlamaCppOptions(model=sys.argv[1], slots=1, context=256))
    await backend.start()
    print(backend.engine.pid, backend.engine.folder, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="waits for a foreign process by pidfd")
def test_the_engine_ends_when_its_parent_is_killed(model_path: Path) -> None:
    command = [sys.executable, "-c", CHILD, str(model_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid, folder = parent.stdout.readline().split()
        engine = os.pidfd_open(int(pid))
        try:
            parent.kill()
            ended, _, _ = select.select([engine], [], [], 10)
        finally:
            os.close(engine)
    assert ended, "the engine lives on"
    assert not Path(folder).exists()


def test_the_small_model_comes_whole_and_answers(
    tmp_path: Path, loop_runner: asyncio.Runner, run: Run[Any]
) -> None:
    options = LlamaCppOptions(
        model="qwen2.5-0.5b-instruct", cache_dir=str(tmp_path), slots=1, context=512
    )
    backend = LlamaCppBackend(options)

    async def story() -> str:
        await backend.start()
        try:
            return text_of(await collect(backend.generate(ask("Say hello.", max_tokens=10))))
        finally:
            await backend.close()

    try:
        assert "hello" in run(story()).lower()
    finally:
        for path in (tmp_path / "models").iterdir():
            path.unlink()  # half a gigabyte
