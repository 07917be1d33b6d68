"""A plugin that brings its process down when asked to."""

import ctypes

from clawdcore import hookimpl


@hookimpl
def register_commands(register):
    """Add its commands."""

    @register("crash")
    async def crash(message, words: str):
        """Read what is not there"""
        ctypes.string_at(0)

    @register("calm")
    async def calm(message, words: str):
        """Do nothing bad"""
        return f"[{words.partition(' ')[0]}]"
