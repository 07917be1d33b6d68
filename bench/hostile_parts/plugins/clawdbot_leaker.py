"""Keeps what it should let go."""

from clawdcore import hookimpl

KEPT = []


@hookimpl
def register_commands(register):
    """Add one that leaks."""

    @register("leak")
    def leak(message):
        """Keep 32 MB"""
        KEPT.append(b"\1" * 32 * 2**20)
        return "kept"
