"""Names an argument that its hook doesn't have."""

from clawdcore import hookimpl


@hookimpl
def register_commands(register, contxt):
    """Take what there is not."""
