"""The gate: tasks that wait for seats, hold them, and give them back on every path."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdcore.admission.ask import Ask
from clawdcore.admission.gate import Gate
from clawdcore.backend import Priority
from clawdcore.errors import Overloaded, TooLate
from clawdcore.testing.clock import VirtualLoop

Body = Callable[[Gate], Awaitable[None]]


def play(body: Callable[[Gate], Coroutine[Any, Any, None]], **settings: int) -> Gate:
    """Run ``body`` with a gate, on virtual time; afterwards nothing may be left in it."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        loop = runner.get_loop()
        given = {"ceiling": 1, "bound": 100, **settings}
        gate = Gate("vllm", budget=30.0, clock=loop.time, **given)
        runner.run(body(gate))
        gate.close()
    books = gate.queue.books
    assert gate.queue.running == gate.queue.waiting == 0
    assert books.accepted == books.finished + sum(books.refused.values())
    return gate


async def hold(gate: Gate, ask: Ask, seconds: float, order: list[str] | None = None) -> float:
    async with gate.seat(ask) as ticket:
        if order is not None:
            order.append(ask.chat)
        await asyncio.sleep(seconds)
        ticket.used(10, 20)
        return ticket.waited


def test_one_waits_for_the_other_and_knows_how_long() -> None:
    async def body(gate: Gate) -> None:
        first, second = await asyncio.gather(
            hold(gate, Ask(chat="a"), 5.0), hold(gate, Ask(chat="b"), 1.0)
        )
        assert (first, second) == (0.0, 5.0)

    play(body)


def test_a_cancelled_waiter_leaves_the_line_and_a_cancelled_holder_its_seat() -> None:
    async def body(gate: Gate) -> None:
        holder = asyncio.create_task(hold(gate, Ask(chat="a"), 100.0))
        waiter = asyncio.create_task(hold(gate, Ask(chat="b"), 100.0))
        third = asyncio.create_task(hold(gate, Ask(chat="c"), 1.0))
        await asyncio.sleep(1)
        waiter.cancel()
        await asyncio.sleep(1)
        assert gate.queue.waiting == 1
        holder.cancel()
        assert await third == 2.0

    gate = play(body)
    assert gate.queue.books.refused["withdrawn"] == 1


def test_a_seat_that_comes_in_the_moment_of_a_cancellation_goes_on_to_the_next() -> None:
    async def body(gate: Gate) -> None:
        async with gate.seat(Ask(chat="a")):
            waiter = asyncio.create_task(hold(gate, Ask(chat="b"), 100.0))
            third = asyncio.create_task(hold(gate, Ask(chat="c"), 1.0))
            await asyncio.sleep(1)
        waiter.cancel()  # it has the seat, and has not run since
        assert await third == 1.0

    play(body)


def test_a_seat_is_not_given_to_a_task_that_is_about_to_learn_of_its_cancellation() -> None:
    async def body(gate: Gate) -> None:
        async with gate.seat(Ask(chat="a")):
            waiter = asyncio.create_task(hold(gate, Ask(chat="b"), 100.0))
            third = asyncio.create_task(hold(gate, Ask(chat="c"), 1.0))
            await asyncio.sleep(1)
            waiter.cancel()
        assert await third == 1.0

    play(body)


def test_whoever_waits_past_the_deadline_is_told_then() -> None:
    async def body(gate: Gate) -> None:
        async with gate.seat(Ask(chat="a")):
            began = asyncio.get_running_loop().time()
            with pytest.raises(TooLate, match="deadline"):
                async with gate.seat(Ask(chat="b", deadline=began + 7)):
                    raise AssertionError("it got a seat")
            assert asyncio.get_running_loop().time() == began + 7

    play(body)


def test_an_earlier_deadline_that_comes_later_is_kept_too() -> None:
    async def body(gate: Gate) -> None:
        async with gate.seat(Ask(chat="a")):
            slow = asyncio.create_task(hold(gate, Ask(chat="b", deadline=50.0), 1))
            fast = asyncio.create_task(hold(gate, Ask(chat="c", deadline=5.0), 1))
            done, _ = await asyncio.wait({slow, fast}, return_when=asyncio.FIRST_COMPLETED)
            assert done == {fast}
            assert asyncio.get_running_loop().time() == 5.0
            assert isinstance(fast.exception(), TooLate)
            with pytest.raises(TooLate):
                await slow
            assert asyncio.get_running_loop().time() == 50.0

    play(body)


def test_a_full_line_refuses_the_greedy_and_says_when_to_come_back() -> None:
    async def body(gate: Gate) -> None:
        async with gate.seat(Ask(chat="a")):
            greedy = [asyncio.create_task(hold(gate, Ask(chat="a"), 1)) for _ in range(3)]
            await asyncio.sleep(0)
            quiet = asyncio.create_task(hold(gate, Ask(chat="b"), 1))
            await asyncio.sleep(0)
            with pytest.raises(Overloaded, match="too many") as refused:
                await greedy[2]
            assert refused.value.retry_after >= 1.0
        await asyncio.gather(quiet, *greedy[:2])

    gate = play(body, bound=3)
    assert gate.queue.books.refused["full"] == 1


