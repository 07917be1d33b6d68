"""Tasks that plugins leave behind."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from clawdcore import Message, hookimpl
from clawdcore.testing import Harness
from clawdcore.worker.strays import EVERY, MOST, home_of, theirs


class Spawner:
    """Begins tasks and never looks after them."""

    def __init__(self) -> None:
        self.tasks: list[asyncio.Task[None]] = []

    @hookimpl
    def register_commands(self, register: Any) -> None:
        async def idle() -> None:
            await asyncio.sleep(3600)

        @register("spawn")
        async def spawn(message: Message, number: int) -> str:
            """Begin tasks"""
            self.tasks += [asyncio.create_task(idle()) for _ in range(number)]
            return "spawned"


@pytest.mark.parametrize(("number", "rests"), [(MOST // 2, False), (MOST + 50, True)])
def test_a_plugin_with_too_many_tasks_comes_to_rest(number: int, rests: bool) -> None:
    spawner = Spawner()
    with Harness([spawner]) as bot:
        assert bot.say(f"/spawn {number}") == "spawned"
        bot.advance(5 * EVERY + 1)
        assert ("rest" in bot.say("/spawn 1")) is rests
        assert len({plugin for plugin, _ in bot.failures}) == rests
        bot.advance(EVERY)
        assert {task.cancelled() for task in spawner.tasks} == {rests}
        for task in spawner.tasks:
            task.cancel()


def test_tasks_are_counted_by_where_their_code_stands() -> None:
    async def mine() -> None:
        await asyncio.sleep(0)

    async def story() -> dict[str, int]:
        tasks = [asyncio.create_task(mine()) for _ in range(3)]
        tasks.append(asyncio.create_task(asyncio.sleep(0)))
        found = theirs(tasks, {"here": home_of(Spawner()), "elsewhere": "/nowhere/"})
        await asyncio.gather(*tasks)
        return {plugin: len(each) for plugin, each in found.items()}

    assert asyncio.run(story()) == {"here": 3}


def test_the_home_of_a_package_is_its_folder_and_of_a_module_its_file() -> None:
    import json
    from json import decoder

    assert home_of(json).endswith("/json/")
    assert home_of(decoder).endswith("/json/decoder.py")
    assert home_of(Spawner()) == __file__
