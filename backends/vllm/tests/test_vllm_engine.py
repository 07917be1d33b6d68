"""The engine inside this process, with a stand-in for vLLM; the real one: test_vllm_real_engine."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any, TypeVar

import pytest
from pydantic import ValidationError

from clawdbot_vllm.engine import EngineBackend, make_engine
from clawdbot_vllm.engine_options import EngineOptions
from clawdbot_vllm.engine_provider import make_engine_backend, wants_engine
from clawdbot_vllm.engine_stats import EngineStats
from clawdcore import (
    BackendError,
    BackendUnavailable,
    Chunk,
    ContextOverflow,
    EngineDead,
    GenerationFailed,
    Overloaded,
    Priority,
    ProviderConfig,
    Request,
    RequestRefused,
    ServerSlow,
    Turn,
    Usage,
)
from clawdcore.testing.clock import VirtualLoop

T = TypeVar("T")
OPTIONS = EngineOptions(model="own/tiny", context=256, sequences=1, queue=1)
Answer = Callable[[], AsyncIterator[Any]]


class EngineDeadError(Exception):
    """Named as vLLM's own."""


class QueueOverflowError(Exception):
    """Named as vLLM's own."""


class VLLMValidationError(ValueError):
    """Named as vLLM's own."""


def output(text: str, tokens: int = 1, reason: str | None = None) -> Any:
    completion = SimpleNamespace(text=text, token_ids=[7] * tokens, finish_reason=reason)
    return SimpleNamespace(outputs=[completion], finished=reason is not None)


@dataclass
class Params:
    """Takes what SamplingParams and ChatParams take."""

    given: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, **given: Any) -> Params:
        return cls(given)


class Stand:
    """Stands where an AsyncLLM would."""

    def __init__(self) -> None:
        self.model_config = SimpleNamespace(
            max_model_len=256,
            is_multimodal_model=False,
            get_diff_sampling_param=lambda: {"top_p": 0.8, "temperature": 0.7},
        )
        self.renderer = self
        self.prompt_tokens = 5
        self.asked: list[tuple[dict[str, Any], int]] = []
        self.answer: Answer = self.hello
        self.aborted = 0
        self.closed = 0
        self.messages: list[Any] = []

    async def hello(self) -> AsyncIterator[Any]:
        yield output("Hel")
        yield output("lo", reason="stop")

    async def render_chat_async(self, conversations: Any, params: Any) -> Any:
        del params
        self.messages += conversations
        if self.prompt_tokens > 256:
            raise VLLMValidationError("This model's maximum context length is 256 tokens.")
        return conversations, [{"prompt_token_ids": [1] * self.prompt_tokens}]

    async def generate(
        self, prompt: Any, params: Params, request_id: str, *, priority: int
    ) -> AsyncIterator[Any]:
        assert prompt["prompt_token_ids"] and request_id
        self.asked.append((params.given, priority))
        try:
            async for each in self.answer():
                yield each
        except (asyncio.CancelledError, GeneratorExit):
            self.aborted += 1
            raise

    def shutdown(self, timeout: float) -> None:
        assert timeout > 0
        self.closed += 1


