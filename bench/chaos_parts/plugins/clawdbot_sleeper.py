"""A plugin that brings the event loop to a halt when asked to."""

import time

from clawdcore import hookimpl


@hookimpl
def register_commands(register):
    """Add its commands."""

    @register("block")
    async def block(message, words: str):
        """Stop the event loop for a minute"""
        time.sleep(60)  # noqa: ASYNC251 - what it is for
        return "late"

    @register("idle")
    async def idle(message, words: str):
        """Do nothing bad"""
        return f"[{words.partition(' ')[0]}]"
