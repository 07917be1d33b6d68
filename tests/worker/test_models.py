"""Model after model, and what the owner hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from typing import Any

import pytest

from clawdcore import Backend, Chunk, Request, Turn
from clawdcore.errors import (
    BackendError,
    BackendUnavailable,
    ContextOverflow,
    GenerationFailed,
    ModelNotFound,
    Overloaded,
)
from clawdcore.testing import FakeBackend, VirtualLoop
from clawdcore.worker.models import ModelChain
from clawdcore.worker.refs import ModelRef
from clawdcore.worker.seats import Seats
from clawdcore.worker.servers import RESTART_PAUSE, Servers

ASK = Request(turns=(Turn("user", "hi"),))


def run(story: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(story)


def chain_of(
    refs: Sequence[ModelRef],
    backends: Mapping[str, Backend],
    told: Callable[[str, str], None] = lambda *_: None,
    *,
    ceiling: int = 32,
    bound: int = 128,
) -> ModelChain:
    return ModelChain(
        refs,
        Servers(
            backends, ceiling=ceiling, bound=bound, budget=10.0, stepped=lambda before, rung: None
        ),
        seats=Seats(1),
        request_timeout=10.0,
        total_timeout=60.0,
        told=told,
    )


class Bench:
    """Two models, a primary and a fallback."""

    def __init__(self) -> None:
        self.first = FakeBackend(model="one")
        self.second = FakeBackend(model="two")
        self.told: list[tuple[str, str]] = []
        self.chain = chain_of(
            [ModelRef.parse("a/one"), ModelRef.parse("b/two")],
            {"a": self.first, "b": self.second},
            told=lambda kind, subject: self.told.append((kind, subject)),
        )


def test_reference_splits_at_the_first_slash() -> None:
    assert ModelRef.parse("vllm/Qwen/Qwen2.5") == ModelRef("vllm", "Qwen/Qwen2.5")


def test_the_primary_answers() -> None:
    async def story() -> None:
        bench = Bench()
        bench.first.enqueue("yes sir")
        assert await bench.chain.complete(ASK) == "yes sir"
        assert bench.first.requests[0].model == "one"
        assert bench.second.requests == []

    run(story())


@pytest.mark.parametrize(
    "error",
    [
        BackendUnavailable("down"),
        ModelNotFound("no"),
        RuntimeError("bug"),
        Overloaded("full", retry_after=3),
    ],
)
def test_the_fallback_answers_when_the_primary_can_t(error: Exception) -> None:
    async def story() -> None:
        bench = Bench()
        bench.first.enqueue(error)
        bench.second.enqueue("instead")
        assert await bench.chain.complete(ASK) == "instead"
        assert bench.second.requests[0].model == "two"

    run(story())


def test_degraded_once_and_recovered_once() -> None:
    async def story() -> None:
        bench = Bench()
        bench.first.enqueue(BackendUnavailable("x"), BackendUnavailable("x"), "back")
        for _ in range(3):
            await bench.chain.complete(ASK)
        assert bench.told == [("degraded", "a/one"), ("recovered", "a/one")]

    run(story())


def test_overload_is_no_degradation() -> None:
    async def story() -> None:
        bench = Bench()
        bench.first.enqueue(Overloaded("full", retry_after=3))
        await bench.chain.complete(ASK)
        assert bench.told == []

    run(story())


def test_all_fail_and_the_retry_time_survives() -> None:
    async def story() -> None:
        bench = Bench()
        bench.first.enqueue(BackendUnavailable("x"))
        bench.second.enqueue(Overloaded("full", retry_after=7))
        with pytest.raises(Overloaded) as caught:
            await bench.chain.complete(ASK)
        assert caught.value.retry_after == 7
        bench.first.enqueue(BackendUnavailable("x"))
        bench.second.enqueue(BackendUnavailable("y"))
        with pytest.raises(BackendUnavailable, match=r"a/one: x; b/two: y"):
            await bench.chain.complete(ASK)

    run(story())


def test_too_long_for_the_context_is_not_tried_elsewhere() -> None:
    async def story() -> None:
        bench = Bench()
        bench.first.enqueue(ContextOverflow("long"))
        with pytest.raises(ContextOverflow):
            await bench.chain.complete(ASK)
        assert bench.second.requests == []

    run(story())


class Breaks(FakeBackend):
    """Gives a word and dies."""

    async def generate(self, request: Request) -> AsyncIterator[Chunk]:
        yield Chunk("half")
        raise GenerationFailed("gone")


def test_after_the_first_word_there_is_no_second_model() -> None:
    async def story() -> None:
        bench = Bench()
        chain = chain_of(
            bench.chain.refs,
            {"a": Breaks(), "b": bench.second},
            told=lambda *_: None,
        )
        got: list[str] = []
        with pytest.raises(GenerationFailed):
            async for chunk in chain.generate(ASK):
                got.append(chunk.text)
        assert got == ["half"]
        assert bench.second.requests == []

    run(story())


def test_an_attempt_has_its_time_and_is_cancelled_after_it() -> None:
    async def story() -> None:
        bench = Bench()
        bench.first.delay = 60.0
        bench.second.enqueue("instead")
        assert await bench.chain.complete(ASK) == "instead"
        assert asyncio.get_running_loop().time() == 10.0
        assert bench.first.cancelled == 1

    run(story())


def test_giving_up_cancels_the_generation() -> None:
    async def story() -> None:
        bench = Bench()
        bench.first.enqueue("a b c d")
        stream = bench.chain.generate(ASK)
        await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]
        assert (bench.first.cancelled, bench.first.running) == (1, 0)

    run(story())


def test_a_named_model_is_asked_alone() -> None:
    async def story() -> None:
        bench = Bench()
        named = Request(turns=ASK.turns, model="b/two")
        assert await bench.chain.complete(named) == "hi"
        assert bench.first.requests == []
        with pytest.raises(ModelNotFound, match="Configured providers: a, b"):
            await bench.chain.complete(Request(turns=ASK.turns, model="c/x"))

    run(story())


class Slow(FakeBackend):
    """Can't start at first."""

    starts = 0

    async def start(self) -> None:
        self.starts += 1
        if self.starts == 1:
            raise BackendUnavailable("not yet")