@pytest.fixture(autouse=True)
def vllm(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two modules of vLLM's that requests are made with."""
    sampling, renderers = ModuleType("vllm.sampling_params"), ModuleType("vllm.renderers.params")
    sampling.__dict__.update(
        SamplingParams=Params.of,
        StructuredOutputsParams=Params.of,
        RequestOutputKind=SimpleNamespace(DELTA="delta"),
    )
    renderers.__dict__["ChatParams"] = Params.of
    monkeypatch.setitem(sys.modules, "vllm.sampling_params", sampling)
    monkeypatch.setitem(sys.modules, "vllm.renderers.params", renderers)


def ask(**others: Any) -> Request:
    return Request(turns=(Turn("user", "Hi"),), **others)


async def collect(model: EngineBackend, request: Request) -> list[Chunk]:
    return [chunk async for chunk in model.generate(request)]


def told(story: Callable[[EngineBackend], Coroutine[Any, Any, T]], stand: Stand) -> T:
    async def whole() -> T:
        model = EngineBackend(OPTIONS, make=lambda *_: stand, max_output_tokens=100)
        await model.start()
        try:
            return await story(model)
        finally:
            await model.close()

    loop = VirtualLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        try:
            return runner.run(whole())
        finally:
            loop.external = True  # the pool of threads is closed by a thread that no loop knows


def test_an_answer_comes_in_pieces_and_ends_with_its_tokens() -> None:
    stand = Stand()
    chunks = told(lambda model: collect(model, ask(priority=Priority.GROUP)), stand)
    assert chunks == [Chunk("Hel"), Chunk("lo", "stop", Usage(5, 2))]
    [(given, priority)] = stand.asked
    assert priority == 2
    assert given == {"top_p": 0.8, "temperature": 0.7, "max_tokens": 100, "output_kind": "delta"}
    assert stand.messages == [[{"role": "user", "content": "Hi"}]]
    assert stand.closed == 1


def test_what_is_asked_for_wins_over_the_model_s_defaults() -> None:
    stand = Stand()
    request = ask(max_tokens=9, temperature=0.0, stop=("x",), schema={"type": "object"})
    told(lambda model: collect(model, request), stand)
    given = stand.asked[0][0]
    assert (given["max_tokens"], given["temperature"], given["stop"]) == (9, 0.0, ["x"])
    assert given["structured_outputs"] == Params({"json": {"type": "object"}})


def test_an_answer_never_is_longer_than_the_context_leaves() -> None:
    stand = Stand()
    stand.prompt_tokens = 250
    told(lambda model: collect(model, ask()), stand)
    assert stand.asked[0][0]["max_tokens"] == 6


@pytest.mark.parametrize("tokens", [256, 300])
def test_a_conversation_that_leaves_no_room_is_refused(tokens: int) -> None:
    stand = Stand()
    stand.prompt_tokens = tokens
    with pytest.raises(ContextOverflow, match="256"):
        told(lambda model: collect(model, ask()), stand)
    assert not stand.asked


@pytest.mark.parametrize("before", [0, 1])
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (QueueOverflowError("secret"), Overloaded),
        (EngineDeadError("secret"), EngineDead),
        (VLLMValidationError("secret"), RequestRefused),
        (RuntimeError("secret"), BackendUnavailable),
    ],
)
def test_each_failure_has_its_name(
    error: Exception, expected: type[BackendError], before: int
) -> None:
    stand = Stand()

    async def broken() -> AsyncIterator[Any]:
        for _ in range(before):
            yield output("some")
        raise error

    stand.answer = broken
    with pytest.raises(GenerationFailed if before else expected) as caught:
        told(lambda model: collect(model, ask()), stand)
    assert "secret" not in str(caught.value)


def test_a_request_that_the_engine_gives_up_fails() -> None:
    stand = Stand()

    async def given_up() -> AsyncIterator[Any]:
        yield output("some")
        yield output("", tokens=0, reason="error")

    stand.answer = given_up
    with pytest.raises(GenerationFailed):
        told(lambda model: collect(model, ask()), stand)


@pytest.mark.parametrize("before", [0, 1])
def test_a_deadline_aborts_the_request(before: int) -> None:
    stand = Stand()

    async def hangs() -> AsyncIterator[Any]:
        for _ in range(before):
            yield output("some")
        await asyncio.Event().wait()

    stand.answer = hangs

    async def story(model: EngineBackend) -> list[Chunk]:
        return await collect(model, ask(deadline=asyncio.get_running_loop().time() + 5.0))

    if before:
        assert told(story, stand)[-1] == Chunk(finish="abort", usage=Usage(5, 1))
    else:
        with pytest.raises(ServerSlow):
            told(story, stand)
    assert stand.aborted == 1


def test_closing_the_answer_aborts_the_request_and_frees_its_place() -> None:
    stand = Stand()

    async def hangs() -> AsyncIterator[Any]:
        yield output("some")
        await asyncio.Event().wait()

    stand.answer = hangs

    async def story(model: EngineBackend) -> tuple[int, int]:
        answer = model.generate(ask())
        await anext(answer)
        during = (await model.load()).running
        await answer.aclose()
        return during, (await model.load()).running

    assert told(story, stand) == (1, 0)
    assert stand.aborted == 1


def test_beyond_its_places_it_says_overloaded_and_starts_nothing() -> None:
    stand = Stand()

    async def hangs() -> AsyncIterator[Any]:
        yield output("some")
        await asyncio.Event().wait()

    stand.answer = hangs

    async def story(model: EngineBackend) -> None:
        answers = [model.generate(ask()) for _ in range(2)]
        for answer in answers:
            await anext(answer)
        load = await model.load()
        assert (load.running, load.waiting, load.capacity) == (1, 1, 1)
        with pytest.raises(Overloaded):
            await collect(model, ask())
        for answer in answers:
            await answer.aclose()

    told(story, stand)
    assert len(stand.asked) == 2


