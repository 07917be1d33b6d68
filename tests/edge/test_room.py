"""Room for updates: a bound that holds, in the order of asking."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from hypothesis import given, settings
from hypothesis import strategies as st

from clawdcore.edge.room import Room
from clawdcore.testing import VirtualLoop


def play(story: Awaitable[None]) -> None:
    async def run() -> None:
        await story

    loop = VirtualLoop()
    try:
        loop.run_until_complete(run())
    finally:
        loop.close()


async def turn() -> None:
    """Let everybody who can go on do so."""
    await asyncio.sleep(1)


def test_who_finds_no_room_waits_until_some_is_given_back() -> None:
    async def story() -> None:
        room = Room(updates=2, size=100)
        await room.take(10)
        await room.take(10)
        waits = asyncio.create_task(room.take(10))
        await turn()
        assert not waits.done()
        room.give_back(10)
        await waits
        assert (room.updates, room.bytes) == (2, 20)

    play(story())


def test_bytes_are_counted_too() -> None:
    async def story() -> None:
        room = Room(updates=100, size=100)
        await room.take(60)
        waits = asyncio.create_task(room.take(41))
        await turn()
        assert not waits.done()
        room.give_back(60)
        await waits

    play(story())


def test_one_larger_than_everything_gets_it_once_nothing_else_is_there() -> None:
    async def story() -> None:
        room = Room(updates=10, size=100)
        await room.take(1)
        large = asyncio.create_task(room.take(1000))
        await turn()
        assert not large.done()
        room.give_back(1)
        await large
        small = asyncio.create_task(room.take(1))
        await turn()
        assert not small.done()
        room.give_back(1000)
        await small

    play(story())


def test_a_small_one_doesn_t_pass_a_large_one_that_asked_first() -> None:
    async def story() -> None:
        room = Room(updates=10, size=100)
        await room.take(50)
        large = asyncio.create_task(room.take(80))
        await turn()
        small = asyncio.create_task(room.take(1))
        await turn()
        assert not small.done()
        room.give_back(50)
        await large
        await small

    play(story())


def test_who_gives_up_takes_nothing_and_lets_the_next_one_go() -> None:
    async def story() -> None:
        room = Room(updates=10, size=100)
        await room.take(50)
        large = asyncio.create_task(room.take(80))
        await turn()
        small = asyncio.create_task(room.take(1))
        await turn()
        large.cancel()
        await asyncio.gather(large, return_exceptions=True)
        await asyncio.wait_for(small, 1)
        assert (room.updates, room.bytes) == (2, 51)

    play(story())


Act = tuple[str, int]
ACTS = st.lists(
    st.tuples(st.sampled_from(["take", "take", "give back", "give up"]), st.integers(0, 60)),
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(acts=ACTS)
def test_never_more_than_allowed_first_come_first_served_and_nothing_leaks(
    acts: list[Act],
) -> None:
    async def story() -> None:
        room = Room(updates=4, size=100)
        waiting: list[tuple[int, asyncio.Task[None]]] = []
        inside: list[int] = []

        def enter() -> None:
            """Whoever has room now; nobody may have passed another one."""
            assert [task.done() for _, task in waiting] == sorted(
                (task.done() for _, task in waiting), reverse=True
            )
            while waiting and waiting[0][1].done():
                inside.append(waiting.pop(0)[0])

        for what, number in acts:
            if what == "take":
                waiting.append((number, asyncio.create_task(room.take(number))))
            elif what == "give back" and inside:
                room.give_back(inside.pop(number % len(inside)))
            elif what == "give up" and waiting:
                _, task = waiting.pop(number % len(waiting))
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            await turn()
            enter()
            assert (room.updates, room.bytes) == (len(inside), sum(inside))
            assert len(inside) <= 4
            assert sum(inside) <= 100
            if waiting:
                assert len(inside) == 4 or sum(inside) + waiting[0][0] > 100
        while waiting or inside:
            room.give_back(inside.pop())
            await turn()
            enter()
        assert (room.updates, room.bytes) == (0, 0)

    play(story())
