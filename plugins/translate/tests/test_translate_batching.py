from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdbot_translate.engines.batching import BATCH, WAITING, Batcher, portions
from clawdbot_translate.engines.contract import EngineBusy
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
        batcher = Batcher("a", sent, characters=2000)
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
        batcher = Batcher("a", sent, characters=2000)
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
        batcher = Batcher("a", Sent(), characters=2000)
        first = asyncio.create_task(batcher.translate(["x"] * WAITING, "en", "fr"))
        await asyncio.sleep(0)
        with pytest.raises(EngineBusy, match="too much"):
            await batcher.translate(["y"], "en", "fr")
        assert len(await first) == WAITING
        await batcher.close()

    run(too_many())


def test_closing_ends_what_is_under_way() -> None:
    async def closed() -> None:
        batcher = Batcher("a", Sent(1000.0), characters=2000)
        waits = asyncio.create_task(batcher.translate(["x"], "en", "fr"))
        await asyncio.sleep(1)
        await batcher.close()
        with pytest.raises(asyncio.CancelledError):
            await waits

    run(closed())


def test_a_caller_with_more_than_fits_one_request_gets_several_in_order() -> None:
    sent = Sent()
    texts = [f"x{n}" for n in range(WAITING + 70)]

    async def one() -> None:
        batcher = Batcher("a", sent, characters=2000)
        assert await batcher.translate(texts, "en", "fr") == [text.upper() for text in texts]
        await batcher.close()

    run(one())
    assert [text for request in sent.requests for text in request] == texts
    assert max(map(len, sent.requests)) == BATCH


def test_a_request_has_no_more_characters_than_the_server_takes() -> None:
    sent = Sent()

    async def many() -> None:
        batcher = Batcher("a", sent, characters=100)
        jobs = [batcher.translate(["x" * 30, "y" * 30, "z" * 60], "en", "fr") for _ in range(3)]
        answers = await asyncio.gather(*jobs)
        assert answers == [["X" * 30, "Y" * 30, "Z" * 60]] * 3
        await batcher.close()

    run(many())
    assert all(sum(map(len, request)) <= 100 for request in sent.requests)


@given(st.lists(st.text(max_size=30)), st.integers(1, 8), st.integers(1, 60))
def test_portions_keep_all_in_order_within_both_bounds(
    texts: list[str], most: int, characters: int
) -> None:
    parts = list(portions(texts, most, characters))
    assert [text for part in parts for text in part] == texts
    for part in parts:
        assert 1 <= len(part) <= most
        assert len(part) == 1 or sum(map(len, part)) <= characters
