"""Sleeps: in a command, where replies pass, and at the end."""

import asyncio

from clawdcore import hookimpl


@hookimpl
def register_commands(register):
    """Add one that sleeps."""

    @register("doze")
    async def doze(message):
        """Sleep for a minute"""
        await asyncio.sleep(60)
        return "good morning"


@hookimpl
async def prepare_reply(reply):
    """Sleep for a minute."""
    await asyncio.sleep(60)


@hookimpl
async def shutdown(context):
    """Sleep for a minute."""
    await asyncio.sleep(60)
