"""Seats: never more than the limit, given back once, and none lost."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdcore.testing import VirtualLoop
from clawdcore.worker.seats import Seats


def run(story: Coroutine[Any, Any, None]) -> None:
    loop = VirtualLoop()
    try:
        loop.run_until_complete(story)
    finally:
        loop.close()


async def idle() -> None:
    """Until every other task waits for something; no real time passes."""
    await asyncio.sleep(0.001)


async def free(seats: Seats, at_most: int = 10) -> int:
    """How many seats can be taken at once now."""
    inside = 0
    gate = asyncio.Event()

    async def sit() -> None:
        nonlocal inside
        async with seats.taken():
            inside += 1
            await gate.wait()

    guests = [asyncio.create_task(sit()) for _ in range(at_most)]
    await idle()
    found = inside
    for guest in guests:
        guest.cancel()
    await asyncio.gather(*guests, return_exceptions=True)
    return found


def test_the_limit_is_the_number_of_seats() -> None:
    async def story() -> None:
        seats = Seats(3)
        assert await free(seats) == 3
        async with seats.taken():
            assert await free(seats) == 2
        assert await free(seats) == 3

    run(story())


def test_an_error_gives_the_seat_back() -> None:
    async def story() -> None:
        seats = Seats(1)
        with pytest.raises(ValueError, match="x"):
            async with seats.taken():
                raise ValueError("x")
        assert await free(seats) == 1

    run(story())


def test_cancelled_in_the_queue_takes_nothing() -> None:
    async def story() -> None:
        seats = Seats(1)

        async def sit() -> None:
            async with seats.taken():
                pass

        async with seats.taken():
            waiting = asyncio.create_task(sit())
            await idle()
            waiting.cancel()
            await idle()
            assert waiting.cancelled()
            assert await free(seats) == 0
        assert await free(seats) == 1

    run(story())


def test_who_waits_lends_the_seat() -> None:
    async def story() -> None:
        seats = Seats(1)
        async with seats.taken():
            async with seats.lent():
                assert await free(seats) == 1
            assert await free(seats) == 0
        assert await free(seats) == 1

    run(story())


def test_coming_back_waits_for_a_seat() -> None:
    async def story() -> None:
        seats = Seats(1)
        steps: list[str] = []
        answered = asyncio.Event()

        async def first() -> None:
            async with seats.taken():
                async with seats.lent():
                    await answered.wait()
                steps.append("first is back")

        async def second() -> None:
            async with seats.taken():
                answered.set()
                await asyncio.sleep(5)
                steps.append("second is done")

        await asyncio.gather(first(), second())
        assert steps == ["second is done", "first is back"]
        assert await free(seats) == 1

    run(story())


def test_without_a_seat_nothing_is_lent() -> None:
    async def story() -> None:
        seats = Seats(2)
        async with seats.lent():
            assert await free(seats) == 2
        assert await free(seats) == 2

    run(story())


def test_seats_of_two_bots_are_apart() -> None:
    async def story() -> None:
        one, other = Seats(1), Seats(1)
        async with one.taken(), other.lent():
            assert await free(one) == 0
            assert await free(other) == 1

    run(story())


def test_nested_waits_lend_it_once() -> None:
    async def story() -> None:
        seats = Seats(1)
        async with seats.taken():
            async with seats.lent():
                async with seats.lent():
                    assert await free(seats) == 1
                assert await free(seats) == 1
            assert await free(seats) == 0
        assert await free(seats) == 1

    run(story())


def test_parallel_waits_lend_it_once_until_the_last_is_over() -> None:
    async def story() -> None:
        seats = Seats(2)

        async def wait(seconds: float) -> None:
            async with seats.lent():
                await asyncio.sleep(seconds)

        async with seats.taken():
            both = asyncio.gather(wait(1), wait(3))
            await asyncio.sleep(2)
            assert await free(seats) == 2
            await both
            assert await free(seats) == 1
        assert await free(seats) == 2

    run(story())


def test_of_parallel_waits_only_the_last_waits_for_a_seat() -> None:
    async def story() -> None:
        seats = Seats(1)
        over: list[float] = []

        async def wait(seconds: float) -> None:
            async with seats.lent():
                await asyncio.sleep(seconds)
            over.append(round(asyncio.get_running_loop().time()))

        async def message() -> None:
            async with seats.taken():
                await asyncio.gather(wait(1), wait(3))

        async def other() -> None:
            async with seats.taken():
                await asyncio.sleep(9)

        await asyncio.gather(message(), other())
        assert over == [1, 9]
        assert await free(seats) == 1

    run(story())


@pytest.mark.parametrize("ends", [3, 9], ids=["before it is back", "after it is back"])
def test_a_wait_may_begin_while_another_comes_back(ends: int) -> None:
    async def story() -> None:
        seats = Seats(1)
        over: list[float] = []

        async def wait(begin: float, end: float) -> None:
            await asyncio.sleep(begin)
            async with seats.lent():
                await asyncio.sleep(end - begin)
            over.append(round(asyncio.get_running_loop().time()))

        async def message() -> None:
            async with seats.taken():
                # The first is over at 1 s and finds the seat taken until 5 s.
                await asyncio.gather(wait(0, 1), wait(2, ends))

        async def other() -> None:
            async with seats.taken():
                await asyncio.sleep(5)

        await asyncio.gather(message(), other())
        assert over == [5, max(5, ends)]
        assert await free(seats) == 1

    run(story())


@pytest.mark.parametrize("when", [0.5, 1.5], ids=["waiting", "coming back"])
def test_cancelled_while_it_is_lent_gives_nothing_back_twice(when: float) -> None:
    async def story() -> None:
        seats = Seats(1)

        async def message() -> None:
            async with seats.taken(), seats.lent():
                await asyncio.sleep(1)

        async def other() -> None:
            async with seats.taken():
                await asyncio.sleep(3)

        lending, sitting = asyncio.create_task(message()), asyncio.create_task(other())
        await asyncio.sleep(when)
        lending.cancel()
        await idle()
        assert await free(seats) == 0
        await sitting
        assert lending.cancelled()
        assert await free(seats) == 1

    run(story())


def test_a_wait_that_outlives_its_message_takes_no_seat() -> None:
    async def story() -> None:
        seats = Seats(1)

        async def wait() -> None:
            async with seats.lent():
                await asyncio.sleep(5)

        async with seats.taken():
            stray = asyncio.create_task(wait())
            await idle()
        assert await free(seats) == 1
        await stray
        assert await free(seats) == 1

    run(story())


@pytest.mark.parametrize("ends", ["timeout", "error"])
def test_what_ends_badly_does_not_queue_for_its_seat(ends: str) -> None:
    async def story() -> None:
        seats = Seats(1)
        loop = asyncio.get_running_loop()
        ended: list[float] = []

        async def message() -> None:
            with suppress(TimeoutError, ValueError):
                async with seats.taken(), asyncio.timeout(5), seats.lent():
                    await asyncio.sleep(4)
                    if ends == "error":
                        raise ValueError(ends)
                    await asyncio.sleep(4)
            ended.append(loop.time())

        async def other() -> None:
            async with seats.taken():
                await asyncio.sleep(60)

        await asyncio.gather(message(), other())
        assert ended[0] <= 5
        assert await free(seats) == 1

    run(story())


def test_an_error_takes_the_seat_again_where_one_is_free() -> None:
    async def story() -> None:
        seats = Seats(2)
        async with seats.taken():
            with suppress(ValueError):
                async with seats.lent():
                    raise ValueError("x")
            assert await free(seats) == 1
        assert await free(seats) == 2

    run(story())


def test_a_seat_may_be_given_up_by_somebody_else() -> None:
    async def story() -> None:
        seats = Seats(1)
        seat = seats.taken()

        async def message() -> None:
            async with seat:
                await asyncio.sleep(10)

        task = asyncio.create_task(message())
        await idle()
        asyncio.get_running_loop().call_soon(seat.give_up)
        await idle()
        assert await free(seats) == 1
        await task
        assert await free(seats) == 1

    run(story())


Act = tuple[str, int, int]
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("work"), st.integers(0, 3), st.just(0)),
        st.tuples(st.just("wait"), st.integers(0, 3), st.just(0)),
        st.tuples(st.just("both"), st.integers(0, 3), st.integers(0, 3)),
    ),
    max_size=4,
)
MESSAGES = st.lists(
    st.tuples(st.integers(0, 4), ACTS, st.one_of(st.none(), st.integers(0, 8))), max_size=8
)


@given(st.integers(1, 3), MESSAGES)
def test_no_more_work_than_seats_and_none_lost(
    limit: int, messages: list[tuple[int, list[Act], int | None]]
) -> None:
    async def story() -> None:
        seats = Seats(limit)
        working = 0

        async def work(seconds: int) -> None:
            nonlocal working
            working += 1
            try:
                assert working <= limit
                await asyncio.sleep(seconds)
            finally:
                working -= 1

        async def wait(delay: int, seconds: int) -> None:
            await asyncio.sleep(delay)
            async with seats.lent():
                await asyncio.sleep(seconds)

        async def message(comes: int, acts: list[Act]) -> None:
            await asyncio.sleep(comes)
            async with seats.taken():
                for act, one, other in acts:
                    if act == "work":
                        await work(one)
                    elif act == "wait":
                        await wait(0, one)
                    else:
                        await asyncio.gather(wait(one, other), wait(other, one), wait(1, 2))

        loop = asyncio.get_running_loop()
        tasks = []
        for comes, acts, cancel in messages:
            task = asyncio.create_task(message(comes, acts))
            tasks.append(task)
            if cancel is not None:
                loop.call_later(cancel, task.cancel)
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            assert outcome is None or isinstance(outcome, asyncio.CancelledError)
        assert working == 0
        assert await free(seats) == limit

    run(story())


def test_a_wait_that_breaks_off_while_another_comes_back_loses_no_seat() -> None:
    async def story() -> None:
        seats = Seats(2)
        first_over, second_begins, second_over, leave = (asyncio.Event() for _ in range(4))

        async def comes_back() -> None:
            async with seats.lent():
                await first_over.wait()

        async def breaks_off() -> None:
            await second_begins.wait()
            with suppress(ValueError):
                async with seats.lent():
                    await second_over.wait()
                    raise ValueError

        async def message() -> None:
            async with seats.taken():
                await asyncio.gather(comes_back(), breaks_off())

        async def other() -> None:
            async with seats.taken():
                await leave.wait()

        tasks = [asyncio.create_task(message())]
        await idle()
        tasks += [asyncio.create_task(other()) for _ in range(2)]
        await idle()
        first_over.set()  # the others have all seats now, so that it stands in line
        await idle()
        second_begins.set()
        await idle()
        leave.set()
        second_over.set()
        await asyncio.gather(*tasks)
        assert seats.gate.queue.running == 0
        seats.close()

    run(story())