def test_a_raised_limit_lets_in_who_waits_and_a_lowered_one_ends_nobody() -> None:
    async def body(gate: Gate) -> None:
        gate.limit = 1
        tasks = [asyncio.create_task(hold(gate, Ask(chat=str(n)), 10)) for n in range(4)]
        await asyncio.sleep(1)
        assert (gate.queue.running, gate.queue.waiting) == (1, 3)
        gate.limit = 3
        assert (gate.queue.running, gate.queue.waiting) == (3, 1)
        gate.limit = 1
        await asyncio.sleep(1)
        assert gate.queue.running == 3
        await asyncio.gather(*tasks)

    play(body, ceiling=3)


def test_a_class_that_is_not_taken_is_refused_and_the_others_are_not() -> None:
    async def body(gate: Gate) -> None:
        gate.close_to(Priority.DIRECT)
        with pytest.raises(Overloaded, match="not taken"):
            await hold(gate, Ask(priority=Priority.GROUP), 1)
        await hold(gate, Ask(priority=Priority.DIRECT), 1)

    play(body)


def test_its_place_in_line() -> None:
    async def body(gate: Gate) -> None:
        for _ in range(10):  # so that what requests take is known: 2 s each
            await hold(gate, Ask(chat="a", prompt_tokens=10, output_tokens=20), 2.0)
        seats = []

        async def wait(chat: str) -> None:
            seat = gate.seat(Ask(chat=chat, prompt_tokens=10, output_tokens=20))
            seats.append(seat)
            async with seat as ticket:
                assert ticket.place() is None
                await asyncio.sleep(2)
                ticket.used(10, 20)

        tasks = [asyncio.create_task(wait(chat)) for chat in "bcd"]
        await asyncio.sleep(0.1)
        places = [seat.place() for seat in seats]
        assert places[0] is None
        assert places[1] == (1, pytest.approx(2.0))
        assert places[2] == (2, pytest.approx(4.0))
        await asyncio.gather(*tasks)

    play(body)


def test_vitals_tell_the_numbers() -> None:
    async def body(gate: Gate) -> None:
        async with gate.seat(Ask(chat="a")):
            waiter = asyncio.create_task(hold(gate, Ask(chat="b", priority=Priority.MEDIA), 1))
            await asyncio.sleep(0)
            vitals = gate.vitals()
            assert (vitals.server, vitals.limit, vitals.running) == ("vllm", 1, 1)
            assert vitals.waiting == {"control": 0, "direct": 0, "group": 0, "media": 1}
            assert (vitals.accepted, vitals.finished) == (2, 0)
        await waiter

    play(body)


@given(
    st.lists(
        st.tuples(
            st.floats(0, 5),  # when it comes
            st.floats(0.1, 3),  # how long it takes
            st.sampled_from("abc"),
            st.sampled_from(list(Priority)),
            st.none() | st.floats(0.1, 6),  # its deadline, after it came
            st.none() | st.floats(0.1, 4),  # when it is cancelled, after it came
        ),
        max_size=25,
    ),
    st.integers(1, 6),
    st.integers(1, 10),
)
def test_whatever_happens_every_seat_comes_back(
    plan: list[tuple[float, float, str, Priority, float | None, float | None]],
    ceiling: int,
    bound: int,
) -> None:
    running = 0

    async def one(
        gate: Gate, at: float, takes: float, chat: str, priority: Priority, limit: float | None
    ) -> None:
        nonlocal running
        await asyncio.sleep(at)
        now = asyncio.get_running_loop().time()
        deadline = None if limit is None else now + limit
        try:
            async with gate.seat(Ask(chat=chat, priority=priority, deadline=deadline)) as ticket:
                running += 1
                try:
                    assert running <= ceiling + 1
                    started = asyncio.get_running_loop().time()
                    assert deadline is None or started < deadline
                    await asyncio.sleep(takes)
                    ticket.used(5, 10)
                finally:
                    running -= 1
        except Overloaded as error:
            assert error.retry_after >= 1.0

    async def body(gate: Gate) -> None:
        loop = asyncio.get_running_loop()
        tasks = []
        for at, takes, chat, priority, limit, gone in plan:
            task = asyncio.create_task(one(gate, at, takes, chat, priority, limit))
            tasks.append(task)
            if gone is not None:
                loop.call_at(at + gone, task.cancel)
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            assert result is None or isinstance(result, asyncio.CancelledError)

    play(body, ceiling=ceiling, bound=bound)
