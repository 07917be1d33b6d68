"""The simulator over HTTP, asked by the backend that asks real servers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from simulator.engine import Parameters
from simulator.server import Simulator

from clawdcore import ProviderConfig, Request, Turn
from clawdcore.errors import BackendUnavailable, ContextOverflow, Overloaded

if TYPE_CHECKING:
    from clawdbot_vllm import VllmBackend
else:
    VllmBackend = pytest.importorskip(
        "clawdbot_vllm", reason="asked by the backend vllm, which the core alone does not have"
    ).VllmBackend

QUICK = Parameters(a=0.001, b=0.0, c=0.0, max_sequences=4)
Story = Callable[[Simulator, VllmBackend], Awaitable[None]]


def play(story: Story, parameters: Parameters = QUICK, api: str = "openai-completions") -> None:
    async def run() -> None:
        simulator = Simulator(parameters)
        root = await simulator.start()
        provider = ProviderConfig(
            name="vllm", base_urls=[f"{root}/v1"], api=api, options={"priority": True, "retries": 0}
        )
        backend = VllmBackend(provider)
        try:
            await backend.start()
            async with asyncio.timeout(60):
                await story(simulator, backend)
        finally:
            await backend.close()
            await simulator.close()

    asyncio.run(run())


def request(words: str = "hi", tokens: int = 5, **more: Any) -> Request:
    return Request(turns=(Turn("user", words),), max_tokens=tokens, **more)


@pytest.mark.parametrize("api", ["openai-completions", "openai-responses"])
def test_both_apis_stream_an_answer_with_its_usage(api: str) -> None:
    async def story(simulator: Simulator, backend: VllmBackend) -> None:
        chunks = [chunk async for chunk in backend.generate(request(tokens=200))]
        text = "".join(chunk.text for chunk in chunks)
        assert text.startswith("the quick brown"[: len(text)])
        assert chunks[-1].finish in ("stop", "length")
        [usage] = [chunk.usage for chunk in chunks if chunk.usage is not None]
        counters = simulator.engine.counters
        assert usage.completion_tokens == len(text.split()) == counters.generation_tokens
        assert counters.finished == 1

    play(story, api=api)


def test_the_backend_reads_its_metrics() -> None:
    async def story(simulator: Simulator, backend: VllmBackend) -> None:
        [info] = await backend.models()
        assert (info.id, info.context_length) == ("simulated", 8192)
        streams = [backend.generate(request(tokens=1000)) for _ in range(3)]
        for stream in streams:
            await anext(stream)
        while (await backend.load()).running != 3:
            await asyncio.sleep(0.05)
        for stream in streams:
            await stream.aclose()  # type: ignore[attr-defined]
        while simulator.engine.running:
            await asyncio.sleep(0.05)
        assert simulator.engine.counters.aborted == 3

    play(story, Parameters(a=0.05, b=0.0, c=0.0, max_sequences=4))


def test_full_dead_and_too_long_are_what_they_are_called() -> None:
    async def story(simulator: Simulator, backend: VllmBackend) -> None:
        holding = backend.generate(request(tokens=1000))
        await anext(holding)
        with pytest.raises(Overloaded):
            await anext(backend.generate(request()))
        await holding.aclose()  # type: ignore[attr-defined]
        with pytest.raises(ContextOverflow):
            await anext(backend.generate(request("long " * 20_000)))
        async with aiohttp.ClientSession() as session:
            await session.post(f"{simulator.root}/control", json={"dead": True})
            async with session.get(f"{simulator.root}/health") as answer:
                assert answer.status == 503
        with pytest.raises(BackendUnavailable):
            await anext(backend.generate(request()))

    play(story, Parameters(a=0.05, b=0.0, c=0.0, max_sequences=1, most_queued=1))


def test_what_it_refuses_and_what_it_says_of_itself() -> None:
    async def story(simulator: Simulator, backend: VllmBackend) -> None:
        url = f"{simulator.root}/v1/completions"
        fixed = {"prompt": "x", "max_tokens": 7, "ignore_eos": True}
        async with aiohttp.ClientSession() as session:
            for body, headers, status in (
                ({**fixed, "priority": "abc"}, {}, 400),
                (fixed, {"X-Vllm-Priority": "low"}, 400),
                ({**fixed, "max_tokens": 0}, {}, 400),
                ({**fixed, "model": "other"}, {}, 404),
                (fixed, {"X-Vllm-Priority": "-3"}, 200),
            ):
                async with session.post(url, json=body, headers=headers) as answer:
                    assert answer.status == status
                    said = await answer.json()
            assert len(said["choices"][0]["text"].split()) == 7
            async with session.get(f"{simulator.root}/metrics") as answer:
                page = await answer.text()
            labels = '{engine="0",model_name="simulated"}'
            assert f"vllm:num_requests_running{labels} 0" in page
            assert f"vllm:generation_tokens_total{labels} 7" in page
            assert f"vllm:time_to_first_token_seconds_count{labels} 1" in page
            async with session.get(f"{simulator.root}/load") as answer:
                assert await answer.json() == {"server_load": 0}

    play(story)