def test_a_backend_that_did_not_start_is_tried_again_later() -> None:
    async def story() -> None:
        slow = Slow()
        chain = chain_of(
            [ModelRef("a", "one")],
            {"a": slow},
            told=lambda *_: None,
        )
        assert str((await chain.servers.start())["a"]) == "not yet"
        with pytest.raises(BackendUnavailable, match="not yet"):
            await chain.complete(ASK)
        assert slow.starts == 1
        await asyncio.sleep(RESTART_PAUSE + 1)
        assert await chain.complete(ASK) == "hi"
        assert slow.starts == 2
        await chain.close()

    run(story())


def test_limits_of_the_primary() -> None:
    async def story() -> None:
        bench = Bench()
        assert (await bench.chain.info()).id == "one"

    run(story())


def test_an_unknown_model_lists_what_there_is() -> None:
    async def story() -> None:
        bench = Bench()
        chain = chain_of(
            [ModelRef("a", "other")],
            {"a": bench.first},
            told=lambda *_: None,
        )
        with pytest.raises(BackendError, match="It serves: one"):
            await chain.info()

    run(story())


class Late(FakeBackend):
    """Fails to start at first, and then takes longer than a request may."""

    starts = 0

    async def start(self) -> None:
        self.starts += 1
        if self.starts == 1:
            raise BackendUnavailable("not yet")
        await asyncio.sleep(40)


def alone(backend: FakeBackend, told: list[str] | None = None) -> ModelChain:
    return chain_of(
        [ModelRef("a", "one")],
        {"a": backend},
        told=lambda kind, _: None if told is None else told.append(kind),
    )


def test_a_start_goes_on_though_the_request_that_began_it_is_over() -> None:
    async def story() -> None:
        late = Late()
        chain = alone(late)
        await chain.servers.start()
        await asyncio.sleep(RESTART_PAUSE + 1)
        with pytest.raises(BackendUnavailable, match="within its time"):
            await chain.complete(ASK)
        await asyncio.sleep(35)
        assert await chain.complete(ASK) == "hi"
        assert late.starts == 2
        await chain.close()

    run(story())


def test_closing_ends_a_start_under_way() -> None:
    async def story() -> None:
        chain = alone(Late())
        await chain.servers.start()
        await asyncio.sleep(RESTART_PAUSE + 1)
        with pytest.raises(BackendUnavailable):
            await chain.complete(ASK)
        await chain.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(story())


@pytest.mark.parametrize("error", [ConnectionError("x"), SystemExit(3), asyncio.CancelledError()])
def test_limits_that_can_t_be_had_are_the_backend_s_failure(error: BaseException) -> None:
    class Silent(FakeBackend):
        async def models(self) -> Any:
            raise error

    async def story() -> None:
        with pytest.raises(BackendUnavailable, match=type(error).__name__):
            await alone(Silent()).info()

    run(story())


def test_limits_are_waited_for_as_long_as_a_request_takes() -> None:
    class Silent(FakeBackend):
        async def models(self) -> Any:
            await asyncio.sleep(1000)

    async def story() -> None:
        with pytest.raises(BackendUnavailable, match="within its time"):
            await alone(Silent()).info()
        assert asyncio.get_running_loop().time() == 10

    run(story())


def test_a_caller_s_own_short_time_is_no_degradation() -> None:
    async def story() -> None:
        backend, told = FakeBackend(), list[str]()
        chain = alone(backend, told)
        backend.delay = 5.0
        with pytest.raises(BackendUnavailable):
            await chain.complete(Request(turns=ASK.turns, deadline=1.0))
        assert told == []
        backend.delay = 50.0
        with pytest.raises(BackendUnavailable):
            await chain.complete(Request(turns=ASK.turns, deadline=1000.0))
        assert told == ["degraded"]

    run(story())


def test_what_a_backend_says_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        backend = FakeBackend()
        chain = alone(backend)
        for error in (BackendUnavailable("canary-1"), ValueError("canary-2")):
            backend.enqueue(error)
            with pytest.raises(BackendUnavailable):
                await chain.complete(ASK)

    run(story())
    assert "model a/one: BackendUnavailable at" in caplog.text
    assert "canary" not in caplog.text
