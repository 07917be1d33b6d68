"""vLLM's engine inside this process, on the CPU, behind the contract of a backend.

Runs in the Python of ``.venv/vllm``, which `make test-vllm` makes; vLLM is nowhere else.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from clawdbot_vllm.engine import EngineBackend
from clawdbot_vllm.engine_options import EngineOptions
from clawdcore import (
    BackendUnavailable,
    Chunk,
    ContextOverflow,
    ModelNotFound,
    Overloaded,
    Priority,
    Request,
    RequestRefused,
    Tool,
    Turn,
)

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        importlib.util.find_spec("vllm") is None,
        reason="this Python has no vLLM: `make test-vllm` makes one that has, and runs this",
    ),
]

T = TypeVar("T")
Run = Callable[[Coroutine[Any, Any, T]], T]
TOOLS = Path(__file__).parents[3] / "tools" / "vllm_cpu"
LIMIT = 300.0
"""Seconds for the engine to start, and for one story; a busy machine takes a tenth of them."""
SEATS = 4
QUEUE = 4
LONG = 1900
"""Tokens of an answer that holds a seat until it is given up; greedy ones end at no token."""


@pytest.fixture(scope="module")
def run() -> Iterator[Run[Any]]:
    async def bounded(story: Coroutine[Any, Any, T]) -> T:
        async with asyncio.timeout(LIMIT):
            return await story

    with asyncio.Runner() as runner:
        yield lambda story: runner.run(bounded(story))


@pytest.fixture(scope="module")
def model(run: Run[Any]) -> Iterator[EngineBackend]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(TOOLS))
        from random_model import default_folder, ensure
        from serve import ENVIRONMENT

        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        options = EngineOptions(
            model=str(ensure(default_folder())),
            context=2048,
            sequences=SEATS,
            queue=QUEUE,
            arguments={"enforce_eager": True, "distributed_executor_backend": "uni"},
        )
        backend = EngineBackend(options, model_id="random")
        run(backend.start())
        try:
            yield backend
        finally:
            run(backend.close())


def ask(text: str = "How are you?", **others: Any) -> Request:
    return Request(turns=(Turn("user", text),), **({"temperature": 0.0} | others))


async def collect(model: EngineBackend, request: Request) -> list[Chunk]:
    return [chunk async for chunk in model.generate(request)]


def text_of(chunks: list[Chunk]) -> str:
    return "".join(chunk.text for chunk in chunks)


@asynccontextmanager
async def held(
    model: EngineBackend, count: int
) -> AsyncGenerator[list[AsyncGenerator[Chunk, None]]]:
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


def unfinished(model: EngineBackend) -> int:
    """How many requests the engine has, by its own count."""
    return int(model._engine.get_num_unfinished_requests())


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


def test_it_answers_streamed_the_same_each_time(model: EngineBackend, run: Run[Any]) -> None:
    async def story() -> tuple[list[Chunk], list[Chunk]]:
        request = ask(max_tokens=100)
        return await collect(model, request), await collect(model, request)

    first, second = run(story())
    assert len(first) > 3
    assert text_of(first).isascii() and text_of(first).strip()
    assert text_of(first) == text_of(second)
    assert [chunk.finish for chunk in first][-1] == "length"
    assert all(chunk.finish is None for chunk in first[:-1])
    assert first[-1].usage is not None
    assert first[-1].usage.completion_tokens == 100 and first[-1].usage.prompt_tokens > 3


def test_it_stops_at_a_word_and_does_not_show_it(model: EngineBackend, run: Run[Any]) -> None:
    whole = text_of(run(collect(model, ask(max_tokens=60))))
    word = whole[20:23]
    stopped = run(collect(model, ask(max_tokens=60, stop=(word,))))
    assert stopped[-1].finish == "stop"
    assert whole.startswith(text_of(stopped)) and word not in text_of(stopped)


def test_a_schema_binds_the_answer(model: EngineBackend, run: Run[Any]) -> None:
    schema = {
        "type": "object",
        "properties": {"yes": {"type": "boolean"}},
        "required": ["yes"],
        "additionalProperties": False,
    }
    answer = run(collect(model, ask(max_tokens=200, schema=schema)))
    assert json.loads(text_of(answer)) in ({"yes": True}, {"yes": False})


def test_the_model_tells_its_lengths(model: EngineBackend, run: Run[Any]) -> None:
    [info] = run(model.models())
    assert (info.id, info.context_length, info.max_output_tokens) == ("random", 2048, 2048)
    assert not (info.images or info.tools or info.audio)


def test_load_tells_what_runs_and_waits(model: EngineBackend, run: Run[Any]) -> None:
    async def story() -> None:
        async with held(model, SEATS):
            waiting = asyncio.create_task(collect(model, ask(max_tokens=2)))
            await until(lambda: unfinished(model) == SEATS + 1)
            load = await model.load()
            assert (load.running, load.waiting, load.capacity) == (SEATS, 1, SEATS)
            assert load.cache_use is not None and 0 < load.cache_use < 1
        await waiting
        idle = await model.load()
        assert (idle.running, idle.waiting, idle.cache_use) == (0, 0, 0.0)
        assert idle.tokens_per_second is not None and idle.tokens_per_second > 0
        assert idle.queue_time is not None and idle.queue_time > 0

    run(story())


def test_a_late_urgent_request_overtakes(model: EngineBackend, run: Run[Any]) -> None:
    async def story() -> list[Priority]:
        order: list[Priority] = []

        async def one(priority: Priority) -> None:
            # A longer answer for those that should come later: also two that start at once
            # then end in order.
            await collect(model, ask(max_tokens=10 * priority, priority=priority))
            order.append(priority)

        async with asyncio.TaskGroup() as tasks, held(model, SEATS) as answers:
            for count, priority in enumerate(
                (Priority.MEDIA, Priority.GROUP, Priority.DIRECT), start=SEATS + 1
            ):
                tasks.create_task(one(priority))
                await until(lambda count=count: unfinished(model) == count)
            # One seat for the three of them, which they therefore take one after another.
            await answers.pop().aclose()
            await until(lambda: len(order) == 3)
        return order

    assert run(story()) == [Priority.DIRECT, Priority.GROUP, Priority.MEDIA]


def test_closing_and_cancelling_stop_the_work(model: EngineBackend, run: Run[Any]) -> None:
    async def story() -> None:
        async with held(model, SEATS):
            waiting = asyncio.create_task(collect(model, ask(max_tokens=LONG)))
            await until(lambda: unfinished(model) == SEATS + 1)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert unfinished(model) == SEATS
        assert unfinished(model) == 0
        assert (await model.load()).running == 0

    run(story())


def test_it_refuses_what_would_wait_without_end(model: EngineBackend, run: Run[Any]) -> None:
    async def story() -> None:
        async with asyncio.TaskGroup() as tasks, held(model, SEATS):
            for number in range(QUEUE):
                tasks.create_task(collect(model, ask(str(number), max_tokens=2)))
            await until(lambda: unfinished(model) == SEATS + QUEUE)
            with pytest.raises(Overloaded) as caught:
                await collect(model, ask())
            assert caught.value.retry_after >= 1
            assert unfinished(model) == SEATS + QUEUE

    run(story())


def test_a_deadline_ends_an_answer_that_has_begun(model: EngineBackend, run: Run[Any]) -> None:
    async def story() -> list[Chunk]:
        loop = asyncio.get_running_loop()
        chunks: list[Chunk] = []
        # A slow machine may not begin within the first of these.
        for seconds in (0.5, 2.0, 8.0):
            request = ask(max_tokens=LONG, deadline=loop.time() + seconds)
            try:
                chunks = await collect(model, request)
                break
            except BackendUnavailable:
                continue
        assert unfinished(model) == 0
        return chunks

    chunks = run(story())
    assert chunks[-1].finish == "abort"
    assert text_of(chunks)


def test_too_long_and_impossible_requests_are_refused(model: EngineBackend, run: Run[Any]) -> None:
    with pytest.raises(ContextOverflow, match="2,048"):
        run(collect(model, ask("way too long " * 2000)))
    with pytest.raises(ModelNotFound, match="other"):
        run(collect(model, ask(model="other")))
    tool = Tool(name="roll", description="Roll dice.", parameters={"type": "object"})
    with pytest.raises(RequestRefused, match="tools"):
        run(collect(model, ask(tools=(tool,))))
    with pytest.raises(RequestRefused):
        run(collect(model, ask(max_tokens=2, schema={"type": "no such type"})))
    assert unfinished(model) == 0


def test_a_closed_engine_takes_nothing_more_and_leaves_no_process(
    model: EngineBackend, run: Run[Any]
) -> None:
    """The last test: it leaves the engine closed."""

    async def story() -> None:
        await model.close()
        await model.close()
        with pytest.raises(BackendUnavailable, match="not started"):
            await collect(model, ask())

    run(story())
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    assert not [pid for pid in children if b"EngineCore" in _command(pid)]


def _command(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return b""
