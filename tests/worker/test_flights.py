"""Single flight: one generation for many, and nobody's end is another's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdcore import BackendUnavailable, Chunk, Request, Turn
from clawdcore.admission.gate import Seat
from clawdcore.testing import VirtualLoop
from clawdcore.worker.flights import KEPT, MOST, Flights

ASK = Request(turns=(Turn("user", "hi"),), model="m")


def run(story: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(story)


class Generation:
    """Says a word a second; counts its starts and its early ends."""

    def __init__(self, *words: str, error: Exception | None = None) -> None:
        self.words = words
        self.error = error
        self.starts = 0
        self.ended = 0

    async def __call__(self, waits: list[Seat]) -> AsyncGenerator[Chunk, None]:
        self.starts += 1
        done = False
        try:
            for word in self.words:
                await asyncio.sleep(1)
                yield Chunk(word)
            if self.error is not None:
                raise self.error
            done = True
        finally:
            self.ended += not done


async def read(chunks: AsyncGenerator[Chunk, None]) -> list[tuple[float, str]]:
    """What came, and when."""
    loop = asyncio.get_running_loop()
    return [(loop.time(), chunk.text) async for chunk in chunks]


def test_a_late_joiner_gets_what_was_streamed_and_then_the_rest_as_it_comes() -> None:
    async def story() -> None:
        flights, generation = Flights(), Generation("a", "b", "c")
        key = flights.key(ASK)
        first = asyncio.create_task(read(flights.join(key, generation)[0]))
        await asyncio.sleep(2.5)
        assert key in flights
        late = await read(flights.join(key, generation)[0])
        assert late == [(2.5, "a"), (2.5, "b"), (3.0, "c")]
        assert await first == [(1.0, "a"), (2.0, "b"), (3.0, "c")]
        assert generation.starts == 1
        await flights.close()

    run(story())


def test_one_that_leaves_ends_nothing_and_the_last_one_ends_it() -> None:
    async def story() -> None:
        flights, generation = Flights(), Generation("a", "b", "c")
        key = flights.key(ASK)
        riders = [asyncio.create_task(read(flights.join(key, generation)[0])) for _ in range(3)]
        await asyncio.sleep(1.5)
        riders[0].cancel()
        await asyncio.sleep(0)
        assert (generation.ended, key in flights) == (0, True)
        assert [word for _, word in await riders[1]] == ["a", "b", "c"]
        await riders[2]
        generation.words = ("x", "y")
        await asyncio.sleep(KEPT + 1)
        alone = asyncio.create_task(read(flights.join(key, generation)[0]))
        await asyncio.sleep(1.5)
        alone.cancel()
        await asyncio.wait({alone})
        assert (generation.starts, generation.ended) == (2, 1)
        assert key not in flights

    run(story())


def test_an_answer_is_kept_for_seconds_and_a_failure_not_at_all() -> None:
    async def story() -> None:
        flights, generation = Flights(), Generation("a")
        key = flights.key(ASK)
        await read(flights.join(key, generation)[0])
        await asyncio.sleep(KEPT - 0.1)
        assert [word for _, word in await read(flights.join(key, generation)[0])] == ["a"]
        assert generation.starts == 1
        await asyncio.sleep(0.2)
        assert key not in flights
        broken = Generation("a", error=BackendUnavailable("gone"))
        riders = [asyncio.create_task(read(flights.join(key, broken)[0])) for _ in range(2)]
        for rider in riders:
            with pytest.raises(BackendUnavailable, match="gone"):
                await rider
        assert key not in flights

    run(story())


def test_when_too_many_fly_the_next_flies_alone() -> None:
    async def story() -> None:
        flights, generation = Flights(), Generation("a")
        tasks = [
            asyncio.create_task(read(flights.join(bytes([n % 256, n // 256]), generation)[0]))
            for n in range(MOST)
        ]
        await asyncio.sleep(0)
        key = flights.key(ASK)
        for _ in range(2):
            tasks.append(asyncio.create_task(read(flights.join(key, generation)[0])))
        await asyncio.gather(*tasks)
        assert generation.starts == MOST + 2
        await flights.close()

    run(story())


def test_closing_gives_up_what_flies() -> None:
    async def story() -> None:
        flights, generation = Flights(), Generation("a", "b")
        rider = asyncio.create_task(read(flights.join(flights.key(ASK), generation)[0]))
        await asyncio.sleep(0.5)
        await flights.close()
        assert generation.ended == 1
        await asyncio.wait({rider})

    run(story())


turns = st.lists(
    st.builds(Turn, st.sampled_from(["system", "user", "assistant"]), st.text(max_size=4)),
    min_size=1,
    max_size=3,
).map(tuple)
requests = st.builds(
    Request,
    turns=turns,
    model=st.sampled_from(["", "m", "n"]),
    max_tokens=st.none() | st.integers(1, 3),
    temperature=st.none() | st.sampled_from([0.0, 1.0]),
    stop=st.sampled_from([(), ("x",), ("x", "y"), ("xy",)]),
)


@given(requests, requests)
def test_only_the_same_question_has_the_same_key(one: Request, other: Request) -> None:
    flights = Flights()
    asked = (one.turns, one.model, one.max_tokens, one.temperature, one.stop)
    same = asked == (other.turns, other.model, other.max_tokens, other.temperature, other.stop)
    assert (flights.key(one) == flights.key(other)) is same
    assert flights.key(one) != Flights().key(one)
