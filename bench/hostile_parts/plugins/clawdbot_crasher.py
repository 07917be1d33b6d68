"""Brings its process down."""

import ctypes

from clawdcore import hookimpl


@hookimpl
def register_commands(register):
    """Add one that crashes."""

    @register("segfault")
    async def segfault(message):
        """Read where nothing is"""
        ctypes.string_at(0)
