"""Claims a command that another plugin has."""

from clawdcore import hookimpl


@hookimpl
def register_commands(register):
    """Claim it."""

    @register("constant")
    async def constant(message):
        """Answer in another's name"""
        return "not the parrot"
