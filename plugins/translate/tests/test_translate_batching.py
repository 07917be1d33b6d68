from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from clawdbot_translate.engines.batching import BATCH, WAITING, Batcher
from clawdbot_translate.engines.contract import EngineFailed
from clawdcore.testing.clock import VirtualLoop


class Sent:
    """Remembers the requests; each takes ``seconds`` of virtual time."""

    def __init__(self, seconds: float = 1.0) -> None:
        self.seconds = seconds
        self.requests: list[list[str]] = []

    async def __call__(self, texts: list[str], source: str, target: str) -> list[str]:
        self.requests.append(texts)
        await asyncio.sleep(self.seconds)
        return [text.upper() for text in texts]


def run(work: object) -> object:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)  # type: ignore[arg-type]


def test_requests_are_bounded_and_every_caller_gets_its_own() -> None:
    sent = Sent()

    async def many() -> None:
        batcher = Batcher("a", sent)
        jobs = [batcher.translate([f"x{n}", f"y{n}"], "en", "fr") for n in range(50)]
        answers = await asyncio.gather(*jobs)
        assert answers == [[f"X{n}", f"Y{n}"] for n in range(50)]
        await batcher.close()

    run(many())
    assert all(len(request) <= BATCH for request in sent.requests)
    assert len(sent.requests) == -(-100 // BATCH)


def test_who_gives_up_takes_the_text_along() -> None:
    sent = Sent()

    async def one_gives_up() -> None:
        batcher = Batcher("a", sent)
        stays = asyncio.create_task(batcher.translate(["stay"], "en", "fr"))
        goes = asyncio.create_task(batcher.translate(["go"], "en", "fr"))
        await asyncio.sleep(0.001)
        goes.cancel()
        assert await stays == ["STAY"]
        with suppress(asyncio.CancelledError):
            await goes
        await batcher.close()

    run(one_gives_up())
    assert sent.requests == [["stay"]]


def test_what_waits_is_bounded() -> None:
    async def too_many() -> None:
        batcher = Batcher("a", Sent())
        first = asyncio.create_task(batcher.translate(["x"] * WAITING, "en", "fr"))
        await asyncio.sleep(0)
        with pytest.raises(EngineFailed, match="too much"):
            await batcher.translate(["y"], "en", "fr")
        assert len(await first) == WAITING
        await batcher.close()

    run(too_many())


def test_closing_ends_what_is_under_way() -> None:
    async def closed() -> None:
        batcher = Batcher("a", Sent(1000.0))
        waits = asyncio.create_task(batcher.translate(["x"], "en", "fr"))
        await asyncio.sleep(1)
        await batcher.close()
        with pytest.raises(asyncio.CancelledError):
            await waits

    run(closed())
