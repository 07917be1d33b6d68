"""One notice for several refused messages of a chat."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from clawdcore.testing import VirtualLoop
from clawdcore.worker.refusals import WINDOW, Refusals

Told = list[tuple[float, str, int, float]]


def run(story: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(story)


async def refuse(refusals: Refusals, told: Told, name: str, chat: int = 1, wait: float = 5) -> None:
    async with refusals.spoken(chat, wait) as (count, seconds):
        told.append((asyncio.get_running_loop().time(), name, count, seconds))


def test_the_first_is_told_at_once_and_the_newest_speaks_for_the_rest_later() -> None:
    async def story() -> None:
        refusals, told = Refusals(), Told()
        async with asyncio.TaskGroup() as tasks:
            for name in "abcd":
                tasks.create_task(refuse(refusals, told, name, wait=float(ord(name))))
        assert told[0] == (0.0, "a", 1, 97.0)
        assert told[1] == (WINDOW, "d", 3, 100.0)
        assert sorted(told[2:]) == [(WINDOW, "b", 0, 0.0), (WINDOW, "c", 0, 0.0)]

    run(story())


def test_chats_don_t_wait_for_one_another_and_a_quiet_chat_begins_anew() -> None:
    async def story() -> None:
        refusals, told = Refusals(), Told()
        await refuse(refusals, told, "a", chat=1)
        await refuse(refusals, told, "b", chat=2)
        await asyncio.sleep(WINDOW + 1)
        await refuse(refusals, told, "c", chat=1)
        assert [(at, count) for at, _, count, _ in told] == [(0, 1), (0, 1), (WINDOW + 1, 1)]

    run(story())


def test_those_who_are_spoken_for_wait_until_it_was_said() -> None:
    async def story() -> None:
        refusals = Refusals()
        said: list[float] = []
        await refuse(refusals, Told(), "first")

        async def slow() -> None:
            async with refusals.spoken(1, 5) as (count, _):
                if count:
                    await asyncio.sleep(3)
                said.append(asyncio.get_running_loop().time())

        await asyncio.gather(slow(), slow())
        assert said == [WINDOW + 3, WINDOW + 3]

    run(story())


@pytest.mark.parametrize("when", [1.0, WINDOW])
def test_for_a_speaker_that_is_gone_another_tells(when: float) -> None:
    async def story() -> None:
        refusals, told = Refusals(), Told()
        await refuse(refusals, told, "first")
        tasks = [asyncio.create_task(refuse(refusals, told, name)) for name in "ab"]
        asyncio.get_running_loop().call_at(when, tasks[1].cancel)
        await asyncio.wait(tasks)
        assert tasks[0].done() and tasks[0].exception() is None
        assert [count for _, name, count, _ in told if name == "a"] == [1]

    run(story())


def test_for_a_speaker_that_fails_another_tells() -> None:
    async def story() -> None:
        refusals, told = Refusals(), Told()
        await refuse(refusals, told, "first")

        async def fails() -> None:
            async with refusals.spoken(1, 5):
                raise ValueError

        tasks = [asyncio.create_task(refuse(refusals, told, name)) for name in "ab"]
        tasks.append(asyncio.create_task(fails()))
        await asyncio.wait(tasks)
        assert isinstance(tasks[2].exception(), ValueError)
        assert told[1:] == [(WINDOW, "b", 2, 5), (WINDOW, "a", 0, 0.0)]

    run(story())


def test_in_a_hurry_all_is_told_now() -> None:
    async def story() -> None:
        refusals, told = Refusals(), Told()
        tasks = [asyncio.create_task(refuse(refusals, told, name)) for name in "abc"]
        await asyncio.sleep(1)
        refusals.hurry()
        await asyncio.wait(tasks)
        await refuse(refusals, told, "d")
        assert [(at, count) for at, _, count, _ in told] == [(0, 1), (1, 2), (1, 0), (1, 1)]

    run(story())
