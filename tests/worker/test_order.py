"""Lines: first come, first served within a key, and nothing kept of empty keys."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawdcore.testing import VirtualLoop
from clawdcore.worker.order import Line, Place


def run(story: Coroutine[Any, Any, None]) -> None:
    loop = VirtualLoop()
    try:
        loop.run_until_complete(story)
    finally:
        loop.close()


async def idle() -> None:
    """Until every other task waits for something; no real time passes."""
    await asyncio.sleep(0.001)


def test_the_first_of_a_key_goes_at_once() -> None:
    async def story() -> None:
        line = Line()
        ada, bob = line.enter("ada"), line.enter("bob")
        assert ada.first and bob.first
        await ada.wait()
        await bob.wait()

    run(story())


def test_the_next_waits_until_the_one_before_has_left() -> None:
    async def story() -> None:
        line = Line()
        before, after = line.enter("k"), line.enter("k")
        waiting = asyncio.create_task(after.wait())
        await idle()
        assert (before.first, after.first) == (True, False)
        assert not waiting.done()
        before.leave()
        await waiting

    run(story())


def test_who_leaves_early_lets_nobody_overtake() -> None:
    async def story() -> None:
        line = Line()
        first, second, third = (line.enter("k") for _ in range(3))
        waiting = asyncio.create_task(third.wait())
        await idle()
        second.leave()
        await idle()
        assert not third.first
        assert not waiting.done()
        first.leave()
        await waiting

    run(story())


def test_leaving_twice_is_harmless() -> None:
    line = Line()
    first, second = line.enter("k"), line.enter("k")
    first.leave()
    first.leave()
    third = line.enter("k")
    first.leave()
    assert second.first
    assert not third.first
    assert len(line) == 1


def test_leaving_lets_one_s_own_wait_end() -> None:
    async def story() -> None:
        line = Line()
        line.enter("k")
        place = line.enter("k")
        waiting = asyncio.create_task(place.wait())
        await idle()
        place.leave()
        await waiting

    run(story())


def test_a_cancelled_wait_keeps_the_place() -> None:
    async def story() -> None:
        line = Line()
        first, second, third = (line.enter("k") for _ in range(3))
        waiting = asyncio.create_task(second.wait())
        await idle()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (first.first, second.first, third.first) == (True, False, False)
        again = asyncio.create_task(second.wait())
        last = asyncio.create_task(third.wait())
        await idle()
        assert not again.done()
        first.leave()
        await again
        await idle()
        assert not last.done()
        second.leave()
        await last

    run(story())


def test_one_cancelled_wait_leaves_another_of_the_same_place() -> None:
    async def story() -> None:
        line = Line()
        first, second = line.enter("k"), line.enter("k")
        given_up, staying = (asyncio.create_task(second.wait()) for _ in range(2))
        await idle()
        given_up.cancel()
        await idle()
        assert not staying.done()
        first.leave()
        await staying

    run(story())


def places_alive() -> int:
    return sum(isinstance(thing, Place) for thing in gc.get_objects())


def test_a_line_that_never_empties_keeps_only_who_stands_in_it() -> None:
    line = Line()
    gc.collect()
    before = places_alive()
    gc.disable()
    try:
        left = current = line.enter("k")
        for _ in range(1000):
            following = line.enter("k")
            current.leave()
            current = following
        alive = places_alive() - before
    finally:
        gc.enable()
    assert left is not current
    assert current.first
    assert alive == 2


STEPS = st.lists(st.one_of(st.sampled_from("abc"), st.integers(0, 30)), max_size=40)
"""A key is entered; a number is whose turn it is to leave, in order of arrival."""


@given(STEPS)
def test_first_is_who_came_first_of_those_still_there(steps: list[str | int]) -> None:
    line = Line()
    everybody: list[Place] = []
    standing: dict[str, list[Place]] = {}
    for which in steps:
        if isinstance(which, str):
            place = line.enter(which)
            everybody.append(place)
            standing.setdefault(which, []).append(place)
        elif everybody:
            place = everybody[which % len(everybody)]
            place.leave()
            standing = {
                key: rest
                for key, row in standing.items()
                if (rest := [p for p in row if p is not place])
            }
        assert len(line) == len(standing)
        for row in standing.values():
            assert [place.first for place in row] == [True] + [False] * (len(row) - 1)


JOBS = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.integers(0, 3),  # when it comes
        st.integers(0, 3),  # how long it works
        st.one_of(st.none(), st.integers(0, 6)),  # how long until it is cancelled
    ),
    max_size=12,
)


@given(JOBS)
def test_work_of_a_key_is_done_one_by_one_in_order(
    jobs: list[tuple[str, int, int, int | None]],
) -> None:
    async def story() -> None:
        line = Line()
        entered: dict[str, list[int]] = {"a": [], "b": []}
        begun: dict[str, list[int]] = {"a": [], "b": []}
        working: set[str] = set()
        cancelled: set[int] = set()

        async def job(number: int, key: str, comes: int, works: int) -> None:
            await asyncio.sleep(comes)
            place = line.enter(key)
            entered[key].append(number)
            try:
                await place.wait()
                assert key not in working
                working.add(key)
                begun[key].append(number)
                try:
                    await asyncio.sleep(works)
                finally:
                    working.remove(key)
            except asyncio.CancelledError:
                cancelled.add(number)
                raise
            finally:
                place.leave()

        loop = asyncio.get_running_loop()
        tasks = []
        for number, (key, comes, works, cancel) in enumerate(jobs):
            task = asyncio.create_task(job(number, key, comes, works))
            tasks.append(task)
            if cancel is not None:
                loop.call_later(cancel, task.cancel)
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            assert outcome is None or isinstance(outcome, asyncio.CancelledError)
        for key, order in begun.items():
            assert order == [number for number in entered[key] if number in order]
            assert set(entered[key]) - set(order) <= cancelled
        assert len(line) == 0

    run(story())
