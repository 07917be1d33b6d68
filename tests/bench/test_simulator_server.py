"""The simulator over HTTP, asked by the backend that asks real servers."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from simulator.engine import Parameters
from simulator.server import Simulator

from clawdcore import ProviderConfig, Request, Turn
from clawdcore.errors import BackendUnavailable, ContextOverflow, Overloaded, StreamCut

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


def test_a_stall_is_not_made_up_for() -> None:
    async def story(simulator: Simulator, backend: VllmBackend) -> None:
        stream = backend.generate(request(tokens=1000))
        await anext(stream)
        async with aiohttp.ClientSession() as session:
            await session.post(f"{simulator.root}/control", json={"stalled": True})
            await asyncio.sleep(0.1)  # the step that is under way
            before = simulator.engine.counters.generation_tokens
            await asyncio.sleep(2.0)
            assert simulator.engine.counters.generation_tokens == before
            await session.post(f"{simulator.root}/control", json={"stalled": False})
            began = asyncio.get_running_loop().time()
            while simulator.engine.counters.generation_tokens < before + 5:
                await asyncio.sleep(0.01)
            assert asyncio.get_running_loop().time() - began >= 4 * 0.05
        await stream.aclose()  # type: ignore[attr-defined]

    play(story, Parameters(a=0.05, b=0.0, c=0.0, max_sequences=4))


def test_a_token_is_there_at_the_end_of_its_step_and_not_before() -> None:
    async def story(simulator: Simulator, backend: VllmBackend) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        stream = backend.generate(request(tokens=2))
        texts = [chunk.text async for chunk in stream if chunk.text]
        assert loop.time() - began >= 2 * 0.2
        assert len(texts) == 2

    play(story, Parameters(a=0.2, b=0.0, c=0.0, max_sequences=4))


def test_first_tokens_and_ends_are_counted_as_they_come_and_by_their_reason() -> None:
    async def story(simulator: Simulator, backend: VllmBackend) -> None:
        async def page() -> str:
            url = f"{simulator.root}/metrics"
            async with aiohttp.ClientSession() as session, session.get(url) as answer:
                return await answer.text()

        def ended(reason: str) -> str:
            labels = f'engine="0",model_name="simulated",finished_reason="{reason}"'
            return f"vllm:request_success_total{{{labels}}}"

        stream = backend.generate(request(tokens=1000))
        await anext(stream)
        said = await page()
        for name in ("time_to_first_token", "request_queue_time"):
            assert f'vllm:{name}_seconds_count{{engine="0",model_name="simulated"}} 1' in said
        await stream.aclose()  # type: ignore[attr-defined]
        while not simulator.engine.counters.aborted:
            await asyncio.sleep(0.01)
        async for _ in backend.generate(request(tokens=1)):
            pass
        said = await page()
        assert f"{ended('abort')} 1" in said
        assert f"{ended('length')} 1" in said
        assert f"{ended('stop')} 0" in said

    play(story, Parameters(a=0.02, b=0.0, c=0.0, max_sequences=4))


def test_what_runs_when_the_engine_dies_breaks_off() -> None:
    async def story(simulator: Simulator, backend: VllmBackend) -> None:
        stream = backend.generate(request(tokens=1000))
        await anext(stream)
        async with aiohttp.ClientSession() as session:
            await session.post(f"{simulator.root}/control", json={"dead": True})
        with pytest.raises(StreamCut):
            async for _ in stream:
                pass
        assert not simulator.engine.running

    play(story, Parameters(a=0.02, b=0.0, c=0.0, max_sequences=4))


@pytest.mark.parametrize("how", ["stdin", "signal"])
def test_the_program_ends_with_its_parent_and_on_a_signal(how: str) -> None:
    program = Path(__file__).parents[2] / "bench" / "simulate.py"
    with subprocess.Popen(
        [sys.executable, str(program), "--with-parent"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert json.loads(process.stdout.readline())["root"].startswith("http://127.0.0.1:")
        if how == "stdin":
            process.stdin.close()
        else:
            process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
