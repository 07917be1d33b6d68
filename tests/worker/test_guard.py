"""Foreign code: its errors are its own, and it can be left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import pytest

from clawdcore.testing import VirtualLoop
from clawdcore.worker.guard import GRACE, Tasks, ends_us, within


def run(story: Coroutine[Any, Any, None]) -> None:
    loop = VirtualLoop()
    try:
        loop.run_until_complete(story)
    finally:
        loop.close()


async def stubborn() -> None:
    """Ignore being cancelled."""
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)


@pytest.mark.parametrize(
    "error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), asyncio.CancelledError()]
)
def test_what_it_raises_itself_is_its_failure(error: BaseException) -> None:
    async def raising() -> None:
        raise error

    async def story() -> None:
        assert not ends_us(error)
        with pytest.raises(RuntimeError, match=type(error).__name__):
            await within(1.0, raising())

    run(story())


def test_a_cancellation_from_outside_is_ours() -> None:
    async def story() -> None:
        seen: list[bool] = []

        async def work() -> None:
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError as error:
                seen.append(ends_us(error))
                raise

        task = asyncio.create_task(work())
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait({task})
        assert seen == [True]
        assert task.cancelled()

    run(story())


def test_a_result_and_an_error_come_through() -> None:
    async def gives() -> int:
        return 3

    async def fails() -> None:
        raise ValueError("x")

    async def story() -> None:
        assert await within(1.0, gives()) == 3
        with pytest.raises(ValueError, match="x"):
            await within(1.0, fails())

    run(story())


def test_what_ignores_its_end_is_left_behind() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        with pytest.raises(TimeoutError):
            await within(5.0, stubborn())
        assert loop.time() == 5.0 + GRACE
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}  # even that has ended

    run(story())


def test_tasks_are_waited_for_and_their_errors_told() -> None:
    async def story() -> None:
        failed: list[BaseException] = []
        tasks = Tasks(failed.append)

        async def work(seconds: float) -> None:
            await asyncio.sleep(seconds)
            raise ValueError(seconds)

        tasks.start(work(1))
        tasks.start(work(7))
        left = tasks.start(stubborn())
        asyncio.get_running_loop().call_later(3, tasks.leave_behind, left)
        await tasks.wait()
        assert asyncio.get_running_loop().time() == 7
        assert [str(error) for error in failed] == ["1", "7"]

    run(story())


def test_stop_waits_for_no_more_than_the_grace() -> None:
    async def story() -> None:
        tasks = Tasks(lambda error: None)
        tasks.start(stubborn())
        kind = tasks.start(asyncio.sleep(100))
        await asyncio.sleep(1)
        await tasks.stop()
        assert asyncio.get_running_loop().time() == 1 + GRACE
        assert kind.cancelled()
        await tasks.wait()

    run(story())
