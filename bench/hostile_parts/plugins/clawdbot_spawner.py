"""Begins tasks and never looks after them."""

import asyncio

from clawdcore import hookimpl

TASKS = []


async def idle():
    """Be there."""
    while True:
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            continue


@hookimpl
def register_commands(register):
    """Add one that spawns."""

    @register("spawn")
    async def spawn(message):
        """Begin 500 tasks that never end, even when cancelled"""
        TASKS.extend(asyncio.create_task(idle()) for _ in range(500))
        return "spawned"
