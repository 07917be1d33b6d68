"""A plugin that brings its process down, or its event loop to a halt, when asked to."""

import ctypes
import time

from clawdcore import hookimpl


@hookimpl
def register_commands(register):
    @register("crash")
    async def crash(message, words: str):
        "Read what is not there"
        ctypes.string_at(0)

    @register("block")
    async def block(message, words: str):
        "Stop the event loop for a minute"
        time.sleep(60)  # noqa: ASYNC251 - what it is for
        return "late"

    @register("calm")
    async def calm(message, words: str):
        "Do nothing bad"
        return f"[{words.split()[0]}]"
