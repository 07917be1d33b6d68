from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from clawdbot_llamacpp import LlamaCppBackend, LlamaCppOptions
from clawdbot_llamacpp import backend as backend_module
from clawdbot_llamacpp.catalogue import find
from clawdbot_llamacpp.failures import DownloadStopped
from clawdbot_llamacpp.machine import GIB, Machine
from clawdcore import BackendUnavailable, Load, ModelFileMissing, ModelNotFound, Request, Turn

ASK = Request(turns=(Turn("user", "Hi"),))


async def answer(backend: LlamaCppBackend, request: Request = ASK) -> str:
    return "".join([chunk.text async for chunk in backend.generate(request)])


def test_before_the_start_it_is_unavailable_and_idle() -> None:
    async def story() -> None:
        backend = LlamaCppBackend()
        with pytest.raises(BackendUnavailable, match="not started"):
            await answer(backend)
        assert await backend.load() == Load(running=0, waiting=0, capacity=1)
        await backend.close()
        await backend.close()

    asyncio.run(story())


def test_another_model_is_told_what_to_set() -> None:
    other = Request(turns=ASK.turns, model="qwen2.5-0.5b-instruct")
    with pytest.raises(ModelNotFound, match=r"serves qwen2\.5-1\.5b-instruct.*options\.model to"):
        asyncio.run(answer(LlamaCppBackend(), other))


def test_a_model_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    backend = LlamaCppBackend(LlamaCppOptions(model=str(tmp_path / "no.gguf")))
    with pytest.raises(ModelFileMissing, match=r"no\.gguf.*qwen2\.5-1\.5b-instruct"):
        asyncio.run(backend.start())


def test_a_model_that_nobody_knows_is_told_the_known_ones() -> None:
    backend = LlamaCppBackend(LlamaCppOptions(model="gpt-9"))
    with pytest.raises(ModelNotFound, match="'gpt-9'"):
        asyncio.run(backend.start())


def test_a_file_that_is_no_model_fails_the_start(tmp_path: Path) -> None:
    junk = tmp_path / "junk.gguf"
    junk.write_bytes(b"this is no model")
    backend = LlamaCppBackend(LlamaCppOptions(model=str(junk)))
    with pytest.raises(BackendUnavailable, match=r"did not load .*junk\.gguf: .*invalid magic"):
        asyncio.run(backend.start())


class Download:
    """Stands in for a download that takes until it is stopped."""

    def __init__(self) -> None:
        self.began = Event()
        self.ended = Event()

    def __call__(self, *_: Any, stop: Event, **__: Any) -> Path:
        self.began.set()
        assert stop.wait(10)
        self.ended.set()
        raise DownloadStopped


@pytest.fixture
def download(monkeypatch: pytest.MonkeyPatch) -> Download:
    download = Download()
    monkeypatch.setattr(backend_module, "fetch", download)
    return download


def test_a_cancelled_start_stops_the_download(download: Download) -> None:
    async def story() -> None:
        starting = asyncio.create_task(LlamaCppBackend().start())
        await asyncio.to_thread(download.began.wait, 10)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert download.ended.is_set()

    asyncio.run(story())


def test_closing_does_not_wait_for_a_start(download: Download) -> None:
    async def story() -> None:
        backend = LlamaCppBackend()
        starting = asyncio.create_task(backend.start())
        await asyncio.to_thread(download.began.wait, 10)
        async with asyncio.timeout(10):
            await backend.close()
        with pytest.raises(BackendUnavailable, match="stopped while it started"):
            await starting
        assert download.ended.is_set()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("model", "memory", "told"),
    [
        ("qwen2.5-1.5b-instruct", 2 * GIB, True),
        ("qwen2.5-1.5b-instruct", 4 * GIB, False),
        ("qwen2.5-1.5b-instruct", None, False),
        ("qwen2.5-0.5b-instruct", GIB // 2, False),
    ],
)
def test_where_memory_is_short_the_smaller_model_is_suggested(
    model: str, memory: int | None, told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        backend_module._suggest(find(model), Machine(2, memory))
    assert ('"qwen2.5-0.5b-instruct" needs less' in caplog.text) is told
