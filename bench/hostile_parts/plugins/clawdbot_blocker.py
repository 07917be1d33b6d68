"""Blocks the event loop."""

import time

from clawdcore import hookimpl


@hookimpl
def register_commands(register):
    """Add one that blocks."""

    @register("stall")
    async def stall(message):
        """Block the loop for five seconds"""
        time.sleep(5)  # noqa: ASYNC251 - that is what it is here for
        return "sorry"