def test_an_engine_that_can_t_be_made_says_what_to_change() -> None:
    def fails(*_: object) -> Any:
        raise RuntimeError("secret")

    async def story() -> None:
        model = EngineBackend(OPTIONS, make=fails)
        with pytest.raises(BackendUnavailable, match="own/tiny") as caught:
            await model.start()
        assert "options.memory" in str(caught.value)
        with pytest.raises(BackendUnavailable, match="not started"):
            await collect(model, ask())
        await model.close()

    asyncio.run(story())


def test_an_engine_that_is_made_for_nobody_is_closed() -> None:
    stand, go, closed = Stand(), threading.Event(), threading.Event()

    def slow(*_: object) -> Any:
        go.wait(60)
        return stand

    stand.shutdown = lambda timeout: closed.set()  # type: ignore[method-assign]

    async def story() -> None:
        model = EngineBackend(OPTIONS, make=slow)
        starting = asyncio.create_task(model.start())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        go.set()
        await asyncio.to_thread(closed.wait, 60)
        await model.close()

    asyncio.run(story())
    assert closed.is_set()


def test_without_vllm_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    monkeypatch.setitem(sys.modules, "vllm.engine.arg_utils", None)
    with pytest.raises(BackendUnavailable, match=r"clawdbot-vllm\[engine\]"):
        make_engine(OPTIONS, "tiny", EngineStats(lambda: 0.0))


def test_options_are_vllm_s_arguments_and_own_ones_win() -> None:
    options = EngineOptions.model_validate(
        {"engine": True, "model": "m", "batchedTokens": 512, "arguments": {"seed": 7}}
    )
    given = options.engine_arguments("name")
    assert given["max_num_batched_tokens"] == 512
    assert given["max_num_queued_reqs"] == 64
    assert given["scheduling_policy"] == "priority"
    assert given["seed"] == 7
    with pytest.raises(ValidationError):
        EngineOptions.model_validate({"engine": False, "model": "m"})


def test_stats_say_how_busy_the_engine_is() -> None:
    now = 0.0
    stats = EngineStats(lambda: now)
    scheduler = SimpleNamespace(num_running_reqs=2, kv_cache_usage=0.25)
    finished = [SimpleNamespace(queued_time=0.5)]
    for step in range(3):
        now = step * 0.1
        stats.factory(None).record(
            scheduler,
            SimpleNamespace(
                num_generation_tokens=2,
                num_preempted_reqs=1,
                finished_requests=finished if step == 2 else [],
            ),
        )
    load = stats.load(5, seats=4)
    assert (load.running, load.waiting, load.capacity) == (2, 3, 4)
    assert load.cache_use == 0.25
    assert load.tokens_per_second == pytest.approx(20)
    assert load.queue_time == 0.5
    assert load.preemptions == 3
    assert stats.load(0, seats=4).running == 0


def provider(**given: Any) -> ProviderConfig:
    return ProviderConfig.model_validate({"name": "vllm", **given})


def test_a_provider_with_the_option_engine_becomes_one() -> None:
    assert wants_engine(provider(options={"engine": True, "model": "own/tiny"}))
    assert not wants_engine(provider(baseUrls=["http://gpu:8000/v1"]))
    made = make_engine_backend(provider(options={"engine": True, "model": "own/tiny"}))
    assert made.exclusive
    [info] = asyncio.run(made.models())
    assert (info.id, info.context_length, info.max_output_tokens) == ("tiny", 8192, 8192)
    entry = {"id": "own/tiny", "contextLength": 512, "maxOutputTokens": 128}
    [info] = asyncio.run(
        make_engine_backend(provider(options={"engine": True}, models=[entry])).models()
    )
    assert (info.id, info.context_length, info.max_output_tokens) == ("own/tiny", 512, 128)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"options": {"engine": True}}, "options: model"),
        ({"options": {"engine": True, "model": "m", "seats": 3}}, "options: seats"),
        ({"options": {"engine": True, "model": "m"}, "baseUrls": ["http://gpu:8000/v1"]}, "both"),
        ({"options": {"engine": True}, "models": [{"id": "a"}, {"id": "b"}]}, "lists 2 models"),
    ],
)
def test_what_is_wrong_with_such_a_provider_is_said(given: dict[str, Any], said: str) -> None:
    with pytest.raises(BackendError, match=said) as caught:
        make_engine_backend(provider(**given))
    assert caught.value.fix


def test_the_doctor_says_whether_vllm_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    for spec, status in ((None, "FAIL"), (SimpleNamespace(), "OK")):
        monkeypatch.setattr("clawdbot_vllm.engine.find_spec", lambda _, spec=spec: spec)
        [line] = asyncio.run(EngineBackend(OPTIONS).diagnose())
        assert line[0] == status
